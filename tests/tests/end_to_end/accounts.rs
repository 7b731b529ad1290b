//! Accounts that no person signs in for: an imported refresh token, and app-only access.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mailgrant_tests::{
    gateway::Configuration,
    needs,
    person::Person,
    stack::{Options, Stack},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

#[tokio::test]
async fn an_imported_refresh_token_serves_until_the_account_is_deleted() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let token = foreign_grant(&stack, "alice@corp.test").await;
    let body = json!({"application": "corp", "address": "alice@corp.test", "refresh_token": token, "metadata": {"row": 7}});

    let added = stack.gateway.post("/v1/accounts", &body).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    assert!(!added.text.contains(&token));
    let id = added.body["id"].as_str().unwrap();
    let path = format!("/v1/accounts/{id}");
    let location = added.headers["location"].to_str().unwrap();
    assert_eq!(location, format!("{}{path}", stack.gateway.url));
    let shown = stack.gateway.get(&path).await.body;
    assert_eq!(shown, added.body);
    assert_eq!(shown["flow"], "delegated");
    assert_eq!(shown["state"], "connected");
    assert_eq!(shown["metadata"], json!({"row": 7}));
    let emails = stack.gateway.get(&format!("{path}/emails")).await;
    assert_eq!(emails.status, StatusCode::OK, "{}", emails.text);

    let deleted = stack.gateway.delete(&path).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.text);
    assert_gone(&stack, &path).await;
}

#[tokio::test]
async fn a_refresh_token_that_the_authority_refuses_is_the_callers_fault() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let used = foreign_grant(&stack, "alice@corp.test").await;
    stack.authority.revoke("alice@corp.test").await;
    for token in [used.as_str(), "not-a-token-of-this-authority"] {
        let body =
            json!({"application": "corp", "address": "alice@corp.test", "refresh_token": token});
        let refused = stack.gateway.post("/v1/accounts", &body).await;
        assert_eq!(
            refused.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{}",
            refused.text
        );
        assert_eq!(refused.body["field"], "refresh_token");
        assert!(refused.body["diagnosis"]["code"].is_string());
        assert!(!refused.text.contains(token), "{}", refused.text);
    }
    assert_eq!(
        stack.gateway.get("/v1/accounts").await.body["items"],
        json!([])
    );
}

#[tokio::test]
async fn app_only_access_serves_the_mailbox_that_the_application_may_open() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let body = json!({"application": "daemon", "address": "shared@corp.test"});
    let added = stack.gateway.post("/v1/accounts", &body).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    assert_eq!(added.body["flow"], "app_only");
    let path = format!("/v1/accounts/{}", added.body["id"].as_str().unwrap());
    let mailboxes = stack.gateway.get(&format!("{path}/mailboxes")).await;
    assert_eq!(mailboxes.status, StatusCode::OK, "{}", mailboxes.text);
    let token = stack
        .gateway
        .post(&format!("{path}/access-token"), &json!({}))
        .await;
    assert_eq!(token.body["user"], "shared@corp.test", "{}", token.text);

    // The token opens that mailbox and no other: found out before anything is stored.
    let body = json!({"application": "daemon", "address": "alice@corp.test"});
    let refused = stack.gateway.post("/v1/accounts", &body).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert_eq!(refused.code(), "mailbox_access_refused");
    assert_eq!(refused.body["diagnosis"]["code"], "imap_refused");
    let accounts = stack.gateway.get("/v1/accounts").await.body;
    assert_eq!(accounts["items"].as_array().unwrap().len(), 1);

    assert_eq!(
        stack.gateway.delete(&path).await.status,
        StatusCode::NO_CONTENT
    );
    assert_gone(&stack, &path).await;
}

/// Nothing answers for the account any more, whatever was still open or in memory.
async fn assert_gone(stack: &Stack, path: &str) {
    for below in ["", "/mailboxes", "/emails"] {
        let gone = stack.gateway.get(&format!("{path}{below}")).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND, "{below}: {}", gone.text);
    }
    let token = format!("{path}/access-token");
    let gone = stack.gateway.post(&token, &json!({})).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "{}", gone.text);
    let again = stack.gateway.delete(path).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "{}", again.text);
    assert_eq!(
        stack.gateway.get("/v1/accounts").await.body["items"],
        json!([])
    );
}

/// A refresh token that another program has obtained with the same registration.
async fn foreign_grant(stack: &Stack, login_hint: &str) -> String {
    let issuer = &stack.authority.issuer;
    let redirect_uri = Configuration::redirect_uri(
        stack
            .gateway
            .url
            .rsplit(':')
            .next()
            .unwrap()
            .parse()
            .unwrap(),
    );
    let verifier = "v".repeat(43);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    let mut url = Url::parse(&format!("{issuer}/auth")).unwrap();
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", "gateway"),
        ("redirect_uri", &redirect_uri),
        ("scope", "openid profile email offline_access mail.imap"),
        ("prompt", "consent"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("state", "another-program"),
        ("login_hint", login_hint),
    ]);
    // The gateway knows nothing of this attempt and refuses it, without touching the code.
    let page = Person::default().open(url.as_str(), None).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "{}", page.body);
    let code = page.url.query_pairs().find(|(name, _)| name == "code");
    let code = code.unwrap_or_else(|| panic!("no code in {}", page.url)).1;
    let answer = reqwest::Client::new()
        .post(format!("{issuer}/token"))
        .form(&[
            ("grant_type", "authorization_code"),
            ("client_id", "gateway"),
            ("client_secret", &stack.authority.secret),
            ("redirect_uri", &redirect_uri),
            ("code", &code),
            ("code_verifier", &verifier),
        ])
        .send()
        .await
        .unwrap();
    let tokens: Value = answer.json().await.unwrap();
    let token = tokens["refresh_token"].as_str();
    token.unwrap_or_else(|| panic!("{tokens:#}")).to_owned()
}
