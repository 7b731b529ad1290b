//! The gateway's settings: a TOML file, with any key replaceable from the environment.
//!
//! ```toml
//! [server]
//! listen = "127.0.0.1:8080"
//! public_url = "https://mail.example.com"
//! allowed_origins = ["https://app.example.com"]
//! [storage]
//! url = "sqlite:mailgrant.db"
//! [master_key]
//! file = "master.key"
//! [[application]]
//! id = "contoso"
//! provider = "microsoft365"
//! tenant = "contoso.onmicrosoft.com"
//! client_id = "11111111-2222-3333-4444-555555555555"
//! client_secret_file = "secret"
//! client_secret_expires = 2027-06-01
//! ```
//!
//! An application proves who it is by exactly one of
//!
//! ```toml
//! client_secret_file = "secret"              # holds the secret's value and nothing else
//! client_secret_env = "CONTOSO_SECRET"       # or a variable does
//! certificate = { file = "app.pem" }         # certificate and key: PEM, or PKCS#12
//! federated = { token_file = "token.jwt" }   # another authority's token, kept fresh by somebody else
//! service_account = { file = "key.json" }    # Google's key file; the client_id is in it
//! ```
//!
//! A certificate takes more: `key_file`, where the key is in a file of its own; `password_file` or
//! `password_env`; `algorithm`: `"PS256"` with `x5t#S256` (the default) or `"RS256"` with `x5t`;
//! `audience`: `"token_endpoint"` (the default) or `"issuer"`; `key_id`, for authorities that know keys by
//! an id of their own. All these files are read again for each request to the authority: what replaces
//! them is used without a restart, and while they cannot be used, what they held before.
//!
//! Some authorities take a secret only as it is registered: `client_secret_method =
//! "client_secret_basic"` or `"client_secret_post"`.
//!
//! What no preset covers, and a preset at other hosts:
//!
//! ```toml
//! [[provider]]
//! id = "corp"
//! issuer = "https://login.corp.test"         # discovery; or authorization_endpoint and token_endpoint
//! # jwks_uri, device_authorization_endpoint, userinfo_endpoint: only beside those two
//! scopes = ["openid", "email", "offline_access", "mail"]
//! imap = { host = "imap.corp.test", port = 993, tls = "implicit" }   # or starttls; smtp, pop3
//! tls_ca_file = "ca.pem"
//! app_only = "client_credentials"            # or none, service_account
//! app_only_scopes = ["mail/.default"]
//! address_claims = ["preferred_username", "email"]   # which name the mailbox, in this order
//! refresh_names_scopes = false               # true: a refresh must name what it wants
//! refresh_token_idle_days = 30               # how long one lives that nobody uses
//! authorization_parameters = { prompt = "consent" }
//! admin_consent = false
//! [[provider]]
//! id = "office"
//! like = "microsoft365"                      # everything not written here is the preset's; this one is meant
//!                                            # where an issuer ends in /v2.0, as Entra's do
//! issuer = "https://login.proxy.test/{tenant}/v2.0"
//! default_tenant = "organizations"           # for applications that name none
//! imap = { host = "imap.proxy.test", port = 993, tls = "implicit" }  # then smtp, pop3 are not the preset's
//! ```
//!
//! `server.event_readers` (512) is how many requests and streams may wait for events at one time; one API key has a quarter
//! of them.
//!
//! `MAILGRANT_SERVER__LISTEN=0.0.0.0:80` replaces `server.listen`;
//! `MAILGRANT_APPLICATION__CONTOSO__CLIENT_ID` (or `…__0__CLIENT_ID`) a key of that application.
//! Relative paths are relative to the file's folder.

mod application;
mod credential;
mod file;
mod origin;
mod provider;
mod shape;
mod source;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use mailgrant_core::{
    provider::Provider, scope::Scopes, secret::Secret, time::UnixTime, token::ClientId,
};
use mailgrant_doctor::setup::UNREGISTERED;
use mailgrant_oauth::Credential;
use thiserror::Error;
use url::Url;

pub(crate) use self::credential::credential_key;
pub use self::origin::Origin;

/// Everything the gateway needs to know before it starts. A value that exists is valid.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens and how the world calls it.
    pub server: Server,
    /// Where accounts, grants and sessions are kept.
    pub storage: Storage,
    /// The key that wraps the data keys.
    pub master_key: MasterKeySource,
    /// The operator's client registrations, by id; no id occurs twice.
    pub applications: Vec<Application>,
}

