//! Personal accounts, as at Outlook.com.

use crate::harness::*;
use crate::line::imap_login;
use crate::support::*;

const GWEN: &str = "gwen@freemail.test";
const WIDE: &str = "6b3f0c1e-8a52-4d7f-9c11-0f2e5a7d9004";

#[actix_web::test]
async fn token_opaque() {
    let world = world("").await;
    let tokens = tokens(&world).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert!(token.starts_with("EwB"), "{token}");
    assert_claims("token-opaque", token, GWEN, NOW.0);
    let (_, answer) = imap_login(&world, GWEN, token).await;
    assert_eq!(answer, "t OK AUTHENTICATE completed.");
}

#[actix_web::test]
async fn consumer_tenant_token() {
    let world = world("").await;
    let tokens = tokens(&world).await;
    // Only the id token can be read.
    let token = tokens["id_token"].as_str().unwrap();
    assert_eq!(
        claims(&tokens["id_token"])["tid"],
        "9188040d-6c67-4c5b-b112-36a304b66dad"
    );
    assert_claims("consumer-tenant-token", token, GWEN, NOW.0);
}

#[actix_web::test]
async fn imap_disabled_outlookcom() {
    let world = world("mailbox = { imap = false }").await;
    let tokens = tokens(&world).await;
    let token = tokens["access_token"].as_str().unwrap();
    let (_, answer) = imap_login(&world, GWEN, token).await;
    assert_rule(
        "imap-disabled-outlookcom",
        "NO AUTHENTICATE failed.",
        &answer,
    );
}

async fn world(more: &str) -> World {
    World::start_with(&format!(
        "[[personal_account]]\naddress = \"{GWEN}\"\ndisplay_name = \"Gwen Hale\"\npassword = \"{PASSWORD}\"\n{more}\n{}",
        delegated(WIDE, "audience = \"any_organization_and_personal\"")
    ))
    .await
}

/// Signs Gwen in under `consumers`.
async fn tokens(world: &World) -> serde_json::Value {
    let url = world.authorize_url(&[("client_id", WIDE)]);
    let url = url.replace(&format!("/{}/", world.tenant), "/consumers/");
    let answer = Browser::new(world).connect(&url, GWEN).await;
    let code = answer
        .parameter("code")
        .unwrap_or_else(|| panic!("{answer:?}"));
    let secret = world.secret(WIDE);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", WIDE),
        ("client_secret", &secret),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let url = token_url(world, "consumers");
    world.token_at(&url, &form).await.ok()
}
