//! Many mailboxes in one request: each with its own outcome.

use mailgrant_tests::{
    gateway::Answer,
    office::{ADA, Office, SUPPORT, Settings},
};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn one_bad_address_spoils_no_other_and_all_cost_one_token_request() {
    let office = Office::start(Settings::default()).unwrap();
    let addresses = json!([
        ADA,
        SUPPORT,
        "nobody@quillmere.test",
        "SUPPORT@quillmere.test"
    ]);
    let body = json!({"application": "archive", "addresses": addresses, "metadata": {"row": 7}});
    let answer = office.gateway.post("/v1/accounts", &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let items = answer.body["items"].as_array().unwrap();
    let told: Vec<_> = items.iter().map(|item| item["address"].clone()).collect();
    assert_eq!(json!(told), addresses, "in the order given");

    let problem = |index: usize| &items[index]["problem"];
    assert_eq!(problem(0)["code"], "mailbox_access_refused");
    let code = &problem(0)["diagnosis"]["code"];
    assert_eq!(code, "mailbox_permission_missing", "{:#}", items[0]);
    let account = &items[1]["account"];
    assert_eq!(account["state"], "connected", "{:#}", items[1]);
    assert_eq!(account["metadata"], json!({"row": 7}));
    assert_eq!(
        problem(2)["code"],
        "mailbox_access_refused",
        "{:#}",
        items[2]
    );
    // The application is known there, as the others show: what is wrong is this mailbox.
    let refusal = &problem(2)["diagnosis"];
    assert_eq!(refusal["code"], "mailbox_closed", "{refusal:#}");
    assert!(refusal["remedy"].to_string().contains("Set-CASMailbox"));
    assert_eq!(problem(3)["field"], "addresses[3]", "{:#}", items[3]);

    // What is an account already is told with its id, to its own site only.
    let again = json!({"application": "archive", "address": "Support@Quillmere.test"});
    let taken = office.gateway.post("/v1/accounts", &again).await;
    assert_eq!(taken.status, StatusCode::CONFLICT, "{}", taken.text);
    assert_eq!(taken.code(), "already_connected");
    assert_eq!(taken.body["account_id"], account["id"]);
    let other = office
        .gateway
        .create_key(&["--scope", "accounts:write", "--site", "other"])
        .unwrap();
    let request = reqwest::Client::new()
        .request(Method::POST, format!("{}/v1/accounts", office.gateway.url))
        .bearer_auth(other);
    let elsewhere = Answer::of(request.json(&again)).await;
    assert_eq!(elsewhere.status, StatusCode::CREATED, "{}", elsewhere.text);
    assert_ne!(elsewhere.body["id"], account["id"]);

    let found = office
        .gateway
        .get("/v1/accounts?address=support@quillmere.test")
        .await;
    assert_eq!(found.body["items"].as_array().unwrap().len(), 1);
    let tokens = office.sandbox.requests_of("token").await.unwrap();
    assert_eq!(tokens.len(), 1, "{tokens:#?}");
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_before_anything_is_asked() {
    let office = Office::start(Settings::default()).unwrap();
    let hundred_and_one: Vec<_> = (0..101)
        .map(|each| format!("{each}@quillmere.test"))
        .collect();
    for (more, field) in [
        (json!({}), "address"),
        (
            json!({"address": SUPPORT, "addresses": [SUPPORT]}),
            "addresses",
        ),
        (json!({"addresses": []}), "addresses"),
        (json!({"addresses": hundred_and_one}), "addresses"),
        (json!({"addresses": [SUPPORT, "nobody"]}), "addresses[1]"),
        (
            json!({"addresses": [SUPPORT], "imap_user": ADA}),
            "imap_user",
        ),
        (
            json!({"addresses": [SUPPORT], "refresh_token": "x"}),
            "refresh_token",
        ),
        (json!({"address": SUPPORT, "from": "a\r\nb"}), "from"),
        (
            json!({"address": SUPPORT, "tenant": "organizations"}),
            "tenant",
        ),
        (json!({"address": SUPPORT, "tenant": "a/b"}), "tenant"),
    ] {
        let mut body = more.clone();
        body["application"] = "archive".into();
        let refused = office.gateway.post("/v1/accounts", &body).await;
        assert_eq!(
            refused.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{more}: {}",
            refused.text
        );
        assert_eq!(refused.body["field"], field, "{more}: {}", refused.text);
    }
    assert!(
        office
            .sandbox
            .requests_of("token")
            .await
            .unwrap()
            .is_empty()
    );
}
