//! Access tokens for accounts: refreshed in time, once at a time, never lost.

mod error;
mod flight;
mod slot;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mailgrant_core::{time::UnixTime, token::AccessToken};
use mailgrant_storage::{Account, AccountId, AccountState, Flow, Storage};
use tokio::runtime::Handle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::error::{Error, Unavailable};
use self::slot::{Next, Slot};
pub(crate) use crate::registration::Registration;
use crate::{diagnosis::Diagnosis, environment::Clock};

/// An access token that is good for a while.
#[derive(Debug, Clone)]
pub struct LiveToken {
    /// The token.
    pub token: AccessToken,
    /// When it ends.
    pub expires_at: UnixTime,
    /// When it was asked for.
    pub obtained_at: UnixTime,
    /// Which token this is: a later one has a larger number.
    pub(crate) serial: u64,
}

/// Keeps the access tokens of all accounts.
///
/// For one account (or one application, in the app-only flow) never more than one request runs. It runs in a task of its
/// own: a caller that goes away loses nothing. A rotated refresh token is on disk before its access token is handed out.
#[derive(Clone)]
pub struct TokenKeeper(Arc<Inner>);

struct Inner {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    registrations: HashMap<String, Registration>,
    runtime: Handle,
    tasks: TaskTracker,
    stopping: CancellationToken,
    slots: Mutex<HashMap<Key, Arc<Slot>>>,
}

/// Whose token: an account's own, or one that all app-only accounts of an application share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Account(AccountId),
    Application(String),
}

impl TokenKeeper {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        registrations: HashMap<String, Registration>,
        runtime: Handle,
    ) -> Self {
        Self(Arc::new(Inner {
            storage,
            clock,
            registrations,
            runtime,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            slots: Mutex::default(),
        }))
    }

    /// A token for the account's mailbox, from memory when there is one.
    ///
    /// # Errors
    /// When the account cannot have one now; [`Error`] says whether waiting helps or a person must act.
    pub async fn access_token(&self, account: &Account) -> Result<LiveToken, Error> {
        self.token(account, None).await
    }

    /// A token other than the one the mail server just refused.
    ///
    /// # Errors
    /// As [`TokenKeeper::access_token`].
    pub async fn renewed(
        &self,
        account: &Account,
        refused: &LiveToken,
    ) -> Result<LiveToken, Error> {
        self.token(account, Some(refused.serial)).await
    }

    /// Forgets what is in memory: the account is gone, or has a new grant.
    pub fn forget(&self, account: &AccountId) {
        self.0.slots().remove(&Key::Account(account.clone()));
    }

    /// Waits for requests under way, so that no new refresh token is lost.
    pub(crate) async fn stop(&self) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    async fn token(&self, account: &Account, refused: Option<u64>) -> Result<LiveToken, Error> {
        check_state(account)?;
        let slot = self.0.slot(account);
        let next = slot.next(self.0.clock.now(), refused);
        let flight = match next {
            Next::Serve(token) => return Ok(token),
            Next::ServeAndRefresh(token) => {
                self.launch(account, &slot);
                return Ok(token);
            }
            Next::Wait(error) => return Err(error),
            Next::Join(flight) => flight,
            Next::Launch => self.launch(account, &slot),
        };
        slot::landed(flight).await
    }

    fn launch(&self, account: &Account, slot: &Arc<Slot>) -> slot::Flight {
        let (sender, flight) = match slot.board() {
            Ok(begun) => begun,
            Err(running) => return running,
        };
        let (inner, account, slot) = (Arc::clone(&self.0), account.clone(), Arc::clone(slot));
        self.0.tasks.spawn_on(
            async move {
                inner.fly(&account, &slot, sender).await;
                inner.store_at_last(&account, &slot).await;
            },
            &self.0.runtime,
        );
        flight
    }
}

impl Inner {
    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, account: &Account) -> Arc<Slot> {
        let key = match account.flow {
            Flow::Delegated => Key::Account(account.id.clone()),
            Flow::AppOnly => Key::Application(account.application.clone()),
        };
        Arc::clone(self.slots().entry(key).or_default())
    }

    fn registration(&self, account: &Account) -> Result<&Registration, Error> {
        self.registrations
            .get(&account.application)
            .ok_or_else(|| Error::NoApplication {
                application: account.application.clone(),
            })
    }

    async fn fly(&self, account: &Account, slot: &Slot, landing: slot::Landing) {
        let outcome = flight::fly(self, account, slot).await;
        slot.land(&outcome, self.clock.now());
        self.record(account, &outcome, slot).await;
        landing.send_replace(Some(outcome));
    }

    /// Tries again and again to store a new refresh token that the storage did not take; the old one may be dead.
    async fn store_at_last(&self, account: &Account, slot: &Slot) {
        let mut pause = Duration::from_secs(1);
        while slot.unstored().is_some() {
            let stopping = tokio::time::timeout(pause, self.stopping.cancelled())
                .await
                .is_ok();
            if let Ok((landing, _)) = slot.board() {
                self.fly(account, slot, landing).await;
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

fn check_state(account: &Account) -> Result<(), Error> {
    let known = || account.diagnosis.as_ref().and_then(Diagnosis::from_json);
    match account.state {
        AccountState::Disabled => Err(Error::Disabled),
        AccountState::ReauthRequired => Err(Error::ReauthRequired(known().map(Box::new))),
        AccountState::PendingConsent if account.flow == Flow::Delegated => {
            Err(Error::ConsentRequired(known().map(Box::new)))
        }
        AccountState::PendingConsent | AccountState::Connected | AccountState::Degraded => Ok(()),
    }
}

/// A token nearer to its end than this is not handed out.
const MARGIN: Duration = Duration::from_secs(30);
