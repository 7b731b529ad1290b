//! What the token endpoint says of a refresh token.

use std::time::Duration;

use crate::harness::*;
use crate::support::*;

#[actix_web::test]
async fn refresh_idle_expired() {
    let world = World::start().await;
    let token = refresh_token(&world).await;
    world.clock.advance(91 * DAY);
    let reply = world.refresh(&token, &[]).await;
    assert_refusal("refresh-idle-expired", 700_082, &reply);
    assert_eq!(reply.body["suberror"], "bad_token");
}

#[actix_web::test]
async fn refresh_not_rotated() {
    let world = World::start().await;
    let first = refresh_token(&world).await;
    let mut latest = first.clone();
    for _ in 0..4 {
        world.clock.advance(25 * DAY);
        let answer = world.refresh(&latest, &[]).await.ok();
        latest = answer["refresh_token"].as_str().unwrap().to_owned();
    }
    // Who kept the first one stands outside on day 100, after all these successes.
    let reply = world.refresh(&first, &[]).await;
    assert_refusal("refresh-not-rotated", 700_082, &reply);
    world.refresh(&latest, &[]).await.ok();
}

#[actix_web::test]
async fn refresh_revoked() {
    let world = World::start().await;
    let token = refresh_token(&world).await;
    world
        .control("/revoke", serde_json::json!({"user": ADA}))
        .await;
    let reply = world.refresh(&token, &[]).await;
    assert_refusal("refresh-revoked", 50173, &reply);
}

#[actix_web::test]
async fn refresh_other() {
    let world = World::start().await;
    let reply = world.refresh("not a refresh token", &[]).await;
    assert_refusal("refresh-other", 9_002_313, &reply);
}

#[actix_web::test]
async fn grant_invalid() {
    let world = World::start().await;
    let code = world.code(&[]).await;
    world.clock.advance(Duration::from_secs(601));
    let reply = world.redeem(&code, &[]).await;
    assert_refusal("grant-invalid", 70008, &reply);
    // Another application's.
    let token = refresh_token(&world).await;
    let secret = world.secret(NO_ROLES);
    let other = [("client_id", NO_ROLES), ("client_secret", secret.as_str())];
    let reply = world.refresh(&token, &other).await;
    assert_refusal("grant-invalid", 70000, &reply);
}

#[actix_web::test]
async fn scope_two_resources() {
    let world = World::start().await;
    let token = refresh_token(&world).await;
    let both =
        "https://outlook.office.com/IMAP.AccessAsUser.All https://graph.microsoft.com/User.Read";
    let reply = world.refresh(&token, &[("scope", both)]).await;
    assert_refusal("scope-two-resources", 700_022, &reply);
}

async fn refresh_token(world: &World) -> String {
    let tokens = world.connected().await;
    tokens["refresh_token"].as_str().unwrap().to_owned()
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
