//! What the gateway does by itself: grants live on, a dead authority is left alone, a new secret heals.

use serde_json::json;

use crate::world::{World, tokens};

const DAY: i64 = 86_400;

#[tokio::test]
async fn a_grant_that_nobody_uses_is_used_once_a_day() {
    let world = World::start().await;
    let account = format!("/v1/accounts/{}", world.account().await);
    world.refresh_gives("second", "access-1", "third").await;
    world.refresh_gives("third", "access-2", "third").await;
    let asked = world.token_requests().await.len();
    world.gateway.round().await;
    assert_eq!(world.token_requests().await.len(), asked, "not due");
    for day in 1..=3 {
        world.clock.forward(DAY);
        for _ in 0..2 {
            world.gateway.round().await;
        }
        assert_eq!(world.token_requests().await.len(), asked + day);
    }
    let seen = world.call("GET", &account, None).await.json();
    assert_eq!(seen["grant"]["obtained_at"], "2026-11-22T00:00:00Z");
    assert_eq!(seen["grant"]["refreshed_at"], "2026-11-25T00:00:00Z");
    assert_eq!(seen["grant"]["age_days"], 3);
    assert_eq!(
        seen["credential"],
        json!({"kind": "secret", "expires_at": null})
    );
}

#[tokio::test]
async fn a_dead_grant_is_found_though_nobody_asks_and_then_left_alone() {
    let world = World::start().await;
    let account = format!("/v1/accounts/{}", world.account().await);
    world
        .authority_answers(
            "refresh_token=second",
            400,
            json!({"error": "invalid_grant"}),
        )
        .await;
    world.clock.forward(DAY);
    world.gateway.round().await;
    let seen = world.call("GET", &account, None).await.json();
    assert_eq!(seen["state"], "reauth_required");
    assert!(seen["reauth_url"].is_string(), "{seen:#}");
    let asked = world.token_requests().await.len();
    for _ in 0..3 {
        world.clock.forward(DAY);
        world.gateway.round().await;
    }
    assert_eq!(world.token_requests().await.len(), asked);
    let events = world.call("GET", "/v1/events", None).await.json();
    let told = events["items"].as_array().unwrap().iter();
    let told = told.filter(|event| event["type"] == "account.reauth_required");
    assert_eq!(told.count(), 1);
}

#[tokio::test]
async fn an_authority_that_fails_is_left_alone_and_nobody_is_degraded() {
    let world = World::start().await;
    world.account().await;
    for name in ["b", "c", "d", "e", "f", "g", "h", "i"] {
        let token = format!("{name}-1");
        let answer = tokens("access", Some(&format!("{name}-2")));
        world
            .authority_answers(&format!("refresh_token={token}"), 200, answer)
            .await;
        let address = format!("{name}@example.com");
        let body = json!({"application": "contoso", "address": address, "refresh_token": token});
        let answer = world.call("POST", "/v1/accounts", Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    world.authority.reset().await;
    world
        .authority_answers("grant_type", 503, json!("down"))
        .await;
    world.clock.forward(DAY);
    world.gateway.round().await;
    let asked = world.token_requests().await.len();
    // Four at a time, and three attempts each: the others were not tried.
    assert!((3..=12).contains(&asked), "{asked}");
    world.gateway.round().await;
    assert_eq!(world.token_requests().await.len(), asked);
    let list = world
        .call("GET", "/v1/accounts?state=connected", None)
        .await;
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 9);
    // It works again: all have their turn.
    world.authority.reset().await;
    world
        .authority_answers("grant_type", 200, tokens("access", Some("next")))
        .await;
    for _ in 0..4 {
        world.clock.forward(3600);
        world.gateway.round().await;
    }
    assert_eq!(world.token_requests().await.len(), 9);
}

#[tokio::test]
async fn while_a_token_is_good_a_refused_application_is_no_event() {
    let world = World::start().await;
    let account = format!("/v1/accounts/{}", world.account().await);
    let token = format!("{account}/access-token");
    world.refresh_gives("second", "access-1", "third").await;
    assert_eq!(world.call("POST", &token, None).await.status, 200);
    world.authority.reset().await;
    world
        .authority_answers("grant_type", 401, json!({"error": "invalid_client"}))
        .await;
    let state = async || world.call("GET", &account, None).await.json()["state"].clone();
    world.clock.forward(2500);
    for _ in 0..2 {
        world.gateway.round().await;
        assert_eq!(world.token_requests().await.len(), 1, "and left alone");
        let answer = world.call("POST", &token, None).await;
        assert_eq!(answer.json()["access_token"], "access-1");
        assert_eq!(state().await, "connected");
    }
    world.clock.forward(1200);
    assert_eq!(world.call("POST", &token, None).await.status, 409);
    assert_eq!(state().await, "degraded");
}

#[tokio::test]
async fn a_new_secret_in_the_file_brings_the_account_back() {
    let world = World::start().await;
    let account = format!("/v1/accounts/{}", world.account().await);
    world.authority.reset().await;
    world
        .authority_answers(
            "client_secret=the-client-secret",
            401,
            json!({"error": "invalid_client"}),
        )
        .await;
    world
        .authority_answers(
            "client_secret=the-next-secret",
            200,
            tokens("access-1", Some("third")),
        )
        .await;
    let answer = world
        .call("POST", &format!("{account}/access-token"), None)
        .await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    let state = async || world.call("GET", &account, None).await.json()["state"].clone();
    assert_eq!(state().await, "degraded");
    world.clock.forward(600);
    world.gateway.round().await;
    assert_eq!(state().await, "degraded");
    // At once: no pause is waited for.
    std::fs::write(world.file("secret"), "the-next-secret\n").unwrap();
    world.gateway.round().await;
    assert_eq!(state().await, "connected");
    let events = world.call("GET", "/v1/events", None).await.json();
    let told = events["items"].as_array().unwrap().iter();
    let told: Vec<&str> = told.map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        told,
        ["account.connected", "account.degraded", "account.recovered"]
    );
}

#[tokio::test]
async fn after_a_refusal_a_new_secret_counts_for_the_next_request() {
    let world = World::start().await;
    let token = format!("/v1/accounts/{}/access-token", world.account().await);
    world.authority.reset().await;
    for (secret, status, answer) in [
        ("the-client-secret", 401, json!({"error": "invalid_client"})),
        ("another-wrong-one", 401, json!({"error": "invalid_client"})),
        ("the-next-secret", 200, tokens("access-1", Some("third"))),
    ] {
        let sent = format!("client_secret={secret}");
        world.authority_answers(&sent, status, answer).await;
    }
    let ask = async || world.call("POST", &token, None).await.status;
    assert_eq!([ask().await, ask().await], [409, 409]);
    assert_eq!(world.token_requests().await.len(), 1, "the pause is kept");
    std::fs::write(world.file("secret"), "another-wrong-one\n").unwrap();
    assert_eq!([ask().await, ask().await], [409, 409]);
    assert_eq!(world.token_requests().await.len(), 2, "and anew");
    // Something that is no secret changes nothing.
    std::fs::write(world.file("secret"), "").unwrap();
    assert_eq!(ask().await, 409);
    assert_eq!(world.token_requests().await.len(), 2);
    std::fs::write(world.file("secret"), "the-next-secret\n").unwrap();
    assert_eq!(ask().await, 200);
    assert_eq!(world.token_requests().await.len(), 3);
}
