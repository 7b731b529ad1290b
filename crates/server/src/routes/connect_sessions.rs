//! `/v1/connect-sessions`: a site lets one of its users connect a mailbox.

use actix_web::{HttpResponse, http::header, post, web::Data};
use mailgrant_core::{provider::Provider, secret::Secret};
use mailgrant_storage::{
    Account, AccountState, ConnectSession, Flow, NewConnectSession, SecretHash, random_secret,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;
use utoipa::ToSchema;

use super::account;
use crate::{
    connect::{self, LIFETIME},
    http::{Body, Caller, Connect},
    problem::{Code, Problem},
    representation::ConnectSessionView,
    state::Gateway,
};

/// A connect session to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "application": "contoso", "origin": "https://app.example.com", "user_label": "Ada", "login_hint": "ada@contoso.example"
}))]
pub(crate) struct NewSession {
    /// Which of the gateway's applications. Left out with `account`.
    #[schema(example = "contoso")]
    application: Option<String>,
    /// An account that is to get a new sign-in, by the same person: the session can change this one and no other. The
    /// application, the mailbox and the person are the account's.
    #[schema(example = "acc_0197b4c1a2b37c5e8f9a0b1c2d3e4f50")]
    account: Option<String>,
    /// The origin of the page that holds the button; one of `server.allowed_origins`. May be left out when there is one only.
    #[schema(example = "https://app.example.com")]
    origin: Option<String>,
    /// How the person is called at the site; shown before a mailbox is connected to that user.
    user_label: Option<String>,
    /// The address to offer at sign-in.
    login_hint: Option<String>,
    /// The shared mailbox to open in place of the person's own.
    mailbox: Option<String>,
    /// Where to go afterwards without a popup; on an allowed origin.
    return_url: Option<String>,
    /// Any data of the site's own; passed on to a new account.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
}

/// A new connect session.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewSessionView {
    /// For the page: goes into the widget, and nowhere else. Shown here only.
    client_token: String,
    /// The link that does the same without the widget.
    connect_url: String,
    #[serde(flatten)]
    session: ConnectSessionView,
}

