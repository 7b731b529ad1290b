//! What becomes of the person who signs in.

use crate::harness::*;
use crate::support::*;

#[actix_web::test]
async fn user_not_in_directory() {
    let world = World::start().await;
    let page = connect(&world, "nobody@quillmere.test", &[]).await;
    assert_page("user-not-in-directory", 50034, &page);
}

#[actix_web::test]
async fn account_disabled() {
    let world = World::start().await;
    let page = connect(&world, BLOCKED, &[]).await;
    assert_page("account-disabled", 50057, &page);
}

#[actix_web::test]
async fn consent_declined() {
    let world = World::start().await;
    let page = decline(&world).await;
    assert_redirect("consent-declined", "access_denied", 65004, &page);
}

#[actix_web::test]
async fn user_cancelled() {
    let world = World::start().await;
    let page = decline(&world).await;
    assert_redirect("user-cancelled", "access_denied", 65004, &page);
}

async fn decline(world: &World) -> Page {
    let mut browser = Browser::new(world);
    let page = browser.get(&world.authorize_url(&[])).await;
    let page = browser.sign_in(&page, ADA).await;
    browser
        .submit(&page, "/consent", &[("decision", "decline")])
        .await
}

#[actix_web::test]
async fn silent_needs_user() {
    let world = World::start().await;
    let page = authorize(&world, &[("prompt", "none")]).await;
    assert_redirect("silent-needs-user", "login_required", 50058, &page);
}

#[actix_web::test]
async fn consent_missing() {
    let world = World::start().await;
    let scope = format!("{SCOPE} https://outlook.office.com/SMTP.Send");
    let page = connect_silently(&world, ADA, &[("scope", &scope)]).await;
    assert_redirect("consent-missing", "consent_required", 65001, &page);
    let token = world.connected().await;
    let reply = world
        .refresh(
            token["refresh_token"].as_str().unwrap(),
            &[("scope", "https://outlook.office.com/SMTP.Send")],
        )
        .await;
    assert_refusal("consent-missing", 65001, &reply);
    assert_eq!(reply.body["suberror"], "consent_required");
}

#[actix_web::test]
async fn admin_consent_required() {
    let world = World::start().await;
    world
        .control("/consent", serde_json::json!({"require_admin": true}))
        .await;
    let mut browser = Browser::new(&world);
    let page = browser.connect(&world.authorize_url(&[]), ADA).await;
    assert_page("admin-consent-required", 90094, &page);
    let page = browser
        .submit(
            &page,
            "/consent",
            &[("decision", "decline"), ("reason", "approval")],
        )
        .await;
    assert_redirect("admin-consent-required", "consent_required", 90094, &page);
    // Where people can ask for approval, and where the application looks risky.
    let workflow = serde_json::json!({"consent_workflow": true});
    put(&world, "policies", workflow).await;
    let page = connect(&world, ADA, &[]).await;
    assert_page("admin-consent-required", 90095, &page);
    let risky = serde_json::json!({
        "client_id": DELEGATED, "display_name": "Reader", "flow": "delegated",
        "redirect_uris": [REDIRECT], "conditions": {"risky": true},
    });
    put(&world, "applications", risky).await;
    let page = connect(&world, ADA, &[]).await;
    assert_page("admin-consent-required", 900_941, &page);
}
