//! Token keeping: single flight, revocation, an authority that is away.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mailgrant_tests::{
    needs,
    stack::{Options, Stack},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn one_refresh_serves_a_hundred_simultaneous_requests() {
    needs!("node", "dovecot");
    // So long that the new token is still fresh when a busy machine answers the last of them.
    let stack = living(12).await;
    let account = stack.gateway.connect("alice@corp.test").await;
    let path = format!("/v1/accounts/{account}/access-token");
    wait_until_expired(&stack, &path).await;

    let before = stack.authority.count("refresh_token:success").await;
    let requests: Vec<_> = (0..100)
        .map(|_| {
            tokio::spawn(
                stack
                    .gateway
                    .request(Method::POST, &path)
                    .json(&json!({}))
                    .send(),
            )
        })
        .collect();
    let mut tokens = BTreeSet::new();
    for request in requests {
        let answer = request.await.unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let body: Value = answer.json().await.unwrap();
        tokens.insert(body["access_token"].as_str().unwrap().to_owned());
    }

    assert_eq!(tokens.len(), 1, "everybody got the same new token");
    assert_eq!(
        stack.authority.count("refresh_token:success").await,
        before + 1
    );
    assert_eq!(stack.authority.count("refresh_token:error").await, 0);
}

#[tokio::test]
async fn a_revoked_family_asks_for_a_new_sign_in_and_says_so() {
    needs!("node", "dovecot");
    let stack = short_lived().await;
    let account = stack.gateway.connect("alice@corp.test").await;
    let path = format!("/v1/accounts/{account}/access-token");
    stack.authority.revoke("alice@corp.test").await;
    wait_until_expired(&stack, &path).await;

    let refused = stack
        .gateway
        .get(&format!("/v1/accounts/{account}/emails"))
        .await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert_eq!(refused.code(), "reauth_required");
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("sign in again"), "{detail}");

    let shown = stack
        .gateway
        .get(&format!("/v1/accounts/{account}"))
        .await
        .body;
    assert_eq!(shown["state"], "reauth_required");
    assert_eq!(stack.authority.count("refresh_token:error").await, 1);

    // It stays so without asking the authority again, and a new sign-in mends the same account.
    let again = stack
        .gateway
        .get(&format!("/v1/accounts/{account}/mailboxes"))
        .await;
    assert_eq!(again.code(), "reauth_required");
    assert_eq!(stack.authority.count("refresh_token:error").await, 1);
    assert_eq!(stack.gateway.connect("alice@corp.test").await, account);
    let mended = stack
        .gateway
        .get(&format!("/v1/accounts/{account}/mailboxes"))
        .await;
    assert_eq!(mended.status, StatusCode::OK, "{}", mended.text);
}

#[tokio::test]
async fn an_authority_that_is_down_for_a_minute_kills_nothing() {
    needs!("node", "dovecot");
    let stack = short_lived().await;
    let account = stack.gateway.connect("alice@corp.test").await;
    let path = format!("/v1/accounts/{account}/access-token");
    stack.authority.down(true).await;
    wait_until_expired(&stack, &path).await;

    let minute = tokio::time::Instant::now() + Duration::from_secs(60);
    while tokio::time::Instant::now() < minute {
        let refused = stack
            .gateway
            .get(&format!("/v1/accounts/{account}/emails"))
            .await;
        assert!(
            [
                StatusCode::BAD_GATEWAY,
                StatusCode::SERVICE_UNAVAILABLE,
                StatusCode::GATEWAY_TIMEOUT
            ]
            .contains(&refused.status),
            "{}",
            refused.text
        );
        assert_eq!(refused.code(), "authority_unavailable");
        assert!(refused.headers.contains_key("retry-after"));
        let shown = stack
            .gateway
            .get(&format!("/v1/accounts/{account}"))
            .await
            .body;
        assert_eq!(shown["state"], "degraded");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(stack.authority.count("refresh_token:error").await, 0);

    stack.authority.down(false).await;
    let mailboxes = format!("/v1/accounts/{account}/mailboxes");
    let answer = eventually(
        || stack.gateway.get(&mailboxes),
        |answer| answer.status == StatusCode::OK,
    )
    .await;
    assert!(!answer.body["items"].as_array().unwrap().is_empty());
    let shown = stack
        .gateway
        .get(&format!("/v1/accounts/{account}"))
        .await
        .body;
    assert_eq!(shown["state"], "connected");
}

async fn short_lived() -> Stack {
    living(5).await
}

/// With access tokens that last so many seconds.
async fn living(access_token_seconds: u32) -> Stack {
    Stack::start(Options {
        access_token_seconds,
        ..Options::default()
    })
    .await
    .unwrap()
}

/// Waits until the token that the gateway holds has expired.
async fn wait_until_expired(stack: &Stack, path: &str) {
    let token = stack.gateway.post(path, &json!({})).await.body;
    let expires_at: jiff::Timestamp = match &token["expires_at"] {
        Value::String(text) => text.parse().unwrap(),
        _ => jiff::Timestamp::now() + jiff::SignedDuration::from_secs(5),
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let wait = u64::try_from(expires_at.as_second())
        .unwrap()
        .saturating_sub(now)
        + 1;
    tokio::time::sleep(Duration::from_secs(wait)).await;
}

/// Asks until the answer is right, for as long as a component may take.
async fn eventually<T, F: Future<Output = T>>(
    ask: impl Fn() -> F,
    right: impl Fn(&T) -> bool,
) -> T {
    let end = tokio::time::Instant::now() + mailgrant_tests::process::PATIENCE;
    loop {
        let answer = ask().await;
        if right(&answer) || tokio::time::Instant::now() > end {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
