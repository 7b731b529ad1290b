//! A gateway with everything around it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use mailgrant_core::time::UnixTime;
use mailgrant_server::{Clock, Environment, Gateway, RunningGateway, Settings};
use mailgrant_storage::{ApiScope, NewApiKey};
use serde_json::{Value, json};
use tempfile::TempDir;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_string_contains, method, path},
};

use crate::imap::Imap;

pub(crate) const ORIGIN: &str = "https://app.example.com";
/// The one whose mailboxes the application `guests` takes.
pub(crate) const ALLOWED_TENANT: &str = "7c1e6a52-90d4-4b3f-a6c8-2d5b81f0e943";

/// A clock that stands still until it is moved.
pub(crate) struct Stopped(AtomicI64);

impl Stopped {
    pub(crate) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Stopped {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct World {
    pub(crate) authority: MockServer,
    pub(crate) imap: Imap,
    pub(crate) gateway: RunningGateway,
    pub(crate) clock: Arc<Stopped>,
    pub(crate) key: String,
    http: reqwest::Client,
    dir: TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(each, _)| each == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// `Set-Cookie` as a browser would send it back.
    pub(crate) fn cookie(&self) -> String {
        let cookie = self.header("set-cookie").expect("a cookie");
        cookie.split(';').next().unwrap().to_owned()
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with some settings from the environment.
    pub(crate) async fn start_with(variables: &[(&str, &str)]) -> Self {
        let (authority, imap) = (MockServer::start().await, Imap::start().await);
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), &imap.ca_pem).unwrap();
        std::fs::write(dir.path().join("secret"), "the-client-secret\n").unwrap();
        std::fs::write(
            dir.path().join("mailgrant.toml"),
            settings(&authority.uri(), imap.port),
        )
        .unwrap();
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = Settings::load(Some(&dir.path().join("mailgrant.toml")), variables).unwrap();
        let clock = Arc::new(Stopped(AtomicI64::new(1_795_305_600)));
        let environment = Environment {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ..Environment::system()
        };
        let gateway = Gateway::start(settings, environment).await.unwrap();
        let http = mailgrant_oauth::http_client(None, &mailgrant_oauth::Policy::default()).unwrap();
        let mut world = Self {
            authority,
            imap,
            gateway,
            clock,
            key: String::new(),
            http,
            dir,
        };
        world.key = world.new_key("default", ApiScope::ALL).await;
        world
    }

    /// Another gateway on the same database, with the same clock.
    pub(crate) async fn replica(&self) -> RunningGateway {
        let file = self.dir.path().join("mailgrant.toml");
        let settings = Settings::load(Some(&file), std::iter::empty()).unwrap();
        let environment = Environment {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            ..Environment::system()
        };
        Gateway::start(settings, environment).await.unwrap()
    }

    /// The operator changes the settings and starts the gateway again.
    pub(crate) async fn settings_become(&mut self, change: impl FnOnce(String) -> String) {
        let file = self.dir.path().join("mailgrant.toml");
        let before = std::fs::read_to_string(&file).unwrap();
        let after = change(before.clone());
        assert_ne!(before, after, "nothing was changed");
        std::fs::write(&file, after).unwrap();
        let gateway = self.replica().await;
        std::mem::replace(&mut self.gateway, gateway).stop().await;
    }

    /// The beginning of an answer, its body unread.
    pub(crate) async fn open(&self, url: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let mut request = self.http.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    /// A file beside the settings.
    pub(crate) fn file(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) async fn new_key(&self, site: &str, scopes: &[ApiScope]) -> String {
        let key = NewApiKey {
            site: site.to_owned(),
            label: "test".to_owned(),
            scopes: scopes.iter().copied().collect::<BTreeSet<_>>(),
        };
        let (_, secret) = self
            .gateway
            .storage()
            .api_keys()
            .add(key, self.clock.now())
            .await
            .unwrap();
        secret.expose().to_owned()
    }

    /// A request with these headers.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        self.try_send(method, path, headers, body)
            .await
            .expect("a whole answer")
    }

    /// As [`World::send`]; `None` when the answer breaks off.
    pub(crate) async fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Option<Answer> {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!(
                "{}{path}",
                self.gateway.url().as_str().trim_end_matches('/')
            )
        };
        let mut request = self.http.request(method.parse().unwrap(), url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        let body = response.bytes().await.ok()?.to_vec();
        Some(Answer {
            status,
            headers,
            body,
        })
    }

    /// A call of the API.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let key = format!("Bearer {}", self.key);
        let headers = [
            ("authorization", key.as_str()),
            ("content-type", "application/json"),
        ];
        self.send(method, path, &headers, body.map(|body| body.to_string()))
            .await
    }

