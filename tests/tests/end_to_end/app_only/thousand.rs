//! A thousand mailboxes of one application: one token request in a token's lifetime, whatever is done with them.
//!
//! The sandbox is a process of its own; the gateway runs here, so that its clock can be moved together with the sandbox's.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use mailgrant_core::time::UnixTime;
use mailgrant_server::{Clock, Environment, Gateway, RunningGateway, Settings};
use mailgrant_storage::{ApiScope, NewApiKey};
use mailgrant_tests::{archive, gateway::Answer, sandbox::Sandbox};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;

const MAILBOXES: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_mailboxes_cost_one_token_request_per_lifetime() {
    let world = World::start().await;
    let begun = Instant::now();
    let accounts = world.add_all().await;
    assert_eq!(accounts.len(), MAILBOXES);
    assert_eq!(world.token_requests().await, 1, "for a thousand additions");
    println!("added after {:?}", begun.elapsed());

    world.read_all(&accounts, StatusCode::OK).await;
    assert_eq!(world.token_requests().await, 1, "for reading them all too");
    println!("read after {:?}", begun.elapsed());

    world.let_pass(3_700).await;
    world.read_all(&accounts, StatusCode::OK).await;
    assert_eq!(
        world.token_requests().await,
        2,
        "one more for the next hour"
    );
    println!("read in the next hour after {:?}", begun.elapsed());

    // The secret ends. Each mailbox says so; the authority is asked once, and again only after the pause.
    world.secret(Some("2026-01-01T00:00:00Z")).await;
    world.let_pass(3_700).await;
    let refused = world.read_all(&accounts, StatusCode::CONFLICT).await;
    assert!(
        refused
            .iter()
            .all(|answer| answer.code() == "authority_refused"
                && answer.body["diagnosis"]["code"] == "client_secret_expired")
    );
    assert_eq!(world.token_requests().await, 3, "asked once, refused once");
    println!("refused after {:?}", begun.elapsed());
    let degraded = world.get("/v1/accounts?state=degraded&limit=1").await;
    assert_eq!(degraded.body["items"].as_array().unwrap().len(), 1);

    // The operator has a new secret: after the pause one request mends them all.
    world.secret(None).await;
    world.let_pass(120).await;
    world.read_all(&accounts, StatusCode::OK).await;
    assert_eq!(world.token_requests().await, 4);
    let degraded = world.get("/v1/accounts?state=degraded&limit=1").await;
    assert_eq!(degraded.body["items"], json!([]), "all are well again");
    println!("mended after {:?}", begun.elapsed());

    let open = world.sandbox.look("imap/sessions").await.unwrap();
    let open: u64 = open["open"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|mailbox| mailbox["sessions"].as_u64())
        .sum();
    assert!(open <= 256, "{open} sessions open");
    let resident = resident_kilobytes();
    println!("{open} sessions, {resident} kB");
    assert!(resident < 400_000, "{resident} kB");
    world.gateway.stop().await;
}

/// A clock that moves when it is told to.
struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::SeqCst))
    }
}

struct World {
    gateway: RunningGateway,
    sandbox: Sandbox,
    clock: Arc<Moved>,
    url: String,
    key: String,
    http: reqwest::Client,
    _dir: TempDir,
}

