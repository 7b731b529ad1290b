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
    // A person who took too long on the pages.
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    world.clock.advance(Duration::from_secs(3600));
    let page = browser.sign_in(&page, ADA).await;
    assert_page("grant-invalid", 50089, &page);
    // Another application's.
    let token = refresh_token(&world).await;
    let secret = world.secret(NO_ROLES);
    let other = [("client_id", NO_ROLES), ("client_secret", secret.as_str())];
    let reply = world.refresh(&token, &other).await;
    assert_refusal("grant-invalid", 70000, &reply);
}

#[actix_web::test]
async fn refresh_spa_24h() {
    let world = World::start().await;
    let redirect = "https://spa.quillmere.test/";
    let asked = [("client_id", SPA), ("redirect_uri", redirect)];
    let code = world.code(&asked).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", SPA),
        ("code", &code),
        ("redirect_uri", redirect),
        ("code_verifier", VERIFIER),
    ];
    let tokens = from_browser(&world, &form).await.ok();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", SPA),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    from_browser(&world, &form).await.ok();
    world.clock.advance(DAY);
    let reply = from_browser(&world, &form).await;
    assert_refusal("refresh-spa-24h", 700_084, &reply);
}

async fn from_browser(world: &World, form: &[(&str, &str)]) -> Reply {
    let request = world
        .http
        .post(world.url("/oauth2/v2.0/token"))
        .header("Origin", "https://spa.quillmere.test")
        .form(form);
    Reply::of(request.send().await.unwrap()).await
}

#[actix_web::test]
async fn scope_resourceless() {
    let world = World::start().await;
    let token = refresh_token(&world).await;
    let reply = world.refresh(&token, &[("scope", "offline_access")]).await;
    assert_refusal("scope-resourceless", 700_023, &reply);
}

#[actix_web::test]
async fn scope_not_granted() {
    let world = World::start().await;
    let token = refresh_token(&world).await;
    let imap = "https://outlook.office.com/IMAP.AccessAsUser.All";
    let both = format!("{imap} https://outlook.office.com/SMTP.Send");
    let answer = world.refresh(&token, &[("scope", &both)]).await.ok();
    // The consent was for IMAP only: the answer names what was given.
    assert_eq!(answer["scope"], imap);
    assert_rule("scope-not-granted", imap, answer["scope"].as_str().unwrap());
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
