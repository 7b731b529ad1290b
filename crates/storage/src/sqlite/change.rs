//! One transaction that writes.

use std::ops::{Deref, DerefMut};

use sqlx::sqlite::SqlitePool;
use sqlx::{Sqlite as Dialect, SqliteConnection, Transaction};

use super::Sqlite;
use super::error::failed;
use crate::error::Error;

/// A transaction that holds the one writer, with what its statements need. Dropped without
/// [`commit`](Self::commit), nothing of it is stored.
pub(super) struct Change<'a> {
    transaction: Transaction<'static, Dialect>,
    pub(super) storage: &'a Sqlite,
    /// The moment of the last event in it, to wake readers for.
    pub(super) told: Option<i64>,
}

impl<'a> Change<'a> {
    /// Begins one.
    ///
    /// SQLite goes on writing to a file that has been deleted or replaced; nothing of that would be
    /// found after a restart, so it counts as unavailable.
    pub(super) async fn begin(storage: &'a Sqlite) -> Result<Self, Error> {
        storage.file.check()?;
        let transaction = match begin(&storage.writer).await {
            // SQLite ends a transaction by itself when the disk is full. The driver's own ROLLBACK then finds none and
            // fails, and from then on the driver takes the connection to be inside a transaction: only a new one helps.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                let stuck = storage.writer.acquire().await.map_err(failed)?;
                // What closing says about that state is of no use to anybody.
                let _ = stuck.close().await;
                begin(&storage.writer).await
            }
            outcome => outcome,
        };
        let transaction = transaction.map_err(failed)?;
        Ok(Self {
            transaction,
            storage,
            told: None,
        })
    }

    /// Stores everything, or nothing.
    pub(super) async fn commit(self) -> Result<(), Error> {
        self.transaction.commit().await.map_err(failed)?;
        if let Some(last) = self.told {
            self.storage.heard(last);
        }
        Ok(())
    }
}

async fn begin(writer: &SqlitePool) -> Result<Transaction<'static, Dialect>, sqlx::Error> {
    writer.begin_with("BEGIN IMMEDIATE").await
}

impl Deref for Change<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.transaction
    }
}

impl DerefMut for Change<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }
}
