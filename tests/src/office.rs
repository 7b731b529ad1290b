//! The gateway before the sandbox, as it is before Office 365: both run as their users run them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    gateway::{Answer, Configuration, Gateway, SITE},
    person::{Page, Person},
    port::free_port,
    powershell::Session,
    sandbox::Sandbox,
};

pub const ADA: &str = "ada@quillmere.test";
pub const BRUNO: &str = "bruno@quillmere.test";
pub const ADMIN: &str = "admin@quillmere.test";
pub const SUPPORT: &str = "support@quillmere.test";
/// Another shared mailbox; Bruno may open both.
pub const ORDERS: &str = "orders@quillmere.test";
/// A personal account.
pub const GWEN: &str = "gwen@freemail.test";
/// The application that people connect their mailboxes through, by its client id.
pub const CORP: &str = "3f0b9f4e-6d58-4c1b-9a57-8e21c4d7b605";
/// The application that needs no person.
pub const ARCHIVE: &str = "a84d2c17-15e3-47f9-b0d6-5c9f3e7a1288";
/// Everybody's.
pub const PASSWORD: &str = "correct horse <battery>";

pub struct Office {
    // In this order they end: the gateway first, its folder last.
    pub gateway: Gateway,
    pub sandbox: Sandbox,
    pub dir: TempDir,
    settings: Settings,
    port: u16,
}

/// What the operator has written, as far as tests get it wrong.
pub struct Settings {
    /// The delegated mail scope, besides those of the sign-in.
    pub scope: &'static str,
    pub client_secret: &'static str,
    /// How both applications prove themselves, in lines of TOML; `None`: by their client secrets.
    pub credential: Option<String>,
    /// Through which the gateway asks the authority.
    pub http_proxy: Option<String>,
    /// The registration's tenant: `common`, `organizations`, `consumers`; `None`: the sandbox's own, which alone is asked.
    pub tenant: Option<&'static str>,
    /// The tenant of the application that needs no person; `None`: the sandbox's own.
    pub archive_tenant: Option<&'static str>,
    /// Whether the sandbox has other organizations too: see [`crate::customers`].
    pub customers: bool,
    /// The preset that the provider is like.
    pub preset: &'static str,
    /// More lines of the first application.
    pub more: &'static str,
    /// The origin of the site that embeds the widget.
    pub site: String,
    /// Whether the registration has the gateway's redirect URI.
    pub redirect_uri_registered: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            scope: "https://outlook.office.com/IMAP.AccessAsUser.All",
            client_secret: "new~secret",
            credential: None,
            http_proxy: None,
            tenant: None,
            archive_tenant: None,
            customers: false,
            preset: "microsoft365",
            more: "",
            site: SITE.to_owned(),
            redirect_uri_registered: true,
        }
    }
}

impl Office {
    pub fn start(settings: Settings) -> Result<Self> {
        Ground::of(&settings)?.open(settings)
    }

    /// The same, with something done between the sandbox's start and the gateway's: in the tenant, or in the gateway's
    /// folder.
    pub async fn start_after(
        settings: Settings,
        prepare: impl AsyncFnOnce(&Sandbox, &Path) -> Result<()>,
    ) -> Result<Self> {
        let ground = Ground::of(&settings)?;
        prepare(&ground.sandbox, &ground.home).await?;
        ground.open(settings)
    }

    /// The operator mends the settings and starts the gateway again.
    pub fn mend(&mut self, mend: impl FnOnce(&mut Settings)) -> Result<()> {
        mend(&mut self.settings);
        let home = self.dir.path().join("gateway");
        let text = self.settings.write(&home, self.port, &self.sandbox)?;
        fs::write(&self.gateway.configuration, text)?;
        self.gateway.server.stop()?;
        self.gateway.restart()
    }

    /// A new connect session, opened by a person who comes from the site: the authority's first page.
    pub async fn begin(&self, person: &mut Person, more: Value) -> Result<(Value, Page)> {
        let mut body = json!({"application": "corp", "origin": self.settings.site, "user_label": "Test person"});
        let fields = body.as_object_mut().context("no object")?;
        fields.extend(more.as_object().cloned().unwrap_or_default());
        let made = self.gateway.post("/v1/connect-sessions", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let page = self.gateway.sign_in(person, &made.body).await;
        Ok((made.body, page))
    }

    /// The whole way, with consent where it is asked for: the session at its end, and the page that the person then sees.
    pub async fn connect(&self, address: &str, more: Value) -> Result<(Value, Page)> {
        let mut person = Person::default();
        let (session, page) = self.begin(&mut person, more).await?;
        let page = self.sign_in(&mut person, page, address).await;
        let page = self.decide(&mut person, page, "accept").await;
        Ok((self.gateway.session(&session).await, page))
    }

    /// Fills the authority's sign-in form.
    pub async fn sign_in(&self, person: &mut Person, page: Page, address: &str) -> Page {
        assert!(page.body.contains("name=\"password\""), "{}", page.body);
        let fields = [("login", address), ("password", PASSWORD)];
        person.submit(&page, &fields).await
    }

    /// Presses a button of a page that asks for consent; a page that does not is left as it is.
    pub async fn decide(&self, person: &mut Person, page: Page, decision: &str) -> Page {
        if !page.body.contains("name=\"decision\"") {
            return page;
        }
        person.submit(&page, &[("decision", decision)]).await
    }

    /// What the page that shows the button gets, after at most `wait` seconds.
    pub async fn standing(&self, session: &Value, wait: u32) -> Value {
        let token = session["client_token"].as_str().unwrap_or_default();
        let path = format!("/connect/{token}/status?wait={wait}");
        let request = self
            .gateway
            .request(Method::GET, &path)
            .header(header::ORIGIN, SITE);
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.headers["access-control-allow-origin"], SITE);
        answer.body
    }

