//! Connect sessions: one attempt of one person to connect one mailbox.
//!
//! ```text
//!            begin            consume_state          complete
//! created ──────────▶ started ─────────────▶ returned ───────▶ finished (connected)
//!    ▲  ▲                │                       │
//!    │  └── begin again ─┘                       ├─ fail ──────▶ finished (failed)
//!    │                                           └─ await_consent ▶ created, awaiting_admin_consent
//!    └────────────── grant_consent / begin again ───────────────────┘
//! give_up: created or started ──▶ finished (failed)      expire: any but finished ──▶ finished (expired)
//! A returned session that nothing became of within two minutes (its process died) reads as created, and begins again.
//! ```

use async_trait::async_trait;
use mailgrant_core::authorization::Nonce;
use mailgrant_core::pkce::CodeVerifier;
use mailgrant_core::time::UnixTime;
use serde_json::Value;

use crate::account::{Account, NewAccount, NewGrant};
use crate::error::Error;
use crate::hash::SecretHash;
use crate::id::{AccountId, ConnectSessionId};
use crate::page::Page;
use crate::words::words;

/// One attempt of one person to connect one mailbox.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectSession {
    /// Its identifier.
    pub id: ConnectSessionId,
    /// Whose it is.
    pub site: String,
    /// The application to connect with.
    pub application: String,
    /// The origin of the page that shows the widget.
    pub origin: String,
    /// Whom the site connects the mailbox for, as shown to the person.
    pub user_label: Option<String>,
    /// The address to offer at sign-in.
    pub login_hint: Option<String>,
    /// The shared mailbox to open instead of the person's own.
    pub mailbox: Option<String>,
    /// The one account it may mend; an ordinary session names none.
    pub mends: Option<AccountId>,
    /// Where to go afterwards when there is no popup.
    pub return_url: Option<String>,
    /// The site's own data, a JSON object, passed on to the account.
    pub metadata: Value,
    /// The outcome so far. A pending session past its time reads as expired.
    pub status: ConnectStatus,
    /// How far the person has come.
    pub phase: ConnectPhase,
    /// The account, once connected.
    pub account: Option<AccountId>,
    /// Why it failed or waits.
    pub diagnosis: Option<Value>,
    /// When the site asked for it.
    pub created_at: UnixTime,
    /// When it ends by itself.
    pub expires_at: UnixTime,
    /// When it ended.
    pub completed_at: Option<UnixTime>,
    /// When a browser was last sent to the authority, as long as it has not come back; not known of a session that is
    /// over and was swept.
    pub sent_at: Option<UnixTime>,
}

words! {
    /// The outcome of a connect session.
    pub enum ConnectStatus {
        /// Not decided.
        Pending = "pending",
        /// The tenant's administrator has to agree first.
        AwaitingAdminConsent = "awaiting_admin_consent",
        /// There is an account.
        Connected = "connected",
        /// It did not work, or the person gave up; the diagnosis tells.
        Failed = "failed",
        /// Its time ran out.
        Expired = "expired",
    }
}

impl ConnectStatus {
    /// Whether nothing can change any more.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::AwaitingAdminConsent)
    }
}

words! {
    /// How far the person has come.
    pub enum ConnectPhase {
        /// Nobody has been sent to the authority (since the last consent).
        Created = "created",
        /// A browser was sent to the authority.
        Started = "started",
        /// It came back; code and mailbox are being checked.
        Returned = "returned",
        /// Over.
        Finished = "finished",
    }
}

/// What is to be said of a session that ran out.
pub type Diagnose<'a> = dyn Fn(&ConnectSession) -> Value + Send + Sync + 'a;

/// A session to be.
#[derive(Clone, Debug, PartialEq)]
pub struct NewConnectSession {
    /// Whose it is.
    pub site: String,
    /// The application to connect with.
    pub application: String,
    /// The origin of the page that shows the widget.
    pub origin: String,
    /// Whom the site connects the mailbox for.
    pub user_label: Option<String>,
    /// The address to offer at sign-in.
    pub login_hint: Option<String>,
    /// The shared mailbox to open.
    pub mailbox: Option<String>,
    /// The one account it may mend.
    pub mends: Option<AccountId>,
    /// Where to go afterwards.
    pub return_url: Option<String>,
    /// The site's own data, a JSON object.
    pub metadata: Value,
    /// The hash of the client token; the token itself goes to the page and nowhere else.
    pub client_token: SecretHash,
    /// When it ends by itself.
    pub expires_at: UnixTime,
}

/// A browser that is about to be sent to the authority.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAttempt {
    /// The hash of `state`.
    pub state: SecretHash,
    /// The hash of the cookie that binds the browser.
    pub browser: SecretHash,
    /// The nonce, sealed in the database.
    pub nonce: Nonce,
    /// The PKCE verifier, sealed in the database.
    pub code_verifier: CodeVerifier,
}

/// A browser that came back; its state cannot be used again.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The session, in phase `returned`.
    pub session: ConnectSession,
    /// The hash of the cookie the browser must show.
    pub browser: SecretHash,
    /// The nonce the `id_token` must hold.
    pub nonce: Nonce,
    /// The verifier for the code.
    pub code_verifier: CodeVerifier,
}

/// What a state stood for.
#[derive(Clone, Debug, PartialEq)]
pub enum Consumed {
    /// The callback may go on; nobody else gets this.
    Attempt(Box<Attempt>),
    /// The session is over (expired, cancelled); the state is used up all the same.
    Over(Box<ConnectSession>),
    /// Never given out, used before, or replaced by a later try.
    Unknown,
}

/// What became of a change that is only possible in some phases.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<T> {
    /// Done.
    Done(T),
    /// Too late or too early: the session as it stands, unchanged.
    Refused(Box<ConnectSession>),
    /// There is no such session.
    Unknown,
}

