//! The connect flow, from the click to the account.

use std::collections::HashMap;

use serde_json::{Value, json};
use url::Url;

use crate::world::{Answer, ORIGIN, World, tokens};

/// A session that was made for a page.
struct Session {
    id: String,
    path: String,
}

impl Session {
    async fn of(world: &World) -> Self {
        Self::with(world, json!({})).await
    }

    async fn with(world: &World, more: Value) -> Self {
        let mut body = json!({"application": "contoso", "origin": ORIGIN, "user_label": "Anna <b>", "login_hint": "anna@example.com", "metadata": {"user": 7}});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let answer = world.call("POST", "/v1/connect-sessions", Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let made = answer.json();
        let url = Url::parse(made["connect_url"].as_str().unwrap()).unwrap();
        assert!(url.path().ends_with(made["client_token"].as_str().unwrap()));
        Self {
            id: made["id"].as_str().unwrap().to_owned(),
            path: url.path().to_owned(),
        }
    }

    /// As the site's backend sees it.
    async fn seen(&self, world: &World) -> Value {
        world
            .call("GET", &format!("/v1/connect-sessions/{}", self.id), None)
            .await
            .json()
    }

    /// As the page sees it.
    async fn standing(&self, world: &World) -> Answer {
        world
            .send(
                "GET",
                &format!("{}/status", self.path),
                &[("origin", ORIGIN)],
                None,
            )
            .await
    }

    /// The click on the site's page: cookie and state.
    async fn click(&self, world: &World) -> (String, String) {
        let answer = world
            .send(
                "GET",
                &self.path,
                &[("referer", "https://app.example.com/")],
                None,
            )
            .await;
        onward(&answer)
    }

    async fn come_back(&self, world: &World, cookie: &str, query: &str) -> Answer {
        world
            .send(
                "GET",
                &format!("/oauth/callback?{query}"),
                &[("cookie", cookie)],
                None,
            )
            .await
    }
}

fn onward(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let url = Url::parse(answer.header("location").unwrap()).unwrap();
    let parameters: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(parameters["response_type"], "code");
    assert_eq!(parameters["code_challenge_method"], "S256");
    (answer.cookie(), parameters["state"].clone())
}

#[tokio::test]
async fn a_click_on_the_site_leads_to_an_account() {
    let world = World::start().await;
    world
        .authority_answers("code=the-code", 200, tokens("access", Some("refresh")))
        .await;
    let session = Session::with(
        &world,
        json!({"return_url": "https://app.example.com/done?x=1"}),
    )
    .await;
    let (cookie, state) = session.click(&world).await;
    assert_eq!(session.standing(&world).await.json()["phase"], "started");

    let page = session
        .come_back(&world, &cookie, &format!("code=the-code&state={state}"))
        .await;
    assert_eq!(page.status, 200);
    let html = page.text();
    assert!(html.contains("Your mailbox is connected"), "{html}");
    let back = format!(
        "https://app.example.com/done?x=1&#38;connect_session={}&#38;status=connected",
        session.id
    );
    assert!(html.contains(&back), "{html}");
    assert!(!html.contains("<script>"));
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("frame-ancestors 'none'")
    );
    assert_eq!(page.header("cross-origin-opener-policy"), None);

    let seen = session.seen(&world).await;
    assert_eq!(seen["status"], "connected");
    let account = world
        .call(
            "GET",
            &format!("/v1/accounts/{}", seen["account_id"].as_str().unwrap()),
            None,
        )
        .await
        .json();
    assert_eq!(account["state"], "connected");
    assert_eq!(account["imap_user"], "anna@example.com");
    assert_eq!(account["metadata"], json!({"user": 7}));
    let requests = world.token_requests().await;
    assert_eq!(requests.len(), 1);
    assert!(
        requests[0].contains("code_verifier=")
            && requests[0].contains("client_secret=the-client-secret")
    );
}

