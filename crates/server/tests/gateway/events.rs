//! What happened, as a list and as a stream.

use mailgrant_storage::{ApiScope, EventKind, NewEvent};
use serde_json::{Value, json};

use crate::{
    session::Session,
    world::{ORIGIN, World, tokens},
};

/// The token endpoint refuses the account's grant for good.
async fn dies(world: &World, account: &str) {
    world
        .authority_answers_times("refresh_token=second", 400, json!({"error": "invalid_grant", "error_description": "AADSTS700082: expired", "error_codes": [700_082]}), 1)
        .await;
    let path = format!("/v1/accounts/{account}/access-token");
    assert_eq!(world.call("POST", &path, None).await.status, 409);
}

async fn tell_all(world: &World, key: &str) {
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

fn kinds(list: &Value) -> Vec<&str> {
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
async fn who_comes_back_too_late_is_told_of_the_gap() {
    let world = World::start().await;
    let account = world.account().await;
    let first = world.call("GET", "/v1/events", None).await.json()["position"].clone();
    world.clock.forward(31 * 86_400);
    dies(&world, &account).await;
    let before = mailgrant_core::time::UnixTime(1_795_305_600 + 86_400);
    let forgotten = world.gateway.storage().events().forget_before(before).await;
    assert_eq!(forgotten.unwrap(), 1);

    // The one that was read last is gone, but nothing between it and the next.
    let path = format!("/v1/events?after={}", first.as_str().unwrap());
    let list = world.call("GET", &path, None).await.json();
    assert_eq!(
        (kinds(&list), &list["gap"]),
        (vec!["account.reauth_required"], &json!(false))
    );
    let beginning = "/v1/events?after=evt_00000000000000000000000000000000";
    let list = world.call("GET", beginning, None).await.json();
    assert_eq!(
        (kinds(&list), &list["gap"]),
        (vec!["account.reauth_required"], &json!(true))
    );

    let mut stream = Stream::open(&world, world.gateway.url().as_str(), beginning).await;
    assert_eq!(
        stream.next().await.unwrap()[0],
        "event: gap",
        "before the events"
    );
    assert_eq!(stream.event().await["type"], "account.reauth_required");
}

#[tokio::test]
async fn a_stream_goes_on_where_it_broke_off() {
    let world = World::start().await;
    let url = world.gateway.url().to_string();
    let mut stream = Stream::open(&world, &url, "/v1/events?after=latest").await;
    assert!(
        stream
            .opening
            .iter()
            .any(|line| line.starts_with("id: evt_")),
        "a place to come back to: {:?}",
        stream.opening
    );
    let account = world.account().await;
    let connected = stream.event().await;
    assert_eq!(
        (&connected["type"], &connected["account_id"]),
        (&json!("account.connected"), &json!(account))
    );
    drop(stream);

    dies(&world, &account).await;
    let id = connected["id"].as_str().unwrap();
    let mut stream = Stream::resume(&world, &url, id).await;
    let died = stream.event().await;
    assert_eq!(died["type"], "account.reauth_required");
    assert!(died["data"]["reauth_url"].is_string());
    tell_all(&world, "while it is open").await;
    assert_eq!(stream.event().await["type"], "credential.expiring");
}

#[tokio::test]
async fn a_stream_ends_with_the_gateway() {
    let mut world = World::start().await;
    let url = world.gateway.url().to_string();
    let mut stream = Stream::open(&world, &url, "/v1/events?after=latest").await;
    let replica = world.replica().await;
    let stopped = std::mem::replace(&mut world.gateway, replica);
    let began = tokio::time::Instant::now();
    let (end, ()) = tokio::join!(stream.next(), stopped.stop());
    assert_eq!(end, None);
    assert!(began.elapsed().as_secs() < 3, "it was not cut off");
}

#[tokio::test]
async fn a_restart_forgets_nothing_and_a_replica_hears_the_other() {
    let mut world = World::start().await;
    let account = world.account().await;
    let before = world.call("GET", "/v1/events", None).await.json();

    let replica = world.replica().await;
    let mut stream = Stream::open(&world, replica.url().as_str(), "/v1/events?after=latest").await;
    dies(&world, &account).await;
    let died = stream.event().await;
    assert_eq!(died["type"], "account.reauth_required", "told by the other");

    let stopped = std::mem::replace(&mut world.gateway, replica);
    stopped.stop().await;
    let after = world.call("GET", "/v1/events", None).await.json();
    assert_eq!(after["items"][0], before["items"][0]);
    assert_eq!(after["items"][1]["id"], died["id"]);
    // The way back outlives the process, too.
    assert!(after["items"][1]["data"]["reauth_url"].is_string());
}

#[tokio::test]
async fn a_revoked_keys_stream_gets_nothing_more() {
    let world = World::start().await;
    let key = world.new_key("default", &[ApiScope::Events]).await;
    let storage = world.gateway.storage();
    let keys = storage.api_keys().list(None, None, 100).await.unwrap();
    let id = keys.items.last().unwrap().id.clone();
    let headers = [
        ("authorization", format!("Bearer {key}")),
        ("accept", "text/event-stream".to_owned()),
    ];
    let headers: Vec<_> = headers.iter().map(|(a, b)| (*a, b.as_str())).collect();
    let url = format!("{}v1/events?after=latest", world.gateway.url());
    let mut stream = Stream::of(world.open(&url, &headers).await).await;
    storage
        .api_keys()
        .revoke(&id, mailgrant_core::time::UnixTime(1_795_305_600))
        .await
        .unwrap();
    world.account().await;
    assert_eq!(stream.next().await, None);
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

/// A stream of server-sent events, block by block.
struct Stream {
    response: reqwest::Response,
    text: String,
    opening: Vec<String>,
}

impl Stream {
    async fn open(world: &World, base: &str, path: &str) -> Self {
        let key = format!("Bearer {}", world.key);
        let headers = [
            ("authorization", key.as_str()),
            ("accept", "text/event-stream"),
        ];
        let url = format!("{}{path}", base.trim_end_matches('/'));
        Self::of(world.open(&url, &headers).await).await
    }

    async fn resume(world: &World, base: &str, last: &str) -> Self {
        let key = format!("Bearer {}", world.key);
        let headers = [
            ("authorization", key.as_str()),
            ("accept", "text/event-stream"),
            ("last-event-id", last),
        ];
        Self::of(
            world
                .open(&format!("{base}v1/events?after=latest"), &headers)
                .await,
        )
        .await
    }

    async fn of(response: reqwest::Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let mut stream = Self {
            response,
            text: String::new(),
            opening: Vec::new(),
        };
        stream.opening = stream.next().await.unwrap();
        assert!(stream.opening[0].starts_with("retry: "));
        stream
    }

    /// The lines of the next block; `None` at the end.
    async fn next(&mut self) -> Option<Vec<String>> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.lines().map(str::to_owned).collect();
                self.text = rest.to_owned();
                return Some(block);
            }
            let bytes = self.response.chunk().await.expect("a clean end")?;
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The next event.
    async fn event(&mut self) -> Value {
        loop {
            let block = self.next().await.expect("an event");
            let Some(data) = block.iter().find_map(|line| line.strip_prefix("data: ")) else {
                continue;
            };
            let event: Value = serde_json::from_str(data).unwrap();
            assert_eq!(block[0], format!("id: {}", event["id"].as_str().unwrap()));
            assert_eq!(
                block[1],
                format!("event: {}", event["type"].as_str().unwrap())
            );
            return event;
        }
    }
}
