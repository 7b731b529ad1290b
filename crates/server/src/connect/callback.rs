//! `GET /oauth/callback`: the authority sends the browser back.
//!
//! The order matters: state (used up, whoever brings it), cookie, issuer, refusal, and only then the code.

use actix_web::http::StatusCode;
use mailgrant_core::{
    authorization::{Callback, State},
    token::AuthorizationCode,
};
use mailgrant_storage::{Attempt, ConnectSession, Consumed, Outcome, SecretHash};

use super::{binding::Binding, completion, consent, ending::Ending, mending, page::Page, tenants};
use crate::{diagnosis::Diagnosis, state::Gateway, tokens::Registration};

/// What the query and the cookie of a callback lead to. Runs to its end even when the browser goes away.
pub(crate) async fn returned(gateway: &Gateway, query: &str, browser: Option<SecretHash>) -> Page {
    match Callback::parse(query) {
        Ok(Callback::AdminConsent { granted, state, .. }) => {
            consent::answered(gateway, granted, state.as_ref()).await
        }
        Ok(callback) => match callback.state() {
            None => invalid("The answer names no attempt."),
            Some(state) => match attempt(gateway, state).await {
                Ok(attempt) => finish(gateway, *attempt, callback, browser).await,
                Err(page) => page,
            },
        },
        Err(error) => {
            tracing::info!(%error, "a callback that is none");
            invalid("The answer is not one of an authority.")
        }
    }
}

/// The browser's binding, taken from its cookie.
pub(crate) fn browser(gateway: &Gateway, request: &actix_web::HttpRequest) -> Option<SecretHash> {
    Binding::found(request, gateway.is_https()).map(|binding| binding.hash())
}

async fn attempt(gateway: &Gateway, state: &State) -> Result<Box<Attempt>, Page> {
    let hash = SecretHash::of(state.expose());
    let consumed = gateway
        .storage
        .connect_sessions()
        .consume_state(&hash, gateway.now())
        .await
        .map_err(|error| Page::storage(&error))?;
    match consumed {
        Consumed::Attempt(attempt) => Ok(attempt),
        Consumed::Over(session) => Err(Page::over(&session)),
        Consumed::Unknown => Err(consent::refused(gateway, &hash)
            .await
            .unwrap_or_else(|| invalid("It was used before, or replaced by a later attempt."))),
    }
}

async fn finish(
    gateway: &Gateway,
    attempt: Attempt,
    callback: Callback,
    browser: Option<SecretHash>,
) -> Page {
    gateway.tell(&attempt.session.id);
    let session = attempt.session.clone();
    if browser != Some(attempt.browser) {
        let diagnosis = Diagnosis::new(
            "browser_mismatch",
            "The sign-in came back to another browser",
            "the browser that returned from the authority is not the one that began, or it does not keep cookies",
            &["Start again, stay in one browser, and allow cookies for this site."],
        );
        // Whoever sits at this browser did not begin: they learn nothing about the session.
        fail(gateway, &session, &diagnosis).await;
        return Page::diagnosed(StatusCode::BAD_REQUEST, &diagnosis);
    }
    let Some(registration) = gateway.registrations.get(&session.application) else {
        let diagnosis = Diagnosis::new(
            "application_unknown",
            "The gateway's settings have changed",
            format!("there is no application `{}` any more", session.application),
            &["Put the application back into the settings."],
        );
        return fail(gateway, &session, &diagnosis).await;
    };
    let mended = match mending::account(gateway, &session).await {
        Ok(mended) => mended,
        Err(page) => return page,
    };
    let tenant = mended
        .as_ref()
        .and_then(|account| account.tenant.as_deref());
    let outcome = match accepted(registration, tenant, callback).await {
        Ok(code) => {
            completion::connect(gateway, registration, attempt, mended.as_ref(), code).await
        }
        Err(ending) => Err(ending),
    };
    match outcome {
        Ok(page) => page,
        Err(Ending::AdminConsent(diagnosis)) => {
            let tenant = tenants::of_person(registration, &session, mended.as_ref()).await;
            let link = consent::Link {
                registration,
                tenant: tenant.as_deref(),
            };
            consent::await_it(gateway, &link, &session, diagnosis).await
        }
        Err(Ending::Failed(diagnosis)) => fail(gateway, &session, &diagnosis).await,
    }
}

/// The code, when the right authority sent one.
async fn accepted(
    registration: &Registration,
    tenant: Option<&str>,
    callback: Callback,
) -> Result<AuthorizationCode, Ending> {
    registration
        .client(tenant)
        .map_err(|error| Ending::of(&error, &registration.application))?
        .check_callback_issuer(callback.iss())
        .await
        .map_err(|error| Ending::of(&error, &registration.application))?;
    match callback {
        Callback::Code { code, .. } => Ok(code),
        Callback::Refused { error, .. } => Err(Ending::refused(&error, &registration.application)),
        _ => Err(Diagnosis::new(
            "callback_invalid",
            "The authority's answer cannot be used",
            "it holds neither a code nor an error",
            &["Start again from the site."],
        )
        .into()),
    }
}

/// Ends the session and shows its result.
pub(super) async fn fail(
    gateway: &Gateway,
    session: &ConnectSession,
    diagnosis: &Diagnosis,
) -> Page {
    tracing::info!(session = %session.id, code = diagnosis.code, detail = diagnosis.detail, "connecting failed");
    let failed = gateway
        .storage
        .connect_sessions()
        .fail(&session.id, diagnosis.to_json(), gateway.now())
        .await;
    gateway.tell(&session.id);
    match failed {
        Ok(Outcome::Done(session)) => Page::result(&session),
        Ok(Outcome::Refused(session)) => Page::result(&session),
        Ok(Outcome::Unknown) => Page::unknown_link(),
        Err(error) => Page::storage(&error),
    }
}

fn invalid(detail: &str) -> Page {
    Page::error(
        StatusCode::BAD_REQUEST,
        "This sign-in cannot be finished",
        &format!("{detail} Go back to the site and start again."),
    )
}
