//! Access tokens: one request at a time, nothing lost, faults told apart.

use futures_util::future::join_all;
use serde_json::json;

use crate::world::{World, tokens};

#[tokio::test]
async fn many_callers_make_one_request_and_the_rotated_token_is_used_next() {
    let world = World::start().await;
    let path = format!("/v1/accounts/{}/access-token", world.account().await);
    world.refresh_gives("second", "access-1", "third").await;
    world
        .authority_answers("refresh_token=third", 200, tokens("access-2", None))
        .await;

    let answers = join_all((0..8).map(|_| world.call("POST", &path, None))).await;
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let token = answer.json();
        assert_eq!(token["access_token"], "access-1");
        assert_eq!(token["expires_at"], "2026-11-22T01:00:00Z");
        assert!(
            !token["xoauth2"].as_str().unwrap().is_empty()
                && !token["oauthbearer"].as_str().unwrap().is_empty()
        );
    }
    assert_eq!(world.token_requests().await.len(), 2);

    // An authority that sends no new refresh token keeps the old one valid.
    for _ in 0..2 {
        world.clock.forward(3600);
        assert_eq!(
            world.call("POST", &path, None).await.json()["access_token"],
            "access-2"
        );
    }
    assert_eq!(world.token_requests().await.len(), 4);
}

#[tokio::test]
async fn options_in_a_body_are_not_passed_over_in_silence() {
    let world = World::start().await;
    let path = format!("/v1/accounts/{}/access-token", world.account().await);
    let body = json!({"protocol": "smtp"});
    let refused = world.call("POST", &path, Some(body)).await;
    assert_eq!(
        (refused.status, &refused.json()["field"]),
        (422, &json!("body"))
    );
    assert!(
        refused.text().contains("?protocol=smtp"),
        "{}",
        refused.text()
    );
    world.refresh_gives("second", "access-1", "third").await;
    let given = world.call("POST", &path, Some(json!({}))).await;
    assert_eq!(given.status, 200, "{}", given.text());
}

#[tokio::test]
async fn a_token_is_renewed_ahead_while_the_old_one_serves() {
    let world = World::start().await;
    let path = format!("/v1/accounts/{}/access-token", world.account().await);
    world.refresh_gives("second", "access-1", "third").await;
    world.refresh_gives("third", "access-2", "fourth").await;
    assert_eq!(
        world.call("POST", &path, None).await.json()["access_token"],
        "access-1"
    );
    world.clock.forward(3400);
    assert_eq!(
        world.call("POST", &path, None).await.json()["access_token"],
        "access-1"
    );
    let mut token = json!(null);
    while token != "access-2" {
        token = world.call("POST", &path, None).await.json()["access_token"].clone();
        tokio::task::yield_now().await;
    }
    assert_eq!(world.token_requests().await.len(), 3);
}

#[tokio::test]
async fn a_dead_grant_asks_for_the_person() {
    let world = World::start().await;
    let account = format!("/v1/accounts/{}", world.account().await);
    world
        .authority_answers("refresh_token=second", 400, json!({"error": "invalid_grant", "error_description": "AADSTS700082: expired", "error_codes": [700_082]}))
        .await;
    for _ in 0..2 {
        let answer = world
            .call("POST", &format!("{account}/access-token"), None)
            .await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (409, &json!("reauth_required")),
            "{}",
            answer.text()
        );
        assert_eq!(answer.json()["diagnosis"]["error_codes"], json!([700_082]));
    }
    assert_eq!(
        world.call("GET", &account, None).await.json()["state"],
        "reauth_required"
    );
    // A dead grant is not asked for again and again.
    assert_eq!(world.token_requests().await.len(), 2);
    let mailboxes = world
        .call("GET", &format!("{account}/mailboxes"), None)
        .await;
    assert_eq!(mailboxes.json()["code"], "reauth_required");
}

#[tokio::test]
async fn an_outage_of_the_authority_kills_no_account() {
    for (status, body) in [
        (503, json!("down")),
        (429, json!({"error": "slow_down"})),
        (500, json!({"error": "server_error"})),
    ] {
        let world = World::start().await;
        let account = format!("/v1/accounts/{}", world.account().await);
        world
            .authority_answers("refresh_token=second", status, body)
            .await;
        let answer = world
            .call("POST", &format!("{account}/access-token"), None)
            .await;
        assert!(
            [502, 503, 504].contains(&answer.status),
            "{status}: {}",
            answer.text()
        );
        assert_eq!(answer.json()["code"], "authority_unavailable");
        assert!(answer.header("retry-after").is_some());
        let asked = world.token_requests().await.len();
        let again = world
            .call("POST", &format!("{account}/access-token"), None)
            .await;
        assert_eq!(again.json()["code"], "authority_unavailable");
        assert_eq!(
            world.token_requests().await.len(),
            asked,
            "asked again during the pause"
        );
        let seen = world.call("GET", &account, None).await.json();
        assert_eq!(seen["state"], "degraded");
        assert!(seen["next_attempt_at"].is_string());

        world.authority.reset().await;
        world.refresh_gives("second", "access-1", "third").await;
        world.clock.forward(120);
        assert_eq!(
            world
                .call("POST", &format!("{account}/access-token"), None)
                .await
                .status,
            200
        );
        assert_eq!(
            world.call("GET", &account, None).await.json()["state"],
            "connected"
        );
    }
}

#[tokio::test]
async fn a_refused_application_is_the_operators_matter() {
    let world = World::start().await;
    let account = format!("/v1/accounts/{}", world.account().await);
    world
        .authority_answers(
            "refresh_token=second",
            401,
            json!({"error": "invalid_client"}),
        )
        .await;
    let answer = world
        .call("POST", &format!("{account}/access-token"), None)
        .await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (409, &json!("authority_refused")),
        "{}",
        answer.text()
    );
    assert_eq!(
        answer.json()["diagnosis"]["code"],
        "authority_invalid_client"
    );
    assert_eq!(
        world.call("GET", &account, None).await.json()["state"],
        "degraded"
    );
}

#[tokio::test]
async fn app_only_accounts_share_one_token() {
    let world = World::start().await;
    world
        .authority_answers(
            "client_credentials",
            200,
            json!({"access_token": "app", "token_type": "Bearer", "expires_in": 3600}),
        )
        .await;
    for name in ["a", "b"] {
        let body = json!({"application": "contoso", "address": format!("{name}@example.com")});
        let account = world.call("POST", "/v1/accounts", Some(body)).await.json();
        let path = format!(
            "/v1/accounts/{}/access-token",
            account["id"].as_str().unwrap()
        );
        assert_eq!(
            world.call("POST", &path, None).await.json()["access_token"],
            "app"
        );
    }
    // To try the mailboxes, and for both accounts: one.
    assert_eq!(world.token_requests().await.len(), 1);
}

#[tokio::test]
async fn an_import_that_the_authority_refuses_names_the_field() {
    let world = World::start().await;
    world
        .authority_answers("refresh_token=bad", 400, json!({"error": "invalid_grant"}))
        .await;
    let body =
        json!({"application": "contoso", "address": "anna@example.com", "refresh_token": "bad"});
    let answer = world.call("POST", "/v1/accounts", Some(body)).await;
    assert_eq!(
        (answer.status, &answer.json()["field"]),
        (422, &json!("refresh_token")),
        "{}",
        answer.text()
    );
}
