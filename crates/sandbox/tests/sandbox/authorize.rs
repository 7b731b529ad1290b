//! What the authorization endpoint accepts, and where it sends its refusals.

use crate::support::*;

#[actix_web::test]
async fn refusals_go_to_a_page_until_the_redirect_uri_is_known_to_be_right() {
    let world = World::start().await;
    for (changes, expected) in [
        (vec![("client_id", "")], 900_144),
        (
            vec![("client_id", "00000000-0000-0000-0000-000000000000")],
            700_016,
        ),
        (vec![("client_id", DISABLED)], 7_000_112),
        (vec![("redirect_uri", "")], 900_971),
        (vec![("redirect_uri", "https://evil.test/cb")], 50011),
        (
            vec![("redirect_uri", "http://localhost:8080/oauth/callback/")],
            50011,
        ),
    ] {
        let page = Browser::new(&world)
            .get(&world.authorize_url(&changes))
            .await;
        assert_eq!(page.status, 400, "{changes:?}");
        assert!(!page.headers.contains_key("location"), "{changes:?}");
        assert!(
            page.html.contains(&format!("AADSTS{expected}: ")),
            "{changes:?}: {}",
            page.html
        );
        assert!(page.html.contains("Trace ID"), "{}", page.html);
    }
    let twice = format!("{}&client_id=x", world.authorize_url(&[]));
    let page = Browser::new(&world).get(&twice).await;
    assert!(page.html.contains("AADSTS9002313: "), "{}", page.html);
}

#[actix_web::test]
async fn later_refusals_go_to_the_client_with_its_state() {
    let world = World::start().await;
    for (changes, expected, error) in [
        (vec![("response_type", "")], "900144", "invalid_request"),
        (
            vec![("response_type", "id_token")],
            "700054",
            "unsupported_response_type",
        ),
        (
            vec![("response_type", "device")],
            "70005",
            "unsupported_response_type",
        ),
        (
            vec![("response_mode", "pigeon")],
            "70007",
            "invalid_request",
        ),
        (vec![("prompt", "maybe")], "90023", "invalid_request"),
        (vec![("scope", "")], "900144", "invalid_request"),
        (
            vec![("scope", "https://outlok.office.com/SMTP.Send")],
            "500011",
            "invalid_resource",
        ),
        (
            vec![("scope", "https://outlook.office.com/Imap.All")],
            "650053",
            "invalid_client",
        ),
        (
            vec![("scope", "https://outlook.office.com/.default User.Read")],
            "70011",
            "invalid_scope",
        ),
        (
            vec![("code_challenge", "short")],
            "501491",
            "invalid_request",
        ),
        (
            vec![("code_challenge_method", "S512")],
            "50149",
            "invalid_request",
        ),
        (vec![("prompt", "none")], "50058", "login_required"),
    ] {
        let answer = Browser::new(&world)
            .get(&world.authorize_url(&changes))
            .await;
        assert_eq!(answer.status, 302, "{changes:?}");
        assert!(answer.url.starts_with(REDIRECT), "{changes:?}");
        assert_eq!(answer.sent_code().as_deref(), Some(expected), "{changes:?}");
        assert_eq!(
            answer.parameter("error").as_deref(),
            Some(error),
            "{changes:?}"
        );
        assert_eq!(
            answer.parameter("state").as_deref(),
            Some("the state"),
            "{changes:?}"
        );
        assert_eq!(answer.parameter("code"), None);
    }
    let spa = [
        ("client_id", SPA),
        ("redirect_uri", "https://spa.quillmere.test/"),
        ("code_challenge", ""),
    ];
    let answer = Browser::new(&world).get(&world.authorize_url(&spa)).await;
    assert_eq!(answer.sent_code().as_deref(), Some("9002325"));
}

#[actix_web::test]
async fn the_answer_comes_in_the_mode_that_was_asked_for() {
    let world = World::start().await;
    let answer = Browser::new(&world)
        .connect(&world.authorize_url(&[("response_mode", "fragment")]), ADA)
        .await;
    assert!(
        answer.url.starts_with(&format!("{REDIRECT}#code=")),
        "{}",
        answer.url
    );

    let page = Browser::new(&world)
        .connect(&world.authorize_url(&[("response_mode", "form_post")]), ADA)
        .await;
    assert_eq!(page.status, 200);
    let form = page.form("/oauth/callback");
    assert_eq!(form["state"], "the state");
    let tokens = world.redeem(&form["code"], &[]).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    assert!(!page.html.contains("onload"), "no inline script");
}

