//! What every endpoint shares: keys, problems, the description.

use mailgrant_storage::ApiScope;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn health_and_readiness() {
    let world = World::start().await;
    assert_eq!(world.send("GET", "/healthz", &[], None).await.status, 200);
    let ready = world.send("GET", "/readyz", &[], None).await;
    assert_eq!(
        (ready.status, ready.json()),
        (200, json!({"storage": "ok"}))
    );
    world.gateway.stop().await;
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let world = World::start().await;
    for path in [
        "/healthz",
        "/nothing",
        "/v1/accounts",
        "/connect/unknown",
        "/docs",
    ] {
        let answer = world.send("GET", path, &[], None).await;
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert!(
            answer
                .header("content-security-policy")
                .unwrap()
                .contains("default-src 'none'"),
            "{path}"
        );
        assert!(answer.header("referrer-policy").is_some(), "{path}");
        assert!(
            answer
                .header("x-request-id")
                .is_some_and(|id| id.len() >= 32),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_key_opens_what_it_is_for_and_nothing_else() {
    let world = World::start().await;
    for header in [
        None,
        Some("Bearer mgk_unknown"),
        Some("Basic abc"),
        Some("Bearer "),
    ] {
        let headers: Vec<_> = header
            .iter()
            .map(|value| ("authorization", *value))
            .collect();
        let answer = world.send("GET", "/v1/accounts", &headers, None).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (401, &json!("unauthenticated")),
            "{header:?}"
        );
        assert!(
            answer
                .header("www-authenticate")
                .unwrap()
                .starts_with("Bearer")
        );
    }
    let reader = format!(
        "Bearer {}",
        world.new_key("default", &[ApiScope::AccountsRead]).await
    );
    let headers = [
        ("authorization", reader.as_str()),
        ("content-type", "application/json"),
    ];
    assert_eq!(
        world
            .send("GET", "/v1/accounts", &headers, None)
            .await
            .status,
        200
    );
    // What the key may not do is said before the body is looked at.
    for (method, path) in [
        ("POST", "/v1/accounts"),
        ("POST", "/v1/connect-sessions"),
        ("GET", "/v1/accounts/x/emails"),
        ("POST", "/v1/accounts/x/access-token"),
        ("DELETE", "/v1/accounts/x"),
    ] {
        let answer = world.send(method, path, &headers, Some("{".into())).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (403, &json!("insufficient_scope")),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn another_sites_things_do_not_exist() {
    let world = World::start().await;
    let account = world.account().await;
    let session = world
        .call(
            "POST",
            "/v1/connect-sessions",
            Some(json!({"application": "contoso", "origin": "https://app.example.com"})),
        )
        .await
        .json();
    let other = format!("Bearer {}", world.new_key("other", ApiScope::ALL).await);
    let headers = [
        ("authorization", other.as_str()),
        ("content-type", "application/json"),
    ];
    for (method, path) in [
        ("GET", format!("/v1/accounts/{account}")),
        ("PATCH", format!("/v1/accounts/{account}")),
        ("DELETE", format!("/v1/accounts/{account}")),
        ("POST", format!("/v1/accounts/{account}/access-token")),
        ("GET", format!("/v1/accounts/{account}/mailboxes")),
        (
            "GET",
            format!("/v1/connect-sessions/{}", session["id"].as_str().unwrap()),
        ),
    ] {
        let answer = world.send(method, &path, &headers, Some("{}".into())).await;
        assert_eq!(answer.status, 404, "{method} {path}");
    }
    let list = world
        .send("GET", "/v1/accounts", &headers, None)
        .await
        .json();
    assert_eq!(list["items"], json!([]));
    assert_eq!(
        world
            .call("GET", &format!("/v1/accounts/{account}"), None)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn lists_are_walked_by_cursor() {
    let world = World::start().await;
    world
        .authority_answers(
            "client_credentials",
            200,
            json!({"access_token": "app", "token_type": "Bearer", "expires_in": 3600}),
        )
        .await;
    for name in ["a", "b", "c"] {
        let body = json!({"application": "contoso", "address": format!("{name}@example.com")});
        let answer = world.call("POST", "/v1/accounts", Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(answer.json()["flow"], "app_only");
    }
    let first = world.call("GET", "/v1/accounts?limit=2", None).await;
    let link = first.header("link").unwrap().to_owned();
    assert!(link.ends_with("rel=\"next\""));
    let page = first.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let next = link
        .trim_start_matches('<')
        .split('>')
        .next()
        .unwrap()
        .to_owned();
    assert!(next.contains(page["next_cursor"].as_str().unwrap()));
    let second = world.call("GET", &next, None).await;
    assert_eq!(second.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (second.header("link"), &second.json()["next_cursor"]),
        (None, &Value::Null)
    );
}

#[tokio::test]
async fn the_same_mailbox_is_the_same_account_and_can_be_deleted() {
    let world = World::start().await;
    let account = world.account().await;
    world.refresh_gives("newer", "access-1", "next").await;
    let body =
        json!({"application": "contoso", "address": "anna@example.com", "refresh_token": "newer"});
    let again = world.call("POST", "/v1/accounts", Some(body)).await;
    assert_eq!(
        (again.status, &again.json()["id"]),
        (200, &json!(account)),
        "it lives on the newer grant"
    );
    let path = format!("/v1/accounts/{account}");
    for status in [204, 404] {
        assert_eq!(world.call("DELETE", &path, None).await.status, status);
        assert_eq!(world.call("GET", &path, None).await.status, 404);
    }
}

#[tokio::test]
async fn an_account_is_changed_and_switched_off() {
    let world = World::start().await;
    let path = format!("/v1/accounts/{}", world.account().await);
    let changed = world
        .call(
            "PATCH",
            &path,
            Some(json!({"metadata": {"user": 7}, "disabled": true})),
        )
        .await
        .json();
    assert_eq!(
        (&changed["metadata"], &changed["state"]),
        (&json!({"user": 7}), &json!("disabled"))
    );
    let refused = world
        .call("POST", &format!("{path}/access-token"), None)
        .await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (409, &json!("account_disabled"))
    );
    let changed = world
        .call("PATCH", &path, Some(json!({"disabled": false})))
        .await
        .json();
    assert_eq!(
        (&changed["metadata"], &changed["state"]),
        (&json!({"user": 7}), &json!("connected"))
    );
}
