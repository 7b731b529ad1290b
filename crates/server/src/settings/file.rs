//! The settings as written: names and shapes only, nothing checked yet.

use std::{collections::BTreeMap, path::PathBuf};

use mailgrant_core::provider::MailHost;
use serde::{Deserialize, Deserializer};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) server: Server,
    #[serde(default)]
    pub(super) storage: Storage,
    #[serde(default)]
    pub(super) master_key: MasterKey,
    #[serde(default)]
    pub(super) application: Vec<Application>,
    #[serde(default)]
    pub(super) provider: Vec<Provider>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Server {
    pub(super) listen: String,
    pub(super) public_url: Option<String>,
    #[serde(deserialize_with = "words")]
    pub(super) allowed_origins: Vec<String>,
    pub(super) event_readers: u32,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            public_url: None,
            allowed_origins: Vec::new(),
            event_readers: 512,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Storage {
    pub(super) url: String,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            url: "sqlite:mailgrant.db".to_owned(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MasterKey {
    pub(super) file: Option<PathBuf>,
    pub(super) env: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Application {
    pub(super) id: String,
    pub(super) provider: String,
    pub(super) tenant: Option<String>,
    #[serde(default, deserialize_with = "words")]
    pub(super) allowed_tenants: Vec<String>,
    /// A service account's key file tells it.
    pub(super) client_id: Option<String>,
    pub(super) client_secret_file: Option<PathBuf>,
    pub(super) client_secret_env: Option<String>,
    pub(super) client_secret_expires: Option<String>,
    pub(super) client_secret_method: Option<String>,
    pub(super) certificate: Option<Certificate>,
    pub(super) federated: Option<Federated>,
    pub(super) service_account: Option<ServiceAccount>,
    #[serde(default, deserialize_with = "words")]
    pub(super) scopes: Vec<String>,
    #[serde(default, deserialize_with = "words")]
    pub(super) app_only_scopes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Certificate {
    pub(super) file: PathBuf,
    pub(super) key_file: Option<PathBuf>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) password_env: Option<String>,
    pub(super) algorithm: Option<String>,
    pub(super) audience: Option<String>,
    pub(super) key_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Federated {
    pub(super) token_file: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceAccount {
    pub(super) file: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Provider {
    pub(super) id: String,
    pub(super) like: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) authorization_endpoint: Option<String>,
    pub(super) token_endpoint: Option<String>,
    pub(super) jwks_uri: Option<String>,
    pub(super) device_authorization_endpoint: Option<String>,
    pub(super) userinfo_endpoint: Option<String>,
    pub(super) default_tenant: Option<String>,
    #[serde(default, deserialize_with = "words")]
    pub(super) scopes: Vec<String>,
    #[serde(default, deserialize_with = "words")]
    pub(super) app_only_scopes: Vec<String>,
    #[serde(default, deserialize_with = "words")]
    pub(super) smtp_scopes: Vec<String>,
    #[serde(default, deserialize_with = "words")]
    pub(super) pop3_scopes: Vec<String>,
    pub(super) app_only: Option<String>,
    pub(super) imap: Option<MailHost>,
    pub(super) smtp: Option<MailHost>,
    pub(super) pop3: Option<MailHost>,
    #[serde(default)]
    pub(super) authorization_parameters: BTreeMap<String, String>,
    pub(super) admin_consent: Option<bool>,
    #[serde(default, deserialize_with = "words")]
    pub(super) address_claims: Vec<String>,
    pub(super) refresh_names_scopes: Option<bool>,
    pub(super) refresh_token_idle_days: Option<u32>,
    pub(super) tls_ca_file: Option<PathBuf>,
}

/// A list, or one string with the items separated by commas or spaces (as an environment variable gives it).
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a list of strings")]
    enum Words {
        List(Vec<String>),
        One(String),
    }
    Ok(match Words::deserialize(deserializer)? {
        Words::List(list) => list,
        Words::One(text) => text
            .split([',', ' '])
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}
