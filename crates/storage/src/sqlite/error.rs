//! SQLite's result codes, read for what the caller should do.

use crate::error::Error;

/// Sorts an error of the driver into "not now" and "never".
pub(super) fn failed(error: sqlx::Error) -> Error {
    if is_unavailable(&error) {
        Error::Unavailable(Box::new(error))
    } else {
        Error::Database(Box::new(error))
    }
}

/// As [`failed`], for migrations.
pub(super) fn migration_failed(error: sqlx::migrate::MigrateError) -> Error {
    use sqlx::migrate::MigrateError;

    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)
            if is_unavailable(&error) =>
        {
            Error::Unavailable(Box::new(error))
        }
        error => Error::Migration(Box::new(error)),
    }
}

pub(super) fn malformed(column: &'static str, id: impl Into<String>) -> Error {
    Error::Malformed {
        column,
        id: id.into(),
    }
}

/// Whether somebody else has the database locked.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    code(error) == Some(BUSY)
}

fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        error => code(error).is_some_and(|code| UNAVAILABLE.contains(&code)),
    }
}

/// The primary result code, which is the low byte: <https://www.sqlite.org/rescode.html#pve>.
fn code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const PROTOCOL: u32 = 15;
const UNAVAILABLE: [u32; 7] = [BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL];
