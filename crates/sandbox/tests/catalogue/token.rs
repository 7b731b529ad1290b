//! What the token endpoint says of a code.

use crate::harness::*;
use crate::support::*;

#[actix_web::test]
async fn code_already_used() {
    let world = World::start().await;
    let code = world.code(&[]).await;
    world.redeem(&code, &[]).await.ok();
    let reply = world.redeem(&code, &[]).await;
    assert_refusal("code-already-used", 54005, &reply);
}

#[actix_web::test]
async fn pkce_mismatch() {
    let world = World::start().await;
    let code = world.code(&[]).await;
    let verifier = "a".repeat(43);
    let reply = world.redeem(&code, &[("code_verifier", &verifier)]).await;
    assert_refusal("pkce-mismatch", 501_481, &reply);
    let page = authorize(&world, &[("code_challenge", "short")]).await;
    assert_redirect("pkce-mismatch", "invalid_request", 501_491, &page);
    // The method without a challenge.
    let page = authorize(&world, &[("code_challenge", "")]).await;
    assert_redirect("pkce-mismatch", "invalid_request", 50147, &page);
}

#[actix_web::test]
async fn pkce_required_spa() {
    let world = World::start().await;
    let page = authorize(
        &world,
        &[
            ("client_id", SPA),
            ("redirect_uri", "https://spa.quillmere.test/"),
            ("code_challenge", ""),
            ("code_challenge_method", ""),
        ],
    )
    .await;
    assert_redirect("pkce-required-spa", "invalid_request", 9_002_325, &page);
}

#[actix_web::test]
async fn cross_origin_not_spa() {
    let world = World::start().await;
    let code = world.code(&[]).await;
    let secret = world.secret(DELEGATED);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", DELEGATED),
        ("client_secret", &secret),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let request = world
        .http
        .post(world.url("/oauth2/v2.0/token"))
        .header("Origin", "http://localhost:8080")
        .form(&form);
    let reply = Reply::of(request.send().await.unwrap()).await;
    assert_refusal("cross-origin-not-spa", 9_002_326, &reply);
}

#[actix_web::test]
async fn spa_only_cross_origin() {
    let world = World::start().await;
    let redirect = ("redirect_uri", "https://spa.quillmere.test/");
    let code = world.code(&[("client_id", SPA), redirect]).await;
    let reply = world
        .redeem(
            &code,
            &[("client_id", SPA), redirect, ("client_secret", "")],
        )
        .await;
    assert_refusal("spa-only-cross-origin", 9_002_327, &reply);
}

#[actix_web::test]
async fn secret_wrong() {
    let world = World::start().await;
    let code = world.code(&[]).await;
    // The secret's id instead of its value.
    let id = "11111111-2222-3333-4444-555555555555";
    let reply = world.redeem(&code, &[("client_secret", id)]).await;
    assert_refusal("secret-wrong", 7_000_215, &reply);
    assert_eq!(reply.status, 401);
}

#[actix_web::test]
async fn secret_missing() {
    let world = World::start().await;
    let code = world.code(&[]).await;
    let reply = world.redeem(&code, &[("client_secret", "")]).await;
    assert_refusal("secret-missing", 7_000_218, &reply);
}

#[actix_web::test]
async fn public_client_sent_secret() {
    let world = World::start().await;
    let redirect = ("redirect_uri", "http://localhost/installed");
    let code = world.code(&[("client_id", PUBLIC), redirect]).await;
    let sent = [("client_id", PUBLIC), redirect, ("client_secret", "any")];
    let reply = world.redeem(&code, &sent).await;
    assert_refusal("public-client-sent-secret", 700_025, &reply);
}

#[actix_web::test]
async fn scope_invalid_at_redeem() {
    let world = World::start().await;
    let code = world.code(&[]).await;
    let beyond = "https://outlook.office.com/SMTP.Send";
    let reply = world.redeem(&code, &[("scope", beyond)]).await;
    assert_refusal("scope-invalid-at-redeem", 28002, &reply);
    let code = world.code(&[]).await;
    let secret = world.secret(DELEGATED);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", DELEGATED),
        ("client_secret", &secret),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
        ("scope", ""),
    ];
    let reply = world.token(&form).await;
    assert_refusal("scope-invalid-at-redeem", 28003, &reply);
}

