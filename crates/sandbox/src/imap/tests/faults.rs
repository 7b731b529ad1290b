//! What the fault plan does, octet by octet.

use serde_json::json;

use super::*;

const MESSAGE: &[u8] = b"From: Ada <ada@tarnbrook.test>\r\nTo: bruno@tarnbrook.test\r\nSubject: Hello\r\n\r\n0123456789abcdef\r\n";

async fn told(rules: serde_json::Value) -> (House, Client) {
    let house = House::new().await;
    let client = house.selected(&[MESSAGE, MESSAGE]).await;
    house.told(rules);
    (house, client)
}

#[tokio::test]
async fn any_answer_at_any_command() {
    let (house, mut client) = told(json!([
        {"at": "SEARCH", "reply": "NO [SERVERBUG] Not today.", "after": 2, "times": 1},
        {"at": "uid search", "raw": "* SEARCH 7 \u{e9}\r\n$tag OK so what\r\n"},
    ]))
    .await;
    for tag in ["a", "b"] {
        assert_eq!(
            client.say(&format!("{tag} SEARCH ALL")).await,
            format!("* SEARCH 1 2\r\n{tag} OK SEARCH completed.\r\n")
        );
    }
    assert_eq!(
        client.say("c SEARCH ALL").await,
        "c NO [SERVERBUG] Not today.\r\n"
    );
    client.ok("d SEARCH ALL").await;
    client.send("e UID SEARCH ALL\r\n").await;
    assert_eq!(
        client.octets("e").await,
        b"* SEARCH 7 \xe9\r\ne OK so what\r\n"
    );
    assert_eq!(house.faults.plan().imap.rules[0].times, Some(0));
    let staged: Vec<_> = house
        .tokens
        .log
        .entries()
        .into_iter()
        .filter(|entry| entry.kind == "fault")
        .collect();
    assert_eq!(staged.len(), 2);
    assert_eq!(staged[0].user.as_deref(), Some(ADA));
}

#[tokio::test]
async fn a_rule_may_be_for_one_mailbox_or_folder() {
    let (house, mut client) = told(json!([
        {"preset": "server_unavailable", "mailbox": "bruno@tarnbrook.test"},
        {"at": "STATUS", "folder": "archive", "reply": "NO gone"},
        {"at": "FETCH", "folder": "Archive", "reply": "NO gone"},
    ]))
    .await;
    client.ok("a STATUS INBOX (MESSAGES)").await;
    client.ok("b FETCH 1 UID").await;
    assert_eq!(
        client.say("c STATUS Archive (MESSAGES)").await,
        "c NO gone\r\n"
    );
    client.ok("d SELECT Archive").await;
    assert_eq!(client.say("e FETCH 1 UID").await, "e NO gone\r\n");
    let mut other = house.connect().await;
    let bruno = xoauth2("bruno@tarnbrook.test", "good");
    other.ok(&format!("a AUTHENTICATE XOAUTH2 {bruno}")).await;
    assert_eq!(
        other.say("b NAMESPACE").await,
        "b NO Server Unavailable. 15\r\n"
    );
}

#[tokio::test]
async fn throttling_lasts_as_long_as_it_says() {
    let (house, mut client) = told(json!([{"preset": "throttled", "backoff_ms": 89_117}])).await;
    let throttled = |tag: &str, left: u32| {
        format!("{tag} NO Request is throttled. Suggested Backoff Time: {left} milliseconds\r\n")
    };
    assert_eq!(client.say("a FETCH 1 UID").await, throttled("a", 89_117));
    house.clock.advance(Duration::from_secs(89));
    assert_eq!(client.say("b NAMESPACE").await, throttled("b", 117));
    house.clock.advance(Duration::from_secs(1));
    client.ok("c FETCH 1 UID").await;
    house.told(json!([{"preset": "throttled_and_closed", "backoff_ms": 299_609}]));
    client.send("d FETCH 1 UID\r\n").await;
    assert_eq!(
        client.rest().await,
        "d BAD Request is throttled. Suggested Backoff Time: 299609 milliseconds\r\n* BYE Connection closed. 14\r\n"
    );
}

