//! The sandbox's IMAP beside Dovecot on the same machine, in the same run, with the same mail through the same client:
//! `cargo xtask bench sandbox`.
//!
//! 10,000 messages in one folder, and 1,000 connections in IDLE (100 to Dovecot, which has a process for each, so that
//! a hundred tell what more would cost). Prints one table and writes
//! `MAILGRANT_BENCH_OUT/sandbox.json`. Figures of a busy machine mean little by themselves; the ratios, taken in turns
//! within one run, are what to compare.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, and stops when it cannot go on"
)]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mailgrant_tests::{
    authority::Format,
    bench::{millis, publish, rate, ratio, wanted},
    dovecot::Dovecot,
    pki::Pki,
    sandbox::Sandbox,
    socket::{Socket, Trust},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const MESSAGES: usize = 10_000;
const BODIES: usize = 1_000;
const ROUNDS: usize = 3;
const USERS: usize = 50;
const CONNECTIONS: usize = 1_000;
const FOLDER: &str = "Measured";
const ISSUER: &str = "https://bench.test";
const CLIENT: &str = "a84d2c17-15e3-47f9-b0d6-5c9f3e7a1288";
const PRINCIPAL: &str = "e2c57d90-3b1a-4f68-8c2e-71a9d4065bf3";
const TENANT: &str = "7c1e6a52-90d4-4b3f-a6c8-2d5b81f0e943";

/// What is asked of both, and under which name it is reported.
const QUESTIONS: [(&str, &str); 6] = [
    ("select", "EXAMINE Measured"),
    ("flags", "FETCH 1:* (UID FLAGS)"),
    (
        "listing",
        "FETCH 1:* (FLAGS UID RFC822.SIZE INTERNALDATE ENVELOPE BODYSTRUCTURE)",
    ),
    (
        "header_fields",
        "FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)])",
    ),
    ("bodies", "FETCH 1:1000 (UID BODY.PEEK[])"),
    ("search", "SEARCH SUBJECT \"number 77\""),
];

#[tokio::main]
async fn main() {
    if !wanted("sandbox") {
        return;
    }
    let begun = Instant::now();
    let dir = tempfile::Builder::new()
        .prefix("mailgrant-bench-")
        .tempdir()
        .unwrap();
    // Dovecot's mail user passes through here.
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut report = json!({"messages": MESSAGES});
    let mut sides = [sandbox(dir.path()).await, dovecot(dir.path())];

    let mut sockets = Vec::new();
    for side in &sides {
        let mut socket = side.login(0, 64 << 10).await;
        socket.command(&format!("CREATE {FOLDER}")).await;
        let begun = Instant::now();
        append(&mut socket).await;
        report["append_per_second"][side.name] = rate(MESSAGES, begun.elapsed()).into();
        sockets.push(socket);
    }
    report["questions"] = questions(&mut sockets).await;
    report["one_by_one"] = one_by_one(&mut sockets).await;
    drop(sockets);
    for side in &mut sides {
        report["restart_to_select_ms"][side.name] = side.restart().await;
        report["idle"][side.name] = idle(side).await;
    }
    publish("sandbox", begun, report);
}

enum Server {
    Sandbox(Sandbox),
    Dovecot(Dovecot),
}

struct Side {
    name: &'static str,
    server: Server,
    trust: Trust,
    port: u16,
    /// One for every mailbox, or one each.
    token: String,
    dir: std::path::PathBuf,
}

impl Side {
    async fn login(&self, user: usize, buffer: usize) -> Socket {
        let user = address(user);
        let token = match self.server {
            Server::Sandbox(_) => self.token.clone(),
            Server::Dovecot(_) => jwt(&user),
        };
        Socket::login(&self.trust, self.port, &user, &token, buffer).await
    }

    /// Proportional memory of all its processes, in KiB: what is shared counts once.
    fn memory(&self) -> u64 {
        let root = match &self.server {
            Server::Sandbox(sandbox) => sandbox.server.id(),
            Server::Dovecot(dovecot) => dovecot.server.id(),
        };
        tree(root).into_iter().map(pss).sum()
    }

    /// Ends the server and starts it in the same folder; until a client has selected the large folder, in ms.
    async fn restart(&mut self) -> Value {
        let Server::Sandbox(sandbox) = &mut self.server else {
            return Value::Null;
        };
        sandbox.server.stop().unwrap();
        let begun = Instant::now();
        *self = sandbox_in(&self.dir).await;
        let mut socket = self.login(0, 64 << 10).await;
        socket.command(QUESTIONS[0].1).await;
        begun.elapsed().as_millis().to_string().parse().unwrap()
    }
}

async fn sandbox(dir: &Path) -> Side {
    let dir = dir.join("sandbox");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("tenant.toml"), tenant()).unwrap();
    sandbox_in(&dir).await
}

