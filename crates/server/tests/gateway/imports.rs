//! A refresh token that is brought along: on disk before it is used, and never lost.

use serde_json::{Value, json};
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{body_string_contains, method, path},
};

use crate::{
    events::kinds,
    world::{Answer, World, tokens},
};

async fn import(world: &World, token: &str, address: &str) -> Answer {
    let body = json!({"application": "contoso", "address": address, "refresh_token": token});
    world.call("POST", "/v1/accounts", Some(body)).await
}

/// The authority takes each refresh token once.
async fn rotates(world: &World, given: &str, next: &[&str]) {
    let mut used = given;
    for next in next {
        let holding = format!("refresh_token={used}&");
        let answer = tokens(&format!("access-of-{next}"), Some(next));
        world
            .authority_answers_times(&holding, 200, answer, 1)
            .await;
        used = next;
    }
    let reused = json!({"error": "invalid_grant", "error_description": "used before"});
    world
        .authority_answers("grant_type=refresh_token", 400, reused)
        .await;
}

async fn accounts(world: &World) -> Vec<Value> {
    let list = world.call("GET", "/v1/accounts", None).await.json();
    list["items"].as_array().unwrap().clone()
}

async fn told(world: &World) -> Value {
    world.call("GET", "/v1/events", None).await.json()
}

#[tokio::test]
async fn the_same_import_again_is_the_same_account() {
    let world = World::start().await;
    rotates(&world, "given", &["second", "third"]).await;
    let first = import(&world, "given", "anna@example.com").await;
    assert_eq!(first.status, 201, "{}", first.text());
    for _ in 0..2 {
        let again = import(&world, "given", "Anna@example.com").await;
        assert_eq!((again.status, again.json()), (200, first.json()));
        assert_eq!(again.header("location"), first.header("location"));
    }
    assert_eq!(world.token_requests().await.len(), 1);
    // It lives on what the authority gave.
    let id = first.json()["id"].as_str().unwrap().to_owned();
    let token = format!("/v1/accounts/{id}/access-token");
    assert_eq!(world.call("POST", &token, None).await.status, 200);

    // Deleted, it is no more: the token is dead.
    let path = format!("/v1/accounts/{id}");
    assert_eq!(world.call("DELETE", &path, None).await.status, 204);
    assert_eq!(
        import(&world, "given", "anna@example.com").await.status,
        422
    );
    assert_eq!(accounts(&world).await.len(), 0);
}

#[tokio::test]
async fn many_at_once_use_the_token_once() {
    let world = World::start().await;
    rotates(&world, "given", &["second"]).await;
    let asked = (0..8).map(|_| import(&world, "given", "anna@example.com"));
    let answers = futures_util::future::join_all(asked).await;
    let id = accounts(&world).await[0]["id"].clone();
    for answer in &answers {
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
        assert_eq!(answer.json()["id"], id);
    }
    let new = answers.iter().filter(|answer| answer.status == 201);
    assert_eq!((new.count(), accounts(&world).await.len()), (1, 1));
    assert_eq!(world.token_requests().await.len(), 1);
}

#[tokio::test]
async fn a_mail_server_that_is_down_costs_no_token() {
    let world = World::start().await;
    rotates(&world, "given", &["second", "third", "fourth"]).await;
    let says = |text: &str| {
        let text = text.to_owned();
        world.imap.set(|state| state.says = Some(text));
    };
    says("BYE going down");
    let down = import(&world, "given", "anna@example.com").await;
    assert_eq!(down.status, 502, "{}", down.text());
    assert_eq!(down.json()["code"], "mail_server_unavailable");
    let detail = down.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("kept, sealed, until 2026-11-29T00:00:00Z"),
        "{detail}"
    );
    assert!(down.header("retry-after").is_some());
    assert_eq!(accounts(&world).await.len(), 0);

    // Still down, when the caller asks again and when the gateway tries by itself.
    says("BYE going down");
    assert_eq!(
        import(&world, "given", "anna@example.com").await.status,
        502
    );
    world.gateway.round().await;
    assert_eq!(world.token_requests().await.len(), 2, "not before its time");
    world.clock.forward(60);
    world.gateway.round().await;
    let found = accounts(&world).await;
    assert_eq!((found.len(), &found[0]["state"]), (1, &json!("connected")));
    assert_eq!(kinds(&told(&world).await), ["account.connected"]);
    let again = import(&world, "given", "anna@example.com").await;
    assert_eq!((again.status, &again.json()["id"]), (200, &found[0]["id"]));
    assert_eq!(world.token_requests().await.len(), 3);
}

