//! Who may use a refresh token: one process at a time, and one task in it, by a locked file beside the database,
//! `{database}-{grant's account or import}.lock`.
//!
//! All processes on one SQLite file are on one machine, so the kernel can keep the list: it lets go of what a process held
//! when that ends, by `kill -9` too, and of nothing before, however long a process is stopped. The file is there while it
//! is held.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::open::suffixed;
use crate::error::Error;
use crate::hold::Hold;

/// Waits until nobody else holds it.
pub(super) async fn take(database: &Path, id: &str) -> Result<Hold, Error> {
    let tries = PATIENCE.as_millis() / AGAIN.as_millis();
    for _ in 0..tries {
        match attempt(database, id)? {
            Some(hold) => return Ok(hold),
            None => tokio::time::sleep(AGAIN).await,
        }
    }
    Err(Error::Unavailable(
        format!(
            "another process has held {id} for {} s: end it if it hangs",
            PATIENCE.as_secs()
        )
        .into(),
    ))
}

/// Holds it, unless somebody else does.
pub(super) fn attempt(database: &Path, id: &str) -> Result<Option<Hold>, Error> {
    match lock(suffixed(database, &format!("-{id}{LOCK}"))) {
        Ok(held) => Ok(held.map(Hold::new)),
        // A second use of a refresh token may end a grant: nothing is used where nobody can be kept out.
        Err(error) if error.kind() == ErrorKind::Unsupported => Err(Error::Unavailable(
            format!(
                "files cannot be locked beside {}: put the database on a file system where they can",
                database.display()
            )
            .into(),
        )),
        Err(error) => Err(Error::Unavailable(Box::new(error))),
    }
}

/// Removes the files that killed processes left and that nobody holds. One that cannot be removed is in nobody's way.
pub(super) fn sweep(database: &Path) {
    let (Some(folder), Some(name)) = (database.parent(), database.file_name()) else {
        return;
    };
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let is_ours = |path: &Path| {
        let file = path.file_name().map(|file| file.to_string_lossy());
        file.is_some_and(|file| {
            let rest = file.strip_prefix(&*name.to_string_lossy());
            rest.is_some_and(|rest| rest.starts_with('-') && rest.ends_with(LOCK))
        })
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if is_ours(&path) {
            drop(lock(path));
        }
    }
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

fn lock(path: PathBuf) -> std::io::Result<Option<Held>> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path)?;
    match file.try_lock() {
        // Who held it may have removed it meanwhile: a lock on what has no name keeps nobody out.
        Ok(()) if is_named(&file, &path) => Ok(Some(Held { path, file })),
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

const LOCK: &str = ".lock";
/// Longer than a request to an authority may take, with all its attempts.
const PATIENCE: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::id::AccountId;
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
                let hold = take(&database, account.as_str()).await.unwrap();
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
        drop(take(&database, accounts[0].as_str()).await.unwrap());
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[test]
    fn a_hold_ends_with_its_last_clone() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("mailgrant.db");
        let hold = attempt(&database, "imp_1").unwrap().unwrap();
        let clone = hold.clone();
        drop(hold);
        assert!(attempt(&database, "imp_1").unwrap().is_none());
        assert!(attempt(&database, "imp_2").unwrap().is_some());
        drop(clone);
        assert!(attempt(&database, "imp_1").unwrap().is_some());
    }

    #[test]
    fn what_the_killed_left_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("mailgrant.db");
        let mut stay = vec!["mailgrant.db", "mailgrant.db-wal", "other.db-acc_1.lock"];
        for name in stay.iter().chain(&["mailgrant.db-acc_1.lock"]) {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let hold = attempt(&database, "imp_1").unwrap();
        sweep(&database);
        assert!(attempt(&database, "imp_1").unwrap().is_none());
        stay.insert(1, "mailgrant.db-imp_1.lock");
        assert_eq!(names(folder.path()), stay);
        drop(hold);
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}
