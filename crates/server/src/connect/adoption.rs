//! From an authority's answer to what may be stored: verify, log in, list.
//!
//! One set of rules, whether the person came by the widget, by a device code, or brought a refresh token along.

use mailgrant_core::{
    authorization::Nonce,
    provider::Provider,
    scope::{Scope, Scopes},
    token::TokenResponse,
};
use mailgrant_oauth::{Identity, Userinfo};
use mailgrant_storage::{Account, AccountState, Flow, NewAccount, NewGrant};
use serde_json::Value;

use super::{ending::Ending, mending::wrong_person, tenants, verification::verify_any};
use crate::{diagnosis::Diagnosis, engine::Engine, scopes, tokens::Registration};

/// A sign-in that the authority has answered with tokens.
#[derive(Debug, Clone)]
pub struct SignIn<'a> {
    /// The application of the settings that it was begun with.
    pub application: &'a str,
    /// The site that the account is to belong to.
    pub site: &'a str,
    /// The shared mailbox to open instead of the person's own.
    pub mailbox: Option<&'a str>,
    /// The address to try where the authority names none.
    pub login_hint: Option<&'a str>,
    /// What the ID token must repeat; `None` where none was sent, as by a device.
    pub nonce: Option<&'a Nonce>,
    /// The site's own data, a JSON object.
    pub metadata: Value,
}

/// A mailbox that was opened with the person's own grant: what may be stored.
#[derive(Debug, Clone)]
pub struct Proven {
    /// The account, connected.
    pub account: NewAccount,
    /// Its grant.
    pub grant: NewGrant,
}

impl Engine {
    /// Proves a sign-in: who signed in, that mail was granted, that the mailbox logs in **and lists**. Stores nothing.
    ///
    /// # Errors
    /// Why it makes no account.
    pub async fn prove(
        &self,
        sign_in: SignIn<'_>,
        response: TokenResponse,
    ) -> Result<Proven, Ending> {
        self.prove_as(Came::New, sign_in, response).await
    }

    /// The same of a refresh token that another program obtained: its answer may lack an ID token (OpenID Connect Core
    /// §12.2), and what the settings ask for besides reading need not have been granted.
    ///
    /// # Errors
    /// Why it makes no account.
    pub(super) async fn prove_import(
        &self,
        sign_in: SignIn<'_>,
        response: TokenResponse,
        asked: Option<&Scopes>,
    ) -> Result<Proven, Ending> {
        self.prove_as(Came::Imported { asked }, sign_in, response)
            .await
    }

    /// The same for an account that exists: it must be the same person, or their token opens nothing.
    pub(super) async fn prove_for(
        &self,
        mended: Option<&Account>,
        sign_in: SignIn<'_>,
        response: TokenResponse,
    ) -> Result<Proven, Ending> {
        let came = mended.map_or(Came::New, Came::ToMend);
        self.prove_as(came, sign_in, response).await
    }

    async fn prove_as(
        &self,
        came: Came<'_>,
        sign_in: SignIn<'_>,
        response: TokenResponse,
    ) -> Result<Proven, Ending> {
        let Some(registration) = self.registrations.get(sign_in.application) else {
            return Err(unknown_application(sign_in.application));
        };
        let application = &registration.application;
        let openid = application.scopes().contains("openid");
        let must_say_who = openid && !matches!(came, Came::Imported { .. });
        let identity = identity(registration, &sign_in, &response, must_say_who).await?;
        let person = identity.clone().map(stored);
        if let Came::ToMend(account) = came
            && let Some(known) = &account.identity
            && person.as_ref().map(mailgrant_storage::Identity::key) != Some(known.key())
        {
            return Err(wrong_person(account).into());
        }
        let tenant = identity.as_ref().and_then(|who| who.tenant_id.as_deref());
        tenants::check_allowed(tenant, application)?;
        let all = application.scopes();
        let (asked, needed) = match came {
            Came::Imported { asked } => (asked.unwrap_or(all), scopes::reading(application)),
            Came::New | Came::ToMend(_) => (all, all.clone()),
        };
        let scopes = granted(asked, &needed, &response)?;
        let Some(refresh_token) = response.refresh_token.clone() else {
            return Err(Diagnosis::new(
                "no_refresh_token",
                "The authority gave no refresh token",
                "access would end within the hour, so nothing was connected",
                &["Ask for `offline_access` in the provider's scopes (Google: the parameters access_type=offline and prompt=consent)."],
            )
            .into());
        };
        let (named, told) = named(registration, identity.as_ref(), &response).await;
        // Only where a sign-in would say so too: else the same person would be two.
        let person = match (person, told) {
            (None, Some(told)) if openid => told_of(registration, told).await,
            (person, _) => person,
        };
        let users = users(named, &sign_in)?;
        let user = verify_any(
            self,
            sign_in.application,
            &users.login,
            &response.access_token,
        )
        .await?;
        let account = NewAccount {
            site: sign_in.site.to_owned(),
            application: sign_in.application.to_owned(),
            flow: Flow::Delegated,
            // A registration for many tenants asks this one from now on.
            tenant: identity
                .as_ref()
                .and_then(|identity| identity.tenant_id.clone())
                .filter(|_| registration.application.provider.has_tenants()),
            state: AccountState::Connected,
            smtp_user: users.own.unwrap_or_else(|| user.clone()),
            from_address: sign_in
                .mailbox
                .map(str::to_owned)
                .or(users.address)
                .unwrap_or_else(|| user.clone()),
            imap_user: user,
            identity: person,
            diagnosis: None,
            metadata: sign_in.metadata,
        };
        let grant = NewGrant {
            refresh_token,
            scopes,
        };
        Ok(Proven { account, grant })
    }
}

