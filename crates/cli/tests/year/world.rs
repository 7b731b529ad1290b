//! A sandbox and a gateway under one clock, with everybody who has to do with them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use mailgrant_core::time::UnixTime;
use mailgrant_oauth::Policy;
use mailgrant_sandbox::{Clock, Running, Sandbox, SandboxSettings, control::FaultPlan};
use mailgrant_server::{Environment, Gateway, RunningGateway, Settings};
use mailgrant_storage::{ApiScope, NewApiKey};
use rcgen::{CertificateParams, KeyPair, RsaKeySize};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    calendar::LIFE,
    person::{Page, Person},
};

pub const SITE: &str = "https://app.example.com";
/// Whose mailbox is connected.
pub const PERSON: &str = "ada.finch@tarnbrook.test";
/// Whose mailbox is connected and hardly ever used.
pub const OTHER: &str = "bruno.keller@tarnbrook.test";
/// The mailbox that an administrator gave to the application.
pub const SHARED: &str = "support@tarnbrook.test";

pub struct World {
    pub clock: Clock,
    pub sandbox: Running,
    gateway: Option<RunningGateway>,
    port: u16,
    key: String,
    http: reqwest::Client,
    folder: TempDir,
}

/// The one clock, as the gateway reads it.
struct Shared(Clock);

impl mailgrant_server::Clock for Shared {
    fn now(&self) -> UnixTime {
        self.0.now()
    }
}

