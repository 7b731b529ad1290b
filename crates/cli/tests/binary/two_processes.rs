//! Two gateways on one database, and an authority that gives each refresh token's successor once.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mailgrant_core::scope::Scopes;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::RefreshToken;
use mailgrant_storage::{
    AccountState, ApiScope, Flow, Identity, MasterKeySource, NewAccount, NewApiKey, NewGrant,
    SystemRandom,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::process::{Home, Server, mailgrant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_never_use_a_refresh_token_twice() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    let gateways = [world.gateway("a"), world.gateway("b")];
    let mut callers = Vec::new();
    for number in 0..8 {
        let caller = world.caller(&gateways[number % 2]);
        callers.push(tokio::spawn(async move {
            for _ in 0..12 {
                caller.gets_a_token().await;
            }
        }));
    }
    // The command line is a third process.
    for _ in 0..4 {
        let home = world.home.path("a");
        let output = mailgrant()
            .args(["token", "--account", &world.account])
            .args(["--min-lifetime", "0", "--config"])
            .arg(home.join("mailgrant.toml"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    for caller in callers {
        caller.await.unwrap();
    }
    let seen = authority.seen();
    assert!(seen.refreshes >= 12, "{seen:?}");
    assert_eq!((seen.repeated, seen.dead), (0, false), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_killed_in_the_middle_of_a_refresh_leaves_the_grant_to_the_other() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    let (killed, other) = (world.gateway("a"), world.gateway("b"));
    world.caller(&other).gets_a_token().await;

    // The authority has used up the token, and its answer will reach nobody.
    authority.hold();
    let lost = world.caller(&killed);
    let lost = tokio::spawn(async move { lost.ask().await });
    authority.arrived().await;
    let waiting = world.caller(&other);
    let waiting = tokio::spawn(async move { waiting.gets_a_token().await });
    let before = authority.seen();
    let status = killed.end("-KILL");
    assert!(!status.success());
    authority.release();
    assert!(lost.await.unwrap().is_none());

    // It has waited until then, not longer, and asks with the token that is on disk: the only one there is.
    waiting.await.unwrap();
    assert_eq!(before.repeated, 0);
    let seen = authority.seen();
    assert_eq!((seen.repeated, seen.dead), (1, false), "{seen:?}");
    let again = world.gateway("a");
    for gateway in [&again, &other, &again] {
        world.caller(gateway).gets_a_token().await;
    }
    let seen = authority.seen();
    assert_eq!((seen.repeated, seen.dead), (1, false), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_stopped_in_the_middle_of_a_refresh_keeps_the_grant() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    let (stopped, other) = (world.gateway("a"), world.gateway("b"));
    authority.hold();
    let first = world.caller(&stopped);
    let first = tokio::spawn(async move { first.gets_a_token().await });
    authority.arrived().await;
    stopped.signal("-STOP");
    let waiting = world.caller(&other);
    let mut waiting = tokio::spawn(async move { waiting.gets_a_token().await });
    let passed = tokio::time::timeout(Duration::from_secs(2), &mut waiting).await;
    assert!(passed.is_err(), "it did not wait");
    assert_eq!(authority.seen().refreshes, 1);
    stopped.signal("-CONT");
    authority.release();
    first.await.unwrap();
    waiting.await.unwrap();
    let seen = authority.seen();
    assert_eq!(
        (seen.refreshes, seen.repeated, seen.dead),
        (2, 0, false),
        "{seen:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_is_interrupted_in_the_middle_of_a_refresh_keeps_the_grant() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    for (refreshes, signal) in [(1, "-INT"), (2, "-TERM")] {
        authority.hold();
        let mut child = mailgrant()
            .env("MAILGRANT_LOG", "info")
            .args(["token", "--account", &world.account])
            .args(["--min-lifetime", "86000", "--config"])
            .arg(world.home.path("a").join("mailgrant.toml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        authority.arrived().await;
        let id = child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
        // The answer comes after the signal.
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        tokio::task::block_in_place(|| {
            while !said.contains("ending") && errors.read_line(&mut said).unwrap() > 0 {}
        });
        authority.release();
        let ended = tokio::task::block_in_place(|| {
            errors.read_to_string(&mut said).unwrap();
            child.wait_with_output().unwrap()
        });
        assert_eq!(ended.status.code(), Some(1), "{signal}: {said}");
        assert!(
            ended.stdout.is_empty() && said.contains("interrupted"),
            "{said}"
        );
        let seen = authority.seen();
        assert_eq!(seen.refreshes, refreshes, "{seen:?}");
        assert_eq!((seen.repeated, seen.dead), (0, false), "{signal}: {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_stopped_in_the_middle_of_an_import_keeps_its_token() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    let (stopped, other) = (world.gateway("a"), world.gateway("b"));
    authority.hold();
    let first = world.caller(&stopped);
    let first = tokio::spawn(async move { first.import().await });
    authority.arrived().await;
    stopped.signal("-STOP");
    // Some rounds of the other gateway, and somebody who gives it the same token.
    let caller = world.caller(&other);
    let (status, body) = caller.import().await.expect("an answer");
    assert_eq!((status, &body["code"]), (503, &json!("busy")), "{body:#}");
    assert_eq!(authority.seen().refreshes, 1);
    stopped.signal("-CONT");
    authority.release();
    let (_, body) = first.await.unwrap().expect("an answer");
    assert_eq!(body["code"], "mail_server_unavailable", "{body:#}");
    // The other one goes on with what the first one was given.
    let (_, body) = caller.import().await.expect("an answer");
    assert_eq!(body["code"], "mail_server_unavailable", "{body:#}");
    let seen = authority.seen();
    assert_eq!(
        (seen.refreshes, seen.repeated, seen.dead),
        (2, 0, false),
        "{seen:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_leaves_the_token_to_nobody_who_would_use_it_too() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    let (left, other) = (world.gateway("a"), world.gateway("b"));
    authority.hold();
    let gone = world.caller(&left);
    let gone = tokio::spawn(async move { gone.import().await });
    authority.arrived().await;
    gone.abort();
    let caller = world.caller(&other);
    let (status, body) = caller.import().await.expect("an answer");
    assert_eq!((status, &body["code"]), (503, &json!("busy")), "{body:#}");
    assert_eq!(authority.seen().refreshes, 1);
    authority.release();
    // What the authority gave is on disk although nobody waited for it.
    let (_, body) = caller.import().await.expect("an answer");
    assert_eq!(body["code"], "mail_server_unavailable", "{body:#}");
    let seen = authority.seen();
    assert_eq!((seen.repeated, seen.dead), (0, false), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_successor_that_is_not_on_disk_yet_keeps_the_grant() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    let (first, other) = (world.gateway("a"), world.gateway("b"));
    let (caller, next) = (world.caller(&first), world.caller(&other));
    let refused = world
        .answered_without_a_database(&authority, async move { caller.ask().await })
        .await;
    assert_eq!(refused["code"], "storage_unavailable", "{refused:#}");
    // The first one stores it by itself, soon; until then nobody shows the authority the token that is on disk.
    next.gets_a_token().await;
    let seen = authority.seen();
    assert!(seen.refreshes >= 2, "{seen:?}");
    assert_eq!((seen.repeated, seen.dead), (0, false), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_successor_that_is_not_on_disk_yet_keeps_the_import() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    let (first, other) = (world.gateway("a"), world.gateway("b"));
    let (caller, next) = (world.caller(&first), world.caller(&other));
    let refused = world
        .answered_without_a_database(&authority, async move { caller.import().await })
        .await;
    assert_eq!(refused["code"], "storage_unavailable", "{refused:#}");
    let (_, body) = next.import().await.expect("an answer");
    assert_eq!(body["code"], "mail_server_unavailable", "{body:#}");
    let seen = authority.seen();
    assert_eq!(
        (seen.refreshes, seen.repeated, seen.dead),
        (2, 0, false),
        "{seen:?}"
    );
}

/// Settings, a database with one account, and a key for its requests.
struct World {
    home: Home,
    account: String,
    key: String,
}

impl World {
    async fn new(authority: &Authority) -> Self {
        let home = Home::new();
        let database = home.path("mailgrant.db");
        for name in ["a", "b"] {
            std::fs::create_dir(home.path(name)).unwrap();
            let settings = format!(
                r#"
[server]
listen = "127.0.0.1:0"
[storage]
url = "sqlite:{database}"
[master_key]
file = "{master}"
[[provider]]
id = "strict"
issuer = "{url}"
authorization_endpoint = "{url}/authorize"
token_endpoint = "{url}/token"
jwks_uri = "{url}/keys"
scopes = ["mail"]
imap = {{ host = "127.0.0.1", port = 9, tls = "implicit" }}
[[application]]
id = "strict"
provider = "strict"
client_id = "client"
"#,
                database = database.display(),
                master = home.path("master.key").display(),
                url = authority.url,
            );
            home.write(&format!("{name}/mailgrant.toml"), &settings);
        }
        let now = UnixTime(jiff::Timestamp::now().as_second());
        let storage = mailgrant_storage::open(
            &format!("sqlite:{}", database.display()),
            MasterKeySource::File(home.path("master.key")),
            Arc::new(SystemRandom),
            now,
        )
        .await
        .unwrap();
        let account = NewAccount {
            site: "default".to_owned(),
            application: "strict".to_owned(),
            flow: Flow::Delegated,
            tenant: None,
            state: AccountState::Connected,
            imap_user: "ada@example.com".to_owned(),
            smtp_user: "ada@example.com".to_owned(),
            from_address: "ada@example.com".to_owned(),
            identity: Some(Identity {
                issuer: authority.url.clone(),
                subject: "ada".to_owned(),
                tenant_id: None,
                object_id: None,
                email: None,
                preferred_username: None,
                name: None,
            }),
            diagnosis: None,
            metadata: json!({}),
        };
        let grant = NewGrant {
            refresh_token: RefreshToken::new("refresh-0").unwrap(),
            scopes: Scopes::parse("mail").unwrap(),
        };
        let account = storage.accounts().add(account, Some(grant), now).await;
        let key = NewApiKey {
            site: "default".to_owned(),
            label: "test".to_owned(),
            scopes: ApiScope::ALL.iter().copied().collect(),
        };
        let (_, key) = storage.api_keys().add(key, now).await.unwrap();
        storage.close().await;
        Self {
            home,
            account: account.unwrap().id.to_string(),
            key: key.expose().to_owned(),
        }
    }

    /// What is answered when the database is gone from before the authority answers until it was given up.
    async fn answered_without_a_database(
        &self,
        authority: &Authority,
        asked: impl Future<Output = Option<(u16, Value)>> + Send + 'static,
    ) -> Value {
        authority.hold();
        let asked = tokio::spawn(asked);
        authority.arrived().await;
        let (database, aside) = (self.home.path("mailgrant.db"), self.home.path("aside.db"));
        std::fs::rename(&database, &aside).unwrap();
        authority.release();
        let (_, body) = asked.await.unwrap().expect("an answer");
        std::fs::rename(&aside, &database).unwrap();
        body
    }

    fn gateway(&self, name: &str) -> Server {
        let folder = self.home.path(name);
        let _ = std::fs::remove_file(folder.join("ready.json"));
        let mut command = mailgrant();
        command
            .args(["serve", "--config"])
            .arg(folder.join("mailgrant.toml"));
        Server::start(command, &folder)
    }

    fn caller(&self, gateway: &Server) -> Caller {
        let url = gateway.text("gateway").trim_end_matches('/');
        Caller {
            http: mailgrant_oauth::http_client(None, &mailgrant_oauth::Policy::default()).unwrap(),
            accounts: format!("{url}/v1/accounts"),
            account: self.account.clone(),
            key: self.key.clone(),
        }
    }
}

/// Asks one gateway.
struct Caller {
    http: reqwest::Client,
    accounts: String,
    account: String,
    key: String,
}

impl Caller {
    /// For the account's access token.
    async fn ask(&self) -> Option<(u16, Value)> {
        let url = format!("{}/{}/access-token", self.accounts, self.account);
        self.answer(self.http.post(url)).await
    }

    /// Brings the first refresh token along, for a mailbox whose server is down.
    async fn import(&self) -> Option<(u16, Value)> {
        let wanted = json!({"application": "strict", "address": "eve@example.com", "refresh_token": "refresh-0"});
        let request = self.http.post(&self.accounts);
        let request = request.header("Content-Type", "application/json");
        self.answer(request.body(wanted.to_string())).await
    }

    /// Status and body; nothing when the gateway goes away meanwhile.
    async fn answer(&self, request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
        let answer = request.bearer_auth(&self.key).send().await.ok()?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.ok()?;
        Some((status, serde_json::from_slice(&body).unwrap_or_default()))
    }

    async fn gets_a_token(&self) {
        let (status, body) = self.ask().await.expect("an answer");
        assert_eq!(status, 200, "{body:#}");
    }
}

/// Ends the grant when a refresh token is used again after its successor was (RFC 9700 §4.14.2). Until then it gives the
/// same successor again, for a client that has not got it. Its access tokens are never good for a second request.
struct Authority {
    url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    seen: Mutex<Seen>,
    arrived: Notify,
    released: Notify,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    refreshes: u32,
    /// The number of the token that was used last.
    used: Option<u32>,
    /// Tokens that were used again.
    repeated: u32,
    dead: bool,
    /// The next answer waits.
    holds: bool,
}

impl Authority {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move { serve(stream, &state).await });
            }
        });
        Self { url, state }
    }

    fn seen(&self) -> Seen {
        self.state.seen.lock().unwrap().clone()
    }

    fn hold(&self) {
        self.state.seen.lock().unwrap().holds = true;
    }

    async fn arrived(&self) {
        self.state.arrived.notified().await;
    }

    fn release(&self) {
        self.state.released.notify_one();
    }
}

impl State {
    fn refresh(&self, token: &str) -> (u16, Value) {
        let mut seen = self.seen.lock().unwrap();
        seen.refreshes += 1;
        let number = token.strip_prefix("refresh-").and_then(|n| n.parse().ok());
        let Some(number) = number.filter(|_| !seen.dead) else {
            return (400, json!({"error": "invalid_grant"}));
        };
        match seen.used {
            Some(used) if number < used => {
                seen.repeated += 1;
                seen.dead = true;
                return (400, json!({"error": "invalid_grant"}));
            }
            Some(used) if number == used => seen.repeated += 1,
            _ => seen.used = Some(number),
        }
        let answer = json!({
            "access_token": format!("access-{}", seen.refreshes), "token_type": "Bearer", "expires_in": 1,
            "refresh_token": format!("refresh-{}", number + 1), "scope": "mail",
        });
        (200, answer)
    }

    fn takes_hold(&self) -> bool {
        std::mem::take(&mut self.seen.lock().unwrap().holds)
    }
}

/// One request on one connection.
async fn serve(mut stream: TcpStream, state: &State) {
    let Some(form) = form(&mut stream).await else {
        return;
    };
    let (status, answer) = state.refresh(&form["refresh_token"]);
    if state.takes_hold() {
        state.arrived.notify_one();
        state.released.notified().await;
    }
    let answer = answer.to_string();
    let answer = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

async fn form(stream: &mut TcpStream) -> Option<BTreeMap<String, String>> {
    let mut octets = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&octets).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let (_, length) = head.split_once("content-length: ")?;
            let length: usize = length.split("\r\n").next()?.parse().ok()?;
            if body.len() >= length {
                let pairs = url::form_urlencoded::parse(body.as_bytes());
                return Some(pairs.into_owned().collect());
            }
        }
        if stream.read_buf(&mut octets).await.ok()? == 0 {
            return None;
        }
    }
}