#[actix_web::test]
async fn every_name_of_the_tenant_works_and_others_do_not() {
    let world = World::start().await;
    for (segment, client_id, expected) in [
        ("quillmere.test", DELEGATED, 200),
        ("QUILLMERE.TEST", DELEGATED, 200),
        ("common", DELEGATED, 200),
        ("organizations", DELEGATED, 200),
        ("consumers", DELEGATED, 9_002_332),
        ("common", SINGLE_TENANT, 50194),
        ("contoso.test", DELEGATED, 90002),
    ] {
        let url = world
            .authorize_url(&[("client_id", client_id)])
            .replace(&world.tenant, segment);
        let page = Browser::new(&world).get(&url).await;
        match expected {
            200 => assert_eq!(page.status, 200, "{segment}"),
            code => assert!(
                page.html.contains(&format!("AADSTS{code}: ")),
                "{segment}: {}",
                page.html
            ),
        }
    }
}

#[actix_web::test]
async fn the_request_may_be_a_form() {
    let world = World::start().await;
    let url = url::Url::parse(&world.authorize_url(&[])).unwrap();
    let form: Vec<_> = url.query_pairs().into_owned().collect();
    let page = world
        .http
        .post(world.url("/oauth2/v2.0/authorize"))
        .form(&form)
        .send()
        .await
        .unwrap();
    assert!(page.text().await.unwrap().contains("name=\"password\""));
}

#[actix_web::test]
async fn pages_are_strict() {
    let world = World::start().await;
    let page = Browser::new(&world)
        .get(&world.authorize_url(&[("login_hint", "\"><script>")]))
        .await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(!page.html.contains("<script"), "{}", page.html);
    assert!(!page.html.contains("style="), "{}", page.html);
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["cross-origin-opener-policy"], "same-origin");
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    for part in [
        "<html lang=\"en\">",
        "<main>",
        "<label for=\"login\">",
        "<label for=\"password\">",
    ] {
        assert!(page.html.contains(part), "{part}");
    }
}

#[actix_web::test]
async fn the_style_and_the_meanings_are_served() {
    let world = World::start().await;
    let style = world
        .http
        .get(format!("{}/assets/sandbox.css", world.base))
        .send()
        .await
        .unwrap();
    assert_eq!(style.headers()["content-type"], "text/css; charset=utf-8");
    let page = Browser::new(&world)
        .get(&format!("{}/error?code=50011", world.base))
        .await;
    assert!(page.html.contains("redirect URI"), "{}", page.html);
    let none = world
        .http
        .get(format!("{}/assets/passwd", world.base))
        .send()
        .await
        .unwrap();
    assert_eq!(none.status().as_u16(), 404);
}

#[actix_web::test]
async fn what_msal_sends_besides_is_tolerated_and_client_info_given() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    let extra = [
        ("client_info", "1"),
        ("clidata", "1"),
        ("client-request-id", "0b3b1b5e-6f0a-4a52-9c3e-5d1f0a7c9e11"),
        ("X-AnchorMailbox", "UPN:ada@quillmere.test"),
        ("claims", "{\"id_token\":{\"auth_time\":null}}"),
        ("x-client-SKU", "msal.js.node"),
        ("domain_hint", "quillmere.test"),
        ("instance_aware", "false"),
        ("response_mode", "fragment"),
    ];
    let answer = browser.connect(&world.authorize_url(&extra), ADA).await;
    let info = answer.parameter("client_info").unwrap();
    let redeemed = [
        ("client_info", "1"),
        ("x-client-SKU", "msal"),
        ("claims", "{}"),
    ];
    let code = answer.parameter("code").unwrap();
    let tokens = world.redeem(&code, &redeemed).await.ok();
    assert_eq!(tokens["client_info"], info.as_str());
    assert_eq!(tokens["ext_expires_in"], 3599);
    assert!(tokens.get("refresh_in").is_none());
    let plain = browser.get(&world.authorize_url(&[])).await;
    assert_eq!(plain.parameter("client_info"), None);
}

#[actix_web::test]
async fn long_tokens_say_when_to_ask_for_the_next() {
    let world = World::start().await;
    let long = serde_json::json!({"seconds": 86_400});
    assert_eq!(world.control("/token-lifetime", long).await.status, 204);
    let tokens = world.connected().await;
    assert_eq!(tokens["refresh_in"], 43_200);
}

#[actix_web::test]
async fn an_account_cannot_be_given_and_chosen() {
    let world = World::start().await;
    let both = [("prompt", "select_account"), ("login_hint", ADA)];
    let answer = Browser::new(&world).get(&world.authorize_url(&both)).await;
    assert_eq!(answer.sent_code().as_deref(), Some("90023"));
}