/// In memory where the system has such a place: a year syncs a hundred thousand times, and a disk would take minutes for
/// it. Nothing here depends on what survives a power cut.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    tempfile::tempdir_in(memory).unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// An answer of the gateway.
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl World {
    /// Starts both at that moment. `secret_ends`: the date of the delegated application's secret.
    pub async fn start(at: i64, secret_ends: Option<&str>) -> Self {
        let folder = folder();
        let clock = Clock::fixed(UnixTime(at));
        // To be the same after each restart: it is in the links.
        let port = mailgrant_tests::port::free_port();
        let mut settings = SandboxSettings::new(folder.path().join("sandbox"));
        settings.clock = clock.clone();
        settings.access_token_lifetime = Duration::from_secs(LIFE.unsigned_abs());
        settings
            .redirect_uris
            .push(format!("http://127.0.0.1:{port}/oauth/callback"));
        let sandbox = Sandbox::start(settings).await.unwrap();
        let http = mailgrant_oauth::http_client(None, &mailgrant_oauth::Policy::default()).unwrap();
        let mut world = Self {
            clock,
            sandbox,
            gateway: None,
            port,
            key: String::new(),
            http,
            folder,
        };
        for id in ["delegated", "app_only"] {
            world.write_secret(id, &world.secret(id));
        }
        world.write_settings(secret_ends);
        world.start_gateway().await;
        let key = NewApiKey {
            site: "default".to_owned(),
            label: "test".to_owned(),
            scopes: ApiScope::ALL.iter().copied().collect(),
        };
        let storage = world.gateway().storage();
        let (_, key) = storage.api_keys().add(key, UnixTime(at)).await.unwrap();
        world.key = key.expose().to_owned();
        world
    }

    pub fn gateway(&self) -> &RunningGateway {
        self.gateway.as_ref().expect("a running gateway")
    }

    pub fn now(&self) -> i64 {
        self.clock.now().0
    }

    pub fn advance_to(&self, at: i64) {
        let seconds = u64::try_from(at - self.now()).expect("time goes forward");
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub async fn restart(&mut self) {
        self.stop_gateway().await;
        self.start_gateway().await;
    }

    /// The gateway's round is cut off after this time, as by `kill -9`: what was on disk then is what the next one finds. (The
    /// process here goes on to its end, but on files that nobody looks at afterwards.)
    pub async fn kill(&mut self, after: Duration) {
        let image = self.file("image");
        std::fs::create_dir(&image).unwrap();
        let photograph = async {
            tokio::time::sleep(after).await;
            for file in DATABASE {
                // The write-ahead log is not there when nothing has been written yet.
                let _ = std::fs::copy(self.file(file), image.join(file));
            }
        };
        tokio::join!(self.gateway().round(), photograph);
        self.stop_gateway().await;
        for file in DATABASE {
            let _ = std::fs::remove_file(self.file(file));
            let _ = std::fs::rename(image.join(file), self.file(file));
        }
        std::fs::remove_dir(&image).unwrap();
        self.start_gateway().await;
    }

    pub async fn stop(mut self) {
        self.stop_gateway().await;
        self.sandbox.stop().await;
    }

    async fn stop_gateway(&mut self) {
        self.gateway.take().expect("a running gateway").stop().await;
    }

    async fn start_gateway(&mut self) {
        let settings = Settings::load(Some(&self.file("mailgrant.toml")), std::iter::empty());
        let environment = Environment {
            clock: Arc::new(Shared(self.clock.clone())),
            // The authority is asked again at once where it may be: that pause is the machine's time, not this clock's.
            patience: Policy {
                backoff: Duration::ZERO,
                ..Policy::default()
            },
            ..Environment::system()
        };
        let started = Gateway::start(settings.unwrap(), environment).await;
        self.gateway = Some(started.unwrap());
    }

    /// Calls the API.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let mut request = self
            .http
            .request(method.parse().unwrap(), url)
            .bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.bytes().await.unwrap();
        Answer {
            status,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }

    /// The person connects the mailbox through the site's button; gives the account.
    pub async fn connect(&self, person: &mut Person, address: &str) -> String {
        let session = json!({"application": "delegated", "login_hint": address});
        let session = self
            .call("POST", "/v1/connect-sessions", Some(session))
            .await;
        assert_eq!(session.status, 201, "{:#}", session.body);
        let link = session.body["connect_url"].as_str().unwrap();
        let page = person.follow_link(link, &format!("{SITE}/")).await;
        let page = self.sign_in(person, address, page).await;
        let path = format!(
            "/v1/connect-sessions/{}",
            session.body["id"].as_str().unwrap()
        );
        let session = self.call("GET", &path, None).await.body;
        assert_eq!(session["status"], "connected", "{session:#}\n{}", page.body);
        session["account_id"].as_str().unwrap().to_owned()
    }

    /// Goes through the authority's pages until they lead back.
    pub async fn sign_in(&self, person: &mut Person, address: &str, mut page: Page) -> Page {
        let description = self.sandbox.description();
        let password = description
            .users
            .iter()
            .find(|user| user.address == address)
            .map(|user| user.password.as_str())
            .unwrap();
        for _ in 0..5 {
            if !page.url.as_str().starts_with(&description.authority) {
                break;
            }
            page = if page.has("password") {
                person
                    .submit(&page, &[("login", address), ("password", password)])
                    .await
            } else {
                person.submit(&page, &[("decision", "accept")]).await
            };
        }
        page
    }

    /// The administrator's mailbox becomes an account.
    pub async fn add_app_only(&self) -> String {
        let body = json!({"application": "app_only", "address": SHARED});
        let answer = self.call("POST", "/v1/accounts", Some(body)).await;
        assert_eq!(answer.status, 201, "{:#}", answer.body);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// A call of the sandbox's control API.
    pub async fn control(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{path}", self.sandbox.description().control);
        let mut request = self
            .http
            .request(method.parse().unwrap(), url)
            .header("X-Sandbox-Control", "1");
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body = answer.bytes().await.unwrap();
        assert!(
            status.is_success(),
            "{method} {path}: {status} {}",
            String::from_utf8_lossy(&body)
        );
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// The person has a new password, as far as tokens know.
    pub async fn change_password(&self) {
        self.control("POST", "/revoke", Some(json!({"user": PERSON})))
            .await;
    }

    /// The delegated application's first secret ends then.
    pub async fn secret_ends(&self, date: &str) {
        let path = self.secrets();
        let application = path.trim_end_matches("/secrets");
        let application = self.control("GET", application, None).await;
        let id = application["secrets"][0]["id"].as_str().unwrap();
        let end = json!({"expires": format!("{date}T00:00:00Z")});
        self.control("PATCH", &format!("{path}/{id}"), Some(end))
            .await;
    }

    /// The operator makes another secret at the provider; gives its value.
    pub async fn new_secret(&self, ends: &str) -> String {
        let new = json!({"display_name": "the next", "expires": format!("{ends}T00:00:00Z")});
        let made = self.control("POST", &self.secrets(), Some(new)).await;
        made["value"].as_str().unwrap().to_owned()
    }

    fn secrets(&self) -> String {
        let client_id = self.application("delegated").client_id;
        format!("/directory/applications/{client_id}/secrets")
    }

    /// The operator makes a certificate that is good until then (midnight), registers it as the only credential of the
    /// application without people, and puts it where the settings look for it, with its key.
    pub async fn new_certificate(&self, (year, month, day): (i32, u8, u8)) {
        let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let mut certificate = CertificateParams::new(Vec::new()).unwrap();
        certificate.not_before = rcgen::date_time_ymd(2026, 1, 1);
        certificate.not_after = rcgen::date_time_ymd(year, month, day);
        let certificate = certificate.self_signed(&key).unwrap().pem();
        let client_id = self.application("app_only").client_id;
        let registered = json!({"secrets": [], "certificates": [{"pem": certificate}]});
        let path = format!("/directory/applications/{client_id}");
        self.control("PATCH", &path, Some(registered)).await;
        self.put(
            CERTIFICATE,
            &format!("{certificate}{}", key.serialize_pem()),
        );
    }

    /// Requests for tokens that reached the authority and were answered by it, of that grant type.
    pub fn token_requests(&self, grant_type: &str) -> u64 {
        let counts = self.sandbox.requests().counts();
        counts
            .get(&format!("token.{grant_type}"))
            .copied()
            .unwrap_or(0)
    }

    pub fn faults(&self, plan: FaultPlan) {
        if self.sandbox.faults().plan() != plan {
            self.sandbox.faults().set(plan);
        }
    }

    /// The operator writes a secret into the application's file.
    pub fn write_secret(&self, application: &str, secret: &str) {
        self.put(&format!("{application}.secret"), &format!("{secret}\n"));
    }

    fn put(&self, name: &str, content: &str) {
        let draft = self.file("draft");
        std::fs::write(&draft, content).unwrap();
        std::fs::rename(draft, self.file(name)).unwrap();
    }

    /// The operator writes the settings.
    pub fn write_settings(&self, secret_ends: Option<&str>) {
        let sandbox = self.sandbox.description();
        let mut text = format!(
            r#"
[server]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
allowed_origins = ["{SITE}"]
[storage]
url = "sqlite:mailgrant.db"
[master_key]
file = "master.key"
[[provider]]
id = "sandbox"
display_name = "Microsoft 365 (sandbox)"
issuer = "{authority}/{tenant}/v2.0"
scopes = ["openid", "profile", "email", "offline_access", "https://outlook.office.com/IMAP.AccessAsUser.All"]
app_only_scopes = ["https://outlook.office365.com/.default"]
imap = {{ host = "{host}", port = {imap}, tls = "implicit" }}
tls_ca_file = "{ca}"
"#,
            port = self.port,
            authority = sandbox.authority,
            tenant = sandbox.tenant,
            host = sandbox.imap.host,
            imap = sandbox.imap.port,
            ca = sandbox.ca_file.display(),
        );
        for id in ["delegated", "app_only"] {
            let client_id = self.application(id).client_id;
            let credential = match id {
                "app_only" if self.file(CERTIFICATE).exists() => {
                    format!("certificate = {{ file = \"{CERTIFICATE}\" }}")
                }
                _ => format!("client_secret_file = \"{id}.secret\""),
            };
            text += &format!(
                "[[application]]\nid = \"{id}\"\nprovider = \"sandbox\"\nclient_id = \"{client_id}\"\n{credential}\n"
            );
            if let (Some(date), "delegated") = (secret_ends, id) {
                text += &format!("client_secret_expires = {date}\n");
            }
        }
        std::fs::write(self.file("mailgrant.toml"), text).unwrap();
    }

    fn secret(&self, application: &str) -> String {
        self.application(application)
            .client_secret
            .expect("a secret")
    }

    fn application(&self, id: &str) -> mailgrant_sandbox::running::ApplicationDescription {
        let applications = self.sandbox.description().applications;
        let found = applications.into_iter().find(|each| each.id == id);
        found.expect("an application of the built-in tenant")
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }
}

const CERTIFICATE: &str = "app_only.pem";
/// In the order in which they fit together: what is in the log counts more than what is in the file.
const DATABASE: [&str; 2] = ["mailgrant.db-wal", "mailgrant.db"];