#[tokio::test]
async fn the_page_of_the_site_reads_the_status_and_no_other() {
    let world = World::start().await;
    let session = Session::of(&world).await;
    let standing = session.standing(&world).await;
    assert_eq!(standing.header("access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(
        standing.json(),
        json!({"status": "pending", "phase": "created", "connect_session": session.id})
    );
    let path = format!("{}/status", session.path);
    let foreign = world
        .send(
            "GET",
            &path,
            &[("origin", "https://other.example.com")],
            None,
        )
        .await;
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    let preflight = world
        .send(
            "OPTIONS",
            &session.path,
            &[
                ("origin", ORIGIN),
                ("access-control-request-method", "DELETE"),
            ],
            None,
        )
        .await;
    assert_eq!(preflight.status, 204);
    assert!(
        preflight
            .header("access-control-allow-methods")
            .unwrap()
            .contains("DELETE")
    );
    assert_eq!(
        world
            .send("GET", "/connect/unknown/status", &[], None)
            .await
            .status,
        404
    );
    assert_eq!(
        world
            .send("GET", &format!("{path}?wait=1000"), &[], None)
            .await
            .json()["field"],
        "wait"
    );
}

#[tokio::test]
async fn a_mailed_link_asks_first() {
    let world = World::start().await;
    let session = Session::of(&world).await;
    for referer in [
        None,
        Some("https://mail.example.org/"),
        Some("https://other.example.com/"),
    ] {
        let headers: Vec<_> = referer.iter().map(|value| ("referer", *value)).collect();
        let page = world.send("GET", &session.path, &headers, None).await;
        assert_eq!(page.status, 200);
        assert!(
            page.text().contains("app.example.com") && page.text().contains("Anna &#60;b&#62;"),
            "{}",
            page.text()
        );
    }
    assert_eq!(session.seen(&world).await["phase"], "created");

    let page = world.send("GET", &session.path, &[], None).await;
    let form_token = page
        .text()
        .split("name=\"form_token\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let cookie = page.cookie();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let body = || Some(format!("form_token={form_token}"));
    for (headers, body) in [
        (vec![form], body()),
        (
            vec![form, ("cookie", cookie.as_str())],
            Some("form_token=0".to_owned()),
        ),
        (vec![form, ("cookie", cookie.as_str())], None),
        (
            vec![
                form,
                ("cookie", cookie.as_str()),
                ("origin", "https://evil.test"),
            ],
            body(),
        ),
        (
            vec![
                form,
                ("cookie", cookie.as_str()),
                ("sec-fetch-site", "cross-site"),
            ],
            body(),
        ),
    ] {
        assert_eq!(
            world
                .send("POST", &session.path, &headers, body)
                .await
                .status,
            403
        );
    }
    let answer = world
        .send(
            "POST",
            &session.path,
            &[form, ("cookie", cookie.as_str()), ("origin", "null")],
            body(),
        )
        .await;
    let (_, state) = onward(&answer);
    world
        .authority_answers("code=c", 200, tokens("access", Some("refresh")))
        .await;
    session
        .come_back(&world, &cookie, &format!("code=c&state={state}"))
        .await;
    assert_eq!(session.seen(&world).await["status"], "connected");
}

#[tokio::test]
async fn nothing_goes_to_the_authority_unless_state_browser_and_issuer_are_right() {
    let world = World::start().await;
    for (case, code) in [
        ("unknown state", None),
        ("no state", None),
        ("no cookie", Some("browser_mismatch")),
        ("other cookie", Some("browser_mismatch")),
        ("issuer", Some("issuer_mismatch")),
    ] {
        let session = Session::of(&world).await;
        let (cookie, state) = session.click(&world).await;
        let other = format!("mailgrant={}", "A".repeat(43));
        let answer = match case {
            "unknown state" => {
                session
                    .come_back(&world, &cookie, "code=c&state=unknown")
                    .await
            }
            "no state" => session.come_back(&world, &cookie, "code=c").await,
            "no cookie" => {
                session
                    .come_back(&world, "x=y", &format!("code=c&state={state}"))
                    .await
            }
            "other cookie" => {
                session
                    .come_back(&world, &other, &format!("code=c&state={state}"))
                    .await
            }
            _ => {
                session
                    .come_back(
                        &world,
                        &cookie,
                        &format!("code=c&state={state}&iss=https://evil.test"),
                    )
                    .await
            }
        };
        assert!(answer.text().contains("<h1"), "{case}");
        let seen = session.seen(&world).await;
        match code {
            None => assert_eq!(
                (answer.status, &seen["status"]),
                (400, &json!("pending")),
                "{case}"
            ),
            Some(code) => assert_eq!(
                (&seen["status"], &seen["diagnosis"]["code"]),
                (&json!("failed"), &json!(code)),
                "{case}"
            ),
        }
    }
    assert_eq!(world.token_requests().await.len(), 0);
    assert_eq!(
        world.call("GET", "/v1/accounts", None).await.json()["items"],
        json!([])
    );
}

#[tokio::test]
async fn a_state_is_good_once() {
    let world = World::start().await;
    world
        .authority_answers("code=c", 200, tokens("access", Some("refresh")))
        .await;
    let session = Session::of(&world).await;
    let (cookie, state) = session.click(&world).await;
    let query = format!("code=c&state={state}");
    let (first, second) = tokio::join!(
        session.come_back(&world, &cookie, &query),
        session.come_back(&world, &cookie, &query)
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    assert_eq!(world.token_requests().await.len(), 1);
    assert_eq!(session.seen(&world).await["status"], "connected");
}

#[tokio::test]
async fn an_administrator_unblocks_the_session() {
    let world = World::start().await;
    let session = Session::of(&world).await;
    let (cookie, state) = session.click(&world).await;
    let refusal = "error=access_denied&error_description=AADSTS90094%3A%20admin%20permission";
    let page = session
        .come_back(&world, &cookie, &format!("{refusal}&state={state}"))
        .await;
    assert!(page.text().contains("administrator"), "{}", page.text());
    let standing = session.standing(&world).await.json();
    assert_eq!(standing["status"], "awaiting_admin_consent");
    let link = Url::parse(standing["admin_consent_url"].as_str().unwrap()).unwrap();
    assert!(link.path().ends_with("adminconsent"), "{link}");
    let parameters: HashMap<_, _> = link.query_pairs().into_owned().collect();
    assert!(parameters["redirect_uri"].ends_with("/oauth/callback"));
    let admin = &parameters["state"];

    // Refusing changes nothing; agreeing, in the administrator's own browser, goes on.
    for query in [
        format!("error=access_denied&state={admin}"),
        format!("admin_consent=False&state={admin}"),
    ] {
        let page = world
            .send("GET", &format!("/oauth/callback?{query}"), &[], None)
            .await;
        assert!(page.text().contains("not given"), "{}", page.text());
        assert_eq!(
            session.seen(&world).await["status"],
            "awaiting_admin_consent"
        );
    }
    let status = format!("{}/status?wait=20", session.path);
    let waiting = world.send("GET", &status, &[("origin", ORIGIN)], None);
    let agreeing = world.send("GET", "/healthz", &[], None);
    let path = format!("/oauth/callback?admin_consent=True&tenant=t&state={admin}");
    let (standing, _) = tokio::join!(waiting, async {
        agreeing.await;
        let page = world.send("GET", &path, &[], None).await;
        assert!(
            page.text().contains("permission is given"),
            "{}",
            page.text()
        );
    });
    assert_eq!(standing.json()["status"], "pending");

    world
        .authority_answers("code=c", 200, tokens("access", Some("refresh")))
        .await;
    let (cookie, state) = session.click(&world).await;
    session
        .come_back(&world, &cookie, &format!("code=c&state={state}"))
        .await;
    assert_eq!(session.seen(&world).await["status"], "connected");
}

#[tokio::test]
async fn a_waiting_person_can_try_again_on_the_same_link() {
    let world = World::start().await;
    let session = Session::of(&world).await;
    let (cookie, state) = session.click(&world).await;
    session
        .come_back(
            &world,
            &cookie,
            &format!("error=consent_required&state={state}"),
        )
        .await;
    let page = world
        .send("GET", &session.path, &[("cookie", cookie.as_str())], None)
        .await;
    assert!(
        page.text().contains("adminconsent") && page.text().contains("Try again"),
        "{}",
        page.text()
    );
    let form_token = page
        .text()
        .split("name=\"form_token\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let headers = [
        ("cookie", cookie.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let answer = world
        .send(
            "POST",
            &session.path,
            &headers,
            Some(format!("form_token={form_token}")),
        )
        .await;
    onward(&answer);
}

#[tokio::test]
async fn what_does_not_open_the_mailbox_is_not_stored() {
    for (case, code) in [
        ("imap refuses", "imap_refused"),
        ("code refused", "reauth_required"),
        ("person refuses", "access_denied"),
        ("no refresh token", "no_refresh_token"),
        ("no mail scope", "scope_missing"),
    ] {
        let world = World::start().await;
        let mut answer = tokens("access", (case != "no refresh token").then_some("refresh"));
        if case == "no mail scope" {
            answer["scope"] = "offline_access".into();
        }
        world
            .imap
            .set(|state| state.refuses = case == "imap refuses");
        if case == "code refused" {
            world
                .authority_answers("code=c", 400, json!({"error": "invalid_grant"}))
                .await;
        } else {
            world.authority_answers("code=c", 200, answer).await;
        }
        let session = Session::of(&world).await;
        let (cookie, state) = session.click(&world).await;
        let outcome = if case == "person refuses" {
            "error=access_denied"
        } else {
            "code=c"
        };
        let page = session
            .come_back(&world, &cookie, &format!("{outcome}&state={state}"))
            .await;
        let seen = session.seen(&world).await;
        assert_eq!(
            (&seen["status"], &seen["diagnosis"]["code"]),
            (&json!("failed"), &json!(code)),
            "{case}: {seen}"
        );
        assert!(
            !seen["diagnosis"]["remedy"].as_array().unwrap().is_empty(),
            "{case}"
        );
        assert!(
            page.text()
                .contains(seen["diagnosis"]["title"].as_str().unwrap()),
            "{case}"
        );
        assert_eq!(
            world.call("GET", "/v1/accounts", None).await.json()["items"],
            json!([]),
            "{case}"
        );
    }
}

#[tokio::test]
async fn giving_up_is_final_and_too_late_after_the_end() {
    let world = World::start().await;
    let session = Session::of(&world).await;
    let (cookie, state) = session.click(&world).await;
    let answer = world
        .send("DELETE", &session.path, &[("origin", ORIGIN)], None)
        .await;
    assert_eq!(answer.json()["status"], "given_up");
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(session.seen(&world).await["diagnosis"]["code"], "cancelled");
    session
        .come_back(&world, &cookie, &format!("code=c&state={state}"))
        .await;
    assert_eq!(world.token_requests().await.len(), 0);

    world
        .authority_answers("code=c", 200, tokens("access", Some("refresh")))
        .await;
    let session = Session::of(&world).await;
    let (cookie, state) = session.click(&world).await;
    session
        .come_back(&world, &cookie, &format!("code=c&state={state}"))
        .await;
    let answer = world
        .send("DELETE", &session.path, &[("origin", ORIGIN)], None)
        .await;
    assert_eq!(answer.json()["status"], "connected");
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let world = World::start().await;
    let session = Session::of(&world).await;
    world.clock.forward(16 * 60);
    assert_eq!(session.seen(&world).await["status"], "expired");
    let page = world
        .send(
            "GET",
            &session.path,
            &[("referer", "https://app.example.com/")],
            None,
        )
        .await;
    assert!(page.text().contains("expired"), "{}", page.text());
}

#[tokio::test]
async fn the_same_mailbox_connected_again_is_the_same_account() {
    let world = World::start().await;
    world
        .authority_answers("code=", 200, tokens("access", Some("refresh")))
        .await;
    let mut accounts = Vec::new();
    for _ in 0..2 {
        let session = Session::of(&world).await;
        let (cookie, state) = session.click(&world).await;
        session
            .come_back(&world, &cookie, &format!("code=c&state={state}"))
            .await;
        accounts.push(
            session.seen(&world).await["account_id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!(accounts[0], accounts[1]);
}