    /// The authority answers requests to the token endpoint that hold this text.
    pub(crate) async fn authority_answers(&self, holding: &str, status: u16, body: Value) {
        self.authority_answers_times(holding, status, body, u64::MAX)
            .await;
    }

    /// The authority takes that refresh token, as often as it comes, and gives these.
    pub(crate) async fn refresh_gives(&self, refresh_token: &str, access: &str, next: &str) {
        let holding = format!("refresh_token={refresh_token}");
        self.authority_answers(&holding, 200, tokens(access, Some(next)))
            .await;
    }

    pub(crate) async fn authority_answers_times(
        &self,
        holding: &str,
        status: u16,
        body: Value,
        times: u64,
    ) {
        Mock::given(method("POST"))
            .and(path("/token"))
            .and(body_string_contains(holding))
            .respond_with(ResponseTemplate::new(status).set_body_json(body))
            .up_to_n_times(times)
            .mount(&self.authority)
            .await;
    }

    /// The bodies that the token endpoint has received.
    pub(crate) async fn token_requests(&self) -> Vec<String> {
        let requests = self.authority.received_requests().await.unwrap();
        requests
            .iter()
            .filter(|request| request.url.path() == "/token")
            .map(|request| String::from_utf8_lossy(&request.body).into_owned())
            .collect()
    }

    /// An account, imported with the refresh token `first`.
    pub(crate) async fn account(&self) -> String {
        self.authority_answers_times(
            "refresh_token=first",
            200,
            tokens("access-0", Some("second")),
            1,
        )
        .await;
        let body = json!({"application": "contoso", "address": "anna@example.com", "refresh_token": "first"});
        let answer = self.call("POST", "/v1/accounts", Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }
}

/// An answer of a token endpoint.
pub(crate) fn tokens(access_token: &str, refresh_token: Option<&str>) -> Value {
    let mut body = json!({"access_token": access_token, "token_type": "Bearer", "expires_in": 3600, "scope": "mail offline_access"});
    if let Some(refresh_token) = refresh_token {
        body["refresh_token"] = refresh_token.into();
    }
    body
}

fn settings(authority: &str, imap: u16) -> String {
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
allowed_origins = ["{ORIGIN}", "https://other.example.com"]
[storage]
url = "sqlite:mailgrant.db"
[[application]]
id = "contoso"
provider = "corp"
client_id = "client"
client_secret_file = "secret"
[[application]]
id = "nameless"
provider = "yandex"
client_id = "client"
client_secret_file = "secret"
[[application]]
id = "guests"
provider = "many"
tenant = "organizations"
allowed_tenants = ["{ALLOWED_TENANT}"]
client_id = "client"
client_secret_file = "secret"
[[provider]]
id = "many"
issuer = "{authority}/{{tenant}}/v2.0"
authorization_endpoint = "{authority}/authorize"
token_endpoint = "{authority}/token"
scopes = ["offline_access", "mail"]
app_only_scopes = ["mail/.default"]
imap = {{ host = "127.0.0.1", port = {imap}, tls = "implicit" }}
tls_ca_file = "ca.pem"
[[application]]
id = "sender"
provider = "sending"
client_id = "client"
client_secret_file = "secret"
[[provider]]
id = "sending"
issuer = "{authority}/tenant/v2.0"
authorization_endpoint = "{authority}/authorize"
token_endpoint = "{authority}/token"
scopes = ["offline_access", "mail", "mail.send"]
smtp_scopes = ["mail.send"]
refresh_names_scopes = true
imap = {{ host = "127.0.0.1", port = {imap}, tls = "implicit" }}
tls_ca_file = "ca.pem"
[[provider]]
id = "corp"
display_name = "Corp"
issuer = "{authority}/tenant/v2.0"
authorization_endpoint = "{authority}/authorize"
token_endpoint = "{authority}/token"
scopes = ["offline_access", "mail"]
app_only_scopes = ["mail/.default"]
admin_consent = true
refresh_names_scopes = true
imap = {{ host = "127.0.0.1", port = {imap}, tls = "implicit" }}
tls_ca_file = "ca.pem"
"#
    )
}
