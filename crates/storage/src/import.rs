//! Imports: refresh tokens that another program obtained, on their way to an account.
//!
//! ```text
//!          begin                 replace                finish
//! given ──────────▶ on disk ──▶ its successor on disk ──────────▶ the account has it; the hash of the given one stays
//!                     │  ▲                 │
//!                     │  └── take_due ◀────┴─ rest: a passing fault, or kept for who gives it again
//!                     └───── discard: refused, and the given one is as good as before
//! ```
//!
//! Whoever works on one holds it, from before its token is used until what came of that is on disk.

use async_trait::async_trait;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::RefreshToken;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::{Account, Connected, NewAccount, NewGrant};
use crate::error::Error;
use crate::hold::Hold;
use crate::id::ImportId;

/// What is asked with a refresh token.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportRequest {
    /// The tenant whose authority is asked; `None`: the application's.
    pub tenant: Option<String>,
    /// The mailbox to open; `None`: the person's own, as the authority names it.
    pub mailbox: Option<String>,
    /// The user name for SMTP; `None`: the person's own.
    pub smtp_user: Option<String>,
    /// The address that sent mail carries; `None`: the mailbox's.
    pub from_address: Option<String>,
    /// The site's own data, a JSON object.
    pub metadata: Value,
}

/// An import to be.
#[derive(Clone, Debug, PartialEq)]
pub struct NewImport {
    /// Whose the account is to be.
    pub site: String,
    /// The application that the token was issued to.
    pub application: String,
    /// What is asked with it.
    pub request: ImportRequest,
    /// The token, as it was given.
    pub refresh_token: RefreshToken,
    /// How long it is tried.
    pub expires_at: UnixTime,
}

/// An import under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// Its identifier.
    pub id: ImportId,
    /// Whose the account is to be.
    pub site: String,
    /// The application.
    pub application: String,
    /// What is asked.
    pub request: ImportRequest,
    /// The latest token: the one that was given, or what the authority replaced it by.
    pub refresh_token: RefreshToken,
    /// Counts the replacements; nothing is done to an import of another generation than was expected.
    pub generation: i64,
    /// How often it has been tried, with this time.
    pub attempts: u32,
    /// When it ends by itself.
    pub expires_at: UnixTime,
}

/// What became of beginning an import.
#[derive(Clone, Debug)]
pub enum Begun {
    /// It is on disk: go on.
    Begun(Box<Import>, Hold),
    /// Somebody else works on it at the moment.
    Held,
    /// The same was imported before; this is its account.
    Done(Box<Account>),
}

/// When an import that did not end is looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// The next try; `None`: only when the token is given again.
    pub next_attempt_at: Option<UnixTime>,
    /// When it is forgotten.
    pub expires_at: UnixTime,
}

/// Imports. One is told apart by its site, its application and the hash of the token that was given: who gives it again
/// goes on where it stands, with the newest names they give.
#[async_trait]
pub trait ImportRepository: Send + Sync {
    /// Puts the token on disk before it is used, or finds what became of it, and holds it.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the stored token was tampered with; else as everywhere in this crate.
    async fn begin(&self, import: NewImport, now: UnixTime) -> Result<Begun, Error>;

    /// At most `limit` imports that are due to be tried, in the order of their identifiers, after `after`: those whose
    /// process died, those whose fault may have passed, and those that somebody works on. Also those that were to wait for
    /// more than a day: they were written when the clock was wrong.
    ///
    /// # Errors
    /// As everywhere.
    async fn due(
        &self,
        after: Option<&ImportId>,
        limit: u32,
        now: UnixTime,
    ) -> Result<Vec<ImportId>, Error>;

    /// Holds an import that is due; `None` when somebody works on it, or has just done so.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    async fn take_due(&self, id: &ImportId, now: UnixTime)
    -> Result<Option<(Import, Hold)>, Error>;

    /// Puts the token on disk that the authority gave in place of the one of generation `expected`, and returns its own
    /// generation; `None` when somebody else was first. Only then may what came with it be used.
    ///
    /// # Errors
    /// As everywhere: nothing is stored and the old token is still there.
    async fn replace(
        &self,
        id: &ImportId,
        expected: i64,
        refresh_token: &RefreshToken,
    ) -> Result<Option<i64>, Error>;

    /// Gives the token to an account, in one transaction; the same person's same mailbox is the same account again.
    /// `None` when the import has gone on elsewhere.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is not known whose the token is, and somebody who is known has connected the mailbox;
    /// else as everywhere. Nothing is stored then.
    async fn finish(
        &self,
        id: &ImportId,
        expected: i64,
        account: NewAccount,
        grant: NewGrant,
        now: UnixTime,
    ) -> Result<Option<Connected>, Error>;

    /// Leaves it for now. With `told`, a diagnosis, nobody waits for the answer, and an event says why there is no
    /// account.
    ///
    /// # Errors
    /// As everywhere.
    async fn rest(
        &self,
        id: &ImportId,
        expected: i64,
        rest: Rest,
        told: Option<Value>,
        now: UnixTime,
    ) -> Result<(), Error>;

    /// Forgets it; `told` as with [`rest`](Self::rest).
    ///
    /// # Errors
    /// As everywhere.
    async fn discard(
        &self,
        id: &ImportId,
        expected: i64,
        told: Option<Value>,
        now: UnixTime,
    ) -> Result<(), Error>;

    /// Forgets those whose time is over and that nobody works on, and tells of those that were still tried; returns how
    /// many these were.
    ///
    /// # Errors
    /// As everywhere.
    async fn expire(&self, now: UnixTime) -> Result<u64, Error>;
}
