//! How many may wait for events, and what those get who come too late, go away, or do not read.

use std::time::Duration;

use mailgrant_storage::{ApiScope, EventKind, NewEvent};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::world::World;

const SOON: Duration = Duration::from_secs(10);

/// A gateway with so many places; one key has a quarter of them.
async fn with_places(number: &str) -> World {
    World::start_with(&[("MAILGRANT_SERVER__EVENT_READERS", number)]).await
}

async fn key(world: &World) -> String {
    world.new_key("default", &[ApiScope::Events]).await
}

/// Asks as that key does; the body is not read.
async fn ask(world: &World, key: &str, what: &str, accept: &str) -> reqwest::Response {
    let key = format!("Bearer {key}");
    let headers = [("authorization", key.as_str()), ("accept", accept)];
    let url = format!("{}v1/events{what}", world.gateway.url());
    world.open(&url, &headers).await
}

async fn stream(world: &World, key: &str) -> reqwest::Response {
    ask(world, key, "?after=latest", "text/event-stream").await
}

/// A stream, as soon as there is a place for it.
async fn stream_at_last(world: &World, key: &str) -> reqwest::Response {
    let opened = async {
        loop {
            let answer = stream(world, key).await;
            if answer.status() == 200 {
                return answer;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, opened).await.expect("a place is free again")
}

async fn refused(answer: reqwest::Response, status: u16, code: &str) {
    assert_eq!(answer.status(), status);
    let wait: u64 = answer.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=30).contains(&wait));
    let problem: serde_json::Value =
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(problem["code"], code, "{problem:#}");
}

#[tokio::test]
async fn one_key_does_not_take_the_places_of_all() {
    let world = with_places("8").await;
    let greedy = key(&world).await;
    let held = [stream(&world, &greedy).await, stream(&world, &greedy).await];
    assert!(held.iter().all(|answer| answer.status() == 200));
    refused(stream(&world, &greedy).await, 429, "throttled").await;
    let waiting = "?after=latest&wait=30";
    refused(ask(&world, &greedy, waiting, "*/*").await, 429, "throttled").await;
    // Who does not wait takes no place.
    assert_eq!(ask(&world, &greedy, "", "*/*").await.status(), 200);

    let mut others = Vec::new();
    for _ in 0..3 {
        let key = key(&world).await;
        others.push(stream(&world, &key).await);
        others.push(stream(&world, &key).await);
    }
    assert!(others.iter().all(|answer| answer.status() == 200));
    let late = key(&world).await;
    refused(stream(&world, &late).await, 503, "busy").await;
    assert_eq!(ask(&world, &late, "", "*/*").await.status(), 200);

    // Who goes away frees its place.
    drop(others.pop());
    let stream = stream_at_last(&world, &late).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    drop(held);
    drop(stream_at_last(&world, &greedy).await);
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_waiting_frees_its_place() {
    let world = with_places("4").await;
    let key = key(&world).await;
    let waiting = ask(&world, &key, "?after=latest&wait=30", "*/*");
    // It has its place when the answer does not come.
    assert!(timeout(Duration::from_millis(300), waiting).await.is_err());
    drop(stream_at_last(&world, &key).await);
}

#[tokio::test]
async fn who_does_not_read_costs_little_and_stops_nobody() {
    let world = with_places("64").await;
    let (slow, quick) = (key(&world).await, key(&world).await);
    let mut stalled = Vec::new();
    for _ in 0..16 {
        stalled.push(stream(&world, &slow).await);
    }
    let before = resident_memory();
    let storage = world.gateway.storage();
    let mut reader = stream(&world, &quick).await;
    for number in 0..EVENTS {
        let event = NewEvent {
            site: None,
            kind: EventKind::CredentialExpiring,
            account: None,
            connect_session: None,
            data: json!({"number": number, "filling": "x".repeat(SIZE)}),
        };
        let now = mailgrant_core::time::UnixTime(1_795_305_600);
        let once = format!("number {number}");
        assert!(storage.events().add_once(event, &once, now).await.unwrap());
    }
    let mut text = String::new();
    let last = format!("\"number\":{}", EVENTS - 1);
    let reading = async {
        while !text.contains(&last) {
            let chunk = reader.chunk().await.unwrap().expect("it goes on");
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    };
    timeout(Duration::from_secs(30), reading)
        .await
        .expect("all events");
    assert_eq!(text.matches("event: credential.expiring").count(), EVENTS);
    drop(text);
    let grown = resident_memory().saturating_sub(before) / 1024;
    let backlog = stalled.len() * EVENTS * SIZE / (1024 * 1024);
    println!(
        "{} readers with {backlog} MiB to read cost {grown} MiB",
        stalled.len()
    );
    assert!(grown * 2 < backlog, "{grown} MiB of {backlog}");
}

const EVENTS: usize = 300;
const SIZE: usize = 32 * 1024;

/// Of this process, which is the gateway's, in KiB.
fn resident_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
