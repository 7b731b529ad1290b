//! The account's names, and its token in the form that a program wants.

use mailgrant_tests::{
    gateway::Answer,
    office::{ADA, Office, SUPPORT, Settings},
};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

async fn patch(office: &Office, path: &str, body: Value) -> Answer {
    Answer::of(office.gateway.request(Method::PATCH, path).json(&body)).await
}

#[tokio::test]
async fn a_token_comes_as_json_or_as_one_string_and_is_in_no_log() {
    let office = Office::start(Settings::default()).unwrap();
    let body = json!({"application": "archive", "address": SUPPORT, "smtp_user": ADA});
    let added = office.gateway.post("/v1/accounts", &body).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    let account = format!("/v1/accounts/{}", added.body["id"].as_str().unwrap());
    let path = format!("{account}/access-token");
    let json = office.gateway.post(&path, &json!({})).await;
    assert_eq!(json.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(json.body["user"], SUPPORT);
    let token = json.body["access_token"].as_str().unwrap();
    for (format, member) in [
        ("access-token", "access_token"),
        ("xoauth2", "xoauth2"),
        ("oauthbearer", "oauthbearer"),
    ] {
        let text = office
            .gateway
            .post(&format!("{path}?format={format}"), &json!({}))
            .await;
        assert_eq!(text.status, StatusCode::OK, "{}", text.text);
        assert_eq!(text.text, json.body[member].as_str().unwrap(), "{format}");
        let kind = text.headers[header::CONTENT_TYPE].to_str().unwrap();
        assert!(kind.starts_with("text/plain"), "{kind}");
        assert_eq!(text.headers[header::CACHE_CONTROL], "no-store");
    }
    for (accept, is_json) in [
        ("text/plain", false),
        ("application/json, text/plain", true),
        ("*/*", true),
    ] {
        let request = office
            .gateway
            .request(Method::POST, &path)
            .header(header::ACCEPT, accept);
        let answer = Answer::of(request).await;
        assert_eq!(
            answer.body.is_object(),
            is_json,
            "{accept}: {}",
            answer.text
        );
        assert!(answer.text.contains(token));
    }
    let smtp = office
        .gateway
        .post(&format!("{path}?protocol=smtp"), &json!({}))
        .await;
    assert_eq!(smtp.body["user"], ADA, "{}", smtp.text);
    for wrong in ["format=jwt", "protocol=jmap", "form=json"] {
        let refused = office
            .gateway
            .post(&format!("{path}?{wrong}"), &json!({}))
            .await;
        assert_eq!(
            refused.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{}",
            refused.text
        );
    }
    let logs = office.gateway.logs();
    assert!(logs.contains("access-token"), "the request is in the log");
    assert!(!logs.contains(token), "and its answer is not");
}

#[tokio::test]
async fn another_mailbox_is_opened_before_it_is_taken() {
    let office = Office::start(Settings::default()).unwrap();
    let body = json!({"application": "archive", "address": SUPPORT});
    let added = office.gateway.post("/v1/accounts", &body).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    let account = format!("/v1/accounts/{}", added.body["id"].as_str().unwrap());

    let refused = patch(&office, &account, json!({"imap_user": ADA, "from": ADA})).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert_eq!(
        refused.body["diagnosis"]["code"],
        "mailbox_permission_missing"
    );
    let shown = office.gateway.get(&account).await.body;
    assert_eq!(
        (&shown["imap_user"], &shown["from"]),
        (&json!(SUPPORT), &json!(SUPPORT))
    );

    // What is switched off need not open.
    let changed = patch(
        &office,
        &account,
        json!({"imap_user": ADA, "disabled": true}),
    )
    .await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    assert_eq!(
        (&changed.body["imap_user"], &changed.body["state"]),
        (&json!(ADA), &json!("disabled"))
    );
    let back = patch(
        &office,
        &account,
        json!({"imap_user": SUPPORT, "disabled": false}),
    )
    .await;
    assert_eq!(back.status, StatusCode::OK, "{}", back.text);
    assert_eq!(back.body["state"], "connected");
}
