//! `/v1/accounts/{account}`: one connected mailbox.

use actix_web::{HttpResponse, delete, get, patch, web::Data};
use mailgrant_storage::{Account, AccountId, AccountState, AccountUpdate, Transition};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::connect_sessions::{check_text, metadata};
use crate::{
    connect,
    http::{AccountsRead, AccountsWrite, Body, Caller, Path},
    problem::Problem,
    representation::AccountView,
    state::Gateway,
};

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    account: String,
}

/// The account of that id and site.
pub(super) async fn find(gateway: &Gateway, site: &str, account: &str) -> Result<Account, Problem> {
    let unknown = || Problem::not_found("account");
    let id: AccountId = account.parse().map_err(|_| unknown())?;
    gateway
        .storage
        .accounts()
        .lookup(site, &id)
        .await?
        .ok_or_else(unknown)
}

/// One account.
#[utoipa::path(tag = "accounts", operation_id = "get_account", params(("account" = String, Path)), security(("api_key" = ["accounts:read"])),
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = "4XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[get("/accounts/{account}")]
pub(crate) async fn get(
    caller: Caller<AccountsRead>,
    gateway: Data<Gateway>,
    which: Path<Which>,
) -> Result<HttpResponse, Problem> {
    let account = find(&gateway, &caller.site, &which.0.account).await?;
    Ok(HttpResponse::Ok().json(AccountView::of(&gateway, account).await?))
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"disabled": true}))]
pub(crate) struct Change {
    /// Replaces the site's own data.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    /// Switches the account off or on again.
    disabled: Option<bool>,
    /// The name used at the IMAP server; the mailbox of that name is opened first, unless the account is disabled.
    imap_user: Option<String>,
    /// The name used at the SMTP server.
    smtp_user: Option<String>,
    /// The sender of what is sent.
    from: Option<String>,
}

/// Changes an account.
#[utoipa::path(tag = "accounts", operation_id = "change_account", params(("account" = String, Path)), request_body = Change, security(("api_key" = ["accounts:write"])),
    responses(
        (status = 200, description = "The account as it is now", body = AccountView),
        (status = "4XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[patch("/accounts/{account}")]
pub(crate) async fn patch(
    caller: Caller<AccountsWrite>,
    gateway: Data<Gateway>,
    which: Path<Which>,
    change: Body<Change>,
) -> Result<HttpResponse, Problem> {
    let Change {
        metadata: given,
        disabled,
        imap_user,
        smtp_user,
        from,
    } = change.0;
    for (field, text) in [
        ("imap_user", &imap_user),
        ("smtp_user", &smtp_user),
        ("from", &from),
    ] {
        if let Some(text) = text {
            check_text(field, text)?;
        }
    }
    let account = find(&gateway, &caller.site, &which.0.account).await?;
    let stays_on = !disabled.unwrap_or(account.state == AccountState::Disabled);
    if let Some(user) = &imap_user
        && *user != account.imap_user
        && stays_on
    {
        verify(&gateway, &account, user).await?;
    }
    let update = AccountUpdate {
        imap_user,
        smtp_user,
        from_address: from,
        metadata: given.map(|given| metadata(Some(given))).transpose()?,
    };
    if update != AccountUpdate::default() {
        gateway
            .storage
            .accounts()
            .update(&caller.site, &account.id, update, gateway.now())
            .await?
            .ok_or_else(|| Problem::not_found("account"))?;
    }
    if let Some(disabled) = disabled {
        switch(&gateway, &account, disabled).await?;
    }
    gateway.pool.close(&account.id);
    let account = find(&gateway, &caller.site, account.id.as_str()).await?;
    Ok(HttpResponse::Ok().json(AccountView::of(&gateway, account).await?))
}

/// Opens the mailbox of the new name with the account's token.
async fn verify(gateway: &Gateway, account: &Account, user: &str) -> Result<(), Problem> {
    // As it will be: a service account has a token for each mailbox, and a disabled account is being enabled.
    let wanted = Account {
        imap_user: user.to_owned(),
        state: match account.state {
            AccountState::Disabled => AccountState::Connected,
            state => state,
        },
        ..account.clone()
    };
    let token = gateway.tokens.access_token(&wanted).await?;
    connect::verify(gateway, &account.application, user, &token.token)
        .await
        .map_err(crate::adding::refused)
}

async fn switch(gateway: &Gateway, account: &Account, disabled: bool) -> Result<(), Problem> {
    let transition = if disabled {
        Transition {
            to: AccountState::Disabled,
            ..Transition::recovered()
        }
    } else {
        // Whether it still works is found out by the next request.
        Transition {
            from: &[AccountState::Disabled],
            ..Transition::recovered()
        }
    };
    gateway
        .storage
        .accounts()
        .transition(&account.id, transition, gateway.now())
        .await?;
    gateway.tokens.forget(&account.id);
    Ok(())
}

/// Deletes an account with its grant. At the authority the grant lives on until the person withdraws it.
#[utoipa::path(tag = "accounts", operation_id = "delete_account", params(("account" = String, Path)), security(("api_key" = ["accounts:write"])),
    responses(
        (status = 204, description = "Deleted"),
        (status = "4XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[delete("/accounts/{account}")]
pub(crate) async fn delete(
    caller: Caller<AccountsWrite>,
    gateway: Data<Gateway>,
    which: Path<Which>,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::not_found("account");
    let id: AccountId = which.0.account.parse().map_err(|_| unknown())?;
    gateway
        .storage
        .accounts()
        .remove(&caller.site, &id, gateway.now())
        .await?
        .ok_or_else(unknown)?;
    gateway.tokens.forget(&id);
    gateway.pool.close(&id);
    Ok(HttpResponse::NoContent().finish())
}
