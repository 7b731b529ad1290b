//! What happened, as a list.

use mailgrant_storage::{ApiScope, EventKind, NewEvent};
use serde_json::{Value, json};

use crate::{
    session::Session,
    world::{ORIGIN, World, tokens},
};

/// The token endpoint refuses the account's grant for good.
pub(crate) async fn dies(world: &World, account: &str) {
    world
        .authority_answers_times("refresh_token=second", 400, json!({"error": "invalid_grant", "error_description": "AADSTS700082: expired", "error_codes": [700_082]}), 1)
        .await;
    let path = format!("/v1/accounts/{account}/access-token");
    assert_eq!(world.call("POST", &path, None).await.status, 409);
}

pub(crate) async fn tell_all(world: &World, key: &str) {
    let event = NewEvent {
        site: None,
        kind: EventKind::CredentialExpiring,
        account: None,
        connect_session: None,
        data: json!({"application": "contoso", "kind": "secret", "days_left": 7}),
    };
    let storage = world.gateway.storage();
    let added = storage
        .events()
        .add_once(event, key, mailgrant_core::time::UnixTime(1_795_305_600))
        .await;
    assert!(added.unwrap());
}

pub(crate) fn kinds(list: &Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn what_happened_is_listed_in_order() {
    let world = World::start().await;
    let account = world.account().await;
    dies(&world, &account).await;
    let session = Session::of(&world).await;
    world
        .send("DELETE", &session.path, &[("origin", ORIGIN)], None)
        .await;
    tell_all(&world, "contoso secret 7").await;

    let all = world.call("GET", "/v1/events", None).await.json();
    assert_eq!(
        kinds(&all),
        [
            "account.connected",
            "account.reauth_required",
            "connect_session.completed",
            "credential.expiring",
        ]
    );
    assert_eq!(
        (&all["next_cursor"], &all["gap"]),
        (&json!(null), &json!(false))
    );
    let events = all["items"].as_array().unwrap();
    assert_eq!(all["position"], events[3]["id"]);

    let connected = &events[0];
    assert_eq!(connected["account_id"], account.as_str());
    assert_eq!(connected["occurred_at"], "2026-11-22T00:00:00Z");
    assert_eq!(
        connected["data"],
        json!({"application": "contoso", "flow": "delegated", "imap_user": "anna@example.com", "state": "connected", "previous_state": null})
    );
    let died = &events[1]["data"];
    assert_eq!(died["previous_state"], "connected");
    assert_eq!(died["diagnosis"]["error_codes"], json!([700_082]));
    let url = died["reauth_url"].as_str().unwrap();
    assert!(
        url.starts_with(&format!("{}reauth/mgr_", world.gateway.url())),
        "{url}"
    );
    let over = &events[2];
    assert_eq!(over["connect_session_id"], session.id.as_str());
    assert_eq!(
        over["data"],
        json!({"application": "contoso", "status": "failed", "account_id": null, "diagnosis": "cancelled"})
    );

    // Page by page the same.
    let mut seen = Vec::new();
    let mut path = "/v1/events?limit=1".to_owned();
    loop {
        let answer = world.call("GET", &path, None).await;
        let page = answer.json();
        seen.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else {
            assert_eq!(answer.header("link"), None);
            break;
        };
        assert_eq!(
            answer.header("link").unwrap(),
            format!(
                "<{}v1/events?limit=1&after={cursor}>; rel=\"next\"",
                world.gateway.url()
            )
        );
        path = format!("/v1/events?limit=1&after={cursor}");
    }
    assert_eq!(&seen, events);
}

#[tokio::test]
async fn a_place_that_does_not_exist_is_named() {
    let world = World::start().await;
    world.account().await;
    let other = world.new_key("other", &[ApiScope::Events]).await;
    let mine = world.call("GET", "/v1/events", None).await.json()["position"].clone();
    let foreign = format!("/v1/events?after={}", mine.as_str().unwrap());
    let bearer = format!("Bearer {other}");
    let answer = world
        .send("GET", &foreign, &[("authorization", bearer.as_str())], None)
        .await;
    assert_eq!(
        (answer.status, &answer.json()["field"]),
        (422, &json!("after"))
    );

    for (path, field) in [
        (
            "/v1/events?after=evt_ffffffffffffffffffffffffffffffff",
            "after",
        ),
        (
            "/v1/events?after=acc_0197b4c1a2b37c5e8f9a0b1c2d3e4f50",
            "after",
        ),
        ("/v1/events?after='%20OR%201=1", "after"),
        ("/v1/events?wait=31", "wait"),
        ("/v1/events?limit=0", "limit"),
        ("/v1/events?cursor=x", "cursor"),
    ] {
        let answer = world.call("GET", path, None).await;
        assert_eq!(
            (answer.status, &answer.json()["field"]),
            (422, &json!(field)),
            "{path}"
        );
    }
    let key = format!("Bearer {}", world.key);
    let headers = [
        ("authorization", key.as_str()),
        ("accept", "text/event-stream"),
        ("last-event-id", "yesterday"),
    ];
    let answer = world.send("GET", "/v1/events", &headers, None).await;
    assert_eq!(
        (answer.status, &answer.json()["field"]),
        (422, &json!("Last-Event-ID"))
    );

    let reader = world.new_key("default", &[ApiScope::AccountsRead]).await;
    let bearer = format!("Bearer {reader}");
    let answer = world
        .send(
            "GET",
            "/v1/events",
            &[("authorization", bearer.as_str())],
            None,
        )
        .await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (403, &json!("insufficient_scope"))
    );
}

