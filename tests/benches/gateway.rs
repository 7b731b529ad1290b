//! The gateway beside a raw socket on the same Dovecot, in the same run: `cargo xtask bench`.
//!
//! Prints one table and writes `MAILGRANT_BENCH_OUT/gateway.json`. Figures of a busy machine mean little by themselves;
//! the ratios, taken in turns within one run, are what to compare.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, and stops when it cannot go on"
)]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use mailgrant_tests::{
    bench::{publish, rate, ratio, wanted},
    socket::{Socket, Trust},
    stack::{Options, Stack},
};
use reqwest::Method;
use serde_json::{Value, json};

const MESSAGES: usize = 500;
const CALLS: usize = 400;
const ROUNDS: usize = 3;
const ACCOUNTS: usize = 200;

#[tokio::main]
async fn main() {
    if !wanted("gateway") {
        return;
    }
    let begun = Instant::now();
    let mut stack = Stack::start(Options::default()).await.unwrap();
    let mut report = json!({});
    report["start_to_ready_ms"] = start_to_ready(&mut stack).into();
    report["resident_idle_kib"] = stack.gateway.server.resident_memory().into();

    let account = stack.gateway.connect("alice@corp.test").await;
    let token = access_token(&stack, &account).await;
    let folder = stack.dir.path().join("messages");
    write_messages(&folder.join("made"));
    stack
        .dovecot
        .append(
            "alice@corp.test",
            &token,
            &folder,
            &stack.dir.path().join("held"),
        )
        .unwrap();
    let trust = Trust::new(&stack.dir.path().join("ca.pem"));
    // The baseline: one TLS connection that sends commands and throws the answers away.
    let mut socket = Socket::login(
        &trust,
        stack.dovecot.imaps,
        "alice@corp.test",
        &token,
        65_536,
    )
    .await;
    socket.command("EXAMINE INBOX").await;
    let ids = ids(&stack, &account).await;
    assert_eq!(ids.len(), MESSAGES);

    let (mut lists, mut raws) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        lists.push(measure_lists(&stack, &account, &mut socket).await);
        raws.push(measure_raws(&stack, &account, &ids, &mut socket).await);
    }
    report["emails_limit_20"] = best(&lists);
    report["raw"] = best(&raws);
    report["resident_with_accounts_kib"] = with_accounts(&stack).await.into();
    report["accounts"] = ACCOUNTS.into();
    publish("gateway", begun, report);
}

/// The median of five starts, in milliseconds.
fn start_to_ready(stack: &mut Stack) -> u64 {
    let mut times: Vec<_> = (0..5)
        .map(|_| {
            stack.gateway.server.stop().unwrap();
            let begun = Instant::now();
            stack.gateway.restart().unwrap();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[2].as_millis().try_into().unwrap()
}

/// 4 KiB to 100 KiB of text, as mail is.
fn write_messages(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for n in 0..MESSAGES {
        let lines = 60 + (n * 37) % 1300;
        let body = "The quick brown fox jumps over the lazy dog, and so it goes on here.\r\n"
            .repeat(lines);
        let message = format!(
            "From: Sender {n} <sender{n}@example.test>\r\nTo: alice@corp.test\r\nSubject: Message number {n}\r\n\
             Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{n}@example.test>\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{body}"
        );
        fs::write(folder.join(format!("{n:04}.eml")), message).unwrap();
    }
}

async fn access_token(stack: &Stack, account: &str) -> String {
    let path = format!("/v1/accounts/{account}/access-token");
    let answer = stack.gateway.post(&path, &json!({})).await;
    answer.body["access_token"].as_str().unwrap().to_owned()
}

async fn ids(stack: &Stack, account: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = stack
            .gateway
            .get(&format!("/v1/accounts/{account}/emails?limit=100{cursor}"))
            .await
            .body;
        ids.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|email| email["id"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

struct Measured {
    gateway: Duration,
    gateway_cpu: Duration,
    socket: Duration,
    bytes: u64,
}

async fn measure_lists(stack: &Stack, account: &str, socket: &mut Socket) -> Measured {
    let path = format!("/v1/accounts/{account}/emails?limit=20");
    let (cpu, begun) = (cpu(stack), Instant::now());
    let mut bytes = 0;
    for _ in 0..CALLS {
        let answer = stack
            .gateway
            .request(Method::GET, &path)
            .send()
            .await
            .unwrap();
        bytes += answer.bytes().await.unwrap().len() as u64;
    }
    let (gateway, gateway_cpu) = (begun.elapsed(), self::cpu(stack) - cpu);
    let begun = Instant::now();
    let range = format!("{}:{MESSAGES}", MESSAGES - 19);
    for _ in 0..CALLS {
        socket
            .command(&format!(
                "FETCH {range} (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.16384>)"
            ))
            .await;
    }
    Measured {
        gateway,
        gateway_cpu,
        socket: begun.elapsed(),
        bytes,
    }
}

async fn measure_raws(
    stack: &Stack,
    account: &str,
    ids: &[String],
    socket: &mut Socket,
) -> Measured {
    let (cpu, begun) = (cpu(stack), Instant::now());
    let mut bytes = 0;
    for id in ids.iter().cycle().take(CALLS) {
        let path = format!("/v1/accounts/{account}/emails/{id}/raw");
        let answer = stack
            .gateway
            .request(Method::GET, &path)
            .send()
            .await
            .unwrap();
        bytes += answer.bytes().await.unwrap().len() as u64;
    }
    let (gateway, gateway_cpu) = (begun.elapsed(), self::cpu(stack) - cpu);
    let begun = Instant::now();
    for n in 0..CALLS {
        socket
            .command(&format!("FETCH {} (BODY.PEEK[])", MESSAGES - n % MESSAGES))
            .await;
    }
    Measured {
        gateway,
        gateway_cpu,
        socket: begun.elapsed(),
        bytes,
    }
}

/// The round with the best ratio: the one that the rest of the machine disturbed least.
fn best(rounds: &[Measured]) -> Value {
    let to_socket = |round: &Measured| ratio(round.socket, round.gateway);
    let round = rounds
        .iter()
        .max_by(|a, b| to_socket(a).total_cmp(&to_socket(b)))
        .unwrap();
    json!({
        "calls": CALLS,
        "gateway_calls_per_second": rate(CALLS, round.gateway),
        "socket_calls_per_second": rate(CALLS, round.socket),
        "gateway_to_socket": to_socket(round),
        "gateway_cpu_us_per_call": round.gateway_cpu.as_micros() / CALLS as u128,
        "mean_bytes": round.bytes / CALLS as u64,
    })
}

/// The gateway's CPU time so far (utime + stime, in ticks of 10 ms).
fn cpu(stack: &Stack) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", stack.gateway.server.id())).unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let fields: Vec<_> = after_name.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// Connects accounts, reads from each once, and gives the resident memory then.
async fn with_accounts(stack: &Stack) -> Option<u64> {
    for n in 0..ACCOUNTS {
        let account = stack.gateway.connect(&format!("person{n}@corp.test")).await;
        stack
            .gateway
            .get(&format!("/v1/accounts/{account}/emails"))
            .await;
    }
    stack.gateway.server.resident_memory()
}
