//! Who refreshes a grant: one process at a time, by a locked file beside the database, `{database}-{account}.lock`.
//!
//! All processes on one SQLite file are on one machine, so the kernel can keep the list: it lets go of what a process held
//! when that ends, by `kill -9` too, and nobody waits for a lease to run out. The file is there while it is held.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;
use crate::grant::Hold;
use crate::id::AccountId;

pub(super) async fn take(database: &Path, account: &AccountId) -> Result<Hold, Error> {
    let mut path = database.as_os_str().to_owned();
    path.push(format!("-{account}.lock"));
    let path = PathBuf::from(path);
    let tries = PATIENCE.as_millis() / AGAIN.as_millis();
    for _ in 0..tries {
        match attempt(&path) {
            Ok(Some(held)) => return Ok(Hold::new(held)),
            Ok(None) => tokio::time::sleep(AGAIN).await,
            // Where files cannot be locked, only this process's own order is kept.
            Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(Hold::new(())),
            Err(error) => return Err(Error::Unavailable(Box::new(error))),
        }
    }
    Err(Error::Unavailable(
        format!("somebody else has held the grant of {account} for too long").into(),
    ))
}

/// A locked file, removed when it is let go.
struct Held {
    path: PathBuf,
    file: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        // While it is locked: nobody else's file is there under the name.
        if is_named(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn attempt(path: &Path) -> std::io::Result<Option<Held>> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    match file.try_lock() {
        // Who held it may have removed it meanwhile: a lock on what has no name keeps nobody out.
        Ok(()) if is_named(&file, path) => Ok(Some(Held {
            path: path.to_owned(),
            file,
        })),
        Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether the name leads to this file.
#[cfg(unix)]
fn is_named(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(named)) => identity(held) == identity(named),
        _ => false,
    }
}

/// A file that is open is not removed here.
#[cfg(not(unix))]
fn is_named(_file: &File, _path: &Path) -> bool {
    true
}

/// Longer than a request to an authority may take, with all its attempts.
const PATIENCE: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::random::SystemRandom;
    use mailgrant_core::time::UnixTime;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn one_at_a_time_holds_a_grant_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("mailgrant.db");
        let now = UnixTime(1_790_000_000);
        let accounts = [(); 2].map(|()| AccountId::generate(now, &SystemRandom));
        let holders = [(); 2].map(|()| Arc::new(AtomicU32::new(0)));
        let mut tasks = Vec::new();
        for turn in 0..40 {
            let (database, account) = (database.clone(), accounts[turn % 2].clone());
            let holders = Arc::clone(&holders[turn % 2]);
            tasks.push(tokio::spawn(async move {
                let hold = take(&database, &account).await.unwrap();
                assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                tokio::task::yield_now().await;
                assert_eq!(holders.fetch_sub(1, Ordering::SeqCst), 1);
                drop(hold);
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        // What a killed process leaves is in nobody's way.
        let left = format!("mailgrant.db-{}.lock", accounts[0]);
        std::fs::write(folder.path().join(left), "").unwrap();
        drop(take(&database, &accounts[0]).await.unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