async fn sandbox_in(dir: &Path) -> Side {
    // What an earlier run left must not be taken for this one's.
    let _ = fs::remove_file(dir.join("ready.json"));
    let tenant = dir.join("tenant.toml").display().to_string();
    let sandbox = Sandbox::start_with(dir, ["--tenant", &tenant]).unwrap();
    let secret = sandbox.application("app_only")["client_secret"]
        .as_str()
        .unwrap()
        .to_owned();
    let token: Value = reqwest::Client::new()
        .post(format!(
            "{}/{TENANT}/oauth2/v2.0/token",
            sandbox.text("/authority")
        ))
        .form(&[
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT),
            ("client_secret", &secret),
            ("scope", "https://outlook.office365.com/.default"),
        ])
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    Side {
        name: "sandbox",
        trust: Trust::new(&dir.join("ca.pem")),
        port: sandbox.ready["imap"]["port"]
            .as_u64()
            .unwrap()
            .try_into()
            .unwrap(),
        token: token["access_token"].as_str().unwrap().to_owned(),
        server: Server::Sandbox(sandbox),
        dir: dir.to_owned(),
    }
}

fn dovecot(dir: &Path) -> Side {
    let dir = dir.join("dovecot");
    let keys = dir.join("keys/default/HS256");
    fs::create_dir_all(&keys).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(keys.join("default"), STANDARD.encode(KEY)).unwrap();
    let pki = Pki::make(&dir).unwrap();
    let dovecot = Dovecot::start(&dir, &pki, ISSUER, Format::Jwt).unwrap();
    Side {
        name: "dovecot",
        trust: Trust::new(&pki.ca),
        port: dovecot.imaps,
        token: String::new(),
        server: Server::Dovecot(dovecot),
        dir,
    }
}

fn address(user: usize) -> String {
    format!("person{user}@bench.test")
}

/// One application that opens every mailbox, without a limit of connections: both servers shall do the same.
fn tenant() -> String {
    let mut text = format!(
        "[tenant]\nid = \"{TENANT}\"\ndisplay_name = \"Bench\"\ndomains = [\"bench.test\"]\n\
         imap_limits = {{ connections = 10000 }}\n\
         [[application]]\nclient_id = \"{CLIENT}\"\ndisplay_name = \"Bench\"\nflow = \"app_only\"\n\
         audience = \"my_organization\"\nservice_principal_id = \"{PRINCIPAL}\"\n\
         permissions = [\"https://outlook.office365.com/IMAP.AccessAsApp\"]\n\
         admin_consent = [\"https://outlook.office365.com/IMAP.AccessAsApp\"]\n\
         [[service_principal]]\napplication = \"{CLIENT}\"\nobject_id = \"{PRINCIPAL}\"\n"
    );
    for user in 0..USERS {
        let address = address(user);
        text.push_str(&format!(
            "[[user]]\naddress = \"{address}\"\ndisplay_name = \"Person {user}\"\n\
             [[mailbox_permission]]\nmailbox = \"{address}\"\ntrustee = \"{CLIENT}\"\n"
        ));
    }
    text
}

/// Text with an HTML part, and an attachment here and there: 2 to 40 KB, 8 on average.
fn message(n: usize) -> String {
    let line = "The quick brown fox jumps over the lazy dog, and so it goes on here.\r\n";
    let text = line.repeat(10 + (n * 37) % 60);
    let html = format!(
        "<html><body><p>{}</p></body></html>",
        line.repeat(10 + (n * 53) % 80)
    );
    let attachment = match n % 10 {
        0 => format!(
            "--outer\r\nContent-Type: application/pdf; name=\"report-{n}.pdf\"\r\n\
             Content-Disposition: attachment; filename=\"report-{n}.pdf\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            "JVBERi0xLjcKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0\r\n"
                .repeat(300)
        ),
        _ => String::new(),
    };
    format!(
        "Received: from mx.example.test ([192.0.2.{}]) by mail.bench.test with ESMTPS id {n};\r\n\
         \tSun, 22 Nov 2026 10:00:00 +0000\r\n\
         From: Sender Number {n} <sender{n}@example.test>\r\nTo: Person <person0@bench.test>, \
         =?utf-8?q?J=C3=BCrgen?= <juergen@example.test>\r\nCc: list@example.test\r\nSubject: Message number {n}\r\n\
         Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{n}@example.test>\r\n\
         In-Reply-To: <{}@example.test>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"outer\"\r\n\r\n\
         --outer\r\nContent-Type: multipart/alternative; boundary=\"inner\"\r\n\r\n\
         --inner\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n\
         --inner\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--inner--\r\n\
         {attachment}--outer--\r\n",
        n % 250,
        n.saturating_sub(1)
    )
}

/// Ten at a time on their way.
async fn append(socket: &mut Socket) {
    for batch in (0..MESSAGES).step_by(10) {
        let mut octets = Vec::new();
        for n in batch..batch + 10 {
            let message = message(n);
            octets.extend(
                format!(
                    "t APPEND {FOLDER} (\\Seen) {{{}+}}\r\n{message}\r\n",
                    message.len()
                )
                .into_bytes(),
            );
        }
        socket.send(&octets).await;
        for _ in 0..10 {
            socket.done().await;
        }
    }
}