    /// What the sandbox saw and answered: `authorize ok`, `token AADSTS7000222`, `imap_login refused`, in order.
    pub async fn seen(&self) -> Result<Vec<String>> {
        let log = self.sandbox.requests().await?;
        let entries = log["requests"].as_array().context("no requests")?;
        Ok(entries
            .iter()
            .filter(|entry| {
                !["discovery", "keys", "control"].contains(&entry["kind"].as_str().unwrap_or(""))
            })
            .map(|entry| {
                let kind = entry["kind"].as_str().unwrap_or_default();
                let outcome = entry["outcome"].as_str().unwrap_or_default();
                match entry["code"].as_u64() {
                    Some(code) => format!("{kind} AADSTS{code}"),
                    None => format!("{kind} {outcome}"),
                }
            })
            .collect())
    }

    /// Some keys of an application's registration are others now: its `audience`, its `secrets`.
    pub async fn register(&self, client_id: &str, changed: &Value) -> Result<()> {
        let path = format!("directory/applications/{client_id}");
        self.sandbox.change(&path, changed).await
    }

    /// The administrator types the command that a diagnosis gave them.
    pub async fn type_command(&self, diagnosis: &Value, cmdlet: &str) -> Result<()> {
        let steps = diagnosis["remedy"].as_array().context("no remedy")?;
        let line = steps
            .iter()
            .filter_map(Value::as_str)
            .find_map(|step| step.find(cmdlet).and_then(|at| step.get(at..)))
            .with_context(|| format!("no {cmdlet} in {steps:#?}"))?;
        Session::new(&self.sandbox).type_line(line).await
    }

    /// No account, and no token where it could be read.
    pub async fn assert_nothing_kept(&self) {
        let accounts = self.gateway.get("/v1/accounts").await.body;
        assert_eq!(accounts["items"], json!([]));
        let home = self.dir.path().join("gateway");
        for file in fs::read_dir(&home).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() {
                let content = fs::read(&path).unwrap();
                let found = content.windows(JWT.len()).any(|window| window == JWT);
                assert!(!found, "a token in {}", path.display());
            }
        }
    }
}

/// What is there before the gateway is.
struct Ground {
    sandbox: Sandbox,
    dir: TempDir,
    home: PathBuf,
    port: u16,
}

impl Ground {
    fn of(settings: &Settings) -> Result<Self> {
        let port = free_port();
        let dir = tempfile::Builder::new()
            .prefix("mailgrant-test-")
            .tempdir()?;
        let tenant = dir.path().join("tenant.toml");
        let mut tenants = include_str!("tenant.toml").to_owned();
        if settings.customers {
            tenants.push_str(include_str!("tenants.toml"));
        }
        fs::write(&tenant, tenants)?;
        let uri = if settings.redirect_uri_registered {
            Configuration::redirect_uri(port)
        } else {
            "http://localhost/elsewhere".to_owned()
        };
        let sandbox = Sandbox::start_with(
            &dir.path().join("sandbox"),
            [
                "--redirect-uri",
                &uri,
                "--tenant",
                &tenant.display().to_string(),
            ],
        )?;
        let home = dir.path().join("gateway");
        fs::create_dir(&home)?;
        fs::write(home.join("archive-secret"), "archive~secret")?;
        Ok(Self {
            sandbox,
            dir,
            home,
            port,
        })
    }

    fn open(self, settings: Settings) -> Result<Office> {
        let Self {
            sandbox,
            dir,
            home,
            port,
        } = self;
        let text = settings.write(&home, port, &sandbox)?;
        let gateway = match &settings.http_proxy {
            Some(proxy) => Gateway::start_through(proxy, &home, port, &text)?,
            None => Gateway::start_from(&home, port, &text)?,
        };
        Ok(Office {
            gateway,
            sandbox,
            dir,
            settings,
            port,
        })
    }
}

impl Settings {
    fn write(&self, home: &Path, port: u16, sandbox: &Sandbox) -> Result<String> {
        fs::write(home.join("client-secret"), self.client_secret)?;
        let scope = self.scope;
        let (authority, own) = (sandbox.text("/authority"), sandbox.text("/tenant"));
        let tenant = self.tenant.unwrap_or(own);
        let archive_tenant = self.archive_tenant.unwrap_or(own);
        let (more, site, preset) = (self.more, &self.site, self.preset);
        let secret = |file: &str| format!("client_secret_file = \"{file}\"");
        let proven = |file| self.credential.clone().unwrap_or_else(|| secret(file));
        let (corp, archive) = (proven("client-secret"), proven("archive-secret"));
        let imap = &sandbox.ready["imap"]["port"];
        let ca = sandbox.text("/ca_file");
        Ok(format!(
            r#"
[server]
listen = "127.0.0.1:{port}"
public_url = "http://localhost:{port}"
allowed_origins = ["{site}"]

[storage]
url = "sqlite:mailgrant.db"

[master_key]
file = "master.key"

[[application]]
id = "corp"
provider = "office"
tenant = "{tenant}"
client_id = "{CORP}"
{corp}
{more}

[[application]]
id = "archive"
provider = "office"
tenant = "{archive_tenant}"
client_id = "{ARCHIVE}"
{archive}

[[provider]]
id = "office"
like = "{preset}"
display_name = "Office"
issuer = "{authority}/{{tenant}}/v2.0"
scopes = ["openid", "profile", "email", "offline_access", "{scope}"]
imap = {{ host = "localhost", port = {imap}, tls = "implicit" }}
tls_ca_file = "{ca}"
"#
        ))
    }
}

/// What every JWT begins with: `{"` in base64url.
const JWT: &[u8] = b"eyJ";
