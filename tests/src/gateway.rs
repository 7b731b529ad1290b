//! The gateway under test: its configuration file, its process, its REST API.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::{
    person::{Page, Person},
    process::{Server, mailgrant},
};

/// The site that the tests' people come from.
pub const SITE: &str = "http://127.0.0.1:9";

/// What a configuration file is made of.
pub struct Configuration {
    pub dir: PathBuf,
    pub port: u16,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: String,
    /// The delegated mail scope.
    pub scope: &'static str,
    pub imap_host: String,
    pub imap_port: u16,
    /// `implicit` or `starttls`.
    pub tls: &'static str,
    pub ca: PathBuf,
    /// Lines of TOML put at the end.
    pub more: String,
}

pub struct Gateway {
    pub url: String,
    pub key: String,
    pub server: Server,
    pub configuration: PathBuf,
    http: reqwest::Client,
    dir: PathBuf,
    starts: u32,
    http_proxy: Option<String>,
}

/// A problem or a result.
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Configuration {
    /// Where the authority sends people back to.
    pub fn redirect_uri(port: u16) -> String {
        format!("http://localhost:{port}/oauth/callback")
    }

    fn write(&self) -> Result<PathBuf> {
        let file = self.dir.join("mailgrant.toml");
        fs::write(&file, self.text()?)?;
        Ok(file)
    }

    /// The settings; the client secret is in its file.
    pub fn text(&self) -> Result<String> {
        let Self {
            dir,
            port,
            issuer,
            client_id,
            client_secret,
            scope,
            imap_host,
            imap_port,
            tls,
            ca,
            more,
        } = self;
        fs::write(dir.join("client-secret"), client_secret)?;
        let ca = ca.display();
        Ok(format!(
            r#"
[server]
listen = "127.0.0.1:{port}"
public_url = "http://localhost:{port}"
allowed_origins = ["{SITE}"]

[storage]
url = "sqlite:mailgrant.db"

[master_key]
file = "master.key"

[[application]]
id = "corp"
provider = "corp"
client_id = "{client_id}"
client_secret_file = "client-secret"

[[application]]
id = "daemon"
provider = "corp"
client_id = "daemon"
client_secret_file = "client-secret"

[[provider]]
id = "corp"
issuer = "{issuer}"
scopes = ["openid", "profile", "email", "offline_access", "{scope}"]
app_only_scopes = ["mail.imap"]
imap = {{ host = "{imap_host}", port = {imap_port}, tls = "{tls}" }}
tls_ca_file = "{ca}"
{more}
"#
        ))
    }
}

impl Gateway {
    /// Writes the configuration, makes an API key with every scope, and starts `mailgrant serve`.
    pub fn start(configuration: &Configuration) -> Result<Self> {
        let file = configuration.write()?;
        Self::start_at(&configuration.dir, configuration.port, file, None)
    }

    /// The same with a configuration of the test's own, which listens on `port`.
    pub fn start_from(dir: &Path, port: u16, configuration: &str) -> Result<Self> {
        let file = dir.join("mailgrant.toml");
        fs::write(&file, configuration)?;
        Self::start_at(dir, port, file, None)
    }

    /// The same, with everything that it asks in plain HTTP going through a proxy.
    pub fn start_through(
        http_proxy: &str,
        dir: &Path,
        port: u16,
        configuration: &str,
    ) -> Result<Self> {
        let file = dir.join("mailgrant.toml");
        fs::write(&file, configuration)?;
        Self::start_at(dir, port, file, Some(http_proxy.to_owned()))
    }

    fn start_at(dir: &Path, port: u16, file: PathBuf, http_proxy: Option<String>) -> Result<Self> {
        let key = create_key(&file, &["--scope", ALL_SCOPES])?;
        let url = format!("http://localhost:{port}");
        let server = serve(dir, &file, 0, http_proxy.as_deref())?;
        Ok(Self {
            url,
            key,
            server,
            configuration: file,
            http: reqwest::Client::new(),
            dir: dir.to_owned(),
            starts: 0,
            http_proxy,
        })
    }

    /// Starts it again after it was killed or stopped.
    pub fn restart(&mut self) -> Result<()> {
        self.starts += 1;
        // The connections of the old one end with it.
        self.http = reqwest::Client::new();
        let proxy = self.http_proxy.as_deref();
        self.server = serve(&self.dir, &self.configuration, self.starts, proxy)?;
        Ok(())
    }

