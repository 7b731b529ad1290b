//! A token that the mail server refuses: another one may be let in, and a server that refuses always makes no storm.

use mailgrant_core::{sasl::InitialResponse, token::AccessToken};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_repaired_account_reads_with_the_next_request() {
    let (world, account) = in_use().await;
    // What the token lacks is given to the person: only the next one will have it.
    let repaired = AccessToken::new("access-2").unwrap();
    let login = InitialResponse::xoauth2("anna@example.com", &repaired).unwrap();
    world
        .imap
        .set(|state| state.takes_only = Some(login.base64().to_string()));
    world.clock.forward(5);
    let read = world
        .call("GET", &format!("{account}/mailboxes"), None)
        .await;
    assert_eq!(read.status, 200, "{}", read.text());
    assert_eq!(asked(&world).await, 3, "imported, used, renewed once");
    let state = world.call("GET", &account, None).await.json();
    assert_eq!(state["state"], "connected", "{state:#}");
}

#[tokio::test]
async fn a_repair_just_after_a_refusal_is_seen_within_half_a_minute() {
    let (world, account) = in_use().await;
    let mailboxes = format!("{account}/mailboxes");
    world.imap.set(|state| state.refuses = true);
    world.clock.forward(5);
    assert_eq!(world.call("GET", &mailboxes, None).await.status, 409);
    let repaired = AccessToken::new("access-3").unwrap();
    let login = InitialResponse::xoauth2("anna@example.com", &repaired).unwrap();
    world.imap.set(|state| {
        state.refuses = false;
        state.takes_only = Some(login.base64().to_string());
    });
    world.clock.forward(29);
    assert_eq!(world.call("GET", &mailboxes, None).await.status, 409);
    world.clock.forward(1);
    assert_eq!(world.call("GET", &mailboxes, None).await.status, 200);
}

#[tokio::test]
async fn a_mail_server_that_refuses_always_makes_no_storm() {
    let (world, account) = in_use().await;
    world.imap.set(|state| state.refuses = true);
    let before = asked(&world).await;
    let logins = world.imap.state.lock().unwrap().logins.len();
    // Somebody asks every five seconds, and the gateway tries by itself.
    for _ in 0..60 {
        world.clock.forward(5);
        let refused = world
            .call("GET", &format!("{account}/mailboxes"), None)
            .await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        world.gateway.round().await;
    }
    let renewed = asked(&world).await - before;
    assert!(
        (9..=10).contains(&renewed),
        "{renewed} renewals in five minutes"
    );
    // The same token is not shown twice in one request.
    let logins = world.imap.state.lock().unwrap().logins.len() - logins;
    let tried = 60 + renewed + 30;
    assert!(logins <= tried, "{logins} logins");
}

#[tokio::test]
async fn whoever_wants_longer_tokens_than_there_are_makes_no_storm() {
    let (world, account) = in_use().await;
    let before = asked(&world).await;
    for _ in 0..60 {
        world.clock.forward(5);
        let longest = format!("{account}/access-token?min_lifetime=86400");
        assert_eq!(world.call("POST", &longest, None).await.status, 200);
    }
    let renewed = asked(&world).await - before;
    assert!(
        (9..=10).contains(&renewed),
        "{renewed} renewals in five minutes"
    );
}

#[tokio::test]
async fn a_loop_that_entra_saw_kills_no_grant() {
    let (world, account) = in_use().await;
    world.authority.reset().await;
    let seen = json!({"error": "invalid_grant", "error_codes": [50196],
        "error_description": "AADSTS50196: The server terminated an operation because it encountered a client request loop."});
    world.authority_answers("refresh_token=", 400, seen).await;
    world.clock.forward(3600);
    let path = format!("{account}/access-token");
    let refused = world.call("POST", &path, None).await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (502, &json!("authority_unavailable"))
    );
    let state = world.call("GET", &account, None).await.json();
    assert_eq!(state["state"], "degraded", "{state:#}");
    assert_eq!(state["diagnosis"]["code"], "authority_loop_detected");
    world.authority.reset().await;
    world.refresh_gives("next-1", "access-2", "next-2").await;
    world.clock.forward(60);
    assert_eq!(world.call("POST", &path, None).await.status, 200);
    let state = world.call("GET", &account, None).await.json();
    assert_eq!(state["state"], "connected", "{state:#}");
}

/// An account whose token is in memory; the authority gives as many as are asked for.
async fn in_use() -> (World, String) {
    let world = World::start().await;
    let account = format!("/v1/accounts/{}", world.account().await);
    world.refresh_gives("second", "access-1", "next-1").await;
    for number in 1..=40 {
        let (token, access) = (format!("next-{number}&"), format!("access-{}", number + 1));
        let next = format!("next-{}", number + 1);
        world.refresh_gives(&token, &access, &next).await;
    }
    let token = world
        .call("POST", &format!("{account}/access-token"), None)
        .await;
    assert_eq!(token.json()["access_token"], "access-1", "{}", token.text());
    (world, account)
}

async fn asked(world: &World) -> usize {
    world.token_requests().await.len()
}
