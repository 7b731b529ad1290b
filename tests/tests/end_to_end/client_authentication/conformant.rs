//! npm oidc-provider, a certified implementation that compares each request with the client's registration, and
//! Dovecot as the mailbox.

use mailgrant_tests::{
    needs,
    stack::{Authentication, Options, Stack},
};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn client_secret_post() {
    needs!("node", "dovecot");
    let authentication = " client_id={} client_secret=…";
    assert_both_flows(Authentication::SecretPost, "", authentication).await;
}

#[tokio::test]
async fn client_secret_basic() {
    needs!("node", "dovecot");
    let header = "Authorization: Basic …; ";
    assert_both_flows(Authentication::SecretBasic, header, "").await;
}

#[tokio::test]
async fn private_key_jwt() {
    needs!("node", "dovecot", "openssl");
    let authentication = " client_id={} client_assertion_type=jwt-bearer \
        client_assertion=RS256{alg,typ,x5t}.{aud,exp,iat,iss,jti,nbf,sub}.…";
    assert_both_flows(Authentication::PrivateKeyJwt, "", authentication).await;
}

/// A person's mailbox, with a refreshed token too, and the application's own.
async fn assert_both_flows(authentication: Authentication, header: &str, shown: &str) {
    let stack = Stack::start(Options {
        authentication,
        // So short that each use asks for another.
        access_token_seconds: 30,
        tapped: true,
        ..Options::default()
    })
    .await
    .unwrap();
    let wire = stack.wire.as_ref().unwrap();
    let account = stack.gateway.connect("alice@corp.test").await;
    let code = wire.token_request("authorization_code").await;
    assert_readable(&stack, &account).await;
    let refresh = wire.token_request("refresh_token").await;

    let body = json!({"application": "daemon", "address": "shared@corp.test"});
    let added = stack.gateway.post("/v1/accounts", &body).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    let app_only = wire.token_request("client_credentials").await;
    assert_readable(&stack, added.body["id"].as_str().unwrap()).await;

    for (request, grant, client_id) in [
        (
            code,
            "grant_type=authorization_code code=… redirect_uri=… code_verifier=…",
            "gateway",
        ),
        (
            refresh,
            "grant_type=refresh_token refresh_token=…",
            "gateway",
        ),
        (
            app_only,
            "grant_type=client_credentials scope=mail.imap",
            "daemon",
        ),
    ] {
        println!("{}", request.shown());
        let expected = format!("{header}{grant}{}", shown.replace("{}", client_id));
        assert_eq!(request.shown(), expected);
    }
}

async fn assert_readable(stack: &Stack, account: &str) {
    let path = format!("/v1/accounts/{account}/mailboxes");
    let mailboxes = stack.gateway.get(&path).await;
    assert_eq!(mailboxes.status, StatusCode::OK, "{}", mailboxes.text);
    let names = mailboxes.body["items"].as_array().unwrap();
    assert!(!names.is_empty(), "{}", mailboxes.text);
    let emails = stack
        .gateway
        .get(&format!("/v1/accounts/{account}/emails"))
        .await;
    assert_eq!(emails.status, StatusCode::OK, "{}", emails.text);
}
