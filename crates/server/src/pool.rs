//! IMAP sessions, kept for the next request: one or two for each account.

mod error;
mod fault;
mod slot;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailgrant_core::{time::UnixTime, token::AccessToken};
use mailgrant_mail::imap::{self, Connector, Session};
use mailgrant_storage::{Account, AccountId, Random, Storage};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

pub use self::error::Error;
use self::{
    fault::During,
    slot::{Idle, Slot},
};
use crate::{
    diagnosis,
    environment::Clock,
    settings::Application,
    tokens::{LiveToken, TokenKeeper},
};

/// IMAP sessions of all accounts.
///
/// A session that saw an error is closed, never kept; one is closed before its token ends; a caller that goes away in the
/// middle of a command closes its session, because what the server still sends would be read by the next.
///
/// A mail server that cannot be used makes the account `degraded`, with the time of the next try: the gateway's own, if
/// nobody asks before. A pause that the server asks for is kept by everybody.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

struct Inner {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    tokens: TokenKeeper,
    hosts: HashMap<String, Host>,
    runtime: Handle,
    open: Arc<Semaphore>,
    slots: Mutex<HashMap<AccountId, Arc<Slot>>>,
}

/// How an application's mailboxes are reached.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) application: Application,
    pub(crate) connector: Connector,
}

/// A session on loan. Dropped without [`Lease::give_back`], it is closed.
pub(crate) struct Lease {
    session: Session,
    token: LiveToken,
    slot: Arc<Slot>,
    kept: bool,
    open: OwnedSemaphorePermit,
    turn: OwnedSemaphorePermit,
}

impl Pool {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        tokens: TokenKeeper,
        hosts: HashMap<String, Host>,
        runtime: Handle,
    ) -> Self {
        Self(Arc::new(Inner {
            storage,
            clock,
            random,
            tokens,
            hosts,
            runtime,
            open: Arc::new(Semaphore::new(MOST_OPEN)),
            slots: Mutex::default(),
        }))
    }

    /// Runs commands that may be repeated on a session of the account. A kept session that turns out to be dead is
    /// replaced; a new one whose line is cut, once.
    ///
    /// # Errors
    /// When there is no session, or the commands fail; [`Error`] says whether waiting helps.
    pub async fn run<T>(
        &self,
        account: &Account,
        work: impl AsyncFn(&mut Session) -> Result<T, imap::Error>,
    ) -> Result<T, Error> {
        let mut was_cut = false;
        loop {
            let mut lease = self.lease(account).await?;
            match work(&mut lease.session).await {
                Ok(result) => {
                    lease.give_back(self.0.clock.now());
                    return Ok(result);
                }
                Err(error) if lease.may_repeat(&error, &mut was_cut) => {
                    tracing::debug!(account = %account.id, %error, "a session was cut");
                }
                Err(error) => return Err(self.failed(account, lease, error).await),
            }
        }
    }

    /// A session to hold on to, for a download.
    pub(crate) async fn lease(&self, account: &Account) -> Result<Lease, Error> {
        let inner = &self.0;
        // A kept session lives on the same grant as a kept token.
        inner.tokens.admit(account).await?;
        let slot = inner.slot(&account.id);
        let now = inner.clock.now();
        slot.check_pause(now)?;
        fault::check_pause(account, now)?;
        let turn = timeout(PATIENCE, Arc::clone(&slot.turns).acquire_owned())
            .await
            .map_err(|_| Error::Busy)?
            .map_err(|_| Error::Busy)?;
        if fault::is_in_trouble(account) {
            // Only a new session shows that it is over.
            slot.clear();
        }
        if let Some(Idle {
            session,
            token,
            open,
            ..
        }) = slot.take(inner.clock.now())
        {
            return Ok(Lease {
                session,
                token,
                slot,
                kept: true,
                open,
                turn,
            });
        }
        let open = inner.open_permit().await?;
        let (session, token) = inner.log_in(account, &slot).await?;
        Ok(Lease {
            session,
            token,
            slot,
            kept: false,
            open,
            turn,
        })
    }

    /// Looks whether the account's mailbox can be opened again; what is found is on record then.
    pub(crate) async fn probe(&self, account: &Account) -> Result<(), Error> {
        let lease = self.lease(account).await?;
        lease.give_back(self.0.clock.now());
        Ok(())
    }

    /// A new session that is not kept: for a mailbox that is not an account yet.
    ///
    /// # Errors
    /// [`Error::Busy`] or [`Error::Imap`]; nothing is put on record.
    pub(crate) async fn log_in_once(
        &self,
        application: &str,
        user: &str,
        token: &AccessToken,
    ) -> Result<Visit, Error> {
        let open = self.0.open_permit().await?;
        let session = self.0.connect(application, user, token).await;
        Ok(Visit {
            session: session.map_err(Error::Imap)?,
            _open: open,
        })
    }

    /// What a failure on a leased session means.
    pub(crate) async fn failed(
        &self,
        account: &Account,
        lease: Lease,
        error: imap::Error,
    ) -> Error {
        let (slot, token) = (Arc::clone(&lease.slot), lease.token.token.clone());
        drop(lease);
        self.0
            .failed(account, &slot, error, During::Work, &token)
            .await
    }

    /// Closes the account's sessions: it is gone, disabled or has a new grant.
    pub fn close(&self, account: &AccountId) {
        self.0.slots().remove(account);
    }

    /// Closes sessions that nobody has used for a while; called now and then.
    pub(crate) fn sweep(&self) {
        let now = self.0.clock.now();
        let slots: Vec<_> = self.0.slots().values().cloned().collect();
        for slot in slots {
            slot.sweep(now);
        }
    }
}

