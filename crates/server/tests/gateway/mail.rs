//! Mail through the API, as far as the small mail server goes.

use mailgrant_server::EmailId;
use serde_json::json;

use crate::world::World;

async fn connected() -> (World, String) {
    let world = World::start().await;
    let account = format!("/v1/accounts/{}", world.account().await);
    world.refresh_gives("second", "access-1", "third").await;
    world.refresh_gives("third", "access-2", "fourth").await;
    (world, account)
}

fn id(mailbox: &str, uid_validity: u32, uid: u32) -> String {
    EmailId {
        mailbox: mailbox.to_owned(),
        uid_validity,
        uid,
    }
    .encode()
}

#[tokio::test]
async fn mailboxes_and_emails_are_listed() {
    let (world, account) = connected().await;
    let mailboxes = world
        .call("GET", &format!("{account}/mailboxes"), None)
        .await;
    assert_eq!(mailboxes.status, 200, "{}", mailboxes.text());
    assert_eq!(mailboxes.json()["items"][1]["role"], "sent");
    let emails = world.call("GET", &format!("{account}/emails"), None).await;
    assert_eq!(emails.status, 200, "{}", emails.text());
    let email = &emails.json()["items"][0];
    assert_eq!(
        (&email["subject"], &email["id"]),
        (&json!("Lunch"), &json!(id("INBOX", 14, 7)))
    );
    // One session did it all.
    assert_eq!(world.imap.state.lock().unwrap().logins.len(), 2);
}

#[tokio::test]
async fn an_email_is_read_whole_raw_and_in_parts() {
    let (world, account) = connected().await;
    let email = format!("{account}/emails/{}", id("INBOX", 14, 7));
    let whole = world.call("GET", &email, None).await;
    assert_eq!(whole.status, 200, "{}", whole.text());
    assert_eq!(whole.json()["textBody"], "At one?\n");
    let raw = world.call("GET", &format!("{email}/raw"), None).await;
    assert_eq!(raw.header("content-type"), Some("message/rfc822"));
    assert_eq!(raw.body, b"Subject: Lunch\r\n\r\nAt one?\r\n");
    let part = world
        .call("GET", &format!("{email}/attachments/1"), None)
        .await;
    assert_eq!(
        (part.status, part.header("content-disposition")),
        (200, Some("attachment"))
    );
    assert_eq!(
        part.header("content-security-policy"),
        Some("sandbox; default-src 'none'")
    );
    assert_eq!(
        world
            .call("GET", &format!("{email}/attachments/9"), None)
            .await
            .status,
        404
    );
    assert_eq!(
        world
            .call("GET", &format!("{email}?html=xyz"), None)
            .await
            .json()["field"],
        "html"
    );
}

#[tokio::test]
async fn ids_that_mean_nothing_any_more() {
    let (world, account) = connected().await;
    for (id, status, code) in [
        (id("INBOX", 13, 7), 410, "uidvalidity_changed"),
        (id("INBOX", 14, 8), 404, "not_found"),
        (id("Gone", 14, 7), 404, "not_found"),
    ] {
        for path in [
            format!("{account}/emails/{id}"),
            format!("{account}/emails/{id}/raw"),
            format!("{account}/emails/{id}/attachments/1"),
        ] {
            let answer = world.call("GET", &path, None).await;
            assert_eq!(
                (answer.status, &answer.json()["code"]),
                (status, &json!(code)),
                "{path}"
            );
        }
    }
    let answer = world
        .call("GET", &format!("{account}/emails?mailbox=Gone"), None)
        .await;
    assert_eq!(
        (answer.status, &answer.json()["field"]),
        (404, &json!("mailbox"))
    );
}

#[tokio::test]
async fn a_download_that_breaks_off_never_looks_whole() {
    let (world, account) = connected().await;
    world.imap.set(|state| {
        state.message = vec![b'x'; 700_000];
        state.cut_at = Some(300_000);
    });
    let key = format!("Bearer {}", world.key);
    let path = format!("{account}/emails/{}/raw", id("INBOX", 14, 7));
    let answer = world
        .try_send("GET", &path, &[("authorization", &key)], None)
        .await;
    assert!(answer.is_none(), "the answer looks complete");
    world.imap.set(|state| state.cut_at = None);
    assert_eq!(world.call("GET", &path, None).await.body.len(), 700_000);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_a_second_refusal_is_told() {
    let (world, account) = connected().await;
    world
        .call("POST", &format!("{account}/access-token"), None)
        .await;
    world.clock.forward(120);
    world
        .imap
        .set(|state| state.says = Some("NO AUTHENTICATE failed.".to_owned()));
    let answer = world
        .call("GET", &format!("{account}/mailboxes"), None)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(world.token_requests().await.len(), 3);

    let (world, account) = connected().await;
    world.imap.set(|state| state.refuses = true);
    let answer = world
        .call("GET", &format!("{account}/mailboxes"), None)
        .await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (409, &json!("mailbox_access_refused")),
        "{}",
        answer.text()
    );
    assert_eq!(answer.json()["diagnosis"]["code"], "imap_refused");
    assert_eq!(
        world.call("GET", &account, None).await.json()["state"],
        "degraded"
    );
    world.imap.set(|state| state.refuses = false);
    assert_eq!(
        world
            .call("GET", &format!("{account}/mailboxes"), None)
            .await
            .status,
        200
    );
    assert_eq!(
        world.call("GET", &account, None).await.json()["state"],
        "connected"
    );
}

