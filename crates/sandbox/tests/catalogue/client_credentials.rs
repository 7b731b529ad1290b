//! An application by itself.

use crate::harness::*;
use crate::support::*;

#[actix_web::test]
async fn secret_expired() {
    let world = World::start().await;
    let reply = world
        .client_credentials(EXPIRED, "https://outlook.office365.com/.default")
        .await;
    assert_refusal("secret-expired", 7_000_222, &reply);
}

#[actix_web::test]
async fn cc_scope_not_default() {
    let world = World::start().await;
    let reply = world
        .client_credentials(APP_ONLY, "https://outlook.office365.com/IMAP.AccessAsApp")
        .await;
    assert_refusal("cc-scope-not-default", 1_002_012, &reply);
}

#[actix_web::test]
async fn cc_offline_access() {
    let world = World::start().await;
    let scope = "https://outlook.office365.com/.default offline_access";
    let reply = world.client_credentials(APP_ONLY, scope).await;
    assert_refusal("cc-offline-access", 700_022, &reply);
}

#[actix_web::test]
async fn cc_on_common() {
    let world = World::start().await;
    let secret = world.secret(NO_ROLES);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", NO_ROLES),
        ("client_secret", &secret),
        ("scope", "https://outlook.office365.com/.default"),
    ];
    for segment in ["common", "organizations"] {
        let reply = world.token_at(&token_url(&world, segment), &form).await;
        assert_refusal("cc-on-common", 50059, &reply);
    }
}
