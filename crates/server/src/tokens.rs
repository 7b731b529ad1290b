//! Access tokens for accounts: refreshed in time, once at a time, never lost.

mod admission;
mod app_only;
mod error;
mod flight;
mod slot;
mod wanted;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mailgrant_core::{time::UnixTime, token::AccessToken};
use mailgrant_oauth::Fingerprint;
use mailgrant_storage::{Account, AccountId, Random, Storage};
use tokio::{runtime::Handle, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::error::is_authoritys;
pub use self::error::{Error, Unavailable};
use self::{
    flight::{Journey, Purpose},
    slot::{Next, Slot},
    wanted::{Key, Wanted},
};
pub(crate) use crate::registration::Registration;
use crate::{environment::Clock, registration::no_application};

/// An access token that is good for a while.
#[derive(Debug, Clone)]
pub struct LiveToken {
    /// The token.
    pub token: AccessToken,
    /// When it ends.
    pub expires_at: UnixTime,
    /// When it was asked for.
    pub obtained_at: UnixTime,
}

/// Keeps the access tokens of all accounts.
///
/// For one account (in the app-only flow: for one application and tenant) never more than one request runs. It runs in a
/// task of its own: a caller that goes away loses nothing. Processes on the same database wait for each other: a refresh
/// token that the authority replaces with each use is never used twice. A rotated refresh token is on disk before its access token is
/// handed out. Access tokens are kept in the storage as well: a restart, another replica or the command line asks the
/// authority for none as long as there is a good one.
#[derive(Clone)]
pub struct TokenKeeper(Arc<Inner>);

struct Inner {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    registrations: HashMap<String, Registration>,
    runtime: Handle,
    tasks: TaskTracker,
    stopping: CancellationToken,
    slots: Mutex<HashMap<Key, Arc<Slot>>>,
}

/// Who gives tokens to an application: all that it asks for fails when this one fails.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Authority {
    pub(crate) application: String,
    pub(crate) tenant: Option<String>,
}

/// A token that is due to be renewed although nobody waits for it.
#[derive(Debug, Clone)]
pub(crate) struct Due(Wanted);