#[tokio::test]
async fn refusals_of_every_command() {
    for (preset, expected) in [
        ("server_unavailable", "a NO Server Unavailable. 15\r\n"),
        (
            "unavailable",
            "a NO [UNAVAILABLE] Temporary System Problem. Try again later\r\n",
        ),
        ("argument_error", "a BAD Command Argument Error. 11\r\n"),
        ("fetch_refused", "a NO FETCH failed.\r\n"),
    ] {
        let (_house, mut client) = told(json!([{"preset": preset}])).await;
        assert_eq!(client.say("a FETCH 1 UID").await, expected);
    }
    for (preset, expected) in [
        ("connection_closed", "* BYE Connection closed. 14\r\n"),
        (
            "token_expired",
            "* BYE Session invalidated - AccessTokenExpired\r\n",
        ),
    ] {
        let (_house, mut client) = told(json!([{"preset": preset}])).await;
        client.send("a FETCH 1 UID\r\n").await;
        assert_eq!(client.rest().await, expected);
    }
}

#[tokio::test]
async fn lists_that_fail() {
    let (_house, mut client) = told(json!([{"preset": "second_list_fails"}])).await;
    client.ok("a LIST \"\" *").await;
    assert_eq!(
        client.say("b LIST \"\" *").await,
        "b NO [SERVERBUG] Internal error occurred.\r\n"
    );
    let (_house, mut client) = told(json!([{"preset": "list_empty"}])).await;
    assert_eq!(
        client.say("a LIST \"\" *").await,
        "a OK LIST completed.\r\n"
    );
    let (_house, mut client) = told(json!([{"preset": "list_unusable"}])).await;
    assert_eq!(
        client.say("a LIST \"\" *").await,
        "* LIST (\\HasNoChildren \"/\"\r\n* LIST () NIL\r\na OK LIST completed.\r\n"
    );
    let (_house, mut client) = told(json!([{"preset": "lsub_refused"}])).await;
    assert_eq!(
        client.say("a LSUB \"\" *").await,
        "a BAD Command Error. 12\r\n"
    );
    client.ok("b LIST \"\" *").await;
}

#[tokio::test]
async fn a_folder_that_is_listed_cannot_be_selected() {
    let (_house, mut client) =
        told(json!([{"preset": "select_refused", "folder": "Archive"}])).await;
    let listed = client.ok("a LIST \"\" *").await;
    assert!(listed.contains("Archive"));
    client.ok("b SELECT INBOX").await;
    client.send("c SELECT Archive\r\n").await;
    assert_eq!(
        client.rest().await,
        "c NO The requested folder could not be opened.\r\n"
    );
}

#[tokio::test]
async fn uid_validity_that_is_missing_or_nonsense() {
    for (preset, expected) in [
        (
            "uid_validity_zero",
            Some("* OK [UIDVALIDITY 0] UIDVALIDITY value"),
        ),
        (
            "uid_validity_invalid",
            Some("* OK [UIDVALIDITY 4294967296000] UIDVALIDITY value"),
        ),
        ("uid_validity_missing", None),
    ] {
        let (_house, mut client) = told(json!([{"preset": preset}])).await;
        let answer = client.ok("a SELECT INBOX").await;
        let said = answer.lines().find(|line| line.contains("UIDVALIDITY"));
        assert_eq!(said, expected, "{preset}");
    }
    let (_house, mut client) = told(json!([{"at": "STATUS", "uid_validity": "0"}])).await;
    assert_eq!(
        client.ok("a STATUS INBOX (UIDVALIDITY MESSAGES)").await,
        "* STATUS INBOX (UIDVALIDITY 0 MESSAGES 2)\r\na OK STATUS completed.\r\n"
    );
}

#[tokio::test]
async fn uid_validity_changes_and_older_sessions_end() {
    let (house, mut client) = told(json!([])).await;
    let mailbox = house.store.mailbox(ADA).unwrap();
    client.ok("a STORE 1 +FLAGS (\\Deleted)").await;
    client.ok("b EXPUNGE").await;
    let before = mailbox.folder("INBOX").unwrap();
    assert_eq!(before.entries()[0].uid, 2);
    house.told(json!([{"preset": "uid_validity_changes", "times": 1}]));
    let mut other = house.login().await;
    let answer = other.ok("a SELECT INBOX").await;
    let after = mailbox.folder("INBOX").unwrap();
    assert_ne!(after.uid_validity, before.uid_validity);
    assert!(
        answer.contains(&format!("[UIDVALIDITY {}]", after.uid_validity))
            && answer.contains("[UIDNEXT 2]"),
        "{answer}"
    );
    assert_eq!(
        other.ok("b FETCH 1 UID").await,
        "* 1 FETCH (UID 1)\r\nb OK FETCH completed.\r\n"
    );
    client.send("c FETCH 1 UID\r\n").await;
    assert_eq!(client.rest().await, "* BYE Connection closed. 14\r\n");
    other.ok("c SELECT INBOX").await;
    assert_eq!(
        mailbox.folder("INBOX").unwrap().uid_validity,
        after.uid_validity
    );
}

