use std::sync::Arc;
use std::time::Duration;

use mailgrant_core::time::UnixTime;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::super::Sqlite;
use crate::error::Error;
use crate::master_key::MasterKeySource;
use crate::random::SystemRandom;
use crate::storage::Storage as _;

/// In place of seconds: SQLite waits for this long, a change for much longer.
const BUSY: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_millis(2500);

struct World {
    storage: Arc<Sqlite>,
    home: TempDir,
}

impl World {
    async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", home.path().join("mailgrant.db").display());
        let source = MasterKeySource::File(home.path().join("master.key"));
        let now = UnixTime(1_790_000_000);
        let mut storage = Sqlite::open(&url, source, Arc::new(SystemRandom), now)
            .await
            .unwrap();
        storage.patience = PATIENCE;
        // The one connection's own.
        sqlx::query("PRAGMA busy_timeout = 100")
            .execute(&storage.writer)
            .await
            .unwrap();
        Self {
            storage: Arc::new(storage),
            home,
        }
    }

    /// Another process.
    async fn other(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.home.path().join("mailgrant.db"));
        options.connect().await.unwrap()
    }

    /// Each commit takes this long from now on.
    async fn slow_disk(&self, commit: Duration) {
        let mut writer = self.storage.writer.acquire().await.unwrap();
        let mut handle = writer.lock_handle().await.unwrap();
        handle.set_commit_hook(move || {
            std::thread::sleep(commit);
            true
        });
    }

    fn changes(&self, count: usize) -> JoinSet<Result<(), Error>> {
        let mut changes = JoinSet::new();
        for _ in 0..count {
            let storage = Arc::clone(&self.storage);
            changes.spawn(async move { storage.ping().await });
        }
        changes
    }
}

#[tokio::test]
async fn changes_wait_for_another_process_for_longer_than_sqlite_does() {
    let world = World::new().await;
    let mut other = world.other().await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let changes = world.changes(8);
    tokio::time::sleep(BUSY * 3).await;
    lock.commit().await.unwrap();
    for changed in changes.join_all().await {
        changed.unwrap();
    }
}

#[tokio::test]
async fn changes_wait_for_one_another_on_a_slow_disk() {
    let world = World::new().await;
    // One commit is slower than SQLite's own patience, and there are more behind it.
    world.slow_disk(BUSY * 2).await;
    for changed in world.changes(4).join_all().await {
        changed.unwrap();
    }
}

#[tokio::test]
async fn no_change_waits_for_ever_and_none_is_in_the_way_afterwards() {
    let world = World::new().await;
    let mut other = world.other().await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let begun = Instant::now();
    for changed in world.changes(8).join_all().await {
        let refused = changed.unwrap_err();
        assert!(refused.is_unavailable(), "{refused}");
        assert!(
            refused.to_string().contains("no turn to write"),
            "{refused}"
        );
    }
    let waited = begun.elapsed();
    assert!((PATIENCE..PATIENCE * 5).contains(&waited), "{waited:?}");
    lock.commit().await.unwrap();
    // The driver may still have been waiting for the one that was given up: nothing of it holds the database.
    world.storage.ping().await.unwrap();
    other.begin_with("BEGIN IMMEDIATE").await.unwrap();
}
