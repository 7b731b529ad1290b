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
}

#[actix_web::test]
async fn tenant_not_found() {
    let world = World::start().await;
    let page = authorize_at(&world, "quilmere.test", &[]).await;
    assert_page("tenant-not-found", 90002, &page);
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
