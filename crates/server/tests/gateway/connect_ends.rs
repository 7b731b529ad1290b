//! Connect sessions that end without an account.

use serde_json::json;

use crate::{
    session::Session,
    world::{ORIGIN, World, tokens},
};

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
