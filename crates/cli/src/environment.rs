//! The process's surroundings, read in this one place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mailgrant_core::time::UnixTime;
use mailgrant_server::{Application, Environment, MasterKeySource as Named, Settings};
use mailgrant_storage::{MasterKeySource, Storage, open};

use crate::arguments::Configuration;
use crate::failure::Failure;

/// An environment variable; unset and empty are the same.
pub(crate) fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the binary reads a variable"
    )]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What to log, as the operator wishes.
pub(crate) fn log_directives() -> Option<String> {
    variable("MAILGRANT_LOG").or_else(|| variable("RUST_LOG"))
}

/// The gateway's settings: the file named, or `./mailgrant.toml`, or the environment alone.
///
/// # Errors
/// When a setting is wrong; the message names it.
pub(crate) fn settings(configuration: &Configuration) -> Result<Settings, Failure> {
    let beside = Path::new("mailgrant.toml");
    let path: Option<PathBuf> = match &configuration.config {
        Some(path) => Some(path.clone()),
        None => beside.exists().then(|| beside.to_owned()),
    };
    // Lossy: a variable that is not UTF-8 belongs to somebody else.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Settings::load(path.as_deref(), variables).map_err(|error| {
        let file = path.map_or_else(String::new, |path| format!("{}: ", path.display()));
        Failure::configuration(format!("{file}{error}"))
    })
}

/// The application of that id.
///
/// # Errors
/// When the settings have none; the message names those they have.
pub(crate) fn application<'a>(
    settings: &'a Settings,
    id: &str,
) -> Result<&'a Application, Failure> {
    settings.application(id).ok_or_else(|| {
        let known: Vec<&str> = settings
            .applications
            .iter()
            .map(|application| application.id.as_str())
            .collect();
        Failure::configuration(format!(
            "there is no application `{id}` in the settings; there is: {}",
            known.join(", ")
        ))
    })
}

/// Opens the database that the settings name.
///
/// # Errors
/// Those of [`open`].
pub(crate) async fn storage(
    settings: &Settings,
    environment: &Environment,
) -> Result<Arc<dyn Storage>, Failure> {
    let master = match &settings.master_key {
        Named::File(path) => MasterKeySource::File(path.clone()),
        Named::Value { variable, value } => MasterKeySource::Value {
            origin: variable.clone(),
            value: value.clone(),
        },
    };
    Ok(open(
        &settings.storage.url,
        master,
        Arc::clone(&environment.random),
        now(environment),
    )
    .await?)
}

/// Now, by the environment's clock.
pub(crate) fn now(environment: &Environment) -> UnixTime {
    environment.clock.now()
}

/// The moment as the API writes it: RFC 3339, UTC.
pub(crate) fn moment(time: UnixTime) -> String {
    jiff::Timestamp::from_second(time.0)
        .map_or_else(|_| time.0.to_string(), |moment| moment.to_string())
}