impl TokenKeeper {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        registrations: HashMap<String, Registration>,
        runtime: Handle,
    ) -> Self {
        Self(Arc::new(Inner {
            storage,
            clock,
            random,
            registrations,
            runtime,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            slots: Mutex::default(),
        }))
    }

    /// A token for the account's mailbox, from memory or storage when there is one.
    ///
    /// # Errors
    /// When the account cannot have one now; [`Error`] says whether waiting helps or a person must act.
    pub async fn access_token(&self, account: &Account) -> Result<LiveToken, Error> {
        self.admit(account).await?;
        self.token(&self.0.wanted(account)?, None).await
    }

    /// A token other than the one the mail server just refused, or than one that ends too soon.
    ///
    /// It may be the same again: none is renewed for such a reason more than once in half a minute, and one that other
    /// mailboxes live on once in ten. A server that refuses always makes no storm at the authority, which would take it
    /// for a loop, and a grant for dead.
    ///
    /// # Errors
    /// As [`TokenKeeper::access_token`].
    pub async fn renewed(
        &self,
        account: &Account,
        refused: &LiveToken,
    ) -> Result<LiveToken, Error> {
        self.renew(account, refused, true).await
    }

    /// The same for a token that shows by itself that no mailbox opens for it: nobody lives on it.
    ///
    /// # Errors
    /// As [`TokenKeeper::access_token`].
    pub(crate) async fn renewed_for_all(
        &self,
        account: &Account,
        refused: &LiveToken,
    ) -> Result<LiveToken, Error> {
        self.renew(account, refused, false).await
    }

    /// Forgets what is in memory: the account is gone, or has a new grant.
    pub fn forget(&self, account: &AccountId) {
        self.0.slots().remove(&Key::Account(account.clone()));
    }

    /// Uses the account's refresh token unless it was used after `since`, so that it lives on. A passing fault changes
    /// nothing about the account: nobody was waiting.
    ///
    /// # Errors
    /// As [`TokenKeeper::access_token`].
    pub(crate) async fn keep_alive(
        &self,
        account: &Account,
        since: UnixTime,
    ) -> Result<LiveToken, Error> {
        self.admit(account).await?;
        let wanted = self.0.wanted(account)?;
        let slot = self.0.slot(&wanted.key);
        if self.0.is_mended(&wanted, &slot).await {
            slot.forget_pause();
        }
        if let Some(error) = slot.pausing(self.0.clock.now()) {
            return Err(error);
        }
        slot::landed(self.launch(&wanted, &slot, Purpose::KeepAlive { since })).await
    }

    /// Tokens in use that should be renewed ahead of their end now.
    pub(crate) fn due(&self) -> Vec<Due> {
        let now = self.0.clock.now();
        let slots: Vec<Arc<Slot>> = self.0.slots().values().cloned().collect();
        slots.iter().filter_map(|slot| slot.due(now)).collect()
    }

    /// Renews a token ahead of its end.
    ///
    /// # Errors
    /// As [`TokenKeeper::access_token`]; the old token is still good.
    pub(crate) async fn renew_ahead(&self, due: &Due) -> Result<LiveToken, Error> {
        let slot = self.0.slot(&due.0.key);
        slot::landed(self.launch(&due.0, &slot, Purpose::Ahead)).await
    }

    /// Runs to its end whether anybody waits or not, before the keeper stops.
    pub(crate) fn sheltered<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.0.tasks.spawn_on(work, &self.0.runtime)
    }

    /// Cancelled when what runs to its end should come to it.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.0.stopping.clone()
    }

    /// Who is asked for the account's tokens.
    ///
    /// # Errors
    /// When the settings no longer have the application.
    pub(crate) fn authority(&self, account: &Account) -> Result<Authority, Error> {
        Ok(self.0.wanted(account)?.authority())
    }

    /// Lets go of what is in memory about tokens that ended, and whose pauses are over.
    pub(crate) fn sweep(&self) {
        let now = self.0.clock.now();
        self.0
            .slots()
            .retain(|_, slot| Arc::strong_count(slot) > 1 || !slot.is_idle(now));
    }

    /// Waits for the requests under way.
    pub(crate) async fn settle(&self) {
        let flights: Vec<_> = self
            .0
            .slots()
            .values()
            .filter_map(|slot| slot.flight())
            .collect();
        for flight in flights {
            // How it went is on record.
            let _ = slot::landed(flight).await;
        }
    }

    /// Waits for requests under way, so that no new refresh token is lost.
    pub(crate) async fn stop(&self) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    async fn renew(
        &self,
        account: &Account,
        refused: &LiveToken,
        others_live_on_it: bool,
    ) -> Result<LiveToken, Error> {
        self.admit(account).await?;
        let wanted = self.0.wanted(account)?;
        let pause = slot::between_refusals(others_live_on_it && wanted.key.is_shared());
        self.token(&wanted, Some((refused, pause))).await
    }

    async fn token(
        &self,
        wanted: &Wanted,
        refused: Option<(&LiveToken, Duration)>,
    ) -> Result<LiveToken, Error> {
        let slot = self.0.slot(&wanted.key);
        if let Some(agreed_at) = wanted.agreed_at() {
            slot.outdate(agreed_at);
        }
        if let Some((refused, pause)) = refused {
            slot.refuse(refused, pause, self.0.clock.now());
        }
        if self.0.is_mended(wanted, &slot).await {
            slot.forget_pause();
        }
        let flight = match slot.next(self.0.clock.now()) {
            Next::Serve(token) => return self.noted(wanted, Ok(token)).await,
            Next::ServeAndRefresh(token) => {
                self.launch(wanted, &slot, Purpose::Ahead);
                return self.noted(wanted, Ok(token)).await;
            }
            Next::Wait(error) => return self.noted(wanted, Err(error)).await,
            Next::Join(flight) => {
                return self.noted(wanted, slot::landed(flight).await).await;
            }
            Next::Launch => self.launch(wanted, &slot, Purpose::Request),
        };
        // What it means for the account is on record when it lands.
        slot::landed(flight).await
    }

    /// Puts on record what it means for an account whose request made no request to the authority of its own.
    async fn noted(
        &self,
        wanted: &Wanted,
        outcome: Result<LiveToken, Error>,
    ) -> Result<LiveToken, Error> {
        if let Some(account) = &wanted.account
            && error::is_news(account, &outcome, self.0.clock.now())
        {
            let slot = self.0.slot(&wanted.key);
            self.0.record(account, &outcome, &slot).await;
        }
        outcome
    }

    fn launch(&self, wanted: &Wanted, slot: &Arc<Slot>, purpose: Purpose) -> slot::Flight {
        let (sender, flight) = match slot.board(wanted) {
            Ok(begun) => begun,
            Err(running) => return running,
        };
        let (inner, wanted, slot) = (Arc::clone(&self.0), wanted.clone(), Arc::clone(slot));
        self.0.tasks.spawn_on(
            async move {
                inner.fly(&wanted, &slot, purpose, sender).await;
                inner.store_at_last(&wanted, &slot).await;
            },
            &self.0.runtime,
        );
        flight
    }
}

