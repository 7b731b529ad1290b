//! Opening the file: nothing is written before the master key is known to fit.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::Connection as _;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::error::{failed, migration_failed};
use crate::error::Error;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// The file a URL names: `sqlite:PATH` or `sqlite://PATH`.
pub(super) fn path(url: &str) -> Result<PathBuf, Error> {
    let options =
        SqliteConnectOptions::from_str(url).map_err(|error| Error::Url(error.to_string()))?;
    let path = options.get_filename();
    if path.as_os_str().is_empty() || url.contains(":memory:") || url.contains("mode=memory") {
        return Err(Error::Url(
            "must name a file: what is kept in memory is lost with the process".to_owned(),
        ));
    }
    Ok(path.to_owned())
}

/// Held while a database is opened.
///
/// Two starts that make the same database trip over each other's first pages, where SQLite does not wait but says busy
/// at once; so starts come one at a time. The kernel lets go of it when a process dies.
pub(super) struct Turn {
    #[cfg(unix)]
    _folder: Option<std::fs::File>,
}

impl Turn {
    /// Waits for its turn, and goes on without after [`BUSY`]: then SQLite itself decides.
    #[cfg(unix)]
    pub(super) async fn take(path: &Path) -> Self {
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let folder = std::fs::File::open(parent.unwrap_or_else(|| Path::new("."))).ok();
        let tries = BUSY.as_millis() / AGAIN.as_millis();
        for _ in 0..tries {
            match folder.as_ref().map(std::fs::File::try_lock) {
                Some(Err(std::fs::TryLockError::WouldBlock)) => tokio::time::sleep(AGAIN).await,
                _ => break,
            }
        }
        Self { _folder: folder }
    }

    /// Folders cannot be locked here.
    #[cfg(not(unix))]
    pub(super) async fn take(_path: &Path) -> Self {
        Self {}
    }
}

/// The identifiers of the master keys the data keys are under; none for a new database.
pub(super) async fn master_keys_needed(path: &Path) -> Result<BTreeSet<String>, Error> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() > 0 || suffixed(path, "-wal").exists() => {}
        Ok(_) => return Ok(BTreeSet::new()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(Error::Unavailable(Box::new(error))),
    }
    let mut connection = options(path)
        .read_only(true)
        .connect()
        .await
        .map_err(failed)?;
    let is_ours: bool =
        sqlx::query_scalar("SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'data_keys'")
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
    let needed = if is_ours {
        sqlx::query_scalar("SELECT DISTINCT master_key_id FROM data_keys")
            .fetch_all(&mut connection)
            .await
            .map_err(failed)?
    } else {
        Vec::new()
    };
    connection.close().await.map_err(failed)?;
    Ok(needed.into_iter().collect())
}

/// The writer and the readers of a migrated database.
pub(super) async fn pools(path: &Path) -> Result<(SqlitePool, SqlitePool), Error> {
    create_private(path).map_err(|error| Error::Unavailable(Box::new(error)))?;
    let options = options(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON");
    let writer = pool(1)
        .connect_with(options.clone())
        .await
        .map_err(failed)?;
    if MIGRATIONS.run(&writer).await.is_err() {
        // Another process may have been migrating at the same time: a second look decides.
        MIGRATIONS.run(&writer).await.map_err(migration_failed)?;
    }
    let readers = pool(READERS)
        .connect_with(options.pragma("query_only", "ON"))
        .await
        .map_err(failed)?;
    Ok((writer, readers))
}

/// Tells a file from another of the same name.
pub(super) struct FileIdentity {
    path: PathBuf,
    /// The same without links: other processes may have come by another name.
    real: PathBuf,
    #[cfg(unix)]
    device_and_inode: (u64, u64),
}

impl FileIdentity {
    pub(super) fn of(path: &Path) -> Result<Self, Error> {
        let metadata =
            std::fs::metadata(path).map_err(|error| Error::Unavailable(Box::new(error)))?;
        let real =
            std::fs::canonicalize(path).map_err(|error| Error::Unavailable(Box::new(error)))?;
        Ok(Self {
            path: path.to_owned(),
            real,
            #[cfg(unix)]
            device_and_inode: device_and_inode(&metadata),
        })
    }

    /// Where it is, whatever name it was opened by.
    pub(super) fn real(&self) -> &Path {
        &self.real
    }

    /// Whether the file is still the one that was opened.
    pub(super) fn check(&self) -> Result<(), Error> {
        let metadata =
            std::fs::metadata(&self.path).map_err(|error| Error::Unavailable(Box::new(error)))?;
        #[cfg(unix)]
        if device_and_inode(&metadata) != self.device_and_inode {
            return Err(Error::Unavailable(
                format!(
                    "{} was replaced while it was open; restart to use the new file",
                    self.path.display()
                )
                .into(),
            ));
        }
        Ok(())
    }
}

#[cfg(unix)]
fn device_and_inode(metadata: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;

    (metadata.dev(), metadata.ino())
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        // Statements are of no interest to operators, and their arguments none of the log's business.
        .disable_statement_logging()
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// SQLite gives its write-ahead log the mode of the database.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        result => result.map(drop),
    }
}

pub(super) fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

const READERS: u32 = 4;
/// How long a change waits for its turn, and a reader for a connection: within the time that callers wait for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// How long SQLite waits for another process's lock before others in this process have a turn to wait.
const BUSY: Duration = Duration::from_secs(5);
#[cfg(unix)]
const AGAIN: Duration = Duration::from_millis(10);
