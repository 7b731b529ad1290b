//! Connect sessions: from the click on a button to a connected account.

mod binding;
mod callback;
mod completion;
mod consent;
mod entrance;
mod page;
mod verification;

use std::time::Duration;

use mailgrant_storage::{ConnectPhase, ConnectSession};

pub(crate) use self::{
    callback::{browser, returned},
    entrance::{confirm, enter},
    page::{ASSETS, Page},
    verification::verify,
};

/// How long a person has, when the site's backend does not ask again.
pub(crate) const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How long an administrator has.
pub(crate) const CONSENT_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The step a session is at, as pages and API tell it.
pub(crate) const fn phase(session: &ConnectSession) -> &'static str {
    match session.phase {
        ConnectPhase::Created => "created",
        ConnectPhase::Started => "started",
        ConnectPhase::Returned => "finishing",
        ConnectPhase::Finished => "finished",
    }
}
