//! The one interface to a database.

use std::sync::Arc;

use async_trait::async_trait;
use mailgrant_core::time::UnixTime;

use crate::access_token::AccessTokenRepository;
use crate::account::AccountRepository;
use crate::api_key::ApiKeyRepository;
use crate::connect_session::ConnectSessionRepository;
use crate::error::Error;
use crate::event::EventRepository;
use crate::grant::GrantRepository;
use crate::import::ImportRepository;
use crate::master_key::{MasterKey, MasterKeySource};
use crate::random::Random;
use crate::sqlite::Sqlite;

/// A database: the repositories, and what concerns it as a whole.
#[async_trait]
pub trait Storage: Send + Sync {
    /// Accounts.
    fn accounts(&self) -> &dyn AccountRepository;

    /// Grants.
    fn grants(&self) -> &dyn GrantRepository;

    /// Imports of refresh tokens.
    fn imports(&self) -> &dyn ImportRepository;

    /// Connect sessions.
    fn connect_sessions(&self) -> &dyn ConnectSessionRepository;

    /// API keys.
    fn api_keys(&self) -> &dyn ApiKeyRepository;

    /// Events.
    fn events(&self) -> &dyn EventRepository;

    /// Access tokens.
    fn access_tokens(&self) -> &dyn AccessTokenRepository;

    /// Whether the database answers and can be written.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not.
    async fn ping(&self) -> Result<(), Error>;

    /// Wraps the data keys anew under `new`, all or none. Who wants the key file changed with it
    /// uses [`rotate_master`](crate::rotate_master).
    ///
    /// # Errors
    /// [`Error::MasterKeyMissing`] when a data key is under a key that this storage was not opened with.
    async fn rewrap(&self, new: &MasterKey) -> Result<(), Error>;

    /// Finishes what runs, folds the write-ahead log into the database and closes it.
    async fn close(&self);
}

/// Opens the database at `url`, makes it if there is none, and brings it to this version's form.
///
/// `sqlite:PATH` names a file. The master key is checked before anything is written: a database
/// whose secrets are sealed under another key is left as it is.
///
/// # Errors
/// [`Error::Url`], [`Error::MasterKeyMissing`], [`Error::MasterKey`], [`Error::Migration`],
/// [`Error::Unavailable`].
pub async fn open(
    url: &str,
    master: MasterKeySource,
    random: Arc<dyn Random>,
    now: UnixTime,
) -> Result<Arc<dyn Storage>, Error> {
    if url.starts_with("sqlite:") {
        return Ok(Arc::new(Sqlite::open(url, master, random, now).await?));
    }
    Err(Error::Url(match url.split_once(':') {
        Some(("postgres" | "postgresql", _)) => {
            "this version keeps its data in SQLite only; write sqlite:FILE".to_owned()
        }
        _ => "must be sqlite:FILE, for example sqlite:mailgrant.db".to_owned(),
    }))
}
