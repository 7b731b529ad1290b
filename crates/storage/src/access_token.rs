//! Access tokens that outlive a restart and are shared by the replicas, sealed.

use async_trait::async_trait;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::AccessToken;

use crate::error::Error;

/// An access token and what decides whether it is still good.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAccessToken {
    /// The token, opened.
    pub token: AccessToken,
    /// The generation of the grant it came with, for a delegated account.
    pub generation: Option<i64>,
    /// When it came.
    pub obtained_at: UnixTime,
    /// When it ends.
    pub expires_at: UnixTime,
}

/// Access tokens by the keeper's own keys.
///
/// A key is any text. One of the form `account\n{id}` makes the token the account's: it is refused when there is no
/// such account, and deleted with it, when its grant turns out to be dead, when it is switched off, and when its person
/// has agreed anew.
#[async_trait]
pub trait AccessTokenRepository: Send + Sync {
    /// The token under this key, whether it is still good or not.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the stored value was tampered with ([`put`](Self::put) mends that); else as everywhere.
    async fn lookup(&self, key: &str) -> Result<Option<StoredAccessToken>, Error>;

    /// Stores the token unless there is a better one: of a later generation or, within the same, with a later end.
    /// Also not stored: an account's token whose generation is no longer the grant's, and the token of an account
    /// that is gone or [barred](crate::AccountState::is_barred). Returns whether it was stored.
    ///
    /// # Errors
    /// As everywhere.
    async fn put(&self, key: &str, token: StoredAccessToken) -> Result<bool, Error>;

    /// Forgets the token; false when there was none.
    ///
    /// # Errors
    /// As everywhere.
    async fn remove(&self, key: &str) -> Result<bool, Error>;

    /// Forgets the tokens that ended before `time`; returns how many.
    ///
    /// # Errors
    /// As everywhere.
    async fn forget_before(&self, time: UnixTime) -> Result<u64, Error>;
}
