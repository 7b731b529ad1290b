//! What the organization's policies stop.

use std::time::Duration;

use serde_json::json;

use crate::harness::*;
use crate::support::*;

#[actix_web::test]
async fn conditional_access_block() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let token = tokens["refresh_token"].as_str().unwrap();
    put(
        &world,
        "conditional_access",
        json!({"name": "Nobody", "grant": "block"}),
    )
    .await;
    let reply = world.refresh(token, &[]).await;
    assert_refusal("conditional-access-block", 53003, &reply);
    assert_eq!(reply.body["suberror"], "message_only");
    assert!(reply.body["claims"].as_str().unwrap().contains("capolids"));
    let page = connect(&world, ADA, &[]).await;
    assert_page("conditional-access-block", 53003, &page);
    // An application by itself is met only by a policy that says so.
    let scope = "https://outlook.office365.com/.default";
    world.client_credentials(APP_ONLY, scope).await.ok();
    let workloads = json!({"name": "Workloads", "grant": "block", "flows": ["client_credentials"]});
    put(&world, "conditional_access", workloads).await;
    let reply = world.client_credentials(APP_ONLY, scope).await;
    assert_refusal("conditional-access-block", 53003, &reply);

    put(
        &world,
        "conditional_access",
        json!({"name": "Nobody", "grant": "security_policy"}),
    )
    .await;
    let reply = world.refresh(token, &[]).await;
    assert_refusal("conditional-access-block", 530_032, &reply);
    let risky = json!({"address": ADA, "display_name": "Ada", "sign_in": {"risky": true}});
    put(&world, "users", risky).await;
    let reply = world.refresh(token, &[]).await;
    assert_refusal("conditional-access-block", 50131, &reply);
}

#[actix_web::test]
async fn device_not_compliant() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let token = tokens["refresh_token"].as_str().unwrap();
    for (grant, code) in [
        ("compliant_device", 53000),
        ("joined_device", 53001),
        ("approved_application", 53002),
        ("known_device", 50097),
        ("registered_device", 50129),
    ] {
        // Only for one person and one application.
        let rule = json!({
            "name": "Devices", "grant": grant, "users": [ADA], "applications": [DELEGATED],
        });
        put(&world, "conditional_access", rule).await;
        let reply = world.refresh(token, &[]).await;
        assert_refusal("device-not-compliant", code, &reply);
        let page = connect(&world, ADA, &[]).await;
        assert_page("device-not-compliant", u32::try_from(code).unwrap(), &page);
    }
    let page = connect(&world, BRUNO, &[]).await;
    assert!(page.parameter("code").is_some(), "{page:?}");
}

#[actix_web::test]
async fn refresh_signin_frequency() {
    let world = World::start_with("[policies]\nsign_in_frequency_hours = 24\n").await;
    let tokens = world.connected().await;
    let mut token = tokens["refresh_token"].as_str().unwrap().to_owned();
    world.clock.advance(Duration::from_secs(20 * 3600));
    let answer = world.refresh(&token, &[]).await.ok();
    token = answer["refresh_token"].as_str().unwrap().to_owned();
    // A refresh is no sign-in.
    world.clock.advance(Duration::from_secs(4 * 3600));
    let reply = world.refresh(&token, &[]).await;
    assert_refusal("refresh-signin-frequency", 70043, &reply);
    assert_eq!(reply.body["suberror"], "bad_token");
}

#[actix_web::test]
async fn token_throttled() {
    let world = World::start_with("[policies]\nloop_detection = 15\n").await;
    let scope = "https://outlook.office365.com/.default";
    for _ in 0..15 {
        world.client_credentials(APP_ONLY, scope).await.ok();
    }
    let reply = world.client_credentials(APP_ONLY, scope).await;
    assert_refusal("token-throttled", 50196, &reply);
    // Another request is not taken for the same, and five minutes are enough.
    let other = "https://graph.microsoft.com/.default";
    world.client_credentials(APP_ONLY, other).await.ok();
    world.clock.advance(Duration::from_secs(300));
    world.client_credentials(APP_ONLY, scope).await.ok();

    put(&world, "policies", json!({"throttled": true})).await;
    let reply = world.client_credentials(APP_ONLY, scope).await;
    assert_refusal("token-throttled", 90055, &reply);
    assert_eq!(reply.status, 429);
}

#[actix_web::test]
async fn national_cloud_redirect() {
    let world = World::start_with(
        "[policies]\nforeign_tenants = [{ name = \"contoso.us\", cloud = \"microsoftonline.us\" }]\n",
    )
    .await;
    let page = authorize_at(&world, "contoso.us", &[]).await;
    assert_page("national-cloud-redirect", 90038, &page);
    assert!(page.html.contains("microsoftonline.us"));
    let url = token_url(&world, "contoso.us");
    let mut form = vec![
        ("grant_type", "refresh_token"),
        ("client_id", DELEGATED),
        ("refresh_token", "any"),
    ];
    let reply = world.token_at(&url, &form).await;
    assert_refusal("national-cloud-redirect", 90038, &reply);
    form.push(("client_secret", "any"));
    let reply = world.token_at(&url, &form).await;
    assert_refusal("national-cloud-redirect", 900_382, &reply);
}

#[actix_web::test]
async fn misconfigured_permissions() {
    let nothing = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa60";
    let world = World::start_with(&delegated(nothing, "")).await;
    let graph = ("scope", "https://graph.microsoft.com/.default");
    let page = authorize(&world, &[("client_id", nothing), graph]).await;
    assert_redirect(
        "misconfigured-permissions",
        "invalid_client",
        650_056,
        &page,
    );
    // The registration lists Exchange only, apart from what belongs to the sign-in.
    let listed = json!({
        "client_id": nothing, "display_name": "Exchange only", "flow": "delegated",
        "redirect_uris": [REDIRECT],
        "permissions": ["https://outlook.office.com/IMAP.AccessAsUser.All"],
    });
    put(&world, "applications", listed).await;
    let page = authorize(&world, &[("client_id", nothing), graph]).await;
    assert_redirect(
        "misconfigured-permissions",
        "invalid_client",
        650_057,
        &page,
    );
    for (state, code) in [("not_subscribed", 650_052), ("removed", 650_054)] {
        let resources = json!({"resources": {"https://outlook.office.com": state}});
        put(&world, "policies", resources).await;
        let page = authorize(&world, &[]).await;
        assert_redirect("misconfigured-permissions", "invalid_client", code, &page);
        let scope = "https://outlook.office365.com/.default";
        let reply = world.client_credentials(APP_ONLY, scope).await;
        assert_refusal("misconfigured-permissions", code.into(), &reply);
    }
}

#[actix_web::test]
async fn permission_id_invalid() {
    let application = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa61";
    let world = World::start_with(&delegated(
        application,
        "permissions = [\"https://outlook.office.com/IMAP.AccessAsUser.All\"]\n\
         conditions = { unknown_permissions = [\"00000000-1111-2222-3333-444444444444\"] }",
    ))
    .await;
    let page = authorize(
        &world,
        &[
            ("client_id", application),
            ("scope", "https://outlook.office.com/.default"),
        ],
    )
    .await;
    assert_redirect("permission-id-invalid", "invalid_client", 65006, &page);
}
