//! An authority that answers with an error page, or with a proxy's: told as what it is, in time, and no account dies of it.

use std::time::{Duration, Instant};

use mailgrant_tests::{
    gateway::Answer,
    needs,
    person::Person,
    stack::{Options, Stack},
};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn at_the_code_exchange_the_session_fails_and_says_why() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    for (status, code) in [(503, "authority_unavailable"), (200, "authority_not_json")] {
        let session = stack.gateway.connect_session("alice@corp.test").await;
        let mut person = Person::default();
        let callback = stack
            .gateway
            .sign_in_up_to_callback(&mut person, &session)
            .await;
        stack.authority.answer_html(status).await;
        let begun = Instant::now();
        let page = person.open(callback.as_str(), None).await;
        // A few attempts, not the client's whole deadline.
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert!(page.body.contains("What to do"), "{}", page.body);
        let failed = stack.gateway.session(&session).await;
        assert_eq!(failed["status"], "failed", "{failed:#}");
        assert_eq!(failed["diagnosis"]["code"], code, "{failed:#}");
        stack.authority.down(false).await;
    }
    assert_eq!(
        stack.gateway.get("/v1/accounts").await.body["items"],
        json!([])
    );
    stack.gateway.connect("alice@corp.test").await;
}

#[tokio::test]
async fn at_the_refresh_the_account_lives_on() {
    needs!("node", "dovecot");
    // So short that each request needs a new token.
    let options = Options {
        access_token_seconds: 20,
        ..Options::default()
    };
    let stack = Stack::start(options).await.unwrap();
    for (status, person, code) in [
        (503, "alice@corp.test", "authority_unavailable"),
        (200, "bob@corp.test", "authority_not_json"),
    ] {
        let account = stack.gateway.connect(person).await;
        let account = format!("/v1/accounts/{account}");
        stack.authority.answer_html(status).await;
        let token = format!("{account}/access-token");
        let nothing = json!({});
        assert_unavailable(stack.gateway.post(&token, &nothing), code).await;
        assert_unavailable(stack.gateway.get(&format!("{account}/emails")), code).await;
        let shown = stack.gateway.get(&account).await.body;
        assert_eq!(shown["state"], "degraded", "{shown:#}");
        stack.authority.down(false).await;
    }
    assert_eq!(stack.authority.count("refresh_token:error").await, 0);
}

#[tokio::test]
async fn at_an_import_nothing_is_added_and_the_token_is_not_blamed() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    // Learnt while it answered: what fails below is the token request.
    stack.gateway.connect("alice@corp.test").await;
    for (status, code) in [(503, "authority_unavailable"), (200, "authority_not_json")] {
        stack.authority.answer_html(status).await;
        let import =
            json!({"application": "corp", "address": "bob@corp.test", "refresh_token": "token"});
        assert_unavailable(stack.gateway.post("/v1/accounts", &import), code).await;
        // The application's mailboxes share one token: after a failure it is asked for again only after a pause, and
        // until then the answer is the last one.
        let shared = json!({"application": "daemon", "address": "shared@corp.test"});
        let asked = async || loop {
            let answer = stack.gateway.post("/v1/accounts", &shared).await;
            if answer.body["diagnosis"]["code"] == code {
                break answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert_unavailable(asked(), code).await;
    }
    let accounts = stack.gateway.get("/v1/accounts").await.body;
    assert_eq!(accounts["items"].as_array().unwrap().len(), 1);
}

async fn assert_unavailable(answer: impl Future<Output = Answer>, code: &str) {
    let answer = tokio::time::timeout(Duration::from_secs(10), answer).await;
    let answer = answer.expect("an answer within the deadline");
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{}", answer.text);
    assert_eq!(answer.code(), "authority_unavailable");
    assert_eq!(answer.body["diagnosis"]["code"], code, "{}", answer.text);
    assert!(answer.headers.contains_key("retry-after"));
}
