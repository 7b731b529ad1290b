//! A service account with domain-wide delegation, as Google has it: one token for each mailbox, none without the
//! domain's leave. The authority checks the assertion's signature, issuer, audience, subject, scope and times; the
//! mailboxes are Dovecot's.

use mailgrant_tests::{
    needs,
    stack::{Authentication, Options, ROBOT, Stack},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn each_mailbox_of_the_domain_has_a_token_of_its_own() {
    needs!("node", "dovecot", "openssl");
    let stack = start().await;
    let wire = stack.wire.as_ref().unwrap();
    for address in ["alice@corp.test", "bob@corp.test"] {
        let added = stack.gateway.post("/v1/accounts", &added(address)).await;
        assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
        assert_eq!(added.body["flow"], "app_only");
        assert_eq!(added.body["imap_user"], address);
        let request = wire
            .token_request("urn:ietf:params:oauth:grant-type:jwt-bearer")
            .await;
        println!("{}", request.shown());
        assert_eq!(
            request.shown(),
            "grant_type=jwt-bearer assertion=RS256{alg,kid,typ}.{aud,exp,iat,iss,scope,sub}.…"
        );
        let (header, claims) = request.assertion().unwrap();
        assert_eq!(header["kid"], "k1");
        assert_eq!(claims["iss"], ROBOT);
        assert_eq!(claims["sub"], address);
        assert_eq!(claims["scope"], "https://mail.google.com/");

        let path = format!(
            "/v1/accounts/{}/mailboxes",
            added.body["id"].as_str().unwrap()
        );
        let mailboxes = stack.gateway.get(&path).await;
        assert_eq!(mailboxes.status, StatusCode::OK, "{}", mailboxes.text);
    }
    assert_eq!(stack.authority.count("service_account:success").await, 2);
}

#[tokio::test]
async fn a_mailbox_elsewhere_is_not_the_domains_to_give() {
    needs!("node", "dovecot", "openssl");
    let stack = start().await;
    let refused = stack
        .gateway
        .post("/v1/accounts", &added("eve@elsewhere.test"))
        .await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    let diagnosis = &refused.body["diagnosis"];
    assert_eq!(
        diagnosis["code"], "domain_wide_delegation_missing",
        "{diagnosis:#}"
    );
    let remedy = diagnosis["remedy"].to_string();
    assert!(remedy.contains("101234567890123456789"), "{remedy}");
    let accounts = stack.gateway.get("/v1/accounts").await.body;
    assert_eq!(accounts["items"], json!([]));
}

async fn start() -> Stack {
    Stack::start(Options {
        authentication: Authentication::ServiceAccount,
        tapped: true,
        ..Options::default()
    })
    .await
    .unwrap()
}

fn added(address: &str) -> Value {
    json!({"application": "robot", "address": address})
}