#[tokio::test]
async fn an_authority_that_is_down_is_asked_again() {
    let world = World::start().await;
    world
        .authority_answers_times("refresh_token=given", 503, json!("down"), 4)
        .await;
    let down = import(&world, "given", "anna@example.com").await;
    assert_eq!(
        down.json()["code"],
        "authority_unavailable",
        "{}",
        down.text()
    );
    assert!(
        down.json()["detail"]
            .as_str()
            .unwrap()
            .contains("kept, sealed")
    );
    world.authority.reset().await;
    rotates(&world, "given", &["second"]).await;
    // Another process finishes it, as after a restart.
    world.clock.forward(30);
    let replica = world.replica().await;
    replica.round().await;
    assert_eq!(accounts(&world).await.len(), 1);
    replica.stop().await;
}

#[tokio::test]
async fn a_slip_of_the_pen_costs_no_token() {
    let world = World::start().await;
    rotates(&world, "given", &["second", "third"]).await;
    world.imap.set(|state| state.refuses = true);
    let refused = import(&world, "given", "ana@example.com").await;
    assert_eq!(
        refused.json()["code"],
        "mailbox_access_refused",
        "{}",
        refused.text()
    );
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("until 2026-11-23T00:00:00Z"), "{detail}");
    assert_eq!(accounts(&world).await.len(), 0);
    // Nothing is tried behind the caller's back.
    world.clock.forward(3600);
    world.gateway.round().await;
    assert_eq!(world.token_requests().await.len(), 1);
    world.imap.set(|state| state.refuses = false);
    let corrected = import(&world, "given", "anna@example.com").await;
    assert_eq!(corrected.status, 201, "{}", corrected.text());
    assert_eq!(corrected.json()["imap_user"], "anna@example.com");
}

#[tokio::test]
async fn what_is_refused_for_good_leaves_nothing() {
    let world = World::start().await;
    let dead = json!({"error": "invalid_grant"});
    world
        .authority_answers_times("refresh_token=given", 400, dead, 1)
        .await;
    assert_eq!(
        import(&world, "given", "anna@example.com").await.status,
        422
    );
    // The authority keeps the given one good: its owner still has it.
    world
        .authority_answers("refresh_token=given", 200, tokens("access", None))
        .await;
    world.imap.set(|state| state.refuses = true);
    let refused = import(&world, "given", "anna@example.com").await;
    assert_eq!(refused.status, 409);
    assert!(!refused.text().contains("kept"), "{}", refused.text());
    let asked = world.token_requests().await.len();
    world.clock.forward(3600);
    world.gateway.round().await;
    assert_eq!(world.token_requests().await.len(), asked);
    assert_eq!(kinds(&told(&world).await).len(), 0);
}

#[tokio::test]
async fn when_nobody_waits_an_event_says_why_there_is_no_account() {
    let world = World::start().await;
    rotates(&world, "given", &["second", "third"]).await;
    world
        .imap
        .set(|state| state.says = Some("BYE going down".to_owned()));
    assert_eq!(
        import(&world, "given", "anna@example.com").await.status,
        502
    );
    world.imap.set(|state| state.refuses = true);
    world.clock.forward(30);
    world.gateway.round().await;
    let told = told(&world).await;
    assert_eq!(kinds(&told), ["import.failed"]);
    let data = &told["items"][0]["data"];
    assert_eq!(
        (&data["application"], &data["imap_user"]),
        (&json!("contoso"), &json!("anna@example.com"))
    );
    assert_eq!(data["diagnosis"]["code"], "imap_refused");
    for secret in ["given", "second", "access-of", "the-client-secret"] {
        assert!(!told.to_string().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn who_granted_less_is_served_with_less() {
    let world = World::start().await;
    // The token was granted `mail` only; the settings ask for more.
    Mock::given(method("POST"))
        .and(path("/token"))
        .and(body_string_contains("scope=offline_access+mail+mail.send"))
        .respond_with(ResponseTemplate::new(400).set_body_json(json!({"error": "invalid_scope"})))
        .with_priority(1)
        .mount(&world.authority)
        .await;
    rotates(&world, "given", &["second", "third", "fourth"]).await;
    let body =
        json!({"application": "sender", "address": "anna@example.com", "refresh_token": "given"});
    let added = world.call("POST", "/v1/accounts", Some(body)).await;
    assert_eq!(added.status, 201, "{}", added.text());
    let asked = world.token_requests().await.len();
    let token = format!(
        "/v1/accounts/{}/access-token",
        added.json()["id"].as_str().unwrap()
    );
    for _ in 0..2 {
        assert_eq!(world.call("POST", &token, None).await.status, 200);
        world.clock.forward(3600);
    }
    // It is known what was granted: nothing is asked in vain.
    let requests = world.token_requests().await;
    assert_eq!(requests.len(), asked + 2);
    for request in &requests[asked..] {
        assert!(request.contains("scope=offline_access+mail&"), "{request}");
    }
}
