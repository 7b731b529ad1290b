//! Tokens that are issued and open nothing: their claims, and the door that stays shut.

use std::time::Duration;

use crate::harness::{assert_claims, later};
use crate::line::imap_login;
use crate::support::*;

#[actix_web::test]
async fn aud_is_graph() {
    let world = World::start().await;
    let token = delegated(&world, "openid User.Read").await;
    assert_eq!(
        claims(&token.clone().into())["aud"],
        "https://graph.microsoft.com"
    );
    assert_claims("aud-is-graph", &token, ADA, NOW.0);
    refused(&world, ADA, &token, "audience is not Exchange").await;
}

#[actix_web::test]
async fn aud_not_exchange() {
    let world = World::start().await;
    let reply = world
        .client_credentials(APP_ONLY, "https://graph.microsoft.com/.default")
        .await
        .ok();
    let token = reply["access_token"].as_str().unwrap();
    assert_claims("aud-not-exchange", token, ADA, NOW.0);
    refused(&world, SHARED, token, "audience is not Exchange").await;
}

#[actix_web::test]
async fn scp_missing_imap() {
    let world = World::start().await;
    let token = delegated(&world, "openid https://outlook.office.com/SMTP.Send").await;
    assert_eq!(claims(&token.clone().into())["scp"], "SMTP.Send");
    assert_claims("scp-missing-imap", &token, ADA, NOW.0);
    refused(&world, ADA, &token, "no permission for this protocol").await;
}

#[actix_web::test]
async fn roles_absent() {
    let world = World::start().await;
    let token = app_only(&world, NO_ROLES).await;
    assert_eq!(claims(&token.clone().into())["idtyp"], "app");
    assert_claims("roles-absent", &token, ADA, NOW.0);
    refused(&world, ADA, &token, "no permission for this protocol").await;
}

#[actix_web::test]
async fn roles_missing_imap() {
    let application = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa30";
    let world = World::start_with(&unattended(
        application,
        "https://outlook.office365.com/SMTP.SendAsApp",
    ))
    .await;
    let token = app_only(&world, application).await;
    assert_claims("roles-missing-imap", &token, ADA, NOW.0);
    refused(&world, ADA, &token, "no permission for this protocol").await;
}

#[actix_web::test]
async fn wrong_flow_permission() {
    let application = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa31";
    let permission = "https://outlook.office365.com/full_access_as_app";
    let world = World::start_with(&unattended(application, permission)).await;
    let token = app_only(&world, application).await;
    assert_eq!(
        claims(&token.clone().into())["roles"],
        serde_json::json!(["full_access_as_app"])
    );
    assert_claims("wrong-flow-permission", &token, ADA, NOW.0);
    refused(&world, ADA, &token, "no permission for this protocol").await;
}

#[actix_web::test]
async fn token_expired() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let token = tokens["access_token"].as_str().unwrap();
    world.clock.advance(Duration::from_secs(3600));
    assert_claims("token-expired", token, ADA, later(3600));
    refused(&world, ADA, token, "has ended").await;
}

#[actix_web::test]
async fn token_not_yet_valid() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let token = tokens["access_token"].as_str().unwrap();
    // The reader's clock is behind by ten minutes.
    let put = serde_json::json!({"offset_seconds": -600});
    world.control("/clock", put).await.ok();
    assert_claims("token-not-yet-valid", token, ADA, later(-600));
    refused(&world, ADA, token, "not valid yet").await;
}

#[actix_web::test]
async fn identity_not_mailbox() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let token = tokens["access_token"].as_str().unwrap();
    assert_claims("identity-not-mailbox", token, SHARED, NOW.0);
    refused(&world, SHARED, token, "no full access").await;
}

async fn delegated(world: &World, scope: &str) -> String {
    let code = world.code(&[("scope", scope)]).await;
    let tokens = world.redeem(&code, &[]).await.ok();
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn app_only(world: &World, client_id: &str) -> String {
    let scope = "https://outlook.office365.com/.default";
    let reply = world.client_credentials(client_id, scope).await.ok();
    reply["access_token"].as_str().unwrap().to_owned()
}

/// An application that an administrator has granted one permission.
fn unattended(client_id: &str, permission: &str) -> String {
    format!(
        "[[application]]\nclient_id = \"{client_id}\"\ndisplay_name = \"Unattended\"\nflow = \"app_only\"\n\
         permissions = [\"{permission}\"]\nadmin_consent = [\"{permission}\"]\n"
    )
}

/// IMAP says no more than no; the log says why.
async fn refused(world: &World, user: &str, token: &str, why: &str) {
    let (_, answer) = imap_login(world, user, token).await;
    assert_eq!(answer, "t NO AUTHENTICATE failed.");
    let log = world.running.requests().entries();
    let login = log.iter().rev().find(|entry| entry.kind == "imap_login");
    let detail = login.unwrap().detail.as_deref().unwrap();
    assert!(detail.contains(why), "{detail}");
}
