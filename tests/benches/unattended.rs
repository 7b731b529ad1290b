//! Unattended access beside its baselines, in the same run: `cargo xtask bench unattended`.
//!
//! Prints one table and writes `MAILGRANT_BENCH_OUT/unattended.json`. Figures of a busy machine mean little by
//! themselves; the ratios, taken in turns within one run, are what to compare.
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
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use mailgrant_server::{Engine, Environment, Settings};
use mailgrant_storage::AccountId;
use mailgrant_tests::{
    archive,
    bench::{micros, millis, publish, rate, ratio, wanted},
    gateway::Gateway,
    port::free_port,
    process::{mailgrant, missing, root},
    sandbox::Sandbox,
    socket::{Socket, Trust},
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const MAILBOXES: usize = 500;
/// Mailboxes in one call, as the API takes them.
const IN_ONE_CALL: usize = 100;
/// Logins at once, where nothing but logins is measured.
const AT_ONCE: usize = 16;
const CALLS: usize = 1_000;
/// Times that the storage is opened.
const OPENINGS: usize = 30;
const EVENTS: usize = 300_000;
const LISTS: usize = 200;
const COMMANDS: usize = 15;

#[tokio::main]
async fn main() {
    if !wanted("unattended") {
        return;
    }
    let begun = Instant::now();
    let dir = tempfile::Builder::new()
        .prefix("mailgrant-bench-")
        .tempdir()
        .unwrap();
    let sandbox = archive::start(dir.path(), MAILBOXES).await.unwrap();
    let home = dir.path().join("gateway");
    let port = free_port();
    let settings = archive::settings(&home, &sandbox, port).unwrap();
    let mut gateway = Gateway::start_from(&home, port, &settings).unwrap();
    // No pool of the first calls is measured.
    gateway.get("/healthz").await;

    let (accounts, adding) = adding(&sandbox, &gateway).await;
    let mut report = json!({ "adding": adding });
    report["access_token"] = over_http(&gateway, &accounts[0]).await;
    report["token_keeper"] = keeper(&gateway, &accounts[0]).await;
    report["command"] = command(&sandbox, &gateway, dir.path());
    report["events"] = events(&mut gateway, &home).await;
    publish("unattended", begun, report);
}

/// App-only accounts, each verified by a login and a listing, all under one token; the baseline does nothing but log in
/// and list.
async fn adding(sandbox: &Sandbox, gateway: &Gateway) -> (Vec<String>, Value) {
    let before = token_requests(sandbox).await;
    let begun = Instant::now();
    let mut accounts = Vec::new();
    let numbers: Vec<_> = (0..MAILBOXES).collect();
    for some in numbers.chunks(IN_ONE_CALL) {
        let addresses: Vec<_> = some.iter().map(|each| archive::address(*each)).collect();
        let body = json!({"application": "archive", "addresses": addresses});
        let answer = gateway.post("/v1/accounts", &body).await;
        let items = answer.body["items"].as_array().unwrap();
        accounts.extend(items.iter().map(|item| {
            let id = item["account"]["id"].as_str();
            id.unwrap_or_else(|| panic!("{item:#}")).to_owned()
        }));
    }
    let added = begun.elapsed();
    let asked = token_requests(sandbox).await - before;

    let token = access_token(gateway, &accounts[0]).await;
    let trust = Trust::new(Path::new(sandbox.text("/ca_file")));
    let imap = sandbox.ready["imap"]["port"].as_u64().unwrap();
    let begun = Instant::now();
    let mut logins = JoinSet::new();
    for share in numbers.chunks(MAILBOXES.div_ceil(AT_ONCE)) {
        let (share, trust, token) = (share.to_vec(), trust.clone(), token.clone());
        logins.spawn(async move {
            for number in share {
                let user = archive::address(number);
                let port = u16::try_from(imap).unwrap();
                let mut socket = Socket::login(&trust, port, &user, &token, 4096).await;
                socket.command("LIST \"\" \"*\"").await;
            }
        });
    }
    logins.join_all().await;
    let logged_in = begun.elapsed();
    let report = json!({
        "accounts": MAILBOXES,
        "token_requests": asked,
        "accounts_per_second": rate(MAILBOXES, added),
        "logins_per_second": rate(MAILBOXES, logged_in),
        "accounts_to_logins": ratio(logged_in, added),
    });
    (accounts, report)
}

/// The access token by HTTP, beside the least that the gateway answers.
async fn over_http(gateway: &Gateway, account: &str) -> Value {
    let path = format!("/v1/accounts/{account}/access-token");
    let (mut tokens, mut least) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        let begun = Instant::now();
        for _ in 0..CALLS {
            gateway.post(&path, &json!({})).await;
        }
        tokens = tokens.min(begun.elapsed());
        let begun = Instant::now();
        for _ in 0..CALLS {
            gateway.get("/healthz").await;
        }
        least = least.min(begun.elapsed());
    }
    json!({
        "calls_per_second": rate(CALLS, tokens),
        "healthz_per_second": rate(CALLS, least),
        "access_token_to_healthz": ratio(least, tokens),
    })
}