/// A finished connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Completed {
    /// The session, connected.
    pub session: ConnectSession,
    /// The account, new or reconnected.
    pub account: Account,
    /// Whether the account existed before.
    pub reconnected: bool,
}

/// What became of completing a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Completion {
    /// There is an account.
    Connected(Box<Completed>),
    /// The session mends an account that somebody else connected: nothing was stored, the session stands as it did.
    WrongPerson(Box<ConnectSession>),
    /// The session mends an account that was deleted or switched off meanwhile: nothing was stored.
    AccountGone(Box<ConnectSession>),
    /// Too late or too early: the session as it stands, unchanged.
    Refused(Box<ConnectSession>),
    /// There is no such session.
    Unknown,
}

/// Connect sessions.
#[async_trait]
pub trait ConnectSessionRepository: Send + Sync {
    /// Adds a session.
    ///
    /// # Errors
    /// As everywhere in this crate.
    async fn add(&self, session: NewConnectSession, now: UnixTime)
    -> Result<ConnectSession, Error>;

    /// The session of that site.
    ///
    /// # Errors
    /// As everywhere.
    async fn lookup(
        &self,
        site: &str,
        id: &ConnectSessionId,
        now: UnixTime,
    ) -> Result<Option<ConnectSession>, Error>;

    /// The session a client token stands for.
    ///
    /// # Errors
    /// As everywhere.
    async fn find_by_client_token(
        &self,
        token: &SecretHash,
        now: UnixTime,
    ) -> Result<Option<ConnectSession>, Error>;

    /// At most `limit` sessions of a site, oldest first, that come after `after`.
    ///
    /// # Errors
    /// As everywhere.
    async fn list(
        &self,
        site: &str,
        after: Option<&ConnectSessionId>,
        limit: u32,
        now: UnixTime,
    ) -> Result<Page<ConnectSession, ConnectSessionId>, Error>;

    /// Records that a browser is sent to the authority. A later try replaces an earlier one, whose
    /// state is then unknown. Refused once a callback has arrived (for as long as it may be at work) or the session is
    /// over.
    ///
    /// # Errors
    /// As everywhere.
    async fn begin(
        &self,
        token: &SecretHash,
        attempt: NewAttempt,
        now: UnixTime,
    ) -> Result<Outcome<ConnectSession>, Error>;

    /// Uses up a state, exactly once however many callbacks race: nonce and verifier leave the
    /// database with it. The session then has at least two minutes to be completed.
    ///
    /// # Errors
    /// As everywhere.
    async fn consume_state(&self, state: &SecretHash, now: UnixTime) -> Result<Consumed, Error>;

    /// Ends the session with an account: session, account and grant in one transaction. The same
    /// person's same mailbox becomes the same account again. Possible in phase `returned` only.
    ///
    /// A session that mends an account changes that one or none: the same person ([`Identity::key`]) gives it a new
    /// grant, its names and metadata stay. An account without an identity (imported) takes the first that is proven.
    ///
    /// [`Identity::key`]: crate::Identity::key
    ///
    /// # Errors
    /// [`Error::Conflict`] when the identity an account takes has the same mailbox in another account; else as
    /// everywhere. Nothing is stored then.
    async fn complete(
        &self,
        id: &ConnectSessionId,
        account: NewAccount,
        grant: NewGrant,
        now: UnixTime,
    ) -> Result<Completion, Error>;

    /// Ends the session without one. Possible while it is not over.
    ///
    /// # Errors
    /// As everywhere.
    async fn fail(
        &self,
        id: &ConnectSessionId,
        diagnosis: Value,
        now: UnixTime,
    ) -> Result<Outcome<ConnectSession>, Error>;

    /// Ends the session because the person gave up. Refused once a callback has arrived: then the
    /// callback decides.
    ///
    /// # Errors
    /// As everywhere.
    async fn give_up(
        &self,
        token: &SecretHash,
        diagnosis: Value,
        now: UnixTime,
    ) -> Result<Outcome<ConnectSession>, Error>;

    /// Lets the session wait for the tenant's administrator until `expires_at`; `consent_state` is
    /// the hash of the `state` in the link for the administrator.
    ///
    /// # Errors
    /// As everywhere.
    async fn await_consent(
        &self,
        id: &ConnectSessionId,
        consent_state: SecretHash,
        diagnosis: Value,
        expires_at: UnixTime,
        now: UnixTime,
    ) -> Result<Outcome<ConnectSession>, Error>;

    /// The waiting session an administrator's link belongs to, unchanged: the link may be opened,
    /// and refused, more than once.
    ///
    /// # Errors
    /// As everywhere.
    async fn find_by_consent_state(
        &self,
        consent_state: &SecretHash,
        now: UnixTime,
    ) -> Result<Option<ConnectSession>, Error>;

    /// The administrator agreed: the session is pending again and the link used up. `None` when
    /// no session waits under this state.
    ///
    /// # Errors
    /// As everywhere.
    async fn grant_consent(
        &self,
        consent_state: &SecretHash,
        now: UnixTime,
    ) -> Result<Option<ConnectSession>, Error>;

    /// Ends every session whose time is over with the diagnosis that is made of it, drops what is left of their
    /// attempts, and returns them.
    ///
    /// # Errors
    /// As everywhere.
    async fn expire(
        &self,
        diagnose: &Diagnose<'_>,
        now: UnixTime,
    ) -> Result<Vec<ConnectSession>, Error>;

    /// Forgets the sessions that ended before `time`; returns how many.
    ///
    /// # Errors
    /// As everywhere.
    async fn forget_before(&self, time: UnixTime) -> Result<u64, Error>;
}
