//! The demonstration's gateway: an ordinary one, with an ordinary settings file.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use mailgrant_core::secret::Secret;
use mailgrant_sandbox::directory::Flow;
use mailgrant_sandbox::running::{ApplicationDescription, Description};
use mailgrant_server::{Environment, Settings};
use mailgrant_storage::{ApiScope, NewApiKey};
use serde_json::{Map, Value, json};

use crate::environment::{self, now};
use crate::failure::{Exit, Failure};

/// Where the gateway lives.
pub(super) struct Place<'a> {
    /// Settings, database and keys.
    pub folder: PathBuf,
    /// The port it will listen on.
    pub port: u16,
    /// How browsers call it.
    pub url: &'a str,
    /// The origin of the site.
    pub site: &'a str,
}

/// Writes `mailgrant.toml` and reads it back, so that `mailgrant keys --config` and the like work on
/// the demonstration too.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn settings(place: &Place<'_>, sandbox: &Description) -> Result<Settings, Failure> {
    let folder = &place.folder;
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
    let mut applications = Vec::new();
    for application in &sandbox.applications {
        let tenant = match application.flow {
            Flow::AppOnly => &sandbox.tenant,
            // People of every organization sign in, and those without one.
            _ => "common",
        };
        let registered = registration(application, &application.id, tenant, folder)?;
        applications.push(registered);
    }
    // The same registration once more, for those who have admitted it: each account then says in which tenant it is.
    let unattended = (sandbox.applications.iter())
        .find(|application| application.flow == Flow::AppOnly)
        .filter(|_| !sandbox.organizations.is_empty());
    if let Some(application) = unattended {
        applications.push(registration(
            application,
            CUSTOMERS,
            "organizations",
            folder,
        )?);
    }
    let written = json!({
        "server": {
            "listen": format!("127.0.0.1:{}", place.port),
            "public_url": place.url,
            "allowed_origins": [place.site],
        },
        "storage": {"url": "sqlite:mailgrant.db"},
        "master_key": {"file": "master.key"},
        "application": applications,
        "provider": [{
            "id": PROVIDER,
            "like": "microsoft365",
            "display_name": "Microsoft 365 (sandbox)",
            "issuer": format!("{}/{{tenant}}/v2.0", sandbox.authority),
            "imap": {"host": sandbox.imap.host, "port": sandbox.imap.port, "tls": "implicit"},
            "smtp": {"host": sandbox.smtp.host, "port": sandbox.smtp.port, "tls": "starttls"},
            "pop3": {"host": sandbox.pop3.host, "port": sandbox.pop3.port, "tls": "implicit"},
            "tls_ca_file": sandbox.ca_file,
        }],
    });
    let text = toml::to_string_pretty(&written).map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("the demonstration's settings: {error}"),
        )
    })?;
    let file = folder.join(SETTINGS);
    write_private(&file, &text)?;
    // Nothing of the person's own environment: the demonstration is the same everywhere.
    Settings::load(Some(&file), std::iter::empty())
        .map_err(|error| Failure::configuration(format!("{}: {error}", file.display())))
}

/// A new key with every scope; the one of an earlier run is revoked.
///
/// # Errors
/// Those of the storage.
pub(super) async fn api_key(
    settings: &Settings,
    surroundings: &Environment,
) -> Result<Secret, Failure> {
    let storage = environment::storage(settings, surroundings).await?;
    let keys = storage.api_keys();
    for key in keys.list(Some(SITE), None, 1000).await?.items {
        if key.label == LABEL && key.revoked_at.is_none() {
            keys.revoke(&key.id, now(surroundings)).await?;
        }
    }
    let new = NewApiKey {
        site: SITE.to_owned(),
        label: LABEL.to_owned(),
        scopes: ApiScope::ALL.iter().copied().collect(),
    };
    let (_, secret) = keys.add(new, now(surroundings)).await?;
    storage.close().await;
    Ok(Secret::new(secret.expose()))
}

fn registration(
    application: &ApplicationDescription,
    id: &str,
    tenant: &str,
    folder: &Path,
) -> Result<Value, Failure> {
    let mut written = Map::from_iter([
        ("id".to_owned(), id.into()),
        ("provider".to_owned(), PROVIDER.into()),
        ("tenant".to_owned(), tenant.into()),
        ("client_id".to_owned(), application.client_id.clone().into()),
    ]);
    if let Some(secret) = &application.client_secret {
        let name = format!("{id}.secret");
        write_private(&folder.join(&name), secret)?;
        written.insert("client_secret_file".to_owned(), name.into());
    }
    Ok(Value::Object(written))
}

fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| unwritable(path, error))
}

fn unwritable(path: &Path, error: std::io::Error) -> Failure {
    Failure::configuration(format!("--dir: cannot write {}: {error}", path.display()))
}

/// The settings file's name, within the gateway's folder.
pub(super) const SETTINGS: &str = "mailgrant.toml";
/// The application of the tenants that have admitted it.
pub(super) const CUSTOMERS: &str = "customers";
const PROVIDER: &str = "sandbox";
const SITE: &str = "default";
const LABEL: &str = "demonstration site";
