//! What pages of other origins may read, and the marks of a request.

use reqwest::Method;

use crate::support::*;

const ORIGIN: &str = "https://spa.quillmere.test";

#[actix_web::test]
async fn preflight_is_answered_where_browsers_may_ask() {
    let world = World::start().await;
    let at = |path: &str| match path.starts_with("/oidc") {
        true => format!("{}{path}", world.base),
        false => world.url(path),
    };
    for (path, method, allowed) in [
        ("/oauth2/v2.0/token", "POST", Some("POST, OPTIONS")),
        ("/oauth2/v2.0/devicecode", "POST", Some("POST, OPTIONS")),
        (
            "/v2.0/.well-known/openid-configuration",
            "GET",
            Some("GET, OPTIONS"),
        ),
        (
            "/.well-known/openid-configuration",
            "GET",
            Some("GET, OPTIONS"),
        ),
        ("/discovery/v2.0/keys", "GET", Some("GET, OPTIONS")),
        ("/discovery/instance", "GET", Some("GET, OPTIONS")),
        ("/oidc/userinfo", "GET", Some("GET, POST, OPTIONS")),
        ("/oauth2/v2.0/authorize", "GET", None),
        ("/login", "POST", None),
        ("/consent", "POST", None),
    ] {
        let response = world
            .http
            .request(Method::OPTIONS, at(path))
            .header("Origin", ORIGIN)
            .header("Access-Control-Request-Method", method)
            .header(
                "Access-Control-Request-Headers",
                "x-client-sku, content-type",
            )
            .send()
            .await
            .unwrap();
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        assert_eq!(
            header("access-control-allow-methods").as_deref(),
            allowed,
            "{path}"
        );
        let origin = header("access-control-allow-origin");
        assert_eq!(origin.is_some(), allowed.is_some(), "{path}");
        if allowed.is_some() {
            let headers = header("access-control-allow-headers").unwrap();
            assert_eq!(headers, "x-client-sku, content-type", "{path}");
        }
    }
    // The control API is for programs.
    let url = format!("{}/control/clock", world.base);
    let response = world
        .http
        .request(Method::OPTIONS, url)
        .header("Origin", ORIGIN)
        .header("Access-Control-Request-Method", "GET")
        .header("Access-Control-Request-Headers", "x-sandbox-control")
        .send()
        .await
        .unwrap();
    assert!(
        !response
            .headers()
            .contains_key("access-control-allow-origin")
    );
}

#[actix_web::test]
async fn a_page_reads_refusals_of_single_page_applications_only() {
    let world = World::start().await;
    for (client_id, readable) in [(SPA, true), (DELEGATED, false), ("unknown", false)] {
        let request = world
            .http
            .post(world.url("/oauth2/v2.0/token"))
            .header("Origin", ORIGIN);
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", client_id),
            ("refresh_token", "nonsense"),
        ];
        let response = request.form(&form).send().await.unwrap();
        assert_ne!(response.status().as_u16(), 200);
        let allowed = response.headers().get("access-control-allow-origin");
        assert_eq!(allowed.is_some(), readable, "{client_id}");
        if readable {
            assert_eq!(allowed.unwrap(), ORIGIN);
        }
    }
}

#[actix_web::test]
async fn every_answer_carries_the_marks_of_its_request() {
    let world = World::start().await;
    let mark = "0b3b1b5e-6f0a-4a52-9c3e-5d1f0a7c9e11";
    let url = world.url("/v2.0/.well-known/openid-configuration");
    for request in [
        world.http.get(&url).header("client-request-id", mark),
        world.http.get(format!("{url}?client-request-id={mark}")),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["client-request-id"], mark);
        assert_eq!(response.headers()["x-ms-request-id"].len(), 36);
    }
    let strange = world.http.get(&url).header("client-request-id", "<x>");
    let response = strange.send().await.unwrap();
    assert!(!response.headers().contains_key("client-request-id"));
    // A refusal says the same in its body, and the query string of the token address is left alone.
    let url = world.url(&format!("/oauth2/v2.0/token?client-request-id={mark}&x=1"));
    let response = world.http.post(url).body("").send().await.unwrap();
    let trace = response.headers()["x-ms-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let reply = Reply::of(response).await;
    assert_eq!(reply.body["correlation_id"], mark);
    assert_eq!(reply.body["trace_id"], trace.as_str());
}