#[tokio::test]
async fn a_pause_that_the_server_asks_for_is_kept() {
    let (world, account) = connected().await;
    world.imap.set(|state| {
        state.says =
            Some("BAD Request is throttled. Suggested Backoff Time: 90000 milliseconds".to_owned())
    });
    let path = format!("{account}/mailboxes");
    for _ in 0..2 {
        let answer = world.call("GET", &path, None).await;
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (429, Some("90")),
            "{}",
            answer.text()
        );
    }
    assert_eq!(world.imap.state.lock().unwrap().logins.len(), 2);
    world.clock.forward(90);
    assert_eq!(world.call("GET", &path, None).await.status, 200);
}

/// The state on record, with the code of its diagnosis.
async fn state(world: &World, account: &str) -> (String, String) {
    let seen = world.call("GET", account, None).await.json();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (text(&seen["state"]), text(&seen["diagnosis"]["code"]))
}

fn pair(state: &str, code: &str) -> (String, String) {
    (state.to_owned(), code.to_owned())
}

async fn told(world: &World) -> Vec<String> {
    let events = world.call("GET", "/v1/events", None).await.json();
    let events = events["items"].as_array().unwrap().iter();
    events
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_mail_server_that_was_down_is_found_to_work_again_though_nobody_asks() {
    let (world, account) = connected().await;
    let path = format!("{account}/mailboxes");
    world.imap.set(|state| state.is_down = true);
    let connections = || world.imap.state.lock().unwrap().connections;
    let before = connections();
    let answer = world.call("GET", &path, None).await;
    assert_eq!(
        answer.json()["code"],
        "mail_server_unavailable",
        "{}",
        answer.text()
    );
    let down = pair("degraded", "mail_server_unavailable");
    assert_eq!(state(&world, &account).await, down);
    world.gateway.round().await;
    assert_eq!(connections(), before + 1, "not due");
    // The pauses double: after half a minute, after another.
    for (wait, tries) in [(40, 2), (40, 2), (40, 3)] {
        world.clock.forward(wait);
        world.gateway.round().await;
        assert_eq!(connections(), before + tries);
    }
    assert_eq!(state(&world, &account).await, down);
    world.imap.set(|state| state.is_down = false);
    world.clock.forward(200);
    world.gateway.round().await;
    assert_eq!(state(&world, &account).await, pair("connected", ""));
    let names = ["account.connected", "account.degraded", "account.recovered"];
    assert_eq!(told(&world).await, names);
    // The session that found it out serves the next request.
    let logins = world.imap.state.lock().unwrap().logins.len();
    assert_eq!(world.call("GET", &path, None).await.status, 200);
    assert_eq!(world.imap.state.lock().unwrap().logins.len(), logins);
}

#[tokio::test]
async fn a_pause_that_the_server_asks_for_binds_the_gateway_itself() {
    let (world, account) = connected().await;
    let logins = || world.imap.state.lock().unwrap().logins.len();
    let before = logins();
    world.imap.set(|state| {
        state.says =
            Some("BAD Request is throttled. Suggested Backoff Time: 90000 milliseconds".to_owned())
    });
    let path = format!("{account}/mailboxes");
    assert_eq!(world.call("GET", &path, None).await.status, 429);
    let throttled = pair("degraded", "mail_server_throttled");
    assert_eq!(state(&world, &account).await, throttled);
    for wait in [30, 59] {
        world.clock.forward(wait);
        world.gateway.round().await;
        assert_eq!(
            (logins(), state(&world, &account).await),
            (before + 1, throttled.clone())
        );
    }
    world.clock.forward(1);
    world.gateway.round().await;
    assert_eq!(state(&world, &account).await, pair("connected", ""));
    assert_eq!(logins(), before + 2);
}

#[tokio::test]
async fn a_line_that_is_cut_once_costs_no_request() {
    let (world, account) = connected().await;
    let path = format!("{account}/emails");
    world.imap.set(|state| state.cuts = 1);
    assert_eq!(world.call("GET", &path, None).await.status, 200);
    assert_eq!(state(&world, &account).await, pair("connected", ""));
    // A session that was kept, and one new one after the other.
    world.imap.set(|state| state.cuts = 3);
    let answer = world.call("GET", &path, None).await;
    assert_eq!(answer.json()["code"], "mail_server_unavailable");
    let cut = pair("degraded", "mail_server_unavailable");
    assert_eq!(state(&world, &account).await, cut);
    assert_eq!(world.call("GET", &path, None).await.status, 200);
    assert_eq!(state(&world, &account).await, pair("connected", ""));
}

#[tokio::test]
async fn a_download_survives_a_session_that_died_while_it_was_kept() {
    let (world, account) = connected().await;
    let listed = world.call("GET", &format!("{account}/emails"), None).await;
    assert_eq!(listed.status, 200);
    world.imap.set(|state| state.cuts = 1);
    let path = format!("{account}/emails/{}/raw", id("INBOX", 14, 7));
    assert_eq!(world.call("GET", &path, None).await.status, 200);
}

#[tokio::test]
async fn a_login_without_a_mailbox_is_explained() {
    let (world, account) = connected().await;
    world.imap.set(|state| state.not_connected = true);
    let answer = world.call("GET", &format!("{account}/emails"), None).await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (409, &json!("mailbox_access_refused")),
        "{}",
        answer.text()
    );
    assert_eq!(answer.json()["diagnosis"]["code"], "mailbox_not_connected");
    // And on record, until the mailbox opens: a login alone does not end it.
    for _ in 0..2 {
        world.clock.forward(60);
        world.gateway.round().await;
    }
    assert_eq!(told(&world).await.last().unwrap(), "account.degraded");
}
