//! What an authority may say without harm, and whose mailboxes are not taken.

use serde_json::{Value, json};
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path},
};

use crate::world::{ALLOWED_TENANT, World, tokens};

const OTHER_TENANT: &str = "22222222-2222-3333-4444-555555555555";
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

#[tokio::test]
async fn the_list_of_tenants_is_for_mailboxes_without_a_person_too() {
    let world = World::start().await;
    world
        .authority_answers("grant_type", 200, tokens("access", None))
        .await;
    for body in [
        json!({"address": "anna@example.com"}),
        json!({"addresses": ["anna@example.com"]}),
    ] {
        let of = |tenant: &str| {
            let mut body = body.clone();
            body["application"] = "guests".into();
            body["tenant"] = tenant.into();
            body
        };
        let refused = world
            .call("POST", "/v1/accounts", Some(of(OTHER_TENANT)))
            .await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert_eq!(refused.json()["field"], "tenant");
        assert!(
            refused.text().contains("allowed_tenants"),
            "{}",
            refused.text()
        );
        assert_eq!(world.token_requests().await.len(), 0, "nothing was asked");
    }
    let allowed = ALLOWED_TENANT.to_ascii_uppercase();
    let body = json!({"application": "guests", "address": "anna@example.com", "tenant": allowed});
    let added = world.call("POST", "/v1/accounts", Some(body)).await;
    assert_eq!(added.status, 201, "{}", added.text());
    assert_eq!(added.json()["tenant"], ALLOWED_TENANT);
}

#[tokio::test]
async fn a_token_that_claims_to_last_for_ever_is_renewed_all_the_same() {
    let world = World::start().await;
    let mut answer = tokens("access", None);
    answer["expires_in"] = json!(1e300);
    world.authority_answers("grant_type", 200, answer).await;
    let body = json!({"application": "contoso", "address": "anna@example.com"});
    let added = world.call("POST", "/v1/accounts", Some(body)).await.json();
    let account = format!(
        "/v1/accounts/{}/access-token",
        added["id"].as_str().unwrap()
    );
    let token = world.call("POST", &account, None).await;
    assert_eq!(token.status, 200, "{}", token.text());
    assert_eq!(token.json()["expires_at"], "2026-11-29T00:00:00Z");
    world.clock.forward(8 * DAY);
    assert_eq!(world.call("POST", &account, None).await.status, 200);
    assert_eq!(world.token_requests().await.len(), 2);
}

#[tokio::test]
async fn a_pause_of_a_thousand_years_is_none() {
    let world = World::start().await;
    let account = format!("/v1/accounts/{}", world.account().await);
    world.authority.reset().await;
    let wait = ResponseTemplate::new(503).insert_header("retry-after", "31536000000");
    Mock::given(method("POST"))
        .and(path("/token"))
        .respond_with(wait)
        .mount(&world.authority)
        .await;
    world.clock.forward(DAY);
    // The gateway by itself, then somebody who waits for it.
    world.gateway.round().await;
    let refused = world
        .call("GET", &format!("{account}/mailboxes"), None)
        .await;
    assert_eq!(refused.status, 502, "{}", refused.text());
    let asked = refused.json()["retry_after"].as_i64();
    assert!(
        asked.is_some_and(|seconds| seconds <= HOUR),
        "{}",
        refused.text()
    );
    world.authority.reset().await;
    world
        .authority_answers(
            "refresh_token=second",
            200,
            tokens("access-1", Some("third")),
        )
        .await;
    world.clock.forward(HOUR);
    world.gateway.round().await;
    let seen = world.call("GET", &account, None).await.json();
    assert_eq!(seen["state"], "connected", "{seen:#}");
    assert_eq!(seen["grant"]["refreshed_at"], "2026-11-23T01:00:00Z");
    assert_eq!(seen["diagnosis"], Value::Null);
}
