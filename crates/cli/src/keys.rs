//! `mailgrant keys`: API keys and the master key.

use std::collections::BTreeSet;

use mailgrant_core::time::UnixTime;
use mailgrant_server::{Environment, MasterKeySource};
use mailgrant_storage::{ApiKey, ApiKeyId, ApiScope, MasterKey, NewApiKey, Storage, rotate_master};
use serde::Serialize;
use serde_json::json;

use crate::arguments::{CreateKey, Keys, ListKeys, RevokeKey, RotateMaster};
use crate::environment::{self, moment, now, variable};
use crate::failure::{Exit, Failure};
use crate::output::{print, tell};

/// Does what the subcommand says and prints the outcome.
///
/// # Errors
/// When the settings are wrong or the database cannot be used.
pub(crate) async fn run(
    arguments: Keys,
    surroundings: Environment,
    json: bool,
) -> Result<(), Failure> {
    match arguments {
        Keys::Create(wanted) => create(wanted, &surroundings, json).await,
        Keys::List(wanted) => list(wanted, &surroundings, json).await,
        Keys::Revoke(wanted) => revoke(wanted, &surroundings, json).await,
        Keys::RotateMaster(wanted) => rotate(wanted, &surroundings, json).await,
    }
}

async fn create(wanted: CreateKey, surroundings: &Environment, json: bool) -> Result<(), Failure> {
    let settings = environment::settings(&wanted.configuration)?;
    let storage = environment::storage(&settings, surroundings).await?;
    let new = NewApiKey {
        site: wanted.site,
        label: wanted.label,
        scopes: wanted.scope.into_iter().flatten().collect(),
    };
    let (key, secret) = storage.api_keys().add(new, now(surroundings)).await?;
    storage.close().await;
    if json {
        print_json(&KeyView {
            secret: Some(secret.expose()),
            ..KeyView::of(&key)
        })?;
    } else {
        tell(format_args!(
            "{} for site {}: {}. It is shown this once:",
            key.id,
            key.site,
            words(&key)
        ));
        print(secret.expose())?;
    }
    Ok(())
}

async fn list(wanted: ListKeys, surroundings: &Environment, json: bool) -> Result<(), Failure> {
    let settings = environment::settings(&wanted.configuration)?;
    let storage = environment::storage(&settings, surroundings).await?;
    let mut after: Option<ApiKeyId> = None;
    loop {
        let page = storage
            .api_keys()
            .list(wanted.site.as_deref(), after.as_ref(), 200)
            .await?;
        for key in &page.items {
            if json {
                print_json(&KeyView::of(key))?;
            } else {
                print(line(key))?;
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    storage.close().await;
    Ok(())
}

async fn revoke(wanted: RevokeKey, surroundings: &Environment, json: bool) -> Result<(), Failure> {
    let settings = environment::settings(&wanted.configuration)?;
    let storage = environment::storage(&settings, surroundings).await?;
    let revoked = storage
        .api_keys()
        .revoke(&wanted.id, now(surroundings))
        .await?;
    storage.close().await;
    let Some(key) = revoked else {
        return Err(Failure::new(
            Exit::Failed,
            format!(
                "there is no key {}; `mailgrant keys list` shows all",
                wanted.id
            ),
        ));
    };
    if json {
        print_json(&KeyView::of(&key))?;
    } else {
        print(line(&key))?;
    }
    Ok(())
}

async fn rotate(
    wanted: RotateMaster,
    surroundings: &Environment,
    json: bool,
) -> Result<(), Failure> {
    let settings = environment::settings(&wanted.configuration)?;
    let storage = environment::storage(&settings, surroundings).await?;
    let (id, message) = match (&settings.master_key, wanted.new_env) {
        (MasterKeySource::File(path), None) => {
            let key = rotate_master(&*storage, path, &*surroundings.random).await?;
            (
                key.id(),
                format!("{} holds the new master key, {}", path.display(), key.id()),
            )
        }
        (MasterKeySource::Value { variable, .. }, Some(new)) => {
            let key = rewrap(&*storage, &new).await?;
            (
                key.id(),
                format!(
                    "the database needs master key {} from now on: put it into {variable} before the next start",
                    key.id()
                ),
            )
        }
        (MasterKeySource::File(path), Some(_)) => {
            return Err(Failure::configuration(format!(
                "--new-env: the master key is in {}; leave the option out and a new one is made there",
                path.display()
            )));
        }
        (MasterKeySource::Value { variable, .. }, None) => {
            return Err(Failure::configuration(format!(
                "the master key is given by {variable}: make a new one with `openssl rand -base64 32`, put it into another \
                 variable, and name that with --new-env"
            )));
        }
    };
    storage.close().await;
    if json {
        print(json!({"master_key_id": id}))?;
    } else {
        print(message)?;
    }
    Ok(())
}

async fn rewrap(storage: &dyn Storage, name: &str) -> Result<MasterKey, Failure> {
    let text = variable(name)
        .ok_or_else(|| Failure::configuration(format!("--new-env: {name} is not set")))?;
    let key = MasterKey::parse(&text, name).map_err(mailgrant_storage::Error::from)?;
    storage.rewrap(&key).await?;
    Ok(key)
}

/// A key as `--json` shows it.
#[derive(Serialize)]
struct KeyView<'a> {
    id: &'a ApiKeyId,
    site: &'a str,
    label: &'a str,
    scopes: &'a BTreeSet<ApiScope>,
    hint: &'a str,
    created_at: String,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

impl<'a> KeyView<'a> {
    fn of(key: &'a ApiKey) -> Self {
        Self {
            id: &key.id,
            site: &key.site,
            label: &key.label,
            scopes: &key.scopes,
            hint: &key.hint,
            created_at: moment(key.created_at),
            last_used_at: key.last_used_at.map(moment),
            revoked_at: key.revoked_at.map(moment),
            secret: None,
        }
    }
}

fn print_json(view: &KeyView<'_>) -> Result<(), Failure> {
    print(json!(view))
}

fn line(key: &ApiKey) -> String {
    let used = key.last_used_at.map_or_else(
        || "never used".to_owned(),
        |time| format!("used {}", day(time)),
    );
    let revoked = key
        .revoked_at
        .map(|time| format!("  REVOKED {}", day(time)))
        .unwrap_or_default();
    let label = if key.label.is_empty() {
        String::new()
    } else {
        format!("  “{}”", key.label)
    };
    format!(
        "{}  {}…  {}  {}  made {}  {used}{label}{revoked}",
        key.id,
        key.hint,
        key.site,
        words(key),
        day(key.created_at)
    )
}

fn words(key: &ApiKey) -> String {
    key.scopes
        .iter()
        .map(|scope| scope.as_str())
        .collect::<Vec<_>>()
        .join(",")
}

fn day(time: UnixTime) -> String {
    moment(time)
        .split('T')
        .next()
        .unwrap_or_default()
        .to_owned()
}
