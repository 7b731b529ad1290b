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
    let path = settings_file(configuration)?;
    Settings::load(path.as_deref(), variables()).map_err(|error| {
        let file = path.map_or_else(String::new, |path| format!("{}: ", path.display()));
        Failure::configuration(format!("{file}{error}"))
    })
}

/// The same for a command that uses what is there already: where nothing is configured it must not leave a database and a
/// master key in whatever folder it was run in.
///
/// # Errors
/// Also when there are no settings at all.
pub(crate) fn existing_settings(configuration: &Configuration) -> Result<Settings, Failure> {
    let is_setting = |name: &str| name.starts_with("MAILGRANT_") && name.contains("__");
    if settings_file(configuration)?.is_none() && !variables().any(|(name, _)| is_setting(&name)) {
        return Err(Failure::configuration(format!(
            "there are no settings: neither {BESIDE} in this folder nor a file named by --config or MAILGRANT_CONFIG"
        )));
    }
    settings(configuration)
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

fn variables() -> impl Iterator<Item = (String, String)> {
    // Lossy: a variable that is not UTF-8 belongs to somebody else.
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn settings_file(configuration: &Configuration) -> Result<Option<PathBuf>, Failure> {
    if let Some(path) = &configuration.config {
        return Ok(Some(path.clone()));
    }
    let beside = Path::new(BESIDE);
    if !beside.exists() {
        return Ok(None);
    }
    // Settings say which variables are read as secrets, and to whom they are sent.
    if others_may_write(Path::new(".")) || others_may_write(beside) {
        return Err(Failure::configuration(format!(
            "{BESIDE}: anybody on this machine may have written it; name it by --config if it is meant, or take the right \
             to write from others: chmod o-w"
        )));
    }
    Ok(Some(beside.to_owned()))
}

/// Whether everybody may write it, or in it.
fn others_may_write(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o002 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
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

/// The settings file that is taken where none is named.
const BESIDE: &str = "mailgrant.toml";
