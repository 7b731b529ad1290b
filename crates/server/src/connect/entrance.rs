//! The way in: the link or popup that the person opens.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use mailgrant_core::{
    authorization::{Nonce, State},
    pkce::CodeVerifier,
};
use mailgrant_oauth::AuthorizationParameters;
use mailgrant_storage::{
    ConnectPhase, ConnectSession, ConnectStatus, NewAttempt, Outcome, Random, SecretHash,
};

use super::{
    binding::Binding,
    mending,
    page::{Page, Question, Waiting},
};
use crate::{diagnosis, state::Gateway};

/// Opens a connect link: onward to the authority when the click was seen to happen on the site's page, else a question.
pub(crate) async fn enter(
    gateway: &Gateway,
    request: &HttpRequest,
    client_token: &str,
) -> Result<HttpResponse, Page> {
    let session = find(gateway, client_token).await?;
    check_open(&session)?;
    let binding = Binding::of(request, gateway.is_https(), &*gateway.environment.random);
    if session.status == ConnectStatus::AwaitingAdminConsent {
        let form_token = binding.form_token(client_token);
        return Ok(
            Waiting::of(gateway, &session, form_token).respond(binding.cookie(gateway.is_https()))
        );
    }
    if began_on_the_site(request, &session) {
        return begin(gateway, &session, client_token, &binding).await;
    }
    let form_token = binding.form_token(client_token);
    Ok(Question::of(gateway, &session, form_token).respond(binding.cookie(gateway.is_https())))
}

/// The person has answered the question with yes.
pub(crate) async fn confirm(
    gateway: &Gateway,
    request: &HttpRequest,
    client_token: &str,
    form_token: &str,
) -> Result<HttpResponse, Page> {
    let session = find(gateway, client_token).await?;
    check_open(&session)?;
    let binding = confirmed(gateway, request, client_token, form_token)?;
    begin(gateway, &session, client_token, &binding).await
}

/// The browser, when the form was sent by our own page in it.
pub(super) fn confirmed(
    gateway: &Gateway,
    request: &HttpRequest,
    token: &str,
    form_token: &str,
) -> Result<Binding, Page> {
    let own_page = sent_by_own_page(gateway, request);
    match Binding::found(request, gateway.is_https()) {
        Some(binding) if own_page && binding.has_sent(form_token, token) => Ok(binding),
        _ => Err(Page::error(
            StatusCode::FORBIDDEN,
            "The form has expired",
            "Cookies may be off, or the page was open for too long. Open the link again and allow cookies for this site.",
        )),
    }
}

async fn find(gateway: &Gateway, client_token: &str) -> Result<ConnectSession, Page> {
    gateway
        .storage
        .connect_sessions()
        .find_by_client_token(&SecretHash::of(client_token), gateway.now())
        .await
        .map_err(|error| Page::storage(&error))?
        .ok_or_else(Page::unknown_link)
}

fn check_open(session: &ConnectSession) -> Result<(), Page> {
    if session.status.is_final() {
        Err(Page::result(session))
    } else if session.phase == ConnectPhase::Returned {
        Err(Page::checking())
    } else {
        Ok(())
    }
}

/// A link that was mailed to somebody arrives without a `Referer`, or with another.
fn began_on_the_site(request: &HttpRequest, session: &ConnectSession) -> bool {
    let text = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let origin = text(header::ORIGIN).or_else(|| text(header::REFERER));
    origin.is_some_and(|seen| {
        url::Url::parse(seen)
            .is_ok_and(|seen| seen.origin().ascii_serialization() == session.origin)
    })
}

/// Browsers name the origin of every form; `null` comes from pages without a referrer, such as ours.
fn sent_by_own_page(gateway: &Gateway, request: &HttpRequest) -> bool {
    let own = gateway.public_url.origin().ascii_serialization();
    let site = request
        .headers()
        .get("sec-fetch-site")
        .and_then(|site| site.to_str().ok());
    if matches!(site, Some("cross-site" | "same-site")) {
        return false;
    }
    match request
        .headers()
        .get(header::ORIGIN)
        .and_then(|origin| origin.to_str().ok())
    {
        None | Some("null") => true,
        Some(origin) => origin == own,
    }
}

/// Sends the browser to the authority. State, nonce and verifier are on disk before.
pub(super) async fn begin(
    gateway: &Gateway,
    session: &ConnectSession,
    client_token: &str,
    binding: &Binding,
) -> Result<HttpResponse, Page> {
    let registration = gateway.registrations.get(&session.application).ok_or_else(|| {
        Page::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The gateway's settings have changed",
            "The application that this link belongs to is no longer configured. Tell the site that sent you here.",
        )
    })?;
    let mended = mending::account(gateway, session).await?;
    let tenant = mended
        .as_ref()
        .and_then(|account| account.tenant.as_deref());
    let random = &*gateway.environment.random;
    let (state, nonce) = (
        State::from_random(bytes(random)),
        Nonce::from_random(bytes(random)),
    );
    let code_verifier = CodeVerifier::from_random(bytes(random));
    let unusable = |error: mailgrant_oauth::Error| {
        tracing::warn!(%error, "the authority cannot be used");
        let found = diagnosis::authority(&error, &registration.asked(tenant));
        Page::diagnosed(StatusCode::BAD_GATEWAY, &found)
    };
    let url = registration
        .client(tenant)
        .map_err(unusable)?
        .authorization_url(&AuthorizationParameters {
            state: &state,
            nonce: &nonce,
            code_challenge: &code_verifier.challenge(),
            scopes: registration.application.scopes(),
            login_hint: session.login_hint.as_deref(),
            prompt: None,
        })
        .await
        .map_err(unusable)?;
    let attempt = NewAttempt {
        state: SecretHash::of(state.expose()),
        browser: binding.hash(),
        nonce,
        code_verifier,
    };
    let begun = gateway
        .storage
        .connect_sessions()
        .begin(&SecretHash::of(client_token), attempt, gateway.now())
        .await
        .map_err(|error| Page::storage(&error))?;
    match begun {
        Outcome::Done(session) => gateway.tell(&session.id),
        Outcome::Refused(session) => {
            return Err(check_open(&session).err().unwrap_or_else(Page::checking));
        }
        Outcome::Unknown => return Err(Page::unknown_link()),
    }
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, url))
        .cookie(binding.cookie(gateway.is_https()))
        .finish())
}

fn bytes(random: &dyn Random) -> [u8; 32] {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    bytes
}
