//! Events: what happened to accounts and connect sessions, kept until everybody had time to read it.

use async_trait::async_trait;
use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use serde_json::Value;
use tokio::sync::watch;

use crate::error::Error;
use crate::id::{AccountId, ConnectSessionId, EventId};
use crate::words::words;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its identifier; later events have greater ones.
    pub id: EventId,
    /// Whom it concerns; `None`: the whole gateway.
    pub site: Option<String>,
    /// What happened.
    pub kind: EventKind,
    /// To which account. It may be gone meanwhile.
    pub account: Option<AccountId>,
    /// To which connect session.
    pub connect_session: Option<ConnectSessionId>,
    /// What is to be known about it, a JSON object without secrets.
    pub data: Value,
    /// The way back for the person, of an [`EventKind::AccountReauthRequired`] that still stands.
    pub reauth_link: Option<Secret>,
    /// When.
    pub occurred_at: UnixTime,
}

words! {
    /// What can happen.
    pub enum EventKind {
        /// There is a new account.
        AccountConnected = "account.connected",
        /// A passing fault; the gateway tries again by itself.
        AccountDegraded = "account.degraded",
        /// The grant is dead: the person has to sign in again.
        AccountReauthRequired = "account.reauth_required",
        /// It works again.
        AccountRecovered = "account.recovered",
        /// It was switched off: nothing is done with it until it is switched on.
        AccountDisabled = "account.disabled",
        /// It was switched on again, or its person has connected it again. Whether it still works is found out next.
        AccountEnabled = "account.enabled",
        /// It was deleted, with its grant.
        AccountDeleted = "account.deleted",
        /// A refresh token that was brought along makes no account after all; nobody waited for the answer.
        ImportFailed = "import.failed",
        /// An application's credential ends soon.
        CredentialExpiring = "credential.expiring",
        /// A connect session is over, one way or another.
        ConnectSessionCompleted = "connect_session.completed",
    }
}

/// An event to be, of what no repository here does itself.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// Whom it concerns; `None`: the whole gateway.
    pub site: Option<String>,
    /// What happened.
    pub kind: EventKind,
    /// To which account.
    pub account: Option<AccountId>,
    /// To which connect session.
    pub connect_session: Option<ConnectSessionId>,
    /// What is to be known about it, a JSON object without secrets.
    pub data: Value,
}

/// A piece of the events.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPage {
    /// At most as many as were asked for, oldest first.
    pub events: Vec<Event>,
    /// Whether there are more right now.
    pub more: bool,
    /// Whether events after the given one have been forgotten: the page begins with the oldest that is left.
    pub gap: bool,
}

/// Events. They are written by the repository that makes the change, in the transaction of the change.
#[async_trait]
pub trait EventRepository: Send + Sync {
    /// At most `limit` events of the site and of the whole gateway that come after `after`, oldest first; from the
    /// oldest that is kept without `after`. `None` when `after` is no event that this site could have seen.
    ///
    /// # Errors
    /// As everywhere in this crate. A link that was tampered with is not shown.
    async fn list(
        &self,
        site: &str,
        after: Option<&EventId>,
        limit: u32,
    ) -> Result<Option<EventPage>, Error>;

    /// The position from which only what happens from now on is listed: the latest event of the site or of the whole
    /// gateway, [`EventId::beginning`] when there has been none.
    ///
    /// # Errors
    /// As everywhere.
    async fn latest(&self, site: &str) -> Result<EventId, Error>;

    /// Adds an event, unless one was added under this key before; returns whether it was added. The key is kept for
    /// two years longer than the event.
    ///
    /// # Errors
    /// As everywhere.
    async fn add_once(&self, event: NewEvent, once_key: &str, now: UnixTime)
    -> Result<bool, Error>;

    /// Forgets the events from before `time`; returns how many.
    ///
    /// # Errors
    /// As everywhere.
    async fn forget_before(&self, time: UnixTime) -> Result<u64, Error>;

    /// Changes when there are new events: at once when this process has added them, else with the next
    /// [`look`](Self::look).
    fn news(&self) -> watch::Receiver<i64>;

    /// Looks whether another process has added events.
    ///
    /// # Errors
    /// As everywhere.
    async fn look(&self) -> Result<(), Error>;
}
