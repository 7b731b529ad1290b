//! What a mailbox may take: connections, logins and commands; and sessions that are ended from outside.

use super::*;

fn authenticate(tag: &str) -> String {
    format!("{tag} AUTHENTICATE XOAUTH2 {}", xoauth2(ADA, "good"))
}

#[tokio::test]
async fn one_connection_too_many_connects_to_nothing() {
    let house = House::new().await;
    house.tokens.limits.lock().unwrap().connections = 2;
    let _first = house.login().await;
    let mut second = house.login().await;
    let mut third = house.connect().await;
    third.ok(&authenticate("a")).await;
    third.send("b LIST \"\" *\r\n").await;
    assert_eq!(
        third.rest().await,
        "b BAD User is authenticated but not connected.\r\n* BYE Connection closed. 14\r\n"
    );
    let log = house.tokens.log.entries();
    let detail = log.last().unwrap().detail.as_deref().unwrap();
    assert!(
        detail.starts_with("2 connections to this mailbox are open already"),
        "{detail}"
    );
    // A place is free as soon as somebody has left.
    second.ok("z LOGOUT").await;
    second.rest().await;
    while house.sessions.counts() != [(ADA.to_owned(), 1)] {
        tokio::task::yield_now().await;
    }
    house.login().await.ok("c LIST \"\" *").await;
}

#[tokio::test]
async fn too_many_commands_are_throttled_until_the_time_is_over() {
    let house = House::new().await;
    let mut client = house.selected(&[b"Subject: a\r\n\r\n"]).await;
    {
        let mut limits = house.tokens.limits.lock().unwrap();
        limits.commands_per_minute = Some(3);
        limits.backoff_seconds = 90;
    }
    // SELECT was the first.
    client.ok("a FETCH 1 FLAGS").await;
    client.ok("b FETCH 1 FLAGS").await;
    assert_eq!(
        client.say("c FETCH 1 FLAGS").await,
        "c NO Request is throttled. Suggested Backoff Time: 90000 milliseconds\r\n"
    );
    house.clock.advance(Duration::from_secs(60));
    assert_eq!(
        client.say("d SEARCH ALL").await,
        "d NO Request is throttled. Suggested Backoff Time: 30000 milliseconds\r\n"
    );
    // What needs no mailbox goes on, and a new session is turned away.
    client.ok("e NOOP").await;
    let mut other = house.connect().await;
    other.ok(&authenticate("a")).await;
    other.send("b NAMESPACE\r\n").await;
    assert_eq!(
        other.rest().await,
        "b BAD Request is throttled. Suggested Backoff Time: 30000 milliseconds\r\n* BYE Connection closed. 14\r\n"
    );
    house.clock.advance(Duration::from_secs(30));
    client.ok("f FETCH 1 FLAGS").await;
}

#[tokio::test]
async fn too_many_logins_are_throttled() {
    let house = House::new().await;
    house.tokens.limits.lock().unwrap().logins_per_minute = Some(2);
    for _ in 0..2 {
        house.login().await.ok("z LOGOUT").await;
    }
    let mut client = house.connect().await;
    client.ok(&authenticate("a")).await;
    client.send("b SELECT INBOX\r\n").await;
    assert_eq!(
        client.rest().await,
        "b BAD Request is throttled. Suggested Backoff Time: 300000 milliseconds\r\n* BYE Connection closed. 14\r\n"
    );
    house.clock.advance(Duration::from_secs(300));
    house.login().await.ok("a SELECT INBOX").await;
}

#[tokio::test]
async fn sessions_are_ended_on_demand() {
    let house = House::new().await;
    let mut waiting = house.login().await;
    let mut idling = house.login().await;
    idling.ok("s SELECT INBOX").await;
    idling.send("i IDLE\r\n").await;
    idling.line().await;
    let text = "Session invalidated - AccessTokenExpired";
    assert_eq!(house.sessions.end(Some("bruno@tarnbrook.test"), text), 0);
    assert_eq!(house.sessions.end(Some(ADA), text), 2);
    for client in [&mut waiting, &mut idling] {
        assert_eq!(client.rest().await, format!("* BYE {text}\r\n"));
    }
}

#[tokio::test]
async fn a_session_ends_when_its_mailbox_does() {
    let house = House::new().await;
    let mut client = house.login().await;
    house.tokens.changes.send_modify(|count| *count += 1);
    client.ok("a NOOP").await;
    house.tokens.gone.send_replace(Some(ADA.to_owned()));
    house.tokens.changes.send_modify(|count| *count += 1);
    assert_eq!(client.rest().await, "* BYE Connection closed. 14\r\n");
}

#[tokio::test]
async fn a_token_that_ends_while_messages_are_sent_ends_the_session() {
    let house = House::new().await;
    let body = format!("Subject: a\r\n\r\n{}", "0123456789abcde\r\n".repeat(20_000));
    let mut client = house
        .selected(&[body.as_bytes(), body.as_bytes(), body.as_bytes()])
        .await;
    house.told(serde_json::json!([{"at": "FETCH", "delay_ms": 50}]));
    client.send("f FETCH 1:3 BODY.PEEK[]\r\n").await;
    house.clock.advance(Duration::from_secs(3600));
    let rest = client.rest().await;
    // Never within a message.
    assert!(
        rest.ends_with(")\r\n* BYE Session invalidated - AccessTokenExpired\r\n")
            || rest == "* BYE Session invalidated - AccessTokenExpired\r\n",
        "{}",
        &rest[rest.len().saturating_sub(100)..]
    );
    assert!(!rest.contains("f OK"));
}
