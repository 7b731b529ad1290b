//! `/v1/accounts`: connected mailboxes.

use actix_web::{HttpRequest, HttpResponse, get, http::header, post, web::Data};
use mailgrant_core::{
    scope::Scopes,
    secret::Secret,
    token::{AccessToken, RefreshToken},
};
use mailgrant_storage::{AccountFilter, AccountId, AccountState, Flow, NewAccount, NewGrant};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::connect_sessions::{check_text, metadata};
use crate::{
    connect,
    http::{AccountsRead, AccountsWrite, Body, Caller, Listing, Query, limit},
    problem::{Code, Problem},
    representation::AccountView,
    state::Gateway,
    tokens,
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// At most so many, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only accounts of this application.
    application: Option<String>,
    /// Only accounts in this state.
    state: Option<String>,
}

/// The accounts of the key's site, oldest first.
#[utoipa::path(tag = "accounts", operation_id = "list_accounts", params(Which), security(("api_key" = ["accounts:read"])),
    responses(
        (status = 200, description = "One page", body = Listing<AccountView>),
        (status = "4XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[get("/accounts")]
pub(crate) async fn get(
    caller: Caller<AccountsRead>,
    gateway: Data<Gateway>,
    request: HttpRequest,
    which: Query<Which>,
) -> Result<HttpResponse, Problem> {
    let Which {
        limit: asked,
        cursor,
        application,
        state,
    } = which.0;
    let limit = limit(asked)?;
    let after: Option<AccountId> = cursor
        .map(|cursor| {
            cursor
                .parse()
                .map_err(|_| Problem::field("cursor", "is not a cursor of this list"))
        })
        .transpose()?;
    let state: Option<AccountState> = state
        .map(|state| {
            state
                .parse()
                .map_err(|error: mailgrant_storage::UnknownWord| {
                    Problem::field("state", error.to_string())
                })
        })
        .transpose()?;
    let filter = AccountFilter {
        site: Some(caller.site),
        application,
        state,
    };
    let page = gateway
        .storage
        .accounts()
        .list(&filter, after.as_ref(), limit)
        .await?;
    let listing = Listing {
        items: AccountView::all(&gateway, page.items).await?,
        next_cursor: page.next.map(String::from),
    };
    Ok(listing.respond(&request, &gateway.url("")))
}

/// An account to be, without a person signing in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccountBody {
    /// Which of the gateway's applications.
    application: String,
    /// The mailbox's address.
    address: String,
    /// A refresh token of this application, to import a grant. Without it the account is app-only (client credentials).
    #[schema(value_type = Option<String>, format = Password)]
    refresh_token: Option<Secret>,
    /// Any data of the site's own.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
}

/// Adds an app-only account, or imports a refresh token. The mailbox is opened before anything is stored.
#[utoipa::path(tag = "accounts", operation_id = "add_account", request_body = NewAccountBody, security(("api_key" = ["accounts:write"])),
    responses(
        (status = 201, description = "Added", body = AccountView),
        (status = "4XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[post("/accounts")]
pub(crate) async fn post(
    caller: Caller<AccountsWrite>,
    gateway: Data<Gateway>,
    new: Body<NewAccountBody>,
) -> Result<HttpResponse, Problem> {
    let NewAccountBody {
        application,
        address,
        refresh_token,
        metadata: given,
    } = new.0;
    check_text("address", &address)?;
    if !address.contains('@') {
        return Err(Problem::field(
            "address",
            "must be the address of a mailbox",
        ));
    }
    let metadata = metadata(given)?;
    let (flow, token, grant) = match refresh_token {
        None => (Flow::AppOnly, app_only(&gateway, &application).await?, None),
        Some(secret) => {
            let refresh_token = RefreshToken::new(secret.expose())
                .map_err(|problem| Problem::field("refresh_token", problem.to_string()))?;
            let (token, grant) = import(&gateway, &application, refresh_token).await?;
            (Flow::Delegated, token, Some(grant))
        }
    };
    connect::verify(&gateway, &application, &address, &token)
        .await
        .map_err(|diagnosis| {
            Problem::new(Code::MailboxAccessRefused, diagnosis.detail.clone()).diagnosed(diagnosis)
        })?;
    let account = NewAccount {
        site: caller.site,
        application,
        flow,
        tenant: None,
        state: AccountState::Connected,
        imap_user: address.clone(),
        smtp_user: address.clone(),
        from_address: address,
        identity: None,
        diagnosis: None,
        metadata,
    };
    let account = gateway
        .storage
        .accounts()
        .add(account, grant, gateway.now())
        .await?;
    Ok(HttpResponse::Created()
        .insert_header((
            header::LOCATION,
            gateway.url(&format!("/v1/accounts/{}", account.id)),
        ))
        .json(AccountView::of(&gateway, account).await?))
}

async fn app_only(gateway: &Gateway, application: &str) -> Result<AccessToken, Problem> {
    let registration = gateway.registration(application)?;
    let scopes = registration.application.app_only_scopes();
    if scopes.is_empty() {
        return Err(Problem::field(
            "application",
            "its provider has no app_only_scopes; give a refresh_token, or let a person connect the mailbox",
        ));
    }
    let refused = |error| Problem::from(tokens::Error::of(&error, &registration.asked(None)));
    let response = registration
        .client(None)
        .map_err(refused)?
        .app_only(scopes, None)
        .await
        .map_err(refused)?;
    Ok(response.access_token)
}

async fn import(
    gateway: &Gateway,
    application: &str,
    refresh_token: RefreshToken,
) -> Result<(AccessToken, NewGrant), Problem> {
    let registration = gateway.registration(application)?;
    let asked = registration.asked(None);
    let response = registration
        .client(None)
        .map_err(|error| tokens::Error::of(&error, &asked))?
        .refresh(&refresh_token, Some(registration.application.scopes()))
        .await
        .map_err(|error| match tokens::Error::of(&error, &asked) {
            // There is no account yet that could be signed in again.
            tokens::Error::ReauthRequired(Some(diagnosis)) => Problem::new(
                Code::InvalidField,
                format!("refresh_token: {}", diagnosis.detail),
            )
            .naming("refresh_token")
            .diagnosed(*diagnosis),
            other => other.into(),
        })?;
    let scopes: Scopes = response
        .scope
        .unwrap_or_else(|| registration.application.scopes().clone());
    let grant = NewGrant {
        refresh_token: response.refresh_token.unwrap_or(refresh_token),
        scopes,
    };
    Ok((response.access_token, grant))
}