/// Where the gateway listens and how the world calls it.
#[derive(Debug, Clone)]
pub struct Server {
    /// The socket; port 0 means any free one.
    pub listen: SocketAddr,
    /// The exact base of redirect URIs. `None`: `http://` and the address listened on, loopback only.
    pub public_url: Option<Url>,
    /// The sites that may hold a connect button.
    pub allowed_origins: Vec<Origin>,
    /// How many requests and streams may wait for events at one time; one API key has a quarter of them.
    pub event_readers: usize,
}

/// Where accounts, grants and sessions are kept.
#[derive(Debug, Clone)]
pub struct Storage {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
}

/// Where the master key is found.
#[derive(Debug, Clone)]
pub enum MasterKeySource {
    /// A file, made on first start.
    File(PathBuf),
    /// The value of an environment variable.
    Value {
        /// The variable's name, for messages.
        variable: String,
        /// The key in its text form.
        value: Secret,
    },
}

/// One client registration at a provider.
#[derive(Debug, Clone)]
pub struct Application {
    /// The name used in the API.
    pub id: String,
    /// The provider's endpoints, scopes and mail hosts; the scopes are those that this application asks for.
    pub provider: Arc<Provider>,
    /// The directory tenant, where the provider has such a thing.
    pub tenant: Option<String>,
    /// The ids of the tenants whose people and mailboxes may be connected, in lower case; empty: those of all that `tenant`
    /// takes.
    pub allowed_tenants: Vec<String>,
    /// The public client identifier; `00000000-0000-0000-0000-000000000000` as long as there is none, for
    /// `mailgrant setup`.
    pub client_id: ClientId,
    /// How the client proves itself.
    pub credential: Credential,
    /// When the client secret ends, if the operator told; see [`Application::credential_ends_at`].
    pub client_secret_expires: Option<UnixTime>,
    /// Certificates (PEM) trusted besides the platform's roots.
    pub extra_ca_pem: Option<Arc<[u8]>>,
}

impl Settings {
    /// Reads the file (if one is given) and lays the environment over it.
    ///
    /// ```
    /// use mailgrant_server::Settings;
    ///
    /// let environment = [
    ///     ("MAILGRANT_SERVER__LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
    ///     ("MAILGRANT_STORAGE__URL".to_owned(), "sqlite::memory:".to_owned()),
    /// ];
    /// let settings = Settings::load(None, environment.into_iter())?;
    /// assert_eq!(settings.server.listen.port(), 0);
    /// # Ok::<(), mailgrant_server::SettingsError>(())
    /// ```
    ///
    /// # Errors
    /// When the file cannot be read, a key is unknown, missing or has a value that cannot work.
    /// Every error names the key.
    pub fn load(
        path: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        source::load(path, environment.collect())
    }

    /// The application of that id.
    #[must_use]
    pub fn application(&self, id: &str) -> Option<&Application> {
        self.applications
            .iter()
            .find(|application| application.id == id)
    }
}

impl Application {
    /// Whether the provider knows it: its client id is not the one that stands for none yet.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.client_id.as_str() != UNREGISTERED
    }

    /// What the delegated flow asks for.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.provider.scopes
    }

    /// Whether the operator takes mailboxes of the tenant of that id.
    #[must_use]
    pub fn allows_tenant(&self, id: &str) -> bool {
        let allowed = &self.allowed_tenants;
        allowed.is_empty()
            || allowed
                .iter()
                .any(|allowed| allowed.eq_ignore_ascii_case(id))
    }

    /// When the credential ends: as a certificate says, or the operator of a client secret.
    #[must_use]
    pub fn credential_ends_at(&self) -> Option<UnixTime> {
        self.credential.ends_at().or(self.client_secret_expires)
    }

    /// What the app-only flow asks for.
    #[must_use]
    pub fn app_only_scopes(&self) -> &Scopes {
        &self.provider.app_only_scopes
    }
}

/// Why the settings cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A file named by the settings, or the settings file itself, cannot be read.
    #[error("{key}: cannot read {path}: {source}")]
    Unreadable {
        /// Which setting names the file.
        key: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("the settings file is not valid TOML: {0}")]
    Syntax(String),
    /// One key is unknown, missing or wrong.
    #[error("{key}: {problem}")]
    Key {
        /// The key's full path, such as `application[0].client_id`.
        key: String,
        /// What is wrong and what to write instead.
        problem: String,
    },
}

impl SettingsError {
    pub(crate) fn key(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Key {
            key: key.into(),
            problem: problem.into(),
        }
    }
}
