//! What the authorization endpoint says of a request.

use crate::harness::*;
use crate::support::*;

#[actix_web::test]
async fn redirect_uri_mismatch() {
    let world = World::start().await;
    let page = authorize(&world, &[("redirect_uri", "http://localhost:8080/other")]).await;
    assert_page("redirect-uri-mismatch", 50011, &page);
    assert!(page.html.contains("http://localhost:8080/other"));
    // The token endpoint knows it too.
    let code = world.code(&[]).await;
    let reply = world
        .redeem(&code, &[("redirect_uri", "http://localhost:8080/other")])
        .await;
    assert_refusal("redirect-uri-mismatch", 50011, &reply);
}

#[actix_web::test]
async fn no_reply_address() {
    let world = World::start().await;
    let page = authorize(&world, &[("redirect_uri", "")]).await;
    assert_page("no-reply-address", 900_971, &page);
    // None is registered either.
    let page = authorize(&world, &[("client_id", APP_ONLY), ("redirect_uri", "")]).await;
    assert!(page.html.contains("AADSTS500113: "), "{}", page.html);
}

#[actix_web::test]
async fn app_not_in_tenant() {
    let world = World::start().await;
    let stranger = "00000000-aaaa-bbbb-cccc-000000000001";
    let page = authorize(&world, &[("client_id", stranger)]).await;
    assert_page("app-not-in-tenant", 700_016, &page);
    let reply = world
        .redeem("any", &[("client_id", stranger), ("client_secret", "")])
        .await;
    assert_refusal("app-not-in-tenant", 700_016, &reply);
    let page = authorize_at(&world, "organizations", &[("client_id", stranger)]).await;
    assert_page("app-not-in-tenant", 700_011, &page);
}

#[actix_web::test]
async fn tenant_not_found() {
    let world = World::start().await;
    let page = authorize_at(&world, "quilmere.test", &[]).await;
    assert_page("tenant-not-found", 90002, &page);
    let page = authorize_at(&world, "YOUR_TENANT", &[]).await;
    assert!(page.html.contains("AADSTS900023: "), "{}", page.html);
    let url = token_url(&world, "quilmere.test");
    let reply = world
        .token_at(
            &url,
            &[("grant_type", "refresh_token"), ("client_id", DELEGATED)],
        )
        .await;
    assert_refusal("tenant-not-found", 90002, &reply);
}

#[actix_web::test]
async fn single_tenant_on_common() {
    let world = World::start().await;
    let page = authorize_at(&world, "common", &[("client_id", SINGLE_TENANT)]).await;
    assert_page("single-tenant-on-common", 50194, &page);
}

#[actix_web::test]
async fn consumers_not_enabled() {
    let world = World::start().await;
    let page = authorize_at(&world, "consumers", &[]).await;
    assert_page("consumers-not-enabled", 9_002_332, &page);
}

#[actix_web::test]
async fn use_organizations_endpoint() {
    let application = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa41";
    let old = "conditions = { organizations_only = true }";
    let world = World::start_with(&delegated(application, old)).await;
    let asked = [("client_id", application)];
    let page = authorize_at(&world, "common", &asked).await;
    assert_page("use-organizations-endpoint", 90130, &page);
    let page = authorize_at(&world, "organizations", &asked).await;
    assert!(page.html.contains("Sign in"), "{page:?}");
}

#[actix_web::test]
async fn resource_param_v2() {
    let world = World::start().await;
    let resource = ("resource", "https://outlook.office365.com");
    let page = authorize(&world, &[resource]).await;
    assert_page("resource-param-v2", 901_002, &page);
    let reply = world.redeem("any", &[resource]).await;
    assert_refusal("resource-param-v2", 901_002, &reply);
}

#[actix_web::test]
async fn response_type_unsupported() {
    let world = World::start().await;
    let page = authorize(&world, &[("response_type", "id_token")]).await;
    assert_redirect(
        "response-type-unsupported",
        "unsupported_response_type",
        700_054,
        &page,
    );
    let page = authorize(&world, &[("response_type", "magic")]).await;
    assert_redirect(
        "response-type-unsupported",
        "unsupported_response_type",
        70005,
        &page,
    );
}

#[actix_web::test]
async fn response_mode_unsupported() {
    let world = World::start().await;
    let page = authorize(&world, &[("response_mode", "pigeon")]).await;
    assert_redirect("response-mode-unsupported", "invalid_request", 70007, &page);
}

#[actix_web::test]
async fn app_disabled() {
    let world = World::start().await;
    let page = authorize(&world, &[("client_id", DISABLED)]).await;
    assert_page("app-disabled", 7_000_112, &page);
    let entry = serde_json::json!({
        "client_id": SINGLE_TENANT, "display_name": "Not for sign-in", "flow": "delegated",
        "conditions": {"sign_in_disabled": true},
    });
    put(&world, "applications", entry).await;
    let page = authorize(&world, &[("client_id", SINGLE_TENANT)]).await;
    assert_page("app-disabled", 1_000_031, &page);
}

#[actix_web::test]
async fn resource_sp_missing() {
    let world = World::start().await;
    let scope = "https://outlok.office.com/IMAP.AccessAsUser.All";
    let page = authorize(&world, &[("scope", scope)]).await;
    assert_redirect("resource-sp-missing", "invalid_resource", 500_011, &page);
}

#[actix_web::test]
async fn default_mixed_with_named() {
    let world = World::start().await;
    let scope = "https://outlook.office.com/.default https://outlook.office.com/SMTP.Send";
    let page = authorize(&world, &[("scope", scope)]).await;
    assert_redirect("default-mixed-with-named", "invalid_scope", 70011, &page);
}

#[actix_web::test]
async fn scope_invalid() {
    let world = World::start().await;
    let scope = "https://outlook.office.com/.default User.Read";
    let page = authorize(&world, &[("scope", scope)]).await;
    assert_redirect("scope-invalid", "invalid_scope", 70011, &page);
}
