//! What happened, as it happens.

use mailgrant_storage::{ApiKey, ApiScope};
use serde_json::{Value, json};

use crate::{
    events::{dies, kinds, tell_all},
    world::World,
};

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
    // A stream that was cut off would have no end.
    let (end, ()) = tokio::join!(stream.next(), stopped.stop());
    assert_eq!(end, None);
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
    let events_only = |key: &&ApiKey| key.scopes.iter().eq([&ApiScope::Events]);
    let id = keys.items.iter().find(events_only).unwrap().id.clone();
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