/// A token that is kept in memory, beside opening the storage for each, as a program that starts anew does.
async fn keeper(gateway: &Gateway, account: &str) -> Value {
    let settings = Settings::load(Some(&gateway.configuration), std::iter::empty()).unwrap();
    let open = || Engine::open(settings.clone(), Environment::system());
    let engine = open().await.unwrap();
    let id: AccountId = account.parse().unwrap();
    let storage = engine.storage().accounts();
    let account = storage.lookup_any_site(&id).await.unwrap().unwrap();
    engine.token_for(&account, Duration::ZERO).await.unwrap();
    let begun = Instant::now();
    for _ in 0..CALLS {
        engine.token_for(&account, Duration::ZERO).await.unwrap();
    }
    let kept = begun.elapsed() / u32::try_from(CALLS).unwrap();
    engine.close().await;

    let begun = Instant::now();
    for _ in 0..OPENINGS {
        let engine = open().await.unwrap();
        engine.token_for(&account, Duration::ZERO).await.unwrap();
        engine.close().await;
    }
    let opened = begun.elapsed() / u32::try_from(OPENINGS).unwrap();
    json!({
        "kept_us": micros(kept),
        "opened_each_time_us": micros(opened),
        "kept_to_opened": ratio(opened, kept),
    })
}

/// `mailgrant token` from its start to its end, with a token kept in the database; beside the least a process costs,
/// and MSAL for Python with its cache in a file.
fn command(sandbox: &Sandbox, gateway: &Gateway, dir: &Path) -> Value {
    let token = || {
        let mut command = mailgrant();
        command.args([
            "token",
            "--application",
            "archive",
            "--format",
            "access-token",
        ]);
        command.arg("--config").arg(&gateway.configuration);
        command
    };
    let mut report = json!({});
    let least = median(|| Command::new("true"));
    let ours = median(token);
    report["true_ms"] = millis(least).into();
    report["mailgrant_token_ms"] = millis(ours).into();
    if missing(&["msal"]).is_none() {
        let script = dir.join("msal_cached.py");
        fs::write(&script, MSAL).unwrap();
        let theirs = median(|| {
            let mut command = Command::new(root().join("target/python/bin/python3"));
            command
                .arg(&script)
                .arg(dir.join("cache.json"))
                .args([
                    sandbox.text("/authority_tls"),
                    sandbox.text("/tenant"),
                    sandbox.text("/ca_file"),
                ])
                .args([archive::CLIENT_ID, "archive~secret"]);
            command
        });
        report["msal_ms"] = millis(theirs).into();
        report["mailgrant_to_msal"] = ratio(theirs, ours).into();
    }
    report
}

