//! The device flow.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::*;
use crate::support::*;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

#[actix_web::test]
async fn device_pending() {
    let world = World::start().await;
    let started = start(&world).await;
    let reply = poll(&world, &started).await;
    assert_refusal("device-pending", 70016, &reply);
    assert_eq!(reply.body["error"], "authorization_pending");
}

#[actix_web::test]
async fn device_slow_down() {
    let world = World::start().await;
    let started = start(&world).await;
    poll(&world, &started).await;
    let reply = poll(&world, &started).await;
    assert_rule("device-slow-down", "slow_down", reply.refusal().1);
}

#[actix_web::test]
async fn device_expired() {
    let world = World::start().await;
    let started = start(&world).await;
    world.clock.advance(Duration::from_secs(900));
    let reply = poll(&world, &started).await;
    assert_rule("device-expired", "expired_token", reply.refusal().1);
    // The person's code ends with it.
    let page = enter(&mut Browser::new(&world), &started).await;
    assert_page("device-expired", 70019, &page);
}

#[actix_web::test]
async fn device_bad_code() {
    let world = World::start().await;
    let reply = poll(&world, &json!({"device_code": "never issued"})).await;
    assert_refusal("device-bad-code", 70018, &reply);
    assert_eq!(reply.body["error"], "bad_verification_code");
    let mut started = start(&world).await;
    started["user_code"] = json!("XXXXXXXXX");
    let page = enter(&mut Browser::new(&world), &started).await;
    assert_page("device-bad-code", 70018, &page);
}

#[actix_web::test]
async fn device_declined() {
    let world = World::start().await;
    let started = start(&world).await;
    let mut browser = Browser::new(&world);
    let page = enter(&mut browser, &started).await;
    let page = browser.sign_in(&page, ADA).await;
    browser
        .submit(&page, "/deviceconfirm", &[("decision", "decline")])
        .await;
    let reply = poll(&world, &started).await;
    assert_rule(
        "device-declined",
        "authorization_declined",
        reply.refusal().1,
    );
}

#[actix_web::test]
async fn device_flow_blocked() {
    let world = World::start().await;
    let rule = json!({"name": "No device codes", "grant": "block", "flows": ["device_code"]});
    put(&world, "conditional_access", rule).await;
    let started = start(&world).await;
    let mut browser = Browser::new(&world);
    let page = enter(&mut browser, &started).await;
    let page = browser.sign_in(&page, ADA).await;
    browser
        .submit(&page, "/deviceconfirm", &[("decision", "accept")])
        .await;
    let reply = poll(&world, &started).await;
    assert_refusal("device-flow-blocked", 53003, &reply);
    // The same person in the browser is not met by it.
    let page = connect(&world, ADA, &[]).await;
    assert!(page.parameter("code").is_some(), "{page:?}");
}

#[actix_web::test]
async fn device_invalid_client() {
    let world = World::start().await;
    // A confidential registration that sends no secret.
    let started = begin(&world, DELEGATED).await;
    let form = [
        ("grant_type", GRANT),
        ("client_id", DELEGATED),
        ("device_code", started["device_code"].as_str().unwrap()),
    ];
    let reply = world.token(&form).await;
    assert_refusal("device-invalid-client", 7_000_218, &reply);
}

async fn start(world: &World) -> Value {
    begin(world, PUBLIC).await
}

async fn begin(world: &World, client_id: &str) -> Value {
    let url = world.url("/oauth2/v2.0/devicecode");
    let form = [("client_id", client_id), ("scope", SCOPE)];
    world.token_at(&url, &form).await.ok()
}

async fn poll(world: &World, started: &Value) -> Reply {
    let form = [
        ("grant_type", GRANT),
        ("client_id", PUBLIC),
        ("device_code", started["device_code"].as_str().unwrap()),
    ];
    world.token(&form).await
}

/// Opens the page and types the code.
async fn enter(browser: &mut Browser, started: &Value) -> Page {
    let uri = started["verification_uri"].as_str().unwrap();
    let page = browser.get(uri).await;
    let code = started["user_code"].as_str().unwrap();
    browser.submit(&page, "/device", &[("otc", code)]).await
}
