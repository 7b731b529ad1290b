//! The page at `/`, and who may use the control API from a browser.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

use crate::support::*;

/// The page, as a browser that was typed the address of gets it.
async fn page(world: &World) -> String {
    let response = world
        .http
        .get(format!("{}/", world.base))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status().as_u16(), 200);
    response.text().await.unwrap()
}

fn token(page: &str) -> String {
    let rest = page
        .split("name=\"sandbox-page\" content=\"")
        .nth(1)
        .unwrap();
    rest.split('"').next().unwrap().to_owned()
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        })
        .collect()
}

/// What the page's own script sends; changed, added or (when empty) left out.
fn own<'a>(world: &'a World, token: &'a str, changes: &[(&'a str, &'a str)]) -> HeaderMap {
    let mut pairs = vec![
        ("origin", world.base.as_str()),
        ("sec-fetch-site", "same-origin"),
        ("x-sandbox-control", "1"),
        ("x-sandbox-page", token),
        ("content-type", "application/json"),
    ];
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
    headers(&pairs)
}

async fn advance(world: &World, headers: HeaderMap) -> u16 {
    let request = world
        .http
        .post(format!("{}/control/clock", world.base))
        .headers(headers)
        .body("{\"advance_seconds\": 60}");
    request.send().await.unwrap().status().as_u16()
}

#[actix_web::test]
async fn it_shows_what_is_there() {
    let world = World::start().await;
    let description = world.running.description();
    let page = page(&world).await;
    let secret = world.secret(DELEGATED);
    for shown in [
        description.authority.as_str(),
        &description.authority_tls,
        &description.tenant,
        &description.imap.port.to_string(),
        &description.imap.starttls_port.to_string(),
        &description.ca_file.display().to_string(),
        ADA,
        SHARED,
        DELEGATED,
        &secret,
        REDIRECT,
    ] {
        let escaped = shown.replace('&', "&#38;");
        assert!(page.contains(&escaped), "{shown} is not on the page");
    }
    let certificate = world
        .http
        .get(format!("{}/ca.pem", world.base))
        .send()
        .await
        .unwrap();
    let certificate = certificate.text().await.unwrap();
    assert_eq!(
        certificate,
        std::fs::read_to_string(description.ca_file).unwrap()
    );
    assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"));
}

#[actix_web::test]
async fn without_script_it_tells_what_happened() {
    let world = World::start().await;
    assert!(page(&world).await.contains("Nothing yet."));
    world.refresh("nonsense", &[]).await;
    let page = page(&world).await;
    assert!(page.contains("asked for a new access token by its refresh token."));
    assert!(page.contains("Refused with AADSTS9002313 (invalid_grant)."));
    assert!(page.contains("href=\"/error?code=9002313\""));
}

#[actix_web::test]
async fn what_clients_send_is_text_on_the_page() {
    let world = World::start().await;
    world
        .token(&[
            ("grant_type", "<script>alert(1)</script>"),
            ("client_id", "\"><img src=x onerror=alert(1)>"),
        ])
        .await;
    let page = page(&world).await;
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"));
    assert!(page.contains("&#60;script&#62;alert(1)"));
}

#[actix_web::test]
async fn the_page_is_closed_to_other_pages() {
    let world = World::start().await;
    let response = world
        .http
        .get(format!("{}/", world.base))
        .header("Origin", "https://evil.test")
        .send()
        .await
        .unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap();
    let policy = header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"));
    assert_eq!(header("cross-origin-resource-policy"), "same-origin");
    assert_eq!(header("cache-control"), "no-store");
    assert!(
        !response
            .headers()
            .contains_key("access-control-allow-origin")
    );
    // A name that was rebound to 127.0.0.1 would make an attacker's page the same origin.
    for host in ["evil.test", "evil.test:80", "localhost.evil.test", ""] {
        let stranger = world
            .http
            .get(format!("{}/", world.base))
            .header("Host", host);
        let response = stranger.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 403, "{host}");
        let text = response.text().await.unwrap();
        assert!(!text.contains("sandbox-page"), "{text}");
    }
}

#[actix_web::test]
async fn the_page_itself_may_use_the_control_api() {
    let world = World::start().await;
    let token = token(&page(&world).await);
    assert_eq!(advance(&world, own(&world, &token, &[])).await, 200);
    assert_eq!(world.clock.now().0, NOW.0 + 60);
    // A browser sends no Origin when a page reads from where it came.
    let read = world
        .http
        .get(format!("{}/control/requests", world.base))
        .headers(own(&world, &token, &[("origin", "")]));
    assert_eq!(read.send().await.unwrap().status().as_u16(), 200);
    let by_address = world.base.replace("localhost", "127.0.0.1");
    let request = world
        .http
        .post(format!("{by_address}/control/clock"))
        .headers(own(&world, &token, &[("origin", &by_address)]))
        .body("{\"offset_seconds\": 0}");
    assert_eq!(request.send().await.unwrap().status().as_u16(), 200);
}

