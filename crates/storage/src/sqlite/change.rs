//! One transaction that writes.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::sqlite::SqlitePool;
use sqlx::{Sqlite as Dialect, SqliteConnection, Transaction};
use tokio::time::timeout;

use super::Sqlite;
use super::error::{failed, is_busy};
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
        let transaction = turn(&storage.writer, storage.patience).await?;
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

/// Waits for a turn to write, `patience` at most: behind the changes of this process, and behind other processes.
///
/// A disk may take seconds for one commit, and so may another process; neither is a reason to refuse those behind it.
pub(super) async fn turn(
    writer: &SqlitePool,
    patience: Duration,
) -> Result<Transaction<'static, Dialect>, Error> {
    match timeout(patience, begin_when_free(writer)).await {
        Ok(begun) => begun.map_err(failed),
        Err(_) => Err(Error::Unavailable(
            format!(
                "no turn to write within {} s: the disk is slow, or another process keeps the database locked",
                patience.as_secs()
            )
            .into(),
        )),
    }
}

async fn begin_when_free(
    writer: &SqlitePool,
) -> Result<Transaction<'static, Dialect>, sqlx::Error> {
    loop {
        match writer.begin_with("BEGIN IMMEDIATE").await {
            // Back to the end of the queue: the next one waits for the other process then.
            Err(error) if is_busy(&error) => {}
            // SQLite ends a transaction by itself when the disk is full. The driver's own ROLLBACK then finds none and
            // fails, and from then on the driver takes the connection to be inside a transaction: only a new one helps.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                let stuck = writer.acquire().await?;
                // What closing says about that state is of no use to anybody.
                let _ = stuck.close().await;
            }
            outcome => return outcome,
        }
    }
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

#[cfg(test)]
mod tests;
