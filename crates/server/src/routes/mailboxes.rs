//! `/v1/accounts/{account}/mailboxes`: the folders.

use actix_web::{HttpResponse, get, web::Data};
use mailgrant_mail::imap::{self, Mailbox, MailboxStatus, Session};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::account;
use crate::{
    http::{Caller, Listing, MailRead, Path, Query},
    problem::Problem,
    state::Gateway,
};

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    account: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct What {
    /// Whether to count: one more command for each mailbox.
    counts: Option<bool>,
}

/// A folder.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Mailbox)]
pub(crate) struct MailboxView {
    /// Its path, to be given as `mailbox` elsewhere.
    #[schema(example = "INBOX")]
    name: String,
    /// The last level of the path, for people.
    label: String,
    /// What separates the levels of the path.
    #[schema(value_type = Option<String>)]
    delimiter: Option<char>,
    /// What it is for (RFC 8621): `inbox`, `sent`, `drafts`, `trash`, `junk`, `archive`, …
    role: Option<&'static str>,
    /// Whether it can hold emails.
    selectable: bool,
    /// Whether there are mailboxes below it.
    has_children: bool,
    /// How many emails.
    total_emails: Option<u32>,
    /// How many are unread.
    unread_emails: Option<u32>,
}

/// The account's mailboxes, in the mail server's order.
#[utoipa::path(tag = "mail", operation_id = "list_mailboxes", params(("account" = String, Path), What), security(("api_key" = ["mail:read"])),
    responses(
        (status = 200, description = "All of them", body = Listing<MailboxView>),
        (status = "4XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[get("/accounts/{account}/mailboxes")]
pub(crate) async fn get(
    caller: Caller<MailRead>,
    gateway: Data<Gateway>,
    which: Path<Which>,
    what: Query<What>,
) -> Result<HttpResponse, Problem> {
    let account = account::find(&gateway, &caller.site, &which.0.account).await?;
    let counts = what.0.counts.unwrap_or(false);
    let items = gateway
        .pool
        .run(&account, async |session| list(session, counts).await)
        .await?;
    Ok(HttpResponse::Ok().json(Listing {
        items,
        next_cursor: None,
    }))
}

async fn list(session: &mut Session, counts: bool) -> Result<Vec<MailboxView>, imap::Error> {
    let mut views = Vec::new();
    for mailbox in session.mailboxes().await? {
        let status = if counts && mailbox.selectable {
            match session.status(&mailbox.name).await {
                Ok(status) => Some(status),
                // One that vanished or is closed to this user must not hide the others.
                Err(imap::Error::No { .. }) => None,
                Err(error) => return Err(error),
            }
        } else {
            None
        };
        views.push(view(mailbox, status));
    }
    Ok(views)
}

fn view(mailbox: Mailbox, status: Option<MailboxStatus>) -> MailboxView {
    MailboxView {
        label: mailbox.leaf().to_owned(),
        name: mailbox.name,
        delimiter: mailbox.delimiter,
        role: mailbox.role.map(imap::Role::as_str),
        selectable: mailbox.selectable,
        has_children: mailbox.has_children,
        total_emails: status.as_ref().map(|status| status.total),
        unread_emails: status.as_ref().map(|status| status.unread),
    }
}
