//! Connect sessions that end without an account.

use mailgrant_server::Clock as _;
use mailgrant_storage::{Consumed, SecretHash};
use serde_json::json;

use crate::{
    events::kinds,
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

    let session = Session::of(&world).await;
    session.succeed(&world).await;
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
    let seen = session.seen(&world).await;
    assert_eq!(seen["status"], "expired");
    // Nobody was sent anywhere.
    assert_eq!(seen["diagnosis"]["code"], "expired");
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
async fn a_person_whom_the_authority_keeps_is_told_of() {
    let world = World::start().await;
    let session = Session::of(&world).await;
    session.click(&world).await;
    // A sign-in takes its time.
    world.clock.forward(2 * 60);
    assert_eq!(session.seen(&world).await["diagnosis"], json!(null));

    world.clock.forward(2 * 60);
    let seen = session.seen(&world).await;
    assert_eq!(seen["status"], "pending");
    assert_eq!(seen["diagnosis"]["code"], "not_returned");

    world.clock.forward(12 * 60);
    let lazily = session.seen(&world).await;
    assert_eq!(lazily["status"], "expired");
    let diagnosis = &lazily["diagnosis"];
    assert_eq!(diagnosis["code"], "not_returned");
    let detail = diagnosis["detail"].as_str().unwrap();
    let sent = lazily["created_at"].as_str().unwrap();
    assert!(
        detail.contains(&format!("sent to the authority at {sent}")),
        "{detail}"
    );
    let remedy = diagnosis["remedy"].to_string();
    for part in [
        "AADSTS50011",
        "/oauth/callback (type Web)",
        "mailgrant setup --application contoso --flow delegated",
    ] {
        assert!(remedy.contains(part), "{part}: {remedy}");
    }

    // The sweep writes it down, as its attempt is gone afterwards.
    world.gateway.round().await;
    assert_eq!(session.seen(&world).await["diagnosis"], *diagnosis);
    let standing = session.standing(&world).await.json();
    assert_eq!(standing["diagnosis"]["code"], "not_returned");
    let events = world.call("GET", "/v1/events", None).await.json();
    assert_eq!(events["items"][0]["data"]["diagnosis"], "not_returned");
}

#[tokio::test]
async fn a_window_that_is_closed_on_an_error_page_is_told_of() {
    let world = World::start().await;
    let session = Session::of(&world).await;
    session.click(&world).await;
    let path = &session.path;
    let answer = world
        .send("DELETE", path, &[("origin", ORIGIN)], None)
        .await;
    assert_eq!(answer.json()["status"], "given_up");
    let diagnosis = &session.seen(&world).await["diagnosis"];
    assert_eq!(diagnosis["code"], "cancelled");
    assert!(
        diagnosis["remedy"].to_string().contains("/oauth/callback"),
        "{diagnosis}"
    );
}

#[tokio::test]
async fn a_callback_that_died_with_its_process_leaves_a_link_that_works_again() {
    let world = World::start().await;
    let session = Session::of(&world).await;
    let (_, state) = session.click(&world).await;
    // The process took the answer and was killed before it had made anything of it.
    let sessions = world.gateway.storage();
    let taken = sessions
        .connect_sessions()
        .consume_state(&SecretHash::of(&state), world.clock.now())
        .await;
    assert!(matches!(taken, Ok(Consumed::Attempt(_))), "{taken:?}");
    let phase = async || session.standing(&world).await.json()["phase"].clone();
    assert_eq!(phase().await, "finishing");
    world.clock.forward(120);
    assert_eq!(phase().await, "created");
    session.succeed(&world).await;
}

#[tokio::test]
async fn a_callback_that_died_is_over_when_its_time_is() {
    let world = World::start().await;
    let session = Session::of(&world).await;
    let (_, state) = session.click(&world).await;
    let storage = world.gateway.storage();
    let sessions = storage.connect_sessions();
    let hash = SecretHash::of(&state);
    sessions
        .consume_state(&hash, world.clock.now())
        .await
        .unwrap();
    world.clock.forward(15 * 60);
    world.gateway.round().await;
    let seen = session.seen(&world).await;
    assert_eq!(seen["status"], "expired", "{seen:#}");
    let told = world.call("GET", "/v1/events", None).await.json();
    assert_eq!(kinds(&told), ["connect_session.completed"]);
}
