//! From the code to a connected account: redeem, verify, log in, list, and only then store.

use mailgrant_core::{
    scope::Scopes,
    token::{AuthorizationCode, TokenResponse},
};
use mailgrant_oauth::Identity;
use mailgrant_storage::{
    AccountState, Attempt, ConnectSession, Flow, NewAccount, NewGrant, Outcome,
};

use super::{callback::Ending, page::Page, verification::verify_any};
use crate::{diagnosis::Diagnosis, state::Gateway, tokens::Registration};

pub(super) async fn connect(
    gateway: &Gateway,
    registration: &Registration,
    attempt: Attempt,
    code: AuthorizationCode,
) -> Result<Page, Ending> {
    let provider = &registration.application.provider;
    let session = &attempt.session;
    let response = registration
        .client
        .exchange_code(&code, &attempt.code_verifier)
        .await
        .map_err(|error| Ending::of(&error, provider))?;
    let identity = identity(gateway, registration, &attempt, &response).await?;
    let scopes = granted(registration.application.scopes(), &response)?;
    let Some(refresh_token) = response.refresh_token.clone() else {
        return Err(Diagnosis::new(
            "no_refresh_token",
            "The authority gave no refresh token",
            "access would end within the hour, so nothing was connected",
            &["Ask for `offline_access` in the provider's scopes (Google: the parameters access_type=offline and prompt=consent)."],
        )
        .into());
    };
    let users = users(session, identity.as_ref())?;
    let user = verify_any(
        gateway,
        &session.application,
        &users.login,
        &response.access_token,
    )
    .await?;
    let account = NewAccount {
        site: session.site.clone(),
        application: session.application.clone(),
        flow: Flow::Delegated,
        state: AccountState::Connected,
        smtp_user: users.own.unwrap_or_else(|| user.clone()),
        from_address: session
            .mailbox
            .clone()
            .or(users.address)
            .unwrap_or_else(|| user.clone()),
        imap_user: user,
        identity: identity.map(stored),
        diagnosis: None,
        metadata: session.metadata.clone(),
    };
    let grant = NewGrant {
        refresh_token,
        scopes,
    };
    let completed = gateway
        .storage
        .connect_sessions()
        .complete(&session.id, account, grant, gateway.now())
        .await;
    gateway.tell(&session.id);
    match completed {
        Ok(Outcome::Done(completed)) => {
            // What was kept of the account's former grant is void.
            gateway.tokens.forget(&completed.account.id);
            gateway.pool.close(&completed.account.id);
            tracing::info!(session = %session.id, account = %completed.account.id, reconnected = completed.reconnected, "connected");
            Ok(Page::result(&completed.session))
        }
        Ok(Outcome::Refused(session)) => Ok(Page::over(&session)),
        Ok(Outcome::Unknown) => Ok(Page::unknown_link()),
        Err(error) => Ok(Page::storage(&error)),
    }
}

/// Who signed in; nobody, when the application does not ask for `openid`.
async fn identity(
    gateway: &Gateway,
    registration: &Registration,
    attempt: &Attempt,
    response: &TokenResponse,
) -> Result<Option<Identity>, Ending> {
    let Some(token) = &response.id_token else {
        if registration.application.scopes().contains("openid") {
            return Err(Diagnosis::new(
                "id_token_missing",
                "The authority did not say who signed in",
                "the scope `openid` was asked for, but no id_token came",
                &["Check that the registration allows OpenID Connect, or leave `openid` out of the scopes."],
            )
            .into());
        }
        return Ok(None);
    };
    registration
        .client
        .verify_id_token(token, &attempt.nonce, gateway.now())
        .await
        .map(Some)
        .map_err(|error| Ending::of(&error, &registration.application.provider))
}

/// What was granted, if that includes mail. An authority that names no scope granted what was asked (RFC 6749 §5.1).
fn granted(asked: &Scopes, response: &TokenResponse) -> Result<Scopes, Ending> {
    let Some(granted) = &response.scope else {
        return Ok(asked.clone());
    };
    let missing: Vec<&str> = asked
        .iter()
        .map(mailgrant_core::scope::Scope::as_str)
        .filter(|scope| !SIGN_IN.contains(scope))
        .filter(|scope| {
            !granted
                .iter()
                .any(|other| other.as_str().eq_ignore_ascii_case(scope))
        })
        .collect();
    if missing.is_empty() {
        Ok(granted.clone())
    } else {
        Err(Diagnosis::new(
            "scope_missing",
            "A needed permission was not granted",
            format!("not granted: {}", missing.join(" ")),
            &["Try again and leave every permission ticked."],
        )
        .into())
    }
}

/// By which names the person may be known to the mail server.
struct Users {
    /// To try in this order.
    login: Vec<String>,
    /// The person's own, even for a shared mailbox.
    own: Option<String>,
    address: Option<String>,
}

fn users(session: &ConnectSession, identity: Option<&Identity>) -> Result<Users, Ending> {
    let address = |text: &Option<String>| text.clone().filter(|text| text.contains('@'));
    let username = identity.and_then(|identity| address(&identity.preferred_username));
    let email = identity.and_then(|identity| address(&identity.email));
    let mut login: Vec<String> = match &session.mailbox {
        Some(mailbox) => vec![mailbox.clone()],
        None => username.iter().chain(&email).cloned().collect(),
    };
    if login.is_empty() {
        login.extend(session.login_hint.clone());
    }
    login.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    if login.is_empty() {
        return Err(Diagnosis::new(
            "address_unknown",
            "The mailbox's address is not known",
            "the authority named no address for the person who signed in",
            &["Ask for the scopes `openid email profile`, or give `mailbox` when the connect session is made."],
        )
        .into());
    }
    Ok(Users {
        login,
        own: username.clone().or(email.clone()),
        address: email.or(username),
    })
}

fn stored(identity: Identity) -> mailgrant_storage::Identity {
    mailgrant_storage::Identity {
        issuer: identity.issuer,
        subject: identity.subject,
        tenant_id: identity.tenant_id,
        object_id: identity.object_id,
        email: identity.email,
        preferred_username: identity.preferred_username,
        name: identity.name,
    }
}

/// Scopes of the sign-in itself: authorities do not list them, or by other names.
const SIGN_IN: [&str; 4] = ["openid", "profile", "email", "offline_access"];