#[tokio::test]
async fn sites_are_kept_apart() {
    let world = World::start().await;
    world.account().await;
    tell_all(&world, "contoso secret 1").await;
    let bearer = format!(
        "Bearer {}",
        world.new_key("other", &[ApiScope::Events]).await
    );
    let answer = world
        .send(
            "GET",
            "/v1/events",
            &[("authorization", bearer.as_str())],
            None,
        )
        .await;
    assert_eq!(kinds(&answer.json()), ["credential.expiring"]);
}

#[tokio::test]
async fn a_list_may_be_waited_for() {
    let world = World::start().await;
    let latest = world
        .call("GET", "/v1/events?after=latest", None)
        .await
        .json();
    assert_eq!(latest["items"], json!([]));
    let path = format!(
        "/v1/events?wait=30&after={}",
        latest["position"].as_str().unwrap()
    );
    let (waited, account) = tokio::join!(world.call("GET", &path, None), world.account());
    let waited = waited.json();
    assert_eq!(kinds(&waited), ["account.connected"]);
    assert_eq!(waited["items"][0]["account_id"], account.as_str());
    // Nothing follows, and nobody waits.
    let path = format!("/v1/events?after={}", waited["position"].as_str().unwrap());
    let rest = world.call("GET", &path, None).await.json();
    assert_eq!(
        (kinds(&rest).len(), &rest["position"]),
        (0, &waited["position"])
    );
}

#[tokio::test]
async fn no_secret_is_in_any_event() {
    let world = World::start().await;
    world
        .authority_answers_times(
            "refresh_token=canary-1",
            200,
            tokens("canary-access-1", Some("canary-2")),
            1,
        )
        .await;
    let body = json!({"application": "contoso", "address": "anna@example.com", "refresh_token": "canary-1"});
    let account = world.call("POST", "/v1/accounts", Some(body)).await.json();
    let path = format!(
        "/v1/accounts/{}/access-token",
        account["id"].as_str().unwrap()
    );
    world
        .authority_answers_times(
            "refresh_token=canary-2",
            503,
            json!({"error": "canary-2 is down"}),
            1,
        )
        .await;
    world.call("POST", &path, None).await;
    world.clock.forward(120);
    world
        .authority_answers("refresh_token=canary-2", 400, json!({"error": "invalid_grant", "error_description": "AADSTS70008: canary-2 of the-client-secret"}))
        .await;
    assert_eq!(world.call("POST", &path, None).await.status, 409);
    let session = Session::of(&world).await;
    let (cookie, state) = session.click(&world).await;
    world
        .authority_answers(
            "code=canary-code",
            400,
            json!({"error": "invalid_grant", "error_description": "canary-code is used up"}),
        )
        .await;
    session
        .come_back(&world, &cookie, &format!("code=canary-code&state={state}"))
        .await;

    let answer = world.call("GET", "/v1/events?limit=100", None).await;
    let seen = answer.json();
    assert_eq!(
        kinds(&seen),
        [
            "account.connected",
            "account.degraded",
            "account.reauth_required",
            "connect_session.completed",
        ]
    );
    let client_token = session.path.rsplit('/').next().unwrap();
    let text = answer.text();
    for secret in [
        "canary",
        "the-client-secret",
        client_token,
        &state,
        &world.key,
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