/// The usual script: its cache in a file, so that a token that is still good is not asked for again.
const MSAL: &str = r#"
import os, sys, msal
file, authority, tenant, ca, client, secret = sys.argv[1:]
cache = msal.SerializableTokenCache()
if os.path.exists(file):
    cache.deserialize(open(file).read())
application = msal.ConfidentialClientApplication(client, client_credential=secret, authority=f"{authority}/{tenant}",
    instance_discovery=False, verify=ca, token_cache=cache)
print(application.acquire_token_for_client(["https://outlook.office365.com/.default"])["access_token"])
if cache.has_state_changed:
    open(file, "w").write(cache.serialize())
"#;

/// A page of events among few, and from the beginning, the middle and the end of very many.
async fn events(gateway: &mut Gateway, home: &Path) -> Value {
    let few = listing(gateway, "").await;
    gateway.server.stop().unwrap();
    let filled = Command::new("python3")
        .args(["-c", FILL, &EVENTS.to_string()])
        .arg(home.join("mailgrant.db"))
        .output()
        .unwrap();
    let ids = String::from_utf8(filled.stdout).unwrap();
    let [first, middle, last] = ids.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{}", String::from_utf8_lossy(&filled.stderr));
    };
    gateway.restart().unwrap();
    let mut report = json!({"few": MAILBOXES, "few_ms": millis(few), "many": EVENTS});
    for (name, after) in [("first", first), ("middle", middle), ("last", last)] {
        let took = listing(gateway, &format!("&after={after}")).await;
        report[format!("{name}_ms")] = millis(took).into();
        report[format!("few_to_{name}")] = ratio(few, took).into();
    }
    report
}

/// Copies of one event, before all others: prints the first, the middle and the last of them.
const FILL: &str = r#"
import sqlite3, sys
count, database = int(sys.argv[1]), sqlite3.connect(sys.argv[2])
oldest = database.execute("SELECT * FROM events ORDER BY id LIMIT 1").fetchone()
start = int(oldest[0][4:16], 16) - count
ids = [f"evt_{start + n:012x}{oldest[0][16:]}" for n in range(count)]
marks = ",".join("?" * len(oldest))
database.executemany(f"INSERT INTO events VALUES ({marks})", ((id, *oldest[1:]) for id in ids))
database.commit()
print(ids[0], ids[count // 2], ids[-200])
"#;

/// One page of a hundred.
async fn listing(gateway: &Gateway, after: &str) -> Duration {
    let path = format!("/v1/events?limit=100{after}");
    let answer = gateway.get(&path).await;
    assert_eq!(
        answer.body["items"].as_array().unwrap().len(),
        100,
        "{}",
        answer.text
    );
    let begun = Instant::now();
    for _ in 0..LISTS {
        let answer = gateway.request(Method::GET, &path).send().await.unwrap();
        answer.bytes().await.unwrap();
    }
    begun.elapsed() / u32::try_from(LISTS).unwrap()
}

async fn access_token(gateway: &Gateway, account: &str) -> String {
    let path = format!("/v1/accounts/{account}/access-token");
    let answer = gateway.post(&path, &json!({})).await;
    answer.body["access_token"].as_str().unwrap().to_owned()
}

async fn token_requests(sandbox: &Sandbox) -> u64 {
    let log = sandbox.requests().await.unwrap();
    let counts = log["counts"].as_object().unwrap();
    let tokens = counts.iter().filter(|(kind, _)| kind.starts_with("token"));
    tokens.filter_map(|(_, count)| count.as_u64()).sum()
}

/// From start to end, the first run left out.
fn median(command: impl Fn() -> Command) -> Duration {
    let run = || {
        let begun = Instant::now();
        let output = command().stdin(Stdio::null()).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        begun.elapsed()
    };
    run();
    let mut times: Vec<_> = (0..COMMANDS).map(|_| run()).collect();
    times.sort_unstable();
    times[COMMANDS / 2]
}
