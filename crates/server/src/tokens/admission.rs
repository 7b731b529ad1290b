//! Who has access at all: neither what is known of the account nor today's settings may be against it.

use mailgrant_storage::{Account, AccountState, Flow};

use super::{Error, TokenKeeper, error::is_news, slot::Slot};
use crate::diagnosis::Diagnosis;

impl TokenKeeper {
    /// Whether the account may have access at all, by what is known of it and by today's settings.
    ///
    /// # Errors
    /// Whose turn it is, when not. That the settings do not take it is on record then.
    pub(crate) async fn admit(&self, account: &Account) -> Result<(), Error> {
        check_state(account)?;
        let admitted = match self.0.registration(&account.application) {
            Ok(registration) => registration.admit(account).map_err(Error::Excluded),
            Err(error) => Err(error),
        };
        let Err(error) = admitted else { return Ok(()) };
        let outcome = Err(error.clone());
        if is_news(account, &outcome, self.0.clock.now()) {
            let nothing_held = Slot::default();
            self.0.record(account, &outcome, &nothing_held).await;
        }
        Err(error)
    }
}

/// Whether the account may have access at all, by what is known of it.
///
/// # Errors
/// Whose turn it is, when not.
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