/// Why somebody's grant is looked at.
#[derive(Clone, Copy)]
enum Came<'a> {
    New,
    ToMend(&'a Account),
    /// With what was asked when the token was used.
    Imported {
        asked: Option<&'a Scopes>,
    },
}

pub(super) fn unknown_application(application: &str) -> Ending {
    Diagnosis::new(
        "application_unknown",
        "The gateway's settings have changed",
        format!("there is no application `{application}`"),
        &["Put the application back into the settings."],
    )
    .into()
}

/// Who signed in; nobody, when that need not be said and is not.
async fn identity(
    registration: &Registration,
    sign_in: &SignIn<'_>,
    response: &TokenResponse,
    must_say_who: bool,
) -> Result<Option<Identity>, Ending> {
    let Some(token) = &response.id_token else {
        if must_say_who {
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
        .client(None)
        .map_err(|error| Ending::of(&error, &registration.application))?
        .verify_id_token(token, sign_in.nonce)
        .await
        .map(Some)
        .map_err(|error| Ending::of(&error, &registration.application))
}

/// What was granted, if that includes what is needed.
fn granted(asked: &Scopes, needed: &Scopes, response: &TokenResponse) -> Result<Scopes, Ending> {
    let granted = scopes::granted(asked, response.scope.as_ref());
    let missing: Vec<&str> = needed
        .iter()
        .filter(|scope| !scopes::is_of_sign_in(scope.as_str()) && !scopes::holds(&granted, scope))
        .map(Scope::as_str)
        .collect();
    if missing.is_empty() {
        return Ok(granted);
    }
    Err(Diagnosis::new(
        "scope_missing",
        "A needed permission was not granted",
        format!("not granted: {}", missing.join(" ")),
        &["Try again and leave every permission ticked."],
    )
    .into())
}

/// By which names the person may be known to the mail server.
struct Users {
    /// To try in this order.
    login: Vec<String>,
    /// The person's own, even for a shared mailbox.
    own: Option<String>,
    address: Option<String>,
}

/// The addresses of whoever signed in, the likeliest mailbox first.
#[derive(Default)]
struct Named {
    addresses: Vec<String>,
    /// The one of them to show to others.
    email: Option<String>,
}

impl Named {
    fn of(provider: &Provider, preferred_username: Option<&str>, email: Option<&str>) -> Self {
        let addresses = provider.addresses(preferred_username, email);
        let shown = addresses
            .iter()
            .find(|address| Some(address.as_str()) == email);
        Self {
            email: shown.or(addresses.first()).cloned(),
            addresses,
        }
    }
}

/// What the ID token says, else the userinfo endpoint: many authorities name addresses only there.
async fn named(
    registration: &Registration,
    identity: Option<&Identity>,
    response: &TokenResponse,
) -> (Named, Option<Userinfo>) {
    let provider = &registration.application.provider;
    let claimed = identity.map_or_else(Named::default, |identity| {
        let (username, email) = (&identity.preferred_username, &identity.email);
        Named::of(provider, username.as_deref(), email.as_deref())
    });
    if !claimed.addresses.is_empty() {
        return (claimed, None);
    }
    let Ok(client) = registration.client(None) else {
        return (claimed, None);
    };
    let subject = identity.map(|identity| identity.subject.as_str());
    match client.userinfo(&response.access_token, subject).await {
        Ok(Some(told)) => {
            let (username, email) = (&told.preferred_username, &told.email);
            let named = Named::of(provider, username.as_deref(), email.as_deref());
            (named, Some(told))
        }
        Ok(None) => (claimed, None),
        Err(error) => {
            tracing::info!(%error, "whose mailbox it is was not told");
            (claimed, None)
        }
    }
}

/// The person as the userinfo endpoint tells of them: `sub` there and in the ID token are the same (OpenID Connect Core
/// §5.3.2). An authority with tenants tells people apart by more than that.
async fn told_of(
    registration: &Registration,
    told: Userinfo,
) -> Option<mailgrant_storage::Identity> {
    if registration.application.provider.has_tenants() {
        return None;
    }
    let metadata = registration.client(None).ok()?.metadata().await.ok()?;
    Some(mailgrant_storage::Identity {
        issuer: metadata.issuer.clone()?,
        subject: told.subject?,
        tenant_id: None,
        object_id: None,
        email: told.email,
        preferred_username: told.preferred_username,
        name: None,
    })
}

fn users(named: Named, sign_in: &SignIn<'_>) -> Result<Users, Ending> {
    let own = named.addresses.first().cloned();
    let mut login = match sign_in.mailbox {
        Some(mailbox) => vec![mailbox.to_owned()],
        None => named.addresses,
    };
    if login.is_empty() {
        login.extend(sign_in.login_hint.map(str::to_owned));
    }
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
        own,
        address: named.email,
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