#[tokio::test]
async fn fetch_that_leaves_things_out() {
    let (_house, mut client) = told(json!([{"preset": "fetch_without_flags"}])).await;
    assert_eq!(
        client.ok("a FETCH 1 (UID FLAGS RFC822.SIZE)").await,
        "* 1 FETCH (UID 1 RFC822.SIZE 94)\r\na OK FETCH completed.\r\n"
    );
    let (_house, mut client) = told(json!([{"preset": "envelope_without_host"}])).await;
    let answer = client.ok("a FETCH 1 ENVELOPE").await;
    assert!(
        answer.contains("((\"Ada\" NIL \"ada\" NIL))")
            && answer.contains("((NIL NIL \"bruno\" NIL))"),
        "{answer}"
    );
    let (_house, mut client) = told(json!([{"preset": "message_missing"}])).await;
    assert_eq!(
        client.ok("a UID FETCH 1:2 UID").await,
        "* 1 FETCH (UID 1)\r\na OK FETCH completed.\r\n"
    );
}

#[tokio::test]
async fn literals_that_lie() {
    let fetch = "a FETCH 1 BODY.PEEK[TEXT]\r\n";
    let (_house, mut client) = told(json!([{"preset": "literal_too_short"}])).await;
    client.send(format!("{fetch}b LOGOUT\r\n")).await;
    let rest = client.rest().await;
    assert!(
        rest.starts_with("* 1 FETCH (BODY[TEXT] {18}\r\n01234567)\r\na OK FETCH completed.\r\n"),
        "{rest}"
    );
    let (_house, mut client) = told(json!([{"preset": "literal_too_long"}])).await;
    client.send(format!("{fetch}b LOGOUT\r\n")).await;
    let rest = client.rest().await;
    assert!(
        rest.starts_with("* 1 FETCH (BODY[TEXT] {18}\r\n0123456789abcdef\r\n??????????)\r\na OK"),
        "{rest}"
    );
    let (_house, mut client) = told(json!([{"preset": "cut_in_literal"}])).await;
    client.send(fetch).await;
    assert_eq!(
        client.rest().await,
        "* 1 FETCH (BODY[TEXT] {18}\r\n012345678"
    );
}

#[tokio::test]
async fn lines_in_the_middle_of_an_answer() {
    for (preset, line) in [
        ("expunge_in_answer", "* 1 EXPUNGE\r\n"),
        ("exists_in_answer", "* 2 EXISTS\r\n"),
    ] {
        let (_house, mut client) = told(json!([{"preset": preset}])).await;
        assert_eq!(
            client.ok("a FETCH 1:2 UID").await,
            format!("* 1 FETCH (UID 1)\r\n{line}* 2 FETCH (UID 2)\r\na OK FETCH completed.\r\n")
        );
    }
    let (_house, mut client) = told(json!([{"preset": "garbage_line"}])).await;
    client.send("a STATUS INBOX (MESSAGES)\r\n").await;
    assert_eq!(
        client.octets("a").await,
        b"* STATUS INBOX (MESSAGES 2)\r\n%&/ \x80\xff garbage {3 (\r\na OK STATUS completed.\r\n"
    );
    client.send("b CREATE New\r\n").await;
    assert_eq!(
        client.octets("b").await,
        b"%&/ \x80\xff garbage {3 (\r\nb OK CREATE completed.\r\n"
    );
}

#[tokio::test]
async fn a_command_is_never_answered() {
    let (_house, mut client) = told(json!([{"at": "SEARCH", "silent": true, "times": 1}])).await;
    client.send("a SEARCH ALL\r\nb NOOP\r\n").await;
    assert_eq!(client.line().await, "b OK NOOP completed.\r\n");
}

