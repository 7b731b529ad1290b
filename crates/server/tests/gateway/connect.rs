//! The connect flow, from the click to the account.

use std::time::Duration;

use serde_json::json;

use crate::{
    session::{Session, form_token, onward},
    world::{ORIGIN, World, tokens},
};

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
        json!({"status": "pending", "phase": "created", "version": "pending.created", "connect_session": session.id})
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
    let unknown = world
        .send(
            "GET",
            "/connect/mgc_none/status",
            &[("origin", ORIGIN)],
            None,
        )
        .await;
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.header("access-control-allow-origin"), Some("*"));
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
async fn what_changed_between_two_questions_is_answered_at_once() {
    let world = World::start().await;
    let session = Session::of(&world).await;
    let seen = session.standing(&world).await.json();
    session.click(&world).await;
    // Nothing changes from here on: only `since` tells the gateway that there is news.
    let ask = |since: String| {
        let path = format!("{}/status?wait=60{since}", session.path);
        let world = &world;
        async move { world.send("GET", &path, &[], None).await }
    };
    let version = seen["version"].as_str().unwrap();
    let answer = tokio::time::timeout(SOON, ask(format!("&since={version}")))
        .await
        .expect("an answer at once");
    assert_eq!(answer.json()["version"], "pending.started");

    let version = answer.json()["version"].as_str().unwrap().to_owned();
    for since in [format!("&since={version}"), String::new()] {
        let early = tokio::time::timeout(Duration::from_millis(300), ask(since)).await;
        assert!(early.is_err(), "nothing has changed: {early:?}");
    }
    let (told, given_up) = tokio::join!(
        ask(format!("&since={version}")),
        world.send("DELETE", &session.path, &[], None)
    );
    assert_eq!(given_up.status, 200);
    assert_eq!(told.json()["version"], "failed.finished");
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
    let form_token = form_token(&page);
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
    session.agree(&world, &cookie, &state).await;
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

const SOON: Duration = Duration::from_secs(20);