#[actix_web::test]
async fn parameter_missing() {
    let world = World::start().await;
    let reply = world.redeem("any", &[("grant_type", "")]).await;
    assert_refusal("parameter-missing", 900_144, &reply);
    // A JSON body counts as an empty form.
    let request = world.http.post(world.url("/oauth2/v2.0/token"));
    let body = serde_json::json!({"grant_type": "client_credentials", "client_id": APP_ONLY});
    let reply = Reply::of(request.json(&body).send().await.unwrap()).await;
    assert_refusal("parameter-missing", 900_144, &reply);
    let reply = world.client_credentials(APP_ONLY, "").await;
    assert_refusal("parameter-missing", 90014, &reply);
}

#[actix_web::test]
async fn request_malformed() {
    let world = World::start().await;
    let reply = world.redeem("not a code", &[]).await;
    assert_refusal("request-malformed", 9_002_313, &reply);
    let page = authorize(&world, &[("prompt", "later")]).await;
    assert_redirect("request-malformed", "invalid_request", 90023, &page);
}

#[actix_web::test]
async fn wrong_verb() {
    let world = World::start().await;
    let request = world.http.get(world.url("/oauth2/v2.0/token"));
    let reply = Reply::of(request.send().await.unwrap()).await;
    assert_refusal("wrong-verb", 900_561, &reply);
    let url = world.url("/oauth2/v2.0/token?code=any");
    let reply = Reply::of(world.http.get(url).send().await.unwrap()).await;
    assert_refusal("wrong-verb", 90056, &reply);
}

#[actix_web::test]
async fn grant_type_unsupported() {
    let world = World::start().await;
    let reply = world.redeem("any", &[("grant_type", "telepathy")]).await;
    assert_refusal("grant-type-unsupported", 70003, &reply);
    assert_eq!(reply.body["error"], "unsupported_grant_type");
}

#[actix_web::test]
async fn code_other_tenant() {
    let application = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa40";
    let world = World::start_with(&format!(
        "[[application]]\nclient_id = \"{application}\"\ndisplay_name = \"For everybody\"\nflow = \"delegated\"\n\
         audience = \"any_organization_and_personal\"\n"
    ))
    .await;
    let code = world.code(&[("client_id", application)]).await;
    let secret = world.secret(application);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", application),
        ("client_secret", &secret),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let reply = world.token_at(&token_url(&world, "consumers"), &form).await;
    assert_refusal("code-other-tenant", 700_005, &reply);
}

#[actix_web::test]
async fn no_refresh_token() {
    let world = World::start().await;
    let scope = "openid https://outlook.office.com/IMAP.AccessAsUser.All";
    let code = world.code(&[("scope", scope)]).await;
    let tokens = world.redeem(&code, &[]).await.ok();
    assert!(tokens["refresh_token"].is_null());
    assert_rule("no-refresh-token", "access_token", &tokens.to_string());
}

#[actix_web::test]
async fn server_busy() {
    let world = World::start().await;
    for (code, status) in [
        (90033, 503),
        (50033, 503),
        (90006, 503),
        (90090, 503),
        (50087, 503),
        (90012, 504),
        (90024, 500),
        (70012, 500),
    ] {
        let fault = serde_json::json!({"authority": {"error": code}});
        world.control("/faults", fault).await.ok();
        let reply = world.redeem("any", &[]).await;
        assert_refusal("server-busy", code, &reply);
        assert_eq!(reply.status, status, "{code}");
        let page = authorize(&world, &[]).await;
        assert_page("server-busy", u32::try_from(code).unwrap(), &page);
    }
}

#[actix_web::test]
async fn rate_user_agent() {
    let world = World::start().await;
    let fault = serde_json::json!({"authority": {"status": 429, "retry_after": 7}});
    world.control("/faults", fault).await.ok();
    let request = world.http.post(world.url("/oauth2/v2.0/token"));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "7");
    assert_rule("rate-user-agent", "429", response.status().as_str());
}
