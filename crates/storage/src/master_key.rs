//! The master key: where it comes from, and how its file is made, checked and replaced.
//!
//! A file and a value have the same form, so one can become the other: 32 bytes in base64.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mailgrant_core::secret::Secret;
use zeroize::Zeroizing;

use crate::error::{Error, MasterKeyError};
use crate::random::{Random, random_bytes};
use crate::seal::{KEY_LEN, KeyId};
use crate::storage::Storage;

/// The key that wraps a database's data keys.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; KEY_LEN]>);

impl MasterKey {
    /// A new one.
    pub fn generate(random: &dyn Random) -> Self {
        Self(Zeroizing::new(random_bytes(random)))
    }

    /// Reads base64 (either alphabet, with or without padding); `origin` names the file or setting
    /// in the error.
    ///
    /// ```
    /// use mailgrant_storage::MasterKey;
    ///
    /// let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    /// let key = MasterKey::parse(text, "MAILGRANT_MASTER_KEY").unwrap();
    /// assert_eq!(key.id(), "630dcd2966c43366");
    /// assert!(MasterKey::parse("hunter2", "MAILGRANT_MASTER_KEY").is_err());
    /// ```
    ///
    /// # Errors
    /// [`MasterKeyError::Form`] when it is not 32 bytes.
    pub fn parse(text: &str, origin: impl Into<String>) -> Result<Self, MasterKeyError> {
        let plain: Zeroizing<String> = Zeroizing::new(
            text.trim()
                .trim_end_matches('=')
                .replace('+', "-")
                .replace('/', "_"),
        );
        let decoded = URL_SAFE_NO_PAD.decode(plain.as_bytes()).map(Zeroizing::new);
        match decoded
            .ok()
            .and_then(|bytes| <[u8; KEY_LEN]>::try_from(bytes.as_slice()).ok())
        {
            Some(bytes) => Ok(Self(Zeroizing::new(bytes))),
            None => Err(MasterKeyError::Form {
                origin: origin.into(),
            }),
        }
    }

    /// What names the key in the database and in errors: the first 8 bytes of its SHA-256, in
    /// hexadecimal.
    pub fn id(&self) -> String {
        self.key_id().to_string()
    }

    pub(crate) fn key_id(&self) -> KeyId {
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(digest(&SHA256, self.bytes()).as_ref()) {
            *to = *from;
        }
        KeyId(id)
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!(
            "{}\n",
            *Zeroizing::new(STANDARD.encode(self.bytes()))
        ))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id())
    }
}

/// Where the master key comes from.
#[derive(Clone, Debug)]
pub enum MasterKeySource {
    /// A file of mode 0600, made when neither it nor a sealed database is there.
    File(PathBuf),
    /// A key in its text form, from an environment variable or a secret store.
    Value {
        /// The variable or setting, for messages.
        origin: String,
        /// The text.
        value: Secret,
    },
    /// Several keys: the first wraps, the others are accepted too.
    Given(Vec<MasterKey>),
}

impl MasterKeySource {
    /// The keys to open a database with whose data keys are under the keys `needed`, best first.
    /// Makes a file only when nothing is needed.
    pub(crate) fn load(
        &self,
        needed: &BTreeSet<String>,
        random: &dyn Random,
    ) -> Result<Vec<MasterKey>, Error> {
        let keys = match self {
            Self::Given(keys) => keys.clone(),
            Self::Value { origin, value } => vec![MasterKey::parse(value.expose(), origin)?],
            Self::File(path) => {
                let mut keys: Vec<_> = read(path)?.into_iter().collect();
                keys.extend(read(&next_path(path))?);
                if keys.is_empty() && needed.is_empty() {
                    keys.push(create(path, random)?);
                }
                keys
            }
        };
        match needed
            .iter()
            .find(|id| !keys.iter().any(|key| key.id() == **id))
        {
            Some(id) => Err(Error::MasterKeyMissing {
                key_id: id.clone(),
                found: self.found(&keys),
            }),
            None if keys.is_empty() => Err(Error::MasterKeyMissing {
                key_id: "of any identifier".to_owned(),
                found: self.found(&keys),
            }),
            None => Ok(keys),
        }
    }

    /// Completes a rotation that was interrupted after the data keys were wrapped anew.
    pub(crate) fn settle(&self, in_use: &BTreeSet<String>) -> Result<(), Error> {
        let Self::File(path) = self else {
            return Ok(());
        };
        let Some(next) = read(&next_path(path))? else {
            return Ok(());
        };
        if in_use.len() == 1 && in_use.contains(&next.id()) {
            promote(path)?;
        }
        Ok(())
    }

    fn found(&self, keys: &[MasterKey]) -> String {
        let ids = keys
            .iter()
            .map(MasterKey::id)
            .collect::<Vec<_>>()
            .join(", ");
        match (self, keys) {
            (Self::File(path), []) => format!("{} does not exist", path.display()),
            (Self::File(path), _) => format!("{} holds key {ids}", path.display()),
            (Self::Value { origin, .. }, _) => format!("{origin} holds key {ids}"),
            (Self::Given(_), []) => "none was given".to_owned(),
            (Self::Given(_), _) => format!("key {ids} was given"),
        }
    }
}