impl World {
    async fn start() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("mailgrant-test-")
            .tempdir()
            .unwrap();
        let sandbox = archive::start(dir.path(), MAILBOXES).await.unwrap();
        let settings = settings(dir.path(), &sandbox);
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        let clock = Arc::new(Moved(AtomicI64::new(now.as_secs().try_into().unwrap())));
        let environment = Environment {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ..Environment::system()
        };
        let gateway = Gateway::start(settings, environment).await.unwrap();
        let key = NewApiKey {
            site: "default".to_owned(),
            label: "test".to_owned(),
            scopes: ApiScope::ALL.iter().copied().collect::<BTreeSet<_>>(),
        };
        let storage = gateway.storage();
        let (_, secret) = storage.api_keys().add(key, clock.now()).await.unwrap();
        Self {
            url: gateway.url().as_str().trim_end_matches('/').to_owned(),
            gateway,
            sandbox,
            clock,
            key: secret.expose().to_owned(),
            http: reqwest::Client::new(),
            _dir: dir,
        }
    }

    /// In hundreds, as the API takes them.
    async fn add_all(&self) -> Vec<String> {
        let mut accounts = Vec::new();
        for hundred in 0..MAILBOXES / 100 {
            let addresses: Vec<_> = (0..100)
                .map(|each| archive::address(hundred * 100 + each))
                .collect();
            let body = json!({"application": "archive", "addresses": addresses});
            let request = self.request(Method::POST, "/v1/accounts").json(&body);
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            let items = answer.body["items"].as_array().unwrap();
            for (item, address) in items.iter().zip(&addresses) {
                assert_eq!(item["address"], *address);
                let id = item["account"]["id"].as_str();
                accounts.push(id.unwrap_or_else(|| panic!("{item:#}")).to_owned());
            }
        }
        accounts
    }

    /// The newest email of every mailbox, by sixteen readers.
    async fn read_all(&self, accounts: &[String], expected: StatusCode) -> Vec<Answer> {
        let mut readers = JoinSet::new();
        for share in accounts.chunks(accounts.len().div_ceil(16)) {
            let requests: Vec<_> = share
                .iter()
                .map(|account| {
                    self.request(
                        Method::GET,
                        &format!("/v1/accounts/{account}/emails?limit=1"),
                    )
                })
                .collect();
            readers.spawn(async move {
                let mut answers = Vec::new();
                for request in requests {
                    answers.push(Answer::of(request).await);
                }
                answers
            });
        }
        let answers: Vec<Answer> = readers.join_all().await.into_iter().flatten().collect();
        assert_eq!(answers.len(), accounts.len());
        for answer in &answers {
            assert_eq!(answer.status, expected, "{}", answer.text);
            if expected == StatusCode::OK {
                assert_eq!(
                    answer.body["items"][0]["subject"], "Hello",
                    "{}",
                    answer.text
                );
            }
        }
        answers
    }

    /// On both sides at once.
    async fn let_pass(&self, seconds: u32) {
        self.clock.0.fetch_add(seconds.into(), Ordering::SeqCst);
        let passed = json!({ "advance_seconds": seconds });
        self.sandbox.control("clock", &passed).await.unwrap();
    }

    async fn secret(&self, expires: Option<&str>) {
        let mut secret =
            json!({"id": "11111111-2222-3333-4444-555555555553", "value": "archive~secret"});
        if let Some(expires) = expires {
            secret["expires"] = expires.into();
        }
        let path = format!("directory/applications/{}", archive::CLIENT_ID);
        let change = json!({ "secrets": [secret] });
        self.sandbox.change(&path, &change).await.unwrap();
    }

    /// Counted by the authority, answered or refused.
    async fn token_requests(&self) -> u64 {
        let log = self.sandbox.requests().await.unwrap();
        let counts = log["counts"].as_object().unwrap();
        counts
            .iter()
            .filter(|(sort, _)| sort.starts_with("token"))
            .filter_map(|(_, count)| count.as_u64())
            .sum()
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .timeout(Duration::from_secs(100))
            .bearer_auth(&self.key)
    }
}

fn settings(dir: &Path, sandbox: &Sandbox) -> Settings {
    let home = dir.join("gateway");
    let text = archive::settings(&home, sandbox, 0).unwrap();
    let file = home.join("mailgrant.toml");
    fs::write(&file, text).unwrap();
    Settings::load(Some(&file), std::iter::empty()).unwrap()
}

/// Of this process, and so of the gateway in it.
fn resident_kilobytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kilobytes.unwrap_or_default()
}
