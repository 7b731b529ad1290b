//! When the tenant lets only an administrator agree: the normal case at companies.

use actix_web::http::StatusCode;
use mailgrant_core::authorization::State;
use mailgrant_storage::{ConnectSession, Outcome, SecretHash};

use super::{CONSENT_LIFETIME, callback::fail, page::Page, tenants::tenant_of};
use crate::{diagnosis::Diagnosis, state::Gateway, tokens::Registration};

/// What the administrator's link is made of.
pub(super) struct Link<'a> {
    pub(super) registration: &'a Registration,
    /// The person's own tenant, where it is known.
    pub(super) tenant: Option<&'a str>,
}

/// Lets the session wait, with a link for the administrator.
pub(super) async fn await_it(
    gateway: &Gateway,
    link: &Link<'_>,
    session: &ConnectSession,
    diagnosis: Box<Diagnosis>,
) -> Page {
    let mut bytes = [0; 32];
    gateway.environment.random.fill(&mut bytes);
    let state = State::from_random(bytes);
    let Some(link) = link.with(&state) else {
        return fail(gateway, session, &diagnosis).await;
    };
    let diagnosis = Diagnosis {
        admin_consent_url: Some(link),
        ..*diagnosis
    };
    let waits = gateway
        .storage
        .connect_sessions()
        .await_consent(
            &session.id,
            SecretHash::of(state.expose()),
            diagnosis.to_json(),
            gateway.now() + CONSENT_LIFETIME,
            gateway.now(),
        )
        .await;
    gateway.tell(&session.id);
    match waits {
        Ok(Outcome::Done(session)) => {
            tracing::info!(session = %session.id, "waits for an administrator");
            Page::result(&session)
        }
        Ok(Outcome::Refused(session)) => Page::over(&session),
        Ok(Outcome::Unknown) => Page::unknown_link(),
        Err(error) => Page::storage(&error),
    }
}

/// The administrator came back.
pub(super) async fn answered(gateway: &Gateway, granted: bool, state: Option<&State>) -> Page {
    let Some(hash) = state.map(|state| SecretHash::of(state.expose())) else {
        // A link that was made elsewhere, such as in the portal.
        return if granted {
            Page::consent_given(None)
        } else {
            Page::consent_refused()
        };
    };
    if !granted {
        return refused(gateway, &hash)
            .await
            .unwrap_or_else(Page::consent_refused);
    }
    match gateway
        .storage
        .connect_sessions()
        .grant_consent(&hash, gateway.now())
        .await
    {
        Ok(Some(session)) => {
            gateway.tell(&session.id);
            tracing::info!(session = %session.id, "an administrator agreed");
            Page::consent_given(Some(&session))
        }
        Ok(None) => Page::error(
            StatusCode::BAD_REQUEST,
            "Nobody waits for this any more",
            "The permission was given all the same. The person can go back to the site and connect the mailbox.",
        ),
        Err(error) => Page::storage(&error),
    }
}

/// The page for an administrator who said no, if the state is an administrator's; the session goes on waiting.
pub(super) async fn refused(gateway: &Gateway, hash: &SecretHash) -> Option<Page> {
    match gateway
        .storage
        .connect_sessions()
        .find_by_consent_state(hash, gateway.now())
        .await
    {
        Ok(session) => session.map(|_| Page::consent_refused()),
        Err(error) => Some(Page::storage(&error)),
    }
}

impl Link<'_> {
    fn with(&self, state: &State) -> Option<String> {
        let scopes = self.registration.application.scopes();
        let issuer = self.registration.application.provider.endpoints.issuer();
        let link = self.registration.client(None).and_then(|client| {
            let tenant = match client.tenant() {
                "" => Some(issuer.and_then(tenant_of).unwrap_or(ANY_TENANT)),
                "common" | "organizations" => Some(self.tenant.unwrap_or(ANY_TENANT)),
                _ => None,
            };
            client.admin_consent_url(tenant, Some(scopes), Some(state))
        });
        link.inspect_err(|error| tracing::warn!(%error, "no link for the administrator"))
            .ok()
    }
}

/// Whichever work tenant the administrator signs in to.
const ANY_TENANT: &str = "organizations";
