//! Why the storage could not do as asked.

use std::error::Error as StdError;
use std::path::PathBuf;

use crate::id::AccountId;

/// Why the storage could not do as asked. No message holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database does not answer, is busy for too long, cannot be written or its disk is full.
    /// Nothing of the request was stored; it may be tried again.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] Cause),

    /// The database refused a statement or answered something unreadable: a bug here, or a file
    /// that something else has changed.
    #[error("the database failed: {0}")]
    Database(#[source] Cause),

    /// A stored value is not of the form it was written in.
    #[error(
        "{column} of {id} holds a value that cannot be read; was the database changed by hand?"
    )]
    Malformed {
        /// Table and column.
        column: &'static str,
        /// The row.
        id: String,
    },

    /// A sealed value does not open: it was changed, or moved from another row or column.
    #[error("{column} of {id} does not open with its key; was the database changed by hand?")]
    Sealed {
        /// Table and column.
        column: &'static str,
        /// The row.
        id: String,
    },

    /// The same person has connected the same mailbox for the same application before.
    #[error("the mailbox is connected already, as {account}")]
    Conflict {
        /// The account that exists.
        account: AccountId,
    },

    /// The storage URL names nothing that can be opened.
    #[error("storage.url: {0}")]
    Url(String),

    /// The database was written by a newer mailgrant, or a migration failed.
    #[error(
        "cannot bring the database to this version's form: {0}; use the mailgrant version that wrote it, or a newer one"
    )]
    Migration(#[source] Cause),

    /// The database's secrets are sealed under a master key that was not given.
    #[error(
        "this database needs master key {key_id}, but {found}; put that key back (restore the file from its backup, or set the value) and start again. Nothing was changed"
    )]
    MasterKeyMissing {
        /// The identifier of the key that is needed.
        key_id: String,
        /// What was found in its place.
        found: String,
    },

    /// The master key cannot be read.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
}

/// What lies beneath an [`Error`], not part of the interface.
pub type Cause = Box<dyn StdError + Send + Sync>;

impl Error {
    /// Whether the fault lies outside the program and passes by itself or by an operator's hand:
    /// the caller is told to try again (503).
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// Why a master key cannot be read or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterKeyError {
    /// The text is not 32 bytes in base64.
    #[error("{origin}: a master key is 32 bytes in base64; `openssl rand -base64 32` makes one")]
    Form {
        /// The file or setting.
        origin: String,
    },

    /// Others than the owner can read the file.
    #[error("{}: others can read this master key (mode {mode:04o}); type: chmod 600 '{}'", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },

    /// The file cannot be read or written.
    #[error("{}: cannot {action} the master key file: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// The key was given by value, so its holder has to change it.
    #[error(
        "the master key is given by value: put the new one into the setting's `next` form first"
    )]
    NoFile,
}
