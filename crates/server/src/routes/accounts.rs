//! `/v1/accounts`: connected mailboxes.

mod import;

use actix_web::{HttpRequest, HttpResponse, get, http::header, post, web::Data};
use mailgrant_core::{secret::Secret, token::RefreshToken};
use mailgrant_storage::{Account, AccountFilter, AccountId, AccountState, Connected};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use self::import::Import;
use super::connect_sessions::{check_text, metadata};
use crate::{
    adding::{Adding, Mailbox, no_app_only},
    http::{AccountsRead, AccountsWrite, Body, Caller, Listing, Query, limit},
    problem::Problem,
    representation::{AccountView, words},
    state::Gateway,
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
    #[param(schema_with = words::state)]
    state: Option<String>,
    /// Only accounts of this mailbox: the name used at the IMAP server.
    address: Option<String>,
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
        address,
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
        imap_user: address,
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

/// One account to be, or many, without a person signing in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"application": "archive", "addresses": ["orders@contoso.example", "support@contoso.example"]}))]
pub(crate) struct NewAccountBody {
    /// Which of the gateway's applications.
    application: String,
    /// The mailbox's address.
    address: Option<String>,
    /// Up to 100 mailboxes at once, app-only; the answer then tells of each.
    #[schema(min_items = 1, max_items = 100)]
    addresses: Option<Vec<String>>,
    /// The customer's tenant, id or domain, where the application serves many.
    #[schema(example = "fabrikam.example")]
    tenant: Option<String>,
    /// The name used at the IMAP server, where it is not the address.
    imap_user: Option<String>,
    /// The name used at the SMTP server, where it is not the address.
    smtp_user: Option<String>,
    /// The sender of what is sent, where it is not the address.
    from: Option<String>,
    /// A refresh token of this application, to import a person's grant. It is stored, sealed, before it is redeemed, and
    /// so is what the authority gives in its place: whatever goes wrong, the same request sent again goes on with it, and
    /// after success answers with the same account. Without it the account is app-only (client credentials). `address` may
    /// be a shared mailbox of that person.
    #[schema(value_type = Option<String>, format = Password)]
    refresh_token: Option<Secret>,
    /// Any data of the site's own, for each of the accounts.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
}

/// What became of each address, in the order given.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AddedAccounts {
    items: Vec<AddedAccount>,
}

/// One address: the account, or why there is none.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AddedAccount {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountView>,
    /// As it would be answered for this address alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::problem::Document>)]
    problem: Option<Value>,
}

/// Adds app-only accounts, one or many, or imports a refresh token. Each mailbox is opened before it is stored.
///
/// For `address`: 201 with the account, or the problem; 200 when the refresh token belongs to an account that is there
/// already, which then lives on it. When authority or mail server cannot be reached, an import is kept for a week, and the
/// gateway finishes it (`account.connected`) or says why not (`import.failed`). For `addresses`: 200 with an account or a problem for each; one
/// that does not open spoils no other. Only what concerns all of them, such as the application's credential, is answered
/// by one problem.
#[utoipa::path(tag = "accounts", operation_id = "add_account", request_body = NewAccountBody, security(("api_key" = ["accounts:write"])),
    responses(
        (status = 201, description = "Added", body = AccountView),
        (status = 200, description = "What became of each of `addresses`; or the account that the refresh token is of", body = AddedAccounts),
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
        addresses,
        tenant,
        imap_user,
        smtp_user,
        from,
        refresh_token,
        metadata: given,
    } = new.0;
    let names = [
        ("imap_user", &imap_user),
        ("smtp_user", &smtp_user),
        ("from", &from),
    ];
    for (field, text) in names.into_iter().chain([("tenant", &tenant)]) {
        text.as_deref()
            .map_or(Ok(()), |text| check_text(field, text))?;
    }
    let metadata = metadata(given)?;
    let site = caller.site.as_str();
    let whom = match (address, addresses) {
        (Some(address), None) => Whom::One(checked("address", address)?),
        (None, Some(addresses)) => {
            let one = names.iter().find(|(_, name)| name.is_some());
            let one = one.map(|(field, _)| *field);
            match one.or_else(|| refresh_token.is_some().then_some("refresh_token")) {
                Some(field) => {
                    return Err(Problem::field(field, "is one mailbox's: give `address`"));
                }
                None => Whom::Many(many(addresses)?),
            }
        }
        (Some(_), Some(_)) => {
            return Err(Problem::field(
                "addresses",
                "give it or `address`, not both",
            ));
        }
        (None, None) => {
            return Err(Problem::field(
                "address",
                "is missing; give it, or `addresses` for many",
            ));
        }
    };
    let registration = gateway.registration(&application)?;
    let mailbox = |address| Mailbox {
        address,
        imap_user,
        smtp_user,
        from,
    };
    let account = match (whom, refresh_token) {
        (Whom::One(address), Some(token)) => {
            let token = RefreshToken::new(token.expose())
                .map_err(|problem| Problem::field("refresh_token", problem.to_string()))?;
            let import = Import {
                gateway: &gateway,
                site,
                application: &application,
                tenant: tenant.as_deref(),
                metadata,
            };
            let Connected {
                account,
                reconnected,
            } = import.one(mailbox(address), token).await?;
            return shown(&gateway, account, !reconnected).await;
        }
        (whom, _) => {
            if registration.application.app_only_scopes().is_empty() {
                return Err(no_app_only());
            }
            let adding = Adding {
                engine: &gateway,
                site,
                application: &application,
                tenant: registration.tenant(tenant.as_deref()).await?,
                metadata,
            };
            match whom {
                Whom::One(address) => adding.one(mailbox(address)).await?,
                Whom::Many(addresses) => {
                    let added = adding.all(addresses).await?;
                    let added = AddedAccounts::of(&gateway, added).await?;
                    return Ok(HttpResponse::Ok().json(added));
                }
            }
        }
    };
    shown(&gateway, account, true).await
}

async fn shown(gateway: &Gateway, account: Account, is_new: bool) -> Result<HttpResponse, Problem> {
    let mut response = if is_new {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    Ok(response
        .insert_header((
            header::LOCATION,
            gateway.url(&format!("/v1/accounts/{}", account.id)),
        ))
        .json(AccountView::of(gateway, account).await?))
}

enum Whom {
    One(String),
    Many(Vec<String>),
}

fn many(addresses: Vec<String>) -> Result<Vec<String>, Problem> {
    if addresses.is_empty() || addresses.len() > MOST {
        return Err(Problem::field(
            "addresses",
            format!("must hold 1 to {MOST} addresses"),
        ));
    }
    addresses
        .into_iter()
        .enumerate()
        .map(|(index, address)| checked(&format!("addresses[{index}]"), address))
        .collect()
}

fn checked(field: &str, address: String) -> Result<String, Problem> {
    check_text(field, &address)?;
    if address.contains('@') {
        Ok(address)
    } else {
        Err(Problem::field(field, "must be the address of a mailbox"))
    }
}

impl AddedAccounts {
    async fn of(
        gateway: &Gateway,
        added: Vec<(String, Result<Account, Problem>)>,
    ) -> Result<Self, Problem> {
        let mut items = Vec::with_capacity(added.len());
        for (address, outcome) in added {
            let (account, problem) = match outcome {
                Ok(account) => (Some(AccountView::of(gateway, account).await?), None),
                // A struct of strings and numbers always serialises.
                Err(problem) => (None, serde_json::to_value(problem.document()).ok()),
            };
            items.push(AddedAccount {
                address,
                account,
                problem,
            });
        }
        Ok(Self { items })
    }
}

/// Addresses in one request.
const MOST: usize = 100;