/// A session that is not kept. It counts among the open ones until it is dropped.
pub(crate) struct Visit {
    pub(crate) session: Session,
    _open: OwnedSemaphorePermit,
}

impl Lease {
    /// The session itself.
    pub(crate) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Whether work that broke off may begin anew on another session: always when this one was kept and its line had
    /// broken meanwhile (all others that are kept are as old: not one of them is tried before a new one), and once when
    /// the line of a new one was cut.
    pub(crate) fn may_repeat(&self, error: &imap::Error, was_cut: &mut bool) -> bool {
        if !error::is_broken_line(error) {
            return false;
        }
        if self.kept {
            self.slot.clear();
            return true;
        }
        !std::mem::replace(was_cut, true)
    }

    /// Keeps the session for the next caller, when it is in order.
    pub(crate) fn give_back(self, now: UnixTime) {
        let Self {
            session,
            token,
            slot,
            open,
            turn,
            ..
        } = self;
        if session.is_usable() && now < slot::ends_at(&token) {
            slot.put(Idle::new(session, token, open));
        }
        drop(turn);
    }
}

impl Inner {
    fn slots(&self) -> MutexGuard<'_, HashMap<AccountId, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, account: &AccountId) -> Arc<Slot> {
        Arc::clone(self.slots().entry(account.clone()).or_default())
    }

    /// One of the connections the gateway may have; idle ones of others make room.
    async fn open_permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(permit) = Arc::clone(&self.open).try_acquire_owned() {
            return Ok(permit);
        }
        let slots: Vec<_> = self.slots().values().cloned().collect();
        slots.iter().for_each(|slot| slot.clear());
        timeout(PATIENCE, Arc::clone(&self.open).acquire_owned())
            .await
            .map_err(|_| Error::Busy)?
            .map_err(|_| Error::Busy)
    }

    /// Connects and authenticates; a token from memory that is refused is renewed once, as often as the keeper allows.
    async fn log_in(&self, account: &Account, slot: &Slot) -> Result<(Session, LiveToken), Error> {
        let begun = self.clock.now();
        let mut token = self.tokens.access_token(account).await?;
        let mut outcome = self.connect_as(account, &token).await;
        if let Err(refusal) = &outcome
            && refusal.is_authentication()
            && refusal.backoff().is_none()
            // A token just made is no better when it is made again: the refusal is of another cause.
            && token.obtained_at < begun
        {
            let found = self.diagnosis(account, refusal, &token.token);
            let other = if diagnosis::lacks_by_itself(&found.code) {
                self.tokens.renewed_for_all(account, &token).await?
            } else {
                self.tokens.renewed(account, &token).await?
            };
            if other.token != token.token {
                tracing::debug!(account = %account.id, error = %refusal, "token refused, renewed once");
                token = other;
                outcome = self.connect_as(account, &token).await;
            }
        }
        match outcome {
            Ok(session) => self.welcome(account, slot, session, token).await,
            Err(error) => Err(self
                .failed(account, slot, error, During::Login, &token.token)
                .await),
        }
    }

    async fn connect_as(
        &self,
        account: &Account,
        token: &LiveToken,
    ) -> Result<Session, imap::Error> {
        self.connect(&account.application, &account.imap_user, &token.token)
            .await
    }

    async fn connect(
        &self,
        application: &str,
        user: &str,
        token: &AccessToken,
    ) -> Result<Session, imap::Error> {
        let Some(host) = self.hosts.get(application) else {
            // The token keeper has refused an account without application before.
            return Err(gone());
        };
        let host = host.clone();
        let (user, token) = (user.to_owned(), token.clone());
        // On the gateway's own runtime: a session outlives the worker thread that asked for it.
        let task = self
            .runtime
            .spawn(async move { host.log_in(&user, &token).await });
        match task.await {
            Ok(outcome) => outcome,
            Err(_) => Err(gone()),
        }
    }
}

impl Host {
    async fn log_in(&self, user: &str, token: &AccessToken) -> Result<Session, imap::Error> {
        self.connector
            .connect(&self.application.provider.imap)
            .await?
            .authenticate(user, token)
            .await
    }
}

fn gone() -> imap::Error {
    imap::Error::Closed {
        during: "connecting".into(),
        hint: None,
    }
}

/// Connections to mail servers at one time, all accounts together.
const MOST_OPEN: usize = 256;
/// How long a request waits for a session before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(15);
