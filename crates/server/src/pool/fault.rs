//! What a fault of the mail server means for an account, and how it is known to be over.

use mailgrant_core::{time::UnixTime, token::AccessToken};
use mailgrant_mail::imap::{self, Session};
use mailgrant_storage::{Account, AccountState, Transition};

use super::{
    Error, Inner,
    slot::{self, Slot},
};
use crate::{
    diagnosis::{self, Diagnosis, Login},
    tokens::{self, LiveToken},
};

/// When something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum During {
    /// Connecting or logging in.
    Login,
    /// A command.
    Work,
}

/// Whether the mail server kept the account from working when that was last seen.
pub(super) fn is_in_trouble(account: &Account) -> bool {
    account.state == AccountState::Degraded && !tokens::is_authoritys(account)
}

/// Keeps a pause that the server asked for before a restart, or asked another process for.
pub(super) fn check_pause(account: &Account, now: UnixTime) -> Result<(), Error> {
    let is_asked = is_in_trouble(account)
        && known(account).is_some_and(|found| found.code == diagnosis::THROTTLED);
    match account.next_attempt_at {
        Some(next) if is_asked => slot::check(next, now),
        _ => Ok(()),
    }
}

impl Inner {
    /// Takes in a new session. A login alone proves nothing at Exchange, so who was in trouble lists as well before the
    /// trouble counts as over.
    pub(super) async fn welcome(
        &self,
        account: &Account,
        slot: &Slot,
        mut session: Session,
        token: LiveToken,
    ) -> Result<(Session, LiveToken), Error> {
        let was_in_trouble = [AccountState::Degraded, AccountState::PendingConsent];
        if was_in_trouble.contains(&account.state) {
            if let Err(error) = session.mailboxes().await {
                return Err(self
                    .failed(account, slot, error, During::Login, &token.token)
                    .await);
            }
            let recovered = Transition {
                from: &[AccountState::Degraded, AccountState::PendingConsent],
                ..Transition::recovered()
            };
            self.transition(account, recovered).await;
        }
        slot.works();
        Ok((session, token))
    }

    /// Puts on record what went wrong, as far as it is the account's matter.
    pub(super) async fn failed(
        &self,
        account: &Account,
        slot: &Slot,
        error: imap::Error,
        during: During,
        token: &AccessToken,
    ) -> Error {
        tracing::info!(account = %account.id, %error, "mail server");
        slot.clear();
        if !is_fault(&error, during) {
            return Error::Imap(error);
        }
        let now = self.clock.now();
        let asked = error.backoff();
        let next = slot.rest(asked, now, &*self.random);
        let is_refused = error.is_authentication() || diagnosis::is_not_connected(&error);
        let found = match asked {
            Some(_) => diagnosis::throttled(&error),
            None => self.diagnosis(account, &error, token),
        };
        self.transition(account, degraded(&found, is_refused, next))
            .await;
        match asked {
            Some(_) => Error::Throttled {
                retry_after: next.since(now),
            },
            None if error.is_authentication() => Error::Refused(Box::new(found)),
            None => Error::Imap(error),
        }
    }

    /// What it means that the mail server answered so to this token.
    pub(super) fn diagnosis(
        &self,
        account: &Account,
        error: &imap::Error,
        token: &AccessToken,
    ) -> Diagnosis {
        let Some(host) = self.hosts.get(&account.application) else {
            return diagnosis::unusable(error);
        };
        let login = Login {
            application: &host.application,
            user: &account.imap_user,
            token,
            now: self.clock.now(),
        };
        diagnosis::mail_server(error, &login)
    }

    async fn transition(&self, account: &Account, transition: Transition) {
        let now = self.clock.now();
        if let Err(error) = self
            .storage
            .accounts()
            .transition(&account.id, transition, now)
            .await
        {
            tracing::warn!(account = %account.id, %error, "account state not stored");
        }
    }
}

/// Whether others who ask for the same mailbox now would hardly fare better. What a single command does not get, and a
/// command that takes too long, say nothing about the next one.
fn is_fault(error: &imap::Error, during: During) -> bool {
    match error {
        imap::Error::InvalidInput { .. } => false,
        _ if during == During::Login => true,
        imap::Error::Timeout { .. } => false,
        _ => {
            error.is_transient() || error.backoff().is_some() || diagnosis::is_not_connected(error)
        }
    }
}

fn degraded(diagnosis: &Diagnosis, is_refused: bool, next_attempt_at: UnixTime) -> Transition {
    Transition {
        // A server that is down says nothing about what an administrator has yet to agree to.
        from: if is_refused {
            &[
                AccountState::PendingConsent,
                AccountState::Connected,
                AccountState::Degraded,
            ]
        } else {
            &[AccountState::Connected, AccountState::Degraded]
        },
        generation: None,
        to: AccountState::Degraded,
        diagnosis: Some(diagnosis.to_json()),
        next_attempt_at: Some(next_attempt_at),
    }
}

fn known(account: &Account) -> Option<Diagnosis> {
    account.diagnosis.as_ref().and_then(Diagnosis::from_json)
}
