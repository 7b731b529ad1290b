//! From file and environment to checked settings.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use config::{Config, FileFormat, Map, Value};
use mailgrant_core::secret::Secret;
use url::Url;

use super::{
    MasterKeySource, Origin, Server, Settings, SettingsError, Storage, application, file,
    origin::is_secure_or_loopback, shape,
};

/// The variables the process was started with.
pub(super) type Variables = BTreeMap<String, String>;

pub(super) fn load(path: Option<&Path>, environment: Variables) -> Result<Settings, SettingsError> {
    let text = match path {
        None => String::new(),
        Some(path) => read(path, "the settings file")?,
    };
    let folder = path.and_then(Path::parent).unwrap_or(Path::new(""));
    let written = merge(&text, &environment)?;
    let context = Context {
        folder,
        environment: &environment,
    };
    Ok(Settings {
        server: server(&written.server)?,
        storage: storage(&written.storage, &context)?,
        master_key: master_key(written.master_key, &context)?,
        applications: application::all(written.application, written.provider, &context)?,
    })
}

/// What turning a written value into a checked one may look at.
pub(super) struct Context<'a> {
    folder: &'a Path,
    environment: &'a Variables,
}

impl Context<'_> {
    /// The path, relative to the settings file's folder.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    pub(super) fn file(&self, path: &Path, key: &str) -> Result<String, SettingsError> {
        read(&self.path(path), key)
    }

    pub(super) fn variable(&self, name: &str, key: &str) -> Result<&str, SettingsError> {
        self.environment
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                SettingsError::key(key, format!("the environment variable {name} is not set"))
            })
    }
}

fn read(path: &Path, key: &str) -> Result<String, SettingsError> {
    std::fs::read_to_string(path).map_err(|source| SettingsError::Unreadable {
        key: key.to_owned(),
        path: path.to_owned(),
        source,
    })
}

/// Lays the environment over the file and gives both their shape.
fn merge(text: &str, environment: &Variables) -> Result<file::File, SettingsError> {
    let parsed = Config::builder()
        .add_source(config::File::from_str(text, FileFormat::Toml))
        .build()
        .map_err(|error| SettingsError::Syntax(error.to_string()))?;
    let mut builder = Config::builder().add_source(parsed.clone());
    for (name, value) in environment {
        let Some(key) = setting_key(name, &parsed) else {
            continue;
        };
        builder = builder
            .set_override(&key, value.as_str())
            .map_err(|error| SettingsError::key(name, error.to_string()))?;
    }
    let merged = builder
        .build()
        .map_err(|error| SettingsError::Syntax(error.to_string()))?;
    serde_path_to_error::deserialize(merged).map_err(|error| shape::wrong(&error))
}

/// `MAILGRANT_SERVER__LISTEN` -> `server.listen`; tables of a list by position or by their id.
fn setting_key(variable: &str, parsed: &Config) -> Option<String> {
    let name = variable.strip_prefix("MAILGRANT_")?;
    let mut parts = name.split("__");
    let section = parts.next()?.to_ascii_lowercase();
    let mut key = section.clone();
    let mut rest = parts.peekable();
    rest.peek()?;
    if matches!(section.as_str(), "application" | "provider") {
        let item = rest.next()?;
        let index = item
            .parse::<usize>()
            .ok()
            .or_else(|| position(parsed, &section, item));
        match index {
            Some(index) => key.push_str(&format!("[{index}]")),
            None => return Some(format!("{section}_{}", item.to_ascii_lowercase())),
        }
    }
    for part in rest {
        key.push('.');
        key.push_str(&part.to_ascii_lowercase());
    }
    Some(key)
}

fn position(parsed: &Config, section: &str, item: &str) -> Option<usize> {
    let tables: Vec<Map<String, Value>> = parsed.get(section).ok()?;
    tables.iter().position(|table| {
        table.get("id").is_some_and(|id| {
            id.to_string()
                .to_ascii_uppercase()
                .replace(|letter: char| !letter.is_ascii_alphanumeric(), "_")
                == item.to_ascii_uppercase()
        })
    })
}

fn server(written: &file::Server) -> Result<Server, SettingsError> {
    let listen: SocketAddr = written.listen.parse().map_err(|_| {
        SettingsError::key(
            "server.listen",
            format!(
                "`{}` is not an address and port; write for example 127.0.0.1:8080",
                written.listen
            ),
        )
    })?;
    let public_url = written.public_url.as_deref().map(public_url).transpose()?;
    if public_url.is_none() && !listen.ip().is_loopback() {
        return Err(SettingsError::key(
            "server.public_url",
            "is needed when the gateway listens on other addresses than loopback; write the https URL by which browsers reach it",
        ));
    }
    let allowed_origins = written
        .allowed_origins
        .iter()
        .enumerate()
        .map(|(index, text)| {
            Origin::parse(text).map_err(|problem| {
                SettingsError::key(format!("server.allowed_origins[{index}]"), problem)
            })
        })
        .collect::<Result<_, _>>()?;
    let event_readers = match usize::try_from(written.event_readers) {
        Ok(number @ 1..=MOST_READERS) => number,
        _ => {
            return Err(SettingsError::key(
                "server.event_readers",
                format!("must be between 1 and {MOST_READERS}"),
            ));
        }
    };
    Ok(Server {
        listen,
        public_url,
        allowed_origins,
        event_readers,
    })
}

fn public_url(text: &str) -> Result<Url, SettingsError> {
    let wrong = |problem: String| SettingsError::key("server.public_url", problem);
    let url =
        Url::parse(text).map_err(|error| wrong(format!("`{text}` is not a URL ({error})")))?;
    if !is_secure_or_loopback(&url) {
        return Err(wrong(format!(
            "`{text}` must begin with https:// (plain http only on localhost)"
        )));
    }
    let origin = url.origin().ascii_serialization();
    if text.trim_end_matches('/') != origin {
        return Err(wrong(format!(
            "`{text}` must be scheme, host and port only: write {origin}"
        )));
    }
    Ok(url)
}

fn storage(written: &file::Storage, context: &Context<'_>) -> Result<Storage, SettingsError> {
    let url = match written.url.split_once(':') {
        Some(("sqlite", rest)) => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.is_empty() {
                return Err(SettingsError::key(
                    "storage.url",
                    "names no file; write for example sqlite:mailgrant.db",
                ));
            }
            if path.starts_with(":memory:") || path.starts_with('/') {
                format!("sqlite:{path}")
            } else {
                format!("sqlite:{}", context.path(Path::new(path)).display())
            }
        }
        Some(("postgres" | "postgresql", _)) => written.url.clone(),
        _ => {
            return Err(SettingsError::key(
                "storage.url",
                "write sqlite:PATH or postgres://…",
            ));
        }
    };
    Ok(Storage { url })
}

fn master_key(
    written: file::MasterKey,
    context: &Context<'_>,
) -> Result<MasterKeySource, SettingsError> {
    match (written.file, written.env) {
        (Some(_), Some(_)) => Err(SettingsError::key(
            "master_key",
            "give either `file` or `env`, not both",
        )),
        (None, Some(variable)) => {
            let value = Secret::new(context.variable(&variable, "master_key.env")?);
            Ok(MasterKeySource::Value { variable, value })
        }
        (file, None) => Ok(MasterKeySource::File(
            context.path(&file.unwrap_or_else(|| PathBuf::from("master.key"))),
        )),
    }
}

/// Each is a connection of its own.
const MOST_READERS: usize = 10_000;