/// Begins a connect session.
#[utoipa::path(tag = "connect sessions", operation_id = "create_connect_session", request_body = NewSession, security(("api_key" = ["connect"])),
    responses(
        (status = 201, description = "Made", body = NewSessionView),
        (status = "4XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[post("/connect-sessions")]
pub(crate) async fn post(
    caller: Caller<Connect>,
    gateway: Data<Gateway>,
    new: Body<NewSession>,
) -> Result<HttpResponse, Problem> {
    let client_token = random_secret("mgc_", &*gateway.environment.random);
    let session = checked(&gateway, caller.site, new.0, &client_token).await?;
    let session = gateway
        .storage
        .connect_sessions()
        .add(session, gateway.now())
        .await?;
    Ok(HttpResponse::Created()
        .insert_header((
            header::LOCATION,
            gateway.url(&format!("/v1/connect-sessions/{}", session.id)),
        ))
        .json(view(&gateway, session, &client_token)))
}

fn view(gateway: &Gateway, session: ConnectSession, client_token: &Secret) -> NewSessionView {
    NewSessionView {
        client_token: client_token.expose().to_owned(),
        connect_url: gateway.url(&format!("/connect/{}", client_token.expose())),
        session: ConnectSessionView::of(gateway, session),
    }
}

async fn checked(
    gateway: &Gateway,
    site: String,
    new: NewSession,
    client_token: &Secret,
) -> Result<NewConnectSession, Problem> {
    let mended = match &new.account {
        Some(account) => Some(account::find(gateway, &site, account).await?),
        None => None,
    };
    let application = match (&mended, &new.application) {
        (Some(account), _) => account.application.clone(),
        (None, Some(application)) => application.clone(),
        (None, None) => {
            return Err(Problem::field(
                "application",
                "missing field `application`; or give `account`, to let its person sign in again",
            ));
        }
    };
    let registration = gateway.registration(&application)?;
    if !registration.application.is_registered() {
        // The authority would tell the person, on a page that never comes back here.
        return Err(Problem::field(
            "application",
            format!(
                "is not registered at its provider yet: `mailgrant setup --application {application} --flow delegated` prints how to"
            ),
        ));
    }
    for (field, text) in [
        ("user_label", &new.user_label),
        ("login_hint", &new.login_hint),
        ("mailbox", &new.mailbox),
    ] {
        if let Some(text) = text {
            check_text(field, text)?;
        }
    }
    if let Some(url) = &new.return_url {
        check_return_url(gateway, url)?;
    }
    let metadata = metadata(new.metadata.clone())?;
    let origin = origin(gateway, new.origin.as_deref())?;
    let expires_at = gateway.now() + LIFETIME;
    let session = match &mended {
        Some(account) => {
            check_mends(&new, account)?;
            connect::session(account, origin, client_token, expires_at)
        }
        None => {
            check_mailbox(new.mailbox.as_deref())?;
            check_address(&new, &registration.application.provider)?;
            NewConnectSession {
                site,
                application,
                origin,
                user_label: None,
                login_hint: new.login_hint,
                mailbox: new.mailbox,
                mends: None,
                return_url: None,
                metadata: Value::Null,
                client_token: SecretHash::of(client_token.expose()),
                expires_at,
            }
        }
    };
    Ok(NewConnectSession {
        user_label: new.user_label,
        return_url: new.return_url,
        metadata,
        ..session
    })
}

/// Where a sign-in does not tell whose mailbox it is, somebody has to before it begins.
fn check_address(new: &NewSession, provider: &Provider) -> Result<(), Problem> {
    if provider.address_claims.is_empty() && new.login_hint.is_none() && new.mailbox.is_none() {
        let name = &provider.display_name;
        return Err(Problem::field(
            "login_hint",
            format!(
                "is needed: {name} does not tell whose mailbox it is; give the person's address, or `mailbox`"
            ),
        ));
    }
    Ok(())
}

fn check_mailbox(mailbox: Option<&str>) -> Result<(), Problem> {
    match mailbox {
        Some(mailbox) if !mailbox.contains('@') => Err(Problem::field(
            "mailbox",
            "must be the address of a mailbox",
        )),
        _ => Ok(()),
    }
}

/// What is said beside the account must not say something else.
fn check_mends(new: &NewSession, account: &Account) -> Result<(), Problem> {
    if account.flow == Flow::AppOnly {
        return Err(Problem::field(
            "account",
            "is app-only: nobody signs in for it; what it needs is in its diagnosis",
        ));
    }
    if account.state == AccountState::Disabled {
        return Err(Problem::new(
            Code::AccountDisabled,
            "account: is disabled; enable it first: PATCH /v1/accounts/{account} with {\"disabled\": false}",
        ));
    }
    for (field, given, own) in [
        (
            "application",
            &new.application,
            Some(account.application.as_str()),
        ),
        ("mailbox", &new.mailbox, Some(account.imap_user.as_str())),
        ("login_hint", &new.login_hint, connect::person(account)),
    ] {
        if let (Some(given), Some(own)) = (given, own)
            && given.to_lowercase() != own.to_lowercase()
        {
            return Err(Problem::field(
                field,
                format!("contradicts the account, which has `{own}`; leave it out"),
            ));
        }
    }
    Ok(())
}

fn origin(gateway: &Gateway, given: Option<&str>) -> Result<String, Problem> {
    match (given, gateway.settings.server.allowed_origins.as_slice()) {
        (Some(origin), _) => match gateway.allowed_origin(origin) {
            Some(allowed) => Ok(allowed.as_str().to_owned()),
            None => Err(Problem::field(
                "origin",
                format!("`{origin}` is not among server.allowed_origins of the gateway"),
            )),
        },
        (None, [only]) => Ok(only.as_str().to_owned()),
        (None, []) => Err(Problem::field(
            "origin",
            "the gateway has no server.allowed_origins; add the site's origin there",
        )),
        (None, _) => Err(Problem::field(
            "origin",
            "missing field `origin`: say which of the allowed origins holds the button",
        )),
    }
}

/// The gateway sends people there: only where the operator said so.
fn check_return_url(gateway: &Gateway, text: &str) -> Result<(), Problem> {
    let wrong = |detail: &str| Err(Problem::field("return_url", detail));
    check_text("return_url", text)?;
    let Ok(url) = Url::parse(text) else {
        return wrong("is not an absolute URL");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("must not hold a user name");
    }
    if gateway
        .settings
        .server
        .allowed_origins
        .iter()
        .any(|origin| origin.holds(text))
    {
        Ok(())
    } else {
        wrong("must be on one of server.allowed_origins of the gateway")
    }
}

pub(super) fn check_text(field: &str, text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        Err(Problem::field(field, "must not be empty"))
    } else if text.len() > LONGEST_TEXT {
        Err(Problem::field(
            field,
            format!("must not be longer than {LONGEST_TEXT} bytes"),
        ))
    } else if text.chars().any(char::is_control) {
        Err(Problem::field(field, "must not hold control characters"))
    } else {
        Ok(())
    }
}

pub(super) fn metadata(given: Option<Map<String, Value>>) -> Result<Value, Problem> {
    let metadata = Value::Object(given.unwrap_or_default());
    if metadata.to_string().len() > LARGEST_METADATA {
        return Err(Problem::new(
            Code::InvalidField,
            format!("metadata: must not be larger than {LARGEST_METADATA} bytes"),
        )
        .naming("metadata"));
    }
    Ok(metadata)
}

const LONGEST_TEXT: usize = 2048;
const LARGEST_METADATA: usize = 16 * 1024;