    /// Another key, such as of another site: `["--scope", "mail:read", "--site", "other"]`.
    pub fn create_key(&self, arguments: &[&str]) -> Result<String> {
        create_key(&self.configuration, arguments)
    }

    /// `mailgrant keys …` with `--json`; gives what it prints.
    pub fn keys(&self, arguments: &[&str]) -> Result<Value> {
        let output = mailgrant()
            .args(["--json", "keys"])
            .args(arguments)
            .arg("--config")
            .arg(&self.configuration)
            .output()?;
        serde_json::from_slice(&output.stdout)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Everything that every start has printed, at trace level.
    pub fn logs(&self) -> String {
        (0..=self.starts)
            .filter_map(|start| {
                fs::read_to_string(self.dir.join(format!("gateway-{start}.log"))).ok()
            })
            .collect()
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.key)
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    /// A new connect session for whoever `login_hint` names.
    pub async fn connect_session(&self, login_hint: &str) -> Value {
        let body = json!({"application": "corp", "origin": SITE, "user_label": "Test person", "login_hint": login_hint});
        let answer = self.post("/v1/connect-sessions", &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.body
    }

    /// The whole way in: session, sign-in, callback. Gives the account's id.
    pub async fn connect(&self, login_hint: &str) -> String {
        let session = self.connect_session(login_hint).await;
        let page = self.sign_in(&mut Person::default(), &session).await;
        let session = self.session(&session).await;
        assert_eq!(session["status"], "connected", "{session:#}\n{}", page.body);
        session["account_id"].as_str().unwrap().to_owned()
    }

    /// A person coming from the site opens the session's link.
    pub async fn sign_in(&self, person: &mut Person, session: &Value) -> Page {
        person
            .open(session["connect_url"].as_str().unwrap(), Some(SITE))
            .await
    }

    /// The same up to the callback, which is not opened.
    pub async fn sign_in_up_to_callback(&self, person: &mut Person, session: &Value) -> Url {
        let link = session["connect_url"].as_str().unwrap();
        let mut page = person.open_once(link, Some(SITE)).await;
        for _ in 0..20 {
            let location = page.headers.get("location");
            let location = location.unwrap_or_else(|| panic!("{} leads nowhere", page.url));
            let next = page.url.join(location.to_str().unwrap()).unwrap();
            if next.path() == "/oauth/callback" {
                return next;
            }
            page = person.open_once(next.as_str(), None).await;
        }
        panic!("never sent back from {}", page.url);
    }

    /// What the site's backend then reads.
    pub async fn session(&self, session: &Value) -> Value {
        let id = session["id"].as_str().unwrap();
        self.get(&format!("/v1/connect-sessions/{id}")).await.body
    }
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer
            .text()
            .await
            .unwrap_or_else(|error| format!("body cut short: {error}"));
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self {
            status,
            headers,
            text,
            body,
        }
    }

    /// The problem's stable code.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

fn serve(dir: &Path, configuration: &Path, start: u32, http_proxy: Option<&str>) -> Result<Server> {
    let ready = dir.join("ready.json");
    let _ = fs::remove_file(&ready);
    let mut command = mailgrant();
    command
        .args(["serve", "--config"])
        .arg(configuration)
        .arg("--ready-file")
        .arg(&ready)
        .env("MAILGRANT_LOG", log_level());
    if let Some(proxy) = http_proxy {
        command.env("http_proxy", proxy);
    }
    let mut server = Server::start(&mut command, dir.join(format!("gateway-{start}.log")))?;
    server.wait_for("the gateway's ready file", |_| ready.exists().then_some(()))?;
    Ok(server)
}

/// Everything, so that a test can look for what must not be told; a benchmark asks for what people run with.
fn log_level() -> String {
    env::var("MAILGRANT_TESTS_LOG").unwrap_or_else(|_| "trace".to_owned())
}

fn create_key(configuration: &Path, arguments: &[&str]) -> Result<String> {
    let mut command: Command = mailgrant();
    let output = command
        .args(["keys", "create", "--config"])
        .arg(configuration)
        .args(arguments)
        .output()?;
    let printed = String::from_utf8(output.stdout)?;
    printed
        .split_whitespace()
        .find(|word| word.starts_with("mgk_"))
        .map(str::to_owned)
        .with_context(|| {
            format!(
                "no key in {printed}{}",
                String::from_utf8_lossy(&output.stderr)
            )
        })
}

const ALL_SCOPES: &str = "connect,accounts:read,accounts:write,mail:read,mail:write,tokens,events";
