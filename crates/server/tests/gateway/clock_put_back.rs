//! A machine that came up with a clock ten years ahead, and was put right while the gateway ran.

use serde_json::json;

use crate::world::{World, tokens};

const TEN_YEARS: i64 = 10 * 365 * 86_400;

#[tokio::test]
async fn tokens_and_grants_of_the_future_are_asked_for_anew() {
    let world = World::start().await;
    let account = format!("/v1/accounts/{}", world.account().await);
    let token = format!("{account}/access-token");
    world.clock.forward(TEN_YEARS);
    world.refresh_gives("second", "access-1", "third").await;
    world.refresh_gives("third", "access-2", "fourth").await;
    world.refresh_gives("fourth", "access-3", "fifth").await;
    let bearer = async || world.call("POST", &token, None).await.json()["access_token"].clone();
    assert_eq!(bearer().await, "access-1");

    world.clock.forward(-TEN_YEARS);
    assert_eq!(
        bearer().await,
        "access-2",
        "nobody knows when the other ends"
    );
    assert_eq!(bearer().await, "access-2", "and this one is kept");
    let replica = world.replica().await;
    let url = format!("{}{}", replica.url().as_str().trim_end_matches('/'), token);
    let elsewhere = world.call("POST", &url, None).await.json();
    assert_eq!(elsewhere["access_token"], "access-2", "for others, too");
    replica.stop().await;
}

#[tokio::test]
async fn a_grant_that_was_used_in_the_future_is_kept_alive() {
    let world = World::start().await;
    let account = format!("/v1/accounts/{}", world.account().await);
    world.clock.forward(TEN_YEARS);
    world.refresh_gives("second", "access-1", "third").await;
    world.refresh_gives("third", "access-2", "fourth").await;
    world.gateway.round().await;
    let refreshed = async || {
        let seen = world.call("GET", &account, None).await.json();
        seen["grant"]["refreshed_at"].clone()
    };
    assert_eq!(refreshed().await, "2036-11-19T00:00:00Z");
    world.clock.forward(-TEN_YEARS);
    world.gateway.round().await;
    assert_eq!(refreshed().await, "2026-11-22T00:00:00Z");
}

#[tokio::test]
async fn a_pause_that_began_in_the_future_is_over() {
    let world = World::start().await;
    let account = format!("/v1/accounts/{}", world.account().await);
    world.clock.forward(TEN_YEARS);
    world.authority.reset().await;
    world
        .authority_answers(
            "grant_type",
            400,
            json!({"error": "temporarily_unavailable"}),
        )
        .await;
    let mailboxes = format!("{account}/mailboxes");
    assert_ne!(world.call("GET", &mailboxes, None).await.status, 200);
    world.gateway.round().await;
    let state = async || world.call("GET", &account, None).await.json()["state"].clone();
    assert_eq!(state().await, "degraded");

    world.clock.forward(-TEN_YEARS);
    world.authority.reset().await;
    world
        .authority_answers("grant_type", 200, tokens("access-1", Some("third")))
        .await;
    world.gateway.round().await;
    assert_eq!(
        state().await,
        "connected",
        "tried again by the gateway itself"
    );
}
