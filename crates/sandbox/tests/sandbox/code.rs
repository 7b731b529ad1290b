//! The authorization-code flow from the first page to the tokens.

use serde_json::json;

use crate::support::*;

#[actix_web::test]
async fn a_person_signs_in_agrees_and_the_client_gets_tokens() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    assert_eq!(page.status, 200);
    assert!(page.html.contains("Reader &#34;one&#34;"), "{}", page.html);
    assert!(!page.html.contains("<b>Finch"), "names are escaped");
    let page = browser.sign_in(&page, ADA).await;
    assert!(
        page.html
            .contains("Read, change and delete the mail in your mailboxes (IMAP)")
    );
    let answer = browser
        .submit(&page, "/consent", &[("decision", "accept")])
        .await;
    assert_eq!(answer.status, 302);
    assert!(answer.url.starts_with(REDIRECT));
    assert_eq!(answer.parameter("state").as_deref(), Some("the state"));

    let tokens = world
        .redeem(&answer.parameter("code").unwrap(), &[("client_info", "1")])
        .await
        .ok();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 3599);
    assert_eq!(
        tokens["scope"],
        "https://outlook.office.com/IMAP.AccessAsUser.All"
    );
    assert!(tokens["refresh_token"].as_str().unwrap().len() > 900);
    assert!(tokens["client_info"].is_string());

    let directory = world.running.directory();
    let object_id = directory.tenant().user(ADA).unwrap().object_id.clone();
    let access = claims(&tokens["access_token"]);
    for (claim, expected) in [
        ("aud", json!("https://outlook.office.com")),
        (
            "iss",
            json!(format!("https://sts.windows.net/{}/", world.tenant)),
        ),
        ("ver", json!("1.0")),
        ("scp", json!("IMAP.AccessAsUser.All")),
        ("appid", json!(DELEGATED)),
        ("appidacr", json!("1")),
        ("upn", json!(ADA)),
        ("oid", json!(object_id)),
        ("tid", json!(world.tenant)),
        ("iat", json!(NOW.0)),
        ("exp", json!(NOW.0 + 3599)),
    ] {
        assert_eq!(access[claim], expected, "{claim}");
    }
    assert!(access.get("roles").is_none());
    let identity = claims(&tokens["id_token"]);
    for (claim, expected) in [
        ("aud", json!(DELEGATED)),
        (
            "iss",
            json!(format!("{}/{}/v2.0", world.base, world.tenant)),
        ),
        ("ver", json!("2.0")),
        ("nonce", json!("the nonce")),
        ("oid", json!(object_id)),
        ("tid", json!(world.tenant)),
        ("preferred_username", json!(ADA)),
        ("email", json!(ADA)),
        ("name", json!("Ada <b>Finch</b>")),
    ] {
        assert_eq!(identity[claim], expected, "{claim}");
    }
    assert_ne!(identity["sub"], identity["oid"], "the subject is pairwise");
    world.running.stop().await;
}

#[actix_web::test]
async fn what_was_not_asked_for_is_not_given() {
    let world = World::start().await;
    let scope = "https://outlook.office365.com/IMAP.AccessAsUser.All";
    let code = world.code(&[("scope", scope)]).await;
    let tokens = world.redeem(&code, &[]).await.ok();
    assert!(tokens.get("id_token").is_none());
    assert!(tokens.get("refresh_token").is_none());
    assert_eq!(tokens["scope"], scope);
    assert_eq!(
        claims(&tokens["access_token"])["aud"],
        "https://outlook.office365.com"
    );
}

