//! Everything at once: authority, Dovecot, gateway.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    authority::{Authority, Format},
    dovecot::{self, Dovecot},
    gateway::{Configuration, Gateway},
    pki::{Pki, make_certificate},
    port::free_port,
    wire::Wire,
};

pub struct Stack {
    // In this order they end: the gateway first, its folder last.
    pub gateway: Gateway,
    pub dovecot: Dovecot,
    pub authority: Authority,
    /// What the gateway asks, where [`Options::tapped`].
    pub wire: Option<Wire>,
    pub dir: TempDir,
}

#[derive(Clone, Copy)]
pub struct Options {
    pub format: Format,
    /// How the authority's clients prove themselves.
    pub authentication: Authentication,
    pub access_token_seconds: u32,
    /// `implicit` or `starttls`.
    pub tls: &'static str,
    /// Whether what the gateway asks the authority is written down on the way.
    pub tapped: bool,
}

/// What the authority has registered, and the operator has written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    SecretPost,
    SecretBasic,
    /// By a certificate's key, in `RS256`.
    PrivateKeyJwt,
    /// As SecretPost, and a service account of the domain besides.
    ServiceAccount,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: Format::Jwt,
            authentication: Authentication::SecretPost,
            access_token_seconds: 3600,
            tls: "implicit",
            tapped: false,
        }
    }
}

impl Stack {
    pub async fn start(options: Options) -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("mailgrant-test-")
            .tempdir()?;
        // Dovecot's mail user passes through here.
        std::fs::set_permissions(
            dir.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )?;
        let pki = Pki::make(dir.path())?;
        let port = free_port();
        let keys = dovecot::key_folder(dir.path());
        let authentication = options.authentication;
        if authentication.has_key() {
            make_certificate(dir.path(), "app")?;
        }
        let authority = Authority::start_with(
            dir.path(),
            &keys,
            &Configuration::redirect_uri(port),
            options.format,
            options.access_token_seconds,
            &authentication.registered(&dir.path().join("app.crt")),
        )
        .await?;
        let dovecot = Dovecot::start(dir.path(), &pki, &authority.issuer, options.format)?;
        let gateway_dir: PathBuf = dir.path().join("gateway");
        std::fs::create_dir(&gateway_dir)?;
        let wire = if options.tapped {
            Some(Wire::tap().await?)
        } else {
            None
        };
        let configuration = Configuration {
            dir: gateway_dir.clone(),
            port,
            issuer: authority.issuer.clone(),
            client_id: "gateway".to_owned(),
            client_secret: authority.secret.clone(),
            scope: "mail.imap",
            imap_host: "localhost".to_owned(),
            imap_port: if options.tls == "implicit" {
                dovecot.imaps
            } else {
                dovecot.imap
            },
            tls: options.tls,
            ca: pki.ca.clone(),
            more: authentication.more(dir.path(), &authority.issuer, dovecot.imaps)?,
        };
        let text = configuration
            .text()?
            .replace(SECRET, authentication.written());
        let gateway = match &wire {
            Some(wire) => Gateway::start_through(&wire.url, &gateway_dir, port, &text)?,
            None => Gateway::start_from(&gateway_dir, port, &text)?,
        };
        Ok(Self {
            gateway,
            dovecot,
            authority,
            wire,
            dir,
        })
    }
}

impl Authentication {
    fn has_key(self) -> bool {
        matches!(self, Self::PrivateKeyJwt | Self::ServiceAccount)
    }

    fn registered(self, certificate: &Path) -> Value {
        match self {
            Self::SecretPost => json!({}),
            Self::SecretBasic => json!({"authentication": {"method": "client_secret_basic"}}),
            Self::PrivateKeyJwt => {
                json!({"authentication": {"method": "private_key_jwt", "certificate": certificate}})
            }
            Self::ServiceAccount => {
                json!({"serviceAccount": {"email": ROBOT, "certificate": certificate, "domain": "corp.test"}})
            }
        }
    }

    fn written(self) -> &'static str {
        match self {
            Self::SecretPost | Self::ServiceAccount => SECRET,
            Self::SecretBasic => {
                "client_secret_file = \"client-secret\"\nclient_secret_method = \"client_secret_basic\""
            }
            Self::PrivateKeyJwt => {
                "certificate = { file = \"../app.crt\", key_file = \"../app.key\", algorithm = \"RS256\", audience = \"issuer\" }"
            }
        }
    }

    /// A second provider, like Google, whose authority is ours.
    fn more(self, dir: &Path, issuer: &str, imaps: u16) -> Result<String> {
        if self != Self::ServiceAccount {
            return Ok(String::new());
        }
        let key = json!({
            "type": "service_account",
            "project_id": "mail-robot",
            "private_key_id": "k1",
            "private_key": fs::read_to_string(dir.join("app.key"))?,
            "client_email": ROBOT,
            "client_id": "101234567890123456789",
            "token_uri": format!("{issuer}/service-account/token"),
        });
        fs::write(dir.join("robot.json"), key.to_string())?;
        Ok(format!(
            r#"
[[application]]
id = "robot"
provider = "workspace"
service_account = {{ file = "../robot.json" }}

[[provider]]
id = "workspace"
like = "google"
issuer = "{issuer}"
imap = {{ host = "localhost", port = {imaps}, tls = "implicit" }}
tls_ca_file = "../ca.pem"
"#
        ))
    }
}

/// The service account's address.
pub const ROBOT: &str = "robot@mail-robot.iam.gserviceaccount.com";
const SECRET: &str = "client_secret_file = \"client-secret\"";
