//! When the tenant lets only an administrator agree: the normal case at companies.

use actix_web::http::StatusCode;
use mailgrant_core::authorization::State;
use mailgrant_storage::{ConnectSession, Outcome, SecretHash};

use super::{CONSENT_LIFETIME, callback::fail, page::Page};
use crate::{diagnosis::Diagnosis, state::Gateway, tokens::Registration};

/// Lets the session wait, with a link for the administrator.
pub(super) async fn await_it(
    gateway: &Gateway,
    registration: &Registration,
    session: &ConnectSession,
    diagnosis: Box<Diagnosis>,
) -> Page {
    let mut bytes = [0; 32];
    gateway.environment.random.fill(&mut bytes);
    let state = State::from_random(bytes);
    let Some(link) = link(registration, &state) else {
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

fn link(registration: &Registration, state: &State) -> Option<String> {
    let scopes = registration.application.scopes();
    let issuer = registration.application.provider.endpoints.issuer();
    let client = match registration.client(None) {
        Ok(client) => client,
        Err(error) => {
            tracing::warn!(%error, "no link for the administrator");
            return None;
        }
    };
    let tenant = match client.tenant() {
        "" => Some(issuer.and_then(tenant_of).unwrap_or(ANY_TENANT)),
        "common" => Some(ANY_TENANT),
        _ => None,
    };
    let link = client.admin_consent_url(tenant, Some(scopes), Some(state));
    match link {
        Ok(link) => Some(link),
        Err(error) => {
            tracing::warn!(%error, "no link for the administrator");
            None
        }
    }
}

/// `https://login.example.com/{tenant}/v2.0` -> the tenant.
fn tenant_of(issuer: &str) -> Option<&str> {
    let (_, path) = issuer.split_once("://")?.1.split_once('/')?;
    path.strip_suffix("/v2.0")
        .filter(|tenant| !tenant.contains('/'))
}

/// Whichever work tenant the administrator signs in to.
const ANY_TENANT: &str = "organizations";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_is_read_from_an_issuer_of_its_form() {
        assert_eq!(
            tenant_of("https://login.example.com/contoso/v2.0"),
            Some("contoso")
        );
        for other in [
            "https://login.example.com",
            "https://login.example.com/v2.0",
            "https://login.example.com/a/b/v2.0",
        ] {
            assert_eq!(tenant_of(other), None, "{other}");
        }
    }
}
