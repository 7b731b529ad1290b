//! Connect sessions: from the click on a button to a connected account.

mod adoption;
mod binding;
mod callback;
mod completion;
mod consent;
mod ending;
mod entrance;
mod importing;
mod limiter;
mod mending;
mod page;
mod tenants;
mod verification;

use std::time::Duration;

use mailgrant_storage::{ConnectPhase, ConnectSession, ConnectStatus};

use crate::{
    diagnosis::{self, Diagnosis, Unfinished},
    engine::redirect_uri,
    state::Gateway,
};

pub use self::{
    adoption::{Proven, SignIn},
    ending::Ending,
    importing::{ImportFailure, ImportFault, Kept},
};
pub(crate) use self::{
    callback::{browser, returned},
    entrance::{confirm, enter},
    limiter::Limiter,
    mending::{person, reauth_url, reopen, resume, session},
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

/// Why a session failed, waits or ran out, as pages and API tell it.
pub(crate) fn diagnosis(gateway: &Gateway, session: &ConnectSession) -> Option<Diagnosis> {
    let stored = session.diagnosis.as_ref().and_then(Diagnosis::from_json);
    match (session.status, stored) {
        (ConnectStatus::Expired, Some(stored)) if diagnosis::is_of_an_expired_session(&stored) => {
            Some(stored)
        }
        // Nobody swept it yet; what it holds is what it waited for.
        (ConnectStatus::Expired, _) => Some(expired(gateway, session)),
        (ConnectStatus::Pending, None) => unfinished(gateway, session, |unfinished| {
            unfinished.waiting(gateway.now())
        }),
        (_, stored) => stored,
    }
}

/// What is said of a session that ran out.
pub(crate) fn expired(gateway: &Gateway, session: &ConnectSession) -> Diagnosis {
    unfinished(gateway, session, |unfinished| unfinished.expired())
}

/// What is said of a session that the person gives up.
pub(crate) fn cancelled(gateway: &Gateway, session: &ConnectSession) -> Diagnosis {
    unfinished(gateway, session, |unfinished| unfinished.cancelled())
}

fn unfinished<T>(
    gateway: &Gateway,
    session: &ConnectSession,
    say: impl FnOnce(&Unfinished<'_>) -> T,
) -> T {
    say(&Unfinished {
        session,
        application: gateway.settings.application(&session.application),
        redirect_uri: &redirect_uri(&gateway.public_url),
    })
}