/// Replaces the master key in the file at `path` by a new one and wraps the data keys under it.
///
/// May be killed at any moment and run again: the new key stands in `PATH.next` until every data
/// key is under it, and [`open`](crate::open) accepts either file. Returns the new key.
///
/// # Errors
/// Those of the files and of [`Storage::rewrap`].
pub async fn rotate_master(
    storage: &dyn Storage,
    path: &Path,
    random: &dyn Random,
) -> Result<MasterKey, Error> {
    let next = match read(&next_path(path))? {
        Some(key) => key,
        None => create(&next_path(path), random)?,
    };
    storage.rewrap(&next).await?;
    promote(path)?;
    Ok(next)
}

fn next_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".next");
    PathBuf::from(name)
}

fn promote(path: &Path) -> Result<(), MasterKeyError> {
    std::fs::rename(next_path(path), path).map_err(file_error(path, "replace"))?;
    sync_directory(path)
}

fn read(path: &Path) -> Result<Option<MasterKey>, MasterKeyError> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_error(path, "read")(error)),
    };
    check_mode(path, &metadata)?;
    let text = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(file_error(path, "read"))?;
    MasterKey::parse(&text, path.display().to_string()).map(Some)
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &std::fs::Metadata) -> Result<(), MasterKeyError> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(MasterKeyError::Exposed {
            path: path.to_owned(),
            mode,
        })
    }
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &std::fs::Metadata) -> Result<(), MasterKeyError> {
    Ok(())
}

/// Makes the file whole or not at all: written and synced under another name, then linked, which
/// fails where a file is already. Whoever comes second takes the first one's key.
fn create(path: &Path, random: &dyn Random) -> Result<MasterKey, MasterKeyError> {
    let key = MasterKey::generate(random);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(
        ".{:016x}",
        u64::from_ne_bytes(random_bytes(random))
    ));
    let draft = PathBuf::from(name);
    write_new(&draft, key.text().as_bytes()).map_err(file_error(path, "create"))?;
    let linked = std::fs::hard_link(&draft, path);
    let removed = std::fs::remove_file(&draft);
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return read(path)?.ok_or_else(|| file_error(path, "create")(error));
        }
        Err(error) => return Err(file_error(path, "create")(error)),
    }
    removed.map_err(file_error(path, "create"))?;
    sync_directory(path)?;
    Ok(key)
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_directory(path: &Path) -> Result<(), MasterKeyError> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    std::fs::File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(file_error(path, "sync"))
}

fn file_error(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> MasterKeyError {
    move |source| MasterKeyError::File {
        path: path.to_owned(),
        action,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    const NOTHING: BTreeSet<String> = BTreeSet::new();

    fn file_source(directory: &tempfile::TempDir) -> (PathBuf, MasterKeySource) {
        let path = directory.path().join("master.key");
        (path.clone(), MasterKeySource::File(path))
    }

    #[test]
    fn the_first_start_makes_a_private_file_and_the_second_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let (path, source) = file_source(&directory);
        let first = source.load(&NOTHING, &SystemRandom).unwrap();
        let second = source.load(&NOTHING, &SystemRandom).unwrap();
        assert_eq!(first[0].id(), second[0].id());
        assert_eq!(
            std::fs::read_dir(directory.path()).unwrap().count(),
            1,
            "no draft is left"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                std::fs::metadata(path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn a_sealed_database_without_its_key_makes_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let (path, source) = file_source(&directory);
        let needed = BTreeSet::from(["0123456789abcdef".to_owned()]);
        let error = source.load(&needed, &SystemRandom).unwrap_err();
        assert!(error.to_string().contains("0123456789abcdef"), "{error}");
        assert!(error.to_string().contains("does not exist"), "{error}");
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused_with_what_to_type() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().unwrap();
        let (path, source) = file_source(&directory);
        source.load(&NOTHING, &SystemRandom).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = source.load(&NOTHING, &SystemRandom).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn whoever_creates_second_takes_the_first_ones_key() {
        let directory = tempfile::tempdir().unwrap();
        let (path, _) = file_source(&directory);
        let ids: BTreeSet<_> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| create(&path, &SystemRandom).unwrap().id()))
                .collect();
            racers
                .into_iter()
                .map(|racer| racer.join().unwrap())
                .collect()
        });
        assert_eq!(ids.len(), 1);
    }

    #[test]
    fn neither_debug_nor_errors_show_a_key() {
        let key = MasterKey::generate(&SystemRandom);
        let text = key.text();
        assert!(!format!("{key:?}").contains(text.trim()));
        let error = MasterKey::parse("c2VjcmV0LWNhbmFyeQ", "X").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("c2VjcmV0"));
    }
}