/// Each question to both in turns; the best time of each server.
async fn questions(sockets: &mut [Socket]) -> Value {
    let mut answers = json!({});
    for (name, question) in QUESTIONS {
        let mut times = vec![Duration::MAX; sockets.len()];
        let mut first = vec![Duration::ZERO; sockets.len()];
        let mut octets = vec![0; sockets.len()];
        for round in 0..ROUNDS {
            for (at, socket) in sockets.iter_mut().enumerate() {
                let (begun, before) = (Instant::now(), socket.read);
                socket.command(question).await;
                times[at] = times[at].min(begun.elapsed());
                octets[at] = socket.read - before;
                if round == 0 {
                    first[at] = begun.elapsed();
                }
            }
        }
        answers[name] = json!({
            "sandbox_ms": millis(times[0]),
            "dovecot_ms": millis(times[1]),
            "sandbox_first_ms": millis(first[0]),
            "dovecot_first_ms": millis(first[1]),
            "sandbox_to_dovecot": ratio(times[1], times[0]),
            "sandbox_octets": octets[0],
            "dovecot_octets": octets[1],
        });
    }
    answers
}

/// A thousand messages, each by a command of its own.
async fn one_by_one(sockets: &mut [Socket]) -> Value {
    let mut times = vec![Duration::MAX; sockets.len()];
    for _ in 0..ROUNDS {
        for (at, socket) in sockets.iter_mut().enumerate() {
            let begun = Instant::now();
            for n in 1..=BODIES {
                socket
                    .command(&format!("FETCH {n} (UID BODY.PEEK[])"))
                    .await;
            }
            times[at] = times[at].min(begun.elapsed());
        }
    }
    json!({
        "sandbox_per_second": rate(BODIES, times[0]),
        "dovecot_per_second": rate(BODIES, times[1]),
        "sandbox_to_dovecot": ratio(times[1], times[0]),
    })
}

/// How soon the twenty sessions of a mailbox learn of a message, and what a thousand connections in IDLE cost.
///
/// In this order: Dovecot looks only every half minute once the system has given it its 128 inotify instances.
async fn idle(side: &Side) -> Value {
    let mut sender = side.login(0, 1 << 10).await;
    let mut told = Vec::new();
    {
        let mut listeners = waiting(side, 20, |_| 0).await;
        for n in 0..5 {
            let message = message(n);
            let append = format!("t APPEND INBOX {{{}+}}\r\n{message}\r\n", message.len());
            let begun = Instant::now();
            sender.send(append.as_bytes()).await;
            for socket in &mut listeners {
                socket.until(b"* ").await;
                while !socket.last().contains("EXISTS") {
                    socket.until(b"* ").await;
                }
            }
            told.push(begun.elapsed());
            sender.done().await;
        }
    }
    told.sort_unstable();
    let count = match side.server {
        Server::Sandbox(_) => CONNECTIONS,
        Server::Dovecot(_) => CONNECTIONS / 10,
    };
    let before = side.memory();
    let begun = Instant::now();
    let sockets = waiting(side, count, |n| n % USERS).await;
    let connected = begun.elapsed();
    let after = side.memory();
    drop(sockets);
    json!({
        "connections": count,
        "twenty_told_ms": millis(told[2]),
        "memory_before_kib": before,
        "memory_after_kib": after,
        "kib_per_connection": (after.saturating_sub(before) as f64 / count as f64 * 10.0).round() / 10.0,
        "connected_per_second": rate(count, connected),
    })
}

/// So many connections that have selected the inbox and wait.
async fn waiting(side: &Side, count: usize, user: impl Fn(usize) -> usize) -> Vec<Socket> {
    let mut sockets = Vec::new();
    for n in 0..count {
        let mut socket = side.login(user(n), 1 << 10).await;
        socket.command("SELECT INBOX").await;
        socket.send(b"t IDLE\r\n").await;
        socket.until(b"+ ").await;
        sockets.push(socket);
    }
    sockets
}

/// A process and all below it.
fn tree(root: u32) -> Vec<u32> {
    let mut all = vec![root];
    let mut next = 0;
    while let Some(process) = all.get(next).copied() {
        next += 1;
        let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"))
            .unwrap_or_default();
        all.extend(
            children
                .split_whitespace()
                .filter_map(|id| id.parse::<u32>().ok()),
        );
    }
    all
}

fn pss(process: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
    rollup
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0)
}

/// A token that Dovecot checks by itself (RFC 7519, HS256).
fn jwt(user: &str) -> String {
    let now = jiff::Timestamp::now().as_second();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!(
        "{}.{}",
        part(json!({"alg": "HS256", "typ": "JWT", "kid": "default"})),
        part(
            json!({"iss": ISSUER, "sub": user, "email": user, "iat": now, "nbf": now, "exp": now + 3600})
        )
    );
    let signature = URL_SAFE_NO_PAD.encode(hmac(KEY, signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// RFC 2104 with SHA-256, for a key of at most 64 octets.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let pad = |with: u8| -> Vec<u8> {
        (0..64)
            .map(|at| key.get(at).copied().unwrap_or(0) ^ with)
            .collect()
    };
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(text)
        .finalize();
    Sha256::new()
        .chain_update(pad(0x5C))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

const KEY: &[u8] = b"a key of this benchmark, 32 bytes";