#[actix_web::test]
async fn no_other_page_may_use_the_control_api() {
    let world = World::start().await;
    let token = token(&page(&world).await);
    let other_port = "http://localhost:1";
    let tls = world.base.replace("http://", "https://");
    let by_address = world.base.replace("localhost", "127.0.0.1");
    for changes in [
        // Somebody else's page, with and without what it cannot know.
        [("origin", "https://evil.test"), ("", "")],
        [
            ("origin", "https://evil.test"),
            ("sec-fetch-site", "cross-site"),
        ],
        [("sec-fetch-site", "cross-site"), ("", "")],
        [("sec-fetch-site", "same-site"), ("", "")],
        [("sec-fetch-site", "none"), ("", "")],
        [("sec-fetch-site", ""), ("", "")],
        // Another port or scheme of the same machine is another site's page.
        [("origin", other_port), ("", "")],
        [("origin", &tls), ("", "")],
        [("origin", &by_address), ("", "")],
        [("origin", "null"), ("", "")],
        [("origin", ""), ("", "")],
        // Without the token, or with an old one.
        [("x-sandbox-page", ""), ("", "")],
        [("x-sandbox-page", "0000000000000000000000"), ("", "")],
        [("x-sandbox-control", ""), ("", "")],
        // What a form can send without asking first.
        [("content-type", "text/plain"), ("", "")],
        [
            ("content-type", "application/x-www-form-urlencoded"),
            ("", ""),
        ],
        [("content-type", ""), ("", "")],
        // A name rebound to this machine.
        [("host", "evil.test"), ("origin", "http://evil.test")],
    ] {
        let changes: Vec<_> = changes
            .into_iter()
            .filter(|(name, _)| !name.is_empty())
            .collect();
        let status = advance(&world, own(&world, &token, &changes)).await;
        assert_eq!(status, 403, "{changes:?}");
    }
    assert_eq!(world.clock.now(), NOW);
}

#[actix_web::test]
async fn a_preflight_is_refused() {
    let world = World::start().await;
    let request = world
        .http
        .request(
            reqwest::Method::OPTIONS,
            format!("{}/control/clock", world.base),
        )
        .headers(headers(&[
            ("origin", "https://evil.test"),
            ("access-control-request-method", "POST"),
            (
                "access-control-request-headers",
                "content-type,x-sandbox-control",
            ),
        ]));
    let response = request.send().await.unwrap();
    assert_eq!(response.status().as_u16(), 403);
    let allowed = response
        .headers()
        .keys()
        .any(|name| name.as_str().starts_with("access-control-allow"));
    assert!(!allowed, "{:?}", response.headers());
}

#[actix_web::test]
async fn a_start_has_a_token_of_its_own() {
    let (one, other) = (World::start().await, World::start().await);
    let (of_one, of_other) = (token(&page(&one).await), token(&page(&other).await));
    assert!(of_one.len() >= 43);
    assert_ne!(of_one, of_other);
    assert_eq!(advance(&one, own(&one, &of_other, &[])).await, 403);
}

#[actix_web::test]
async fn changes_stand_among_the_requests() {
    let world = World::start().await;
    let clock = json!({"advance_seconds": 60});
    world.control("/clock", clock).await.ok();
    assert_eq!(world.control("/clock", json!({})).await.status, 400);
    let log = world.running.requests().entries();
    let told: Vec<_> = log
        .iter()
        .map(|entry| (entry.kind, entry.outcome.as_str(), entry.detail.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("control", "ok", Some("POST /control/clock")),
            ("control", "refused", Some("POST /control/clock"))
        ]
    );
    assert!(page(&world).await.contains("The sandbox was told: POST"));
}

#[actix_web::test]
async fn the_page_works_while_the_authority_is_down() {
    let world = World::start().await;
    let down = json!({"authority": {"down": true}});
    world.control("/faults", down).await.ok();
    let page = page(&world).await;
    assert!(page.contains("aria-checked=\"true\""));
    for file in ["sandbox.css", "console.css", "console.js", "mark.svg"] {
        let url = format!("{}/console/{file}", world.base);
        let response = world.http.get(url).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200, "{file}");
    }
}