#[tokio::test]
async fn idle_that_tells_nothing_and_idle_that_is_cut() {
    let (house, mut client) = told(json!([{"preset": "idle_mute", "times": 1}])).await;
    client.send("a IDLE\r\n").await;
    assert!(client.line().await.starts_with("+ "));
    let mailbox = house.store.mailbox(ADA).unwrap();
    mailbox.deliver(MESSAGE, NOW).unwrap();
    client.send("DONE\r\n").await;
    assert_eq!(client.line().await, "a OK IDLE completed.\r\n");
    assert_eq!(
        client.say("b NOOP").await,
        "* 3 EXISTS\r\n* 0 RECENT\r\nb OK NOOP completed.\r\n"
    );
    house.told(json!([{"preset": "idle_cut", "delay_ms": 20}]));
    client.send("c IDLE\r\n").await;
    assert!(client.line().await.starts_with("+ "));
    assert_eq!(client.rest().await, "");
    house.told(json!([{"at": "IDLE", "reply": "BAD Command Error. 12"}]));
    let mut other = house.login().await;
    assert_eq!(other.say("a IDLE").await, "a BAD Command Error. 12\r\n");
}

#[tokio::test]
async fn logout_without_bye() {
    let (_house, mut client) = told(json!([{"preset": "logout_without_bye"}])).await;
    client.send("a LOGOUT\r\n").await;
    assert_eq!(client.rest().await, "a OK LOGOUT completed.\r\n");
}

#[tokio::test]
async fn logins_that_are_refused_in_other_words() {
    let house = House::new().await;
    for (preset, expected) in [
        (
            "basic_auth_disabled",
            "a NO Basic authentication is disabled.\r\n",
        ),
        (
            "basic_auth_blocked",
            "a NO [Error=\"AuthFailed:LogonDenied-BasicAuthBlocked\"] LOGIN failed.\r\n",
        ),
    ] {
        house.told(json!([{"preset": preset}]));
        let mut client = house.connect().await;
        assert_eq!(client.say("a LOGIN ada@tarnbrook.test x").await, expected);
    }
    house.told(json!([{"preset": "account_blocked", "mailbox": ADA}]));
    let mut client = house.connect().await;
    client.send("a AUTHENTICATE XOAUTH2\r\n").await;
    client.line().await;
    client.send(format!("{}\r\n", xoauth2(ADA, "good"))).await;
    assert!(
        client
            .line()
            .await
            .starts_with("a NO LOGIN failed. Account is blocked.")
    );
    let bruno = xoauth2("bruno@tarnbrook.test", "good");
    client.ok(&format!("b AUTHENTICATE XOAUTH2 {bruno}")).await;
    house.told(json!([]));
    let mut client = house.connect().await;
    assert_eq!(
        client.say("a LOGIN someone@outlook.test x").await,
        "a NO Basic authentication is disabled.\r\n"
    );
}

#[tokio::test]
async fn greetings_that_go_wrong() {
    let house = House::new().await;
    for (rule, expected) in [
        (
            json!({"at": "GREETING", "bye": "Connection refused."}),
            "* BYE Connection refused.\r\n",
        ),
        (
            json!({"at": "GREETING", "raw": "HTTP/1.1 400\r\n", "close": true}),
            "HTTP/1.1 400\r\n",
        ),
    ] {
        house.told(json!([rule]));
        let mut client = house.connect_unread().await;
        assert_eq!(client.rest().await, expected);
    }
}

#[tokio::test]
async fn what_goes_wrong_on_the_line() {
    let house = House::new().await;
    let mut client = house.selected(&[MESSAGE]).await;
    let transport = |transport: serde_json::Value| {
        let plan = json!({"imap": {"transport": transport}});
        house.faults.set(serde_json::from_value(plan).unwrap());
    };
    transport(json!({"cut_after_bytes": 10, "mailbox": ADA}));
    client.send("a FETCH 1 UID\r\n").await;
    assert_eq!(client.rest().await, "* 1 FETCH ");

    transport(json!({"refuse_tls": true, "times": 1}));
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, house.server.port()))
        .await
        .unwrap();
    let refused = house
        .try_encrypt(Box::new(stream))
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(refused.contains("HandshakeFailure"), "{refused}");
    house.login().await;

    transport(json!({"down": true}));
    while TcpStream::connect((Ipv4Addr::LOCALHOST, house.server.port()))
        .await
        .is_ok()
    {
        tokio::task::yield_now().await;
    }
    transport(json!({}));
    while TcpStream::connect((Ipv4Addr::LOCALHOST, house.server.port()))
        .await
        .is_err()
    {
        tokio::task::yield_now().await;
    }
    house.login().await;
}
