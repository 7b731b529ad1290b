//! Somebody signs in, agrees, and their mailbox is connected.

use mailgrant_tests::{
    office::{ADA, Office, Settings},
    person::Person,
};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_person_connects_their_own_mailbox() {
    let office = Office::start(Settings::default()).unwrap();
    let mut person = Person::default();
    let (session, page) = office
        .begin(&mut person, json!({"login_hint": ADA}))
        .await
        .unwrap();
    let standing = office.standing(&session, 0).await;
    assert_eq!(standing["status"], "pending");
    assert_eq!(standing["phase"], "started");

    // The page with the button waits for the end while the person signs in.
    let (standing, page) = tokio::join!(office.standing(&session, 30), async {
        let page = office.sign_in(&mut person, page, ADA).await;
        office.decide(&mut person, page, "accept").await
    });
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.body.contains("Your mailbox is connected"),
        "{}",
        page.body
    );
    assert_eq!(page.url.path(), "/oauth/callback");
    // It hears of the return, and then of the end.
    let standing = match standing["status"].as_str() {
        Some("pending") => office.standing(&session, 30).await,
        _ => standing,
    };
    assert_eq!(standing["status"], "connected", "{standing:#}");

    let seen = office.gateway.session(&session).await;
    assert_eq!(seen["status"], "connected", "{seen:#}");
    assert!(seen["diagnosis"].is_null(), "{seen:#}");
    assert_eq!(seen["account_id"], standing["account_id"]);
    let path = format!("/v1/accounts/{}", seen["account_id"].as_str().unwrap());
    let account = office.gateway.get(&path).await.body;
    assert_eq!(account["imap_user"], ADA);
    assert_eq!(account["state"], "connected");
    let emails = office.gateway.get(&format!("{path}/emails")).await;
    assert_eq!(emails.status, StatusCode::OK, "{}", emails.text);
    assert!(!emails.body["items"].as_array().unwrap().is_empty());

    assert_eq!(
        office.seen().await.unwrap().get(..5).unwrap(),
        [
            "authorize ok",
            "sign_in ok",
            "consent ok",
            "token ok",
            "imap_login ok"
        ]
    );
}
