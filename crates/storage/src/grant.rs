//! Grants: the sealed refresh tokens of delegated accounts.

use async_trait::async_trait;
use mailgrant_core::scope::Scopes;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::RefreshToken;

use crate::account::{Account, NewGrant};
use crate::error::Error;
use crate::hold::Hold;
use crate::id::AccountId;

/// What the authority gave for one account.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// The account.
    pub account: AccountId,
    /// The refresh token, opened.
    pub refresh_token: RefreshToken,
    /// The scopes granted.
    pub scopes: Scopes,
    /// When the person last agreed.
    pub obtained_at: UnixTime,
    /// When the authority last answered a refresh.
    pub refreshed_at: UnixTime,
    /// Counts the replacements: what [`GrantRepository::replace`] compares.
    pub generation: i64,
}

/// What became of a replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// The new token is on disk, under this generation.
    Stored {
        /// The grant's generation now.
        generation: i64,
    },
    /// Another refresh or a reconnect was first, or the account is gone: look the grant up again.
    Superseded,
}

/// Grants.
#[async_trait]
pub trait GrantRepository: Send + Sync {
    /// The account's grant, opened.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the stored value was tampered with; else as everywhere.
    async fn lookup(&self, account: &AccountId) -> Result<Option<Grant>, Error>;

    /// Waits until nobody else, in this process or another on the same database, holds the account's grant, and holds it.
    ///
    /// An authority that rotates refresh tokens may take a second use of one for a theft and end the grant: look the grant
    /// up after this, refresh, [`replace`](Self::replace), and let go.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when somebody holds it for longer than any request to an authority takes.
    async fn hold(&self, account: &AccountId) -> Result<Hold, Error>;

    /// Stores a new refresh token in place of the one of generation `expected`.
    ///
    /// When this returns `Stored`, the token survives a power cut: only then may the access token
    /// that came with it be handed out. An authority that sent no new refresh token keeps the old
    /// one valid (RFC 6749 §6): pass the old one to record the refresh.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: nothing is stored and the old token is still there.
    async fn replace(
        &self,
        account: &AccountId,
        expected: i64,
        grant: NewGrant,
        now: UnixTime,
    ) -> Result<Replacement, Error>;

    /// At most `limit` delegated accounts, connected or degraded, whose grant was last refreshed before
    /// `refreshed_before`, in the order of their identifiers, after `after`. Also those that claim to have been refreshed
    /// more than two days later than that: they were written when the clock was wrong.
    ///
    /// # Errors
    /// As everywhere.
    async fn stale(
        &self,
        refreshed_before: UnixTime,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Result<Vec<Account>, Error>;

    /// Forgets the grant; false when there was none.
    ///
    /// # Errors
    /// As everywhere.
    async fn revoke(&self, account: &AccountId) -> Result<bool, Error>;
}
