//! The way back: the person who connected an account signs in again, and the same account goes on.
//!
//! A link for that is kept for as long as the account needs it, and is mailed. Opening it changes nothing, however often
//! and by whom (mail programs look at links too); only the answer to its question makes a connect session.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use mailgrant_core::secret::Secret;
use mailgrant_storage::{
    Account, ConnectSession, Flow, Identity, NewConnectSession, SecretHash, random_secret,
};
use serde_json::json;

use super::{
    LIFETIME,
    binding::Binding,
    entrance::{begin, confirmed},
    page::{Page, Question},
};
use crate::{diagnosis::Diagnosis, state::Gateway};

/// Opens the link: shows what the person is asked for.
pub(crate) async fn reopen(
    gateway: &Gateway,
    request: &HttpRequest,
    link: &str,
) -> Result<HttpResponse, Page> {
    let account = find(gateway, link).await?;
    let origin = origin(gateway, &account);
    let binding = Binding::of(request, gateway.is_https(), &*gateway.environment.random);
    let question = Question::again(gateway, &account, &origin, binding.form_token(link));
    Ok(question.respond(binding.cookie(gateway.is_https())))
}

/// The person has answered with yes: onward to the authority, in a session that may mend this account and no other.
pub(crate) async fn resume(
    gateway: &Gateway,
    request: &HttpRequest,
    link: &str,
    form_token: &str,
) -> Result<HttpResponse, Page> {
    let account = find(gateway, link).await?;
    let binding = confirmed(gateway, request, link, form_token)?;
    if !gateway.mending.admits(&account.id, gateway.now()) {
        return Err(Page::error(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many attempts",
            "This link was used many times in a short while. Wait ten minutes and open it again.",
        ));
    }
    let client_token = random_secret("mgc_", &*gateway.environment.random);
    let session = gateway
        .storage
        .connect_sessions()
        .add(
            session(
                &account,
                origin(gateway, &account),
                &client_token,
                gateway.now() + LIFETIME,
            ),
            gateway.now(),
        )
        .await
        .map_err(|error| Page::storage(&error))?;
    begin(gateway, &session, client_token.expose(), &binding).await
}

/// The link that this secret makes.
pub(crate) fn reauth_url(gateway: &Gateway, link: &Secret) -> String {
    gateway.url(&format!("/reauth/{}", link.expose()))
}

/// What a session has of the account that it mends: application, mailbox and person are given.
pub(crate) fn session(
    account: &Account,
    origin: String,
    client_token: &Secret,
    expires_at: mailgrant_core::time::UnixTime,
) -> NewConnectSession {
    NewConnectSession {
        site: account.site.clone(),
        application: account.application.clone(),
        origin,
        user_label: None,
        login_hint: person(account).map(str::to_owned),
        mailbox: shared_mailbox(account).map(str::to_owned),
        mends: Some(account.id.clone()),
        return_url: None,
        metadata: json!({}),
        client_token: SecretHash::of(client_token.expose()),
        expires_at,
    }
}

/// The address by which the person signs in, as far as it is known.
pub(crate) fn person(account: &Account) -> Option<&str> {
    match &account.identity {
        Some(identity) => addresses(identity).next(),
        None => Some(account.imap_user.as_str()).filter(|user| user.contains('@')),
    }
}

/// The mailbox, where it is not the person's own.
fn shared_mailbox(account: &Account) -> Option<&str> {
    let identity = account.identity.as_ref()?;
    let own = addresses(identity).any(|address| address.eq_ignore_ascii_case(&account.imap_user));
    (!own).then_some(account.imap_user.as_str())
}

fn addresses(identity: &Identity) -> impl Iterator<Item = &str> {
    [&identity.preferred_username, &identity.email]
        .into_iter()
        .filter_map(|name| name.as_deref().filter(|name| name.contains('@')))
}

/// The account that a session mends; `None` where it mends none.
pub(super) async fn account(
    gateway: &Gateway,
    session: &ConnectSession,
) -> Result<Option<Account>, Page> {
    let Some(id) = &session.mends else {
        return Ok(None);
    };
    let account = gateway.storage.accounts().lookup_any_site(id).await;
    match account.map_err(|error| Page::storage(&error))? {
        Some(account) => Ok(Some(account)),
        None => Err(super::callback::fail(gateway, session, &gone()).await),
    }
}

/// Only whoever connected an account may mend it. Nothing is said of who came instead.
pub(super) fn wrong_person(account: &Account) -> Diagnosis {
    let whom =
        person(account).map_or_else(|| "the account that connected it".to_owned(), str::to_owned);
    Diagnosis::new(
        "wrong_person",
        "Somebody else signed in",
        format!(
            "{} was connected by another account than the one that signed in now; nothing was changed",
            account.imap_user
        ),
        &[
            &format!(
                "Sign in as {whom}; sign out of the other account first if the sign-in page does not ask."
            ),
            "Then open the same link again, or press the button again.",
        ],
    )
}

/// The account was deleted or switched off while the person signed in.
pub(super) fn gone() -> Diagnosis {
    Diagnosis::new(
        "account_gone",
        "The site no longer uses this mailbox",
        "the account was deleted or switched off meanwhile; nothing was stored",
        &["Go back to the site. If it should read the mailbox again, connect it there anew."],
    )
}

/// The same person has this mailbox in another account already.
pub(super) fn taken() -> Diagnosis {
    Diagnosis::new(
        "already_connected",
        "The mailbox is connected already",
        "the person who signed in has connected the same mailbox before, as another account of this site; nothing was changed",
        &["The site goes on with that account, and deletes this one."],
    )
}

/// Somebody who is known has connected the mailbox; of who comes now it is not known who they are.
pub(super) fn known(account: &mailgrant_storage::AccountId) -> Diagnosis {
    Diagnosis::new(
        "already_connected",
        "The mailbox is connected already",
        format!(
            "the mailbox is connected as {account}, and the authority does not say whether the refresh token is the same person's"
        ),
        &[
            "Go on with that account; if it needs the person, send them its reauth_url. Or delete it first.",
        ],
    )
}

/// Unknown, void and misspelt links are one.
async fn find(gateway: &Gateway, link: &str) -> Result<Account, Page> {
    let account = gateway
        .storage
        .accounts()
        .find_by_reauth_link(&SecretHash::of(link))
        .await
        .map_err(|error| Page::storage(&error))?;
    account
        .filter(|account| account.flow == Flow::Delegated)
        .ok_or_else(|| {
            Page::error(
                StatusCode::NOT_FOUND,
                "This link is not good, or no longer",
                "If you have signed in again already, there is nothing more to do. Otherwise go back to the site, or use the newest message that it sent you.",
            )
        })
}

/// The site by which the person knows it, as far as it is known: an imported account was connected on no page.
fn origin(gateway: &Gateway, account: &Account) -> String {
    let known = account.origin.as_deref();
    if let Some(allowed) = known.and_then(|origin| gateway.allowed_origin(origin)) {
        return allowed.as_str().to_owned();
    }
    match gateway.settings.server.allowed_origins.as_slice() {
        [only] => only.as_str().to_owned(),
        _ => gateway.public_url.origin().ascii_serialization(),
    }
}