impl Due {
    /// The application whose authority is to be asked, and the tenant.
    pub(crate) fn authority(&self) -> Authority {
        self.0.authority()
    }
}

impl Inner {
    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, key: &Key) -> Arc<Slot> {
        Arc::clone(self.slots().entry(key.clone()).or_default())
    }

    fn registration(&self, application: &str) -> Result<&Registration, Error> {
        self.registrations
            .get(application)
            .ok_or_else(|| Error::Excluded(Box::new(no_application(application))))
    }

    fn wanted(&self, account: &Account) -> Result<Wanted, Error> {
        let registration = self.registration(&account.application)?;
        Ok(Wanted::by(account, &registration.application))
    }

    async fn is_mended(&self, wanted: &Wanted, slot: &Slot) -> bool {
        match slot.refused_with(self.clock.now()) {
            Some(refused) => self.fingerprint(wanted).await != refused,
            None => false,
        }
    }

    /// Of the credential that would be used now.
    async fn fingerprint(&self, wanted: &Wanted) -> Fingerprint {
        match self.registration(&wanted.application) {
            Ok(registration) => {
                let credential = &registration.application.credential;
                credential.fingerprint(self.clock.now()).await
            }
            Err(_) => Fingerprint::default(),
        }
    }

    async fn fly(&self, wanted: &Wanted, slot: &Slot, purpose: Purpose, landing: slot::Landing) {
        // Before it is used: what is replaced in between counts as new, and is tried.
        let with = self.fingerprint(wanted).await;
        let journey = Journey {
            inner: self,
            wanted,
            slot,
            purpose,
        };
        let outcome = journey.fly().await;
        slot.land(&outcome, with, self.clock.now());
        let matters = match &outcome {
            Ok(_) | Err(Error::ReauthRequired(_) | Error::Excluded(_)) => true,
            // As long as the token in memory serves, there is time to mend it.
            Err(Error::Refused(_)) => !slot.serves(self.clock.now()),
            // While nobody waits for it, a passing fault is nobody's.
            Err(_) => purpose == Purpose::Request,
        };
        if let (Some(account), true) = (&wanted.account, matters) {
            self.record(account, &outcome, slot).await;
        }
        landing.send_replace(Some(outcome));
    }

    /// Tries again and again to store a new refresh token that the storage did not take; the old one may be dead.
    async fn store_at_last(&self, wanted: &Wanted, slot: &Slot) {
        let mut pause = Duration::from_secs(1);
        while slot.unstored().is_some() {
            let stopping = tokio::time::timeout(pause, self.stopping.cancelled())
                .await
                .is_ok();
            if let Ok((landing, _)) = slot.board(wanted) {
                self.fly(wanted, slot, Purpose::Request, landing).await;
            }
            if stopping {
                break;
            }
            pause = (pause * 2).min(Duration::from_secs(30));
        }
    }

    /// Writes what the outcome means for the account; a fault of the storage is not the token's.
    async fn record(&self, account: &Account, outcome: &Result<LiveToken, Error>, slot: &Slot) {
        let now = self.clock.now();
        // What is at hand may be hours old: a token renewed ahead ends no fault of the mail server's that came since.
        let fresh = self.storage.accounts().lookup_any_site(&account.id).await;
        let account = match &fresh {
            Ok(Some(fresh)) => fresh,
            Ok(None) | Err(_) => account,
        };
        let Some(transition) = error::transition(
            account,
            outcome,
            slot.generation(),
            slot.next_attempt(),
            now,
        ) else {
            return;
        };
        let to = transition.to;
        match self
            .storage
            .accounts()
            .transition(&account.id, transition, now)
            .await
        {
            Ok(Some(before)) if before != to => {
                tracing::info!(account = %account.id, %before, after = %to, "account state changed")
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(account = %account.id, %error, "account state not stored"),
        }
    }
}

/// A token nearer to its end than this is not handed out.
const MARGIN: Duration = Duration::from_secs(30);