#[actix_web::test]
async fn a_bare_scope_gives_a_token_for_graph() {
    let world = World::start().await;
    let code = world
        .code(&[("scope", "openid IMAP.AccessAsUser.All")])
        .await;
    let tokens = world.redeem(&code, &[]).await.ok();
    let access = claims(&tokens["access_token"]);
    assert_eq!(access["aud"], "https://graph.microsoft.com");
    let refused = world.running.directory().check_access_token(
        tokens["access_token"].as_str().unwrap(),
        ADA,
        NOW,
    );
    assert_eq!(
        refused.unwrap_err(),
        mailgrant_sandbox::directory::Refusal::Audience
    );
    let userinfo = world.http.get(format!("{}/oidc/userinfo", world.base));
    let userinfo = userinfo
        .bearer_auth(tokens["access_token"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    let userinfo = Reply::of(userinfo).await.ok();
    assert_eq!(userinfo["email"], ADA);
    assert_eq!(userinfo["sub"], claims(&tokens["id_token"])["sub"]);
}

#[actix_web::test]
async fn a_code_works_once_in_time_and_for_its_client() {
    let world = World::start().await;
    let code = world.code(&[]).await;
    world.redeem(&code, &[]).await.ok();
    assert_eq!(
        world.redeem(&code, &[]).await.refusal(),
        (54005, "invalid_grant", 400)
    );

    let code = world.code(&[]).await;
    world.clock.advance(std::time::Duration::from_secs(600));
    assert_eq!(
        world.redeem(&code, &[]).await.refusal(),
        (70008, "invalid_grant", 400)
    );

    let code = world.code(&[]).await;
    let secret = world.secret(SINGLE_TENANT);
    let stolen = world
        .redeem(
            &code,
            &[("client_id", SINGLE_TENANT), ("client_secret", &secret)],
        )
        .await;
    assert_eq!(stolen.refusal(), (70000, "invalid_grant", 400));
    world.redeem(&code, &[]).await.ok();
    assert_eq!(
        world.redeem("nonsense", &[]).await.refusal(),
        (9_002_313, "invalid_grant", 400)
    );
}

#[actix_web::test]
async fn pkce_must_be_answered() {
    let world = World::start().await;
    for (verifier, expected) in [("x".repeat(43), 501_481), (String::new(), 50148)] {
        let code = world.code(&[]).await;
        let refused = world.redeem(&code, &[("code_verifier", &verifier)]).await;
        assert_eq!(refused.refusal(), (expected, "invalid_grant", 400));
        assert_eq!(
            world.redeem(&code, &[]).await.refusal().0,
            54005,
            "the code is spent"
        );
    }
    let plain = "p".repeat(50);
    let code = world
        .code(&[
            ("code_challenge", &plain),
            ("code_challenge_method", "plain"),
        ])
        .await;
    world.redeem(&code, &[("code_verifier", &plain)]).await.ok();
}

#[actix_web::test]
async fn the_client_must_prove_itself() {
    let world = World::start().await;
    let code = world.code(&[]).await;
    let secret_id = world
        .running
        .directory()
        .tenant()
        .application(DELEGATED)
        .unwrap()
        .secrets[0]
        .id
        .clone();
    for (secret, expected) in [
        ("wrong", 7_000_215),
        (secret_id.as_str(), 7_000_215),
        ("", 7_000_218),
    ] {
        let refused = world.redeem(&code, &[("client_secret", secret)]).await;
        assert_eq!(
            refused.refusal(),
            (expected, "invalid_client", 401),
            "{secret}"
        );
    }
    let assertion = [
        ("client_secret", ""),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", "a.b.c"),
    ];
    assert_eq!(
        world.redeem(&code, &assertion).await.refusal(),
        (50027, "invalid_request", 400)
    );
    // None of these spent the code.
    world.redeem(&code, &[]).await.ok();
}

#[actix_web::test]
async fn the_secret_may_come_by_basic() {
    let world = World::start().await;
    let code = world.code(&[]).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let request = || world.http.post(world.url("/oauth2/v2.0/token")).form(&form);
    let refused = request()
        .basic_auth(DELEGATED, Some("wrong"))
        .send()
        .await
        .unwrap();
    assert!(refused.headers().contains_key("www-authenticate"));
    assert_eq!(Reply::of(refused).await.refusal().0, 7_000_215);
    let twice = [("client_secret", "x"), ("grant_type", "authorization_code")];
    let twice = world
        .http
        .post(world.url("/oauth2/v2.0/token"))
        .form(&twice);
    let twice = twice.basic_auth(DELEGATED, Some("x")).send().await.unwrap();
    assert_eq!(Reply::of(twice).await.refusal().0, 9_002_313);
    let secret = world.secret(DELEGATED);
    Reply::of(
        request()
            .basic_auth(DELEGATED, Some(secret))
            .send()
            .await
            .unwrap(),
    )
    .await
    .ok();
}

#[actix_web::test]
async fn malformed_requests_are_named() {
    let world = World::start().await;
    let code = world.code(&[]).await;
    for (changes, expected) in [
        (vec![("grant_type", "")], (900_144, "invalid_request", 400)),
        (vec![("client_id", "")], (900_144, "invalid_request", 400)),
        (vec![("code", "")], (900_144, "invalid_request", 400)),
        (
            vec![("redirect_uri", "")],
            (900_144, "invalid_request", 400),
        ),
        (
            vec![("grant_type", "implicit")],
            (70003, "unsupported_grant_type", 400),
        ),
        (
            vec![("client_id", "00000000-0000-0000-0000-000000000000")],
            (700_016, "unauthorized_client", 400),
        ),
        (
            vec![("client_id", DISABLED)],
            (7_000_112, "unauthorized_client", 400),
        ),
        (
            vec![("redirect_uri", "https://elsewhere.test/")],
            (50011, "invalid_client", 400),
        ),
        (
            vec![("scope", "https://outlok.office.com/SMTP.Send")],
            (500_011, "invalid_resource", 400),
        ),
    ] {
        let reply = world.redeem(&code, &changes).await;
        assert_eq!(reply.refusal(), expected, "{changes:?}");
    }
    let repeated = [
        ("grant_type", "refresh_token"),
        ("grant_type", "refresh_token"),
    ];
    assert_eq!(
        world.token(&repeated).await.refusal(),
        (9_002_313, "invalid_request", 400)
    );
    let got = world
        .http
        .get(world.url("/oauth2/v2.0/token"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        Reply::of(got).await.refusal(),
        (900_561, "invalid_request", 400)
    );
    let elsewhere = format!("{}/contoso.test/oauth2/v2.0/token", world.base);
    assert_eq!(
        world.token_at(&elsewhere, &[]).await.refusal(),
        (90002, "invalid_request", 400)
    );
}

#[actix_web::test]
async fn a_code_is_bound_to_its_redirect_uri_and_scopes() {
    let world = World::start().await;
    // The port of a loopback address does not count when it is matched, but must stay the same.
    let code = world.code(&[]).await;
    let other = [("redirect_uri", "http://localhost:9999/oauth/callback")];
    assert_eq!(
        world.redeem(&code, &other).await.refusal(),
        (500_112, "invalid_client", 400)
    );
    for (scope, expected) in [
        ("https://outlook.office.com/SMTP.Send", 28002),
        (
            "https://outlook.office.com/IMAP.AccessAsUser.All User.Read",
            28000,
        ),
    ] {
        let code = world.code(&[]).await;
        assert_eq!(
            world.redeem(&code, &[("scope", scope)]).await.refusal(),
            (expected, "invalid_grant", 400)
        );
    }
}

#[actix_web::test]
async fn browsers_may_redeem_only_for_single_page_applications() {
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
        .header("Origin", "https://app.test");
    let refused = Reply::of(request.form(&form).send().await.unwrap()).await;
    assert_eq!(refused.refusal(), (9_002_326, "invalid_request", 400));

    let uri = "https://spa.quillmere.test/";
    let scope = "openid offline_access https://outlook.office.com/IMAP.AccessAsUser.All";
    let code = world
        .code(&[("client_id", SPA), ("redirect_uri", uri), ("scope", scope)])
        .await;
    let changes = [
        ("client_id", SPA),
        ("client_secret", ""),
        ("redirect_uri", uri),
    ];
    assert_eq!(
        world.redeem(&code, &changes).await.refusal(),
        (9_002_327, "invalid_request", 400)
    );
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", SPA),
        ("code", &code),
        ("redirect_uri", uri),
        ("code_verifier", VERIFIER),
    ];
    let request = world
        .http
        .post(world.url("/oauth2/v2.0/token"))
        .header("Origin", "https://spa.quillmere.test");
    let answer = request.form(&form).send().await.unwrap();
    assert_eq!(
        answer.headers()["access-control-allow-origin"],
        "https://spa.quillmere.test"
    );
    let tokens = Reply::of(answer).await.ok();

    // Its refresh token ends a day after the first sign-in, however often it is used.
    let refresh = async |token: &str| {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", SPA),
            ("refresh_token", token),
        ];
        let request = world
            .http
            .post(world.url("/oauth2/v2.0/token"))
            .header("Origin", "https://spa.quillmere.test");
        Reply::of(request.form(&form).send().await.unwrap()).await
    };
    world
        .clock
        .advance(std::time::Duration::from_secs(23 * 3600));
    let tokens = refresh(tokens["refresh_token"].as_str().unwrap())
        .await
        .ok();
    world.clock.advance(std::time::Duration::from_secs(3600));
    let refused = refresh(tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refused.refusal(), (700_084, "invalid_grant", 400));
}

#[actix_web::test]
async fn a_public_client_has_no_secret_to_send() {
    let world = World::start().await;
    let uri = "http://localhost:7777/installed";
    let code = world
        .code(&[("client_id", PUBLIC), ("redirect_uri", uri)])
        .await;
    let with_secret = [
        ("client_id", PUBLIC),
        ("client_secret", "x"),
        ("redirect_uri", uri),
    ];
    assert_eq!(
        world.redeem(&code, &with_secret).await.refusal(),
        (700_025, "invalid_client", 401)
    );
    let without = [
        ("client_id", PUBLIC),
        ("client_secret", ""),
        ("redirect_uri", uri),
    ];
    let tokens = world.redeem(&code, &without).await.ok();
    assert_eq!(claims(&tokens["access_token"])["appidacr"], "0");
}

#[actix_web::test]
async fn what_msal_sends_besides_is_tolerated() {
    let world = World::start().await;
    let code = world
        .code(&[
            ("client_info", "1"),
            ("clidata", "1"),
            ("client-request-id", "0f8fad5b-d9cb-469f-a165-70867728950e"),
            ("X-AnchorMailbox", "UPN:ada@quillmere.test"),
            ("claims", "{\"id_token\":{}}"),
            ("response_mode", "query"),
        ])
        .await;
    let changes = [
        ("client_info", "1"),
        ("x-client-SKU", "MSAL.Python"),
        ("x-client-last-telemetry", "5|0|||"),
        ("scope", SCOPE),
        ("claims", "{}"),
    ];
    world.redeem(&code, &changes).await.ok();
}
