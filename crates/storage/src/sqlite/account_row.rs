//! An account as SQLite holds it.

use mailgrant_core::time::UnixTime;
use serde_json::Value;
use sqlx::SqliteConnection;

use super::error::{failed, malformed};
use crate::account::{Account, GrantAge};
use crate::error::Error;
use crate::id::AccountId;

macro_rules! columns {
    () => {
        "id, site, application, flow, tenant, origin, state, imap_user, smtp_user, from_address, identity, diagnosis, \
         next_attempt_at, metadata, created_at, updated_at, \
         (SELECT obtained_at FROM grants WHERE account_id = accounts.id) AS grant_obtained_at, \
         (SELECT refreshed_at FROM grants WHERE account_id = accounts.id) AS grant_refreshed_at"
    };
}

pub(super) use columns;

#[derive(sqlx::FromRow)]
pub(super) struct AccountRow {
    id: String,
    site: String,
    application: String,
    flow: String,
    tenant: Option<String>,
    origin: Option<String>,
    state: String,
    imap_user: String,
    smtp_user: String,
    from_address: String,
    identity: Option<String>,
    diagnosis: Option<String>,
    next_attempt_at: Option<i64>,
    metadata: String,
    created_at: i64,
    updated_at: i64,
    grant_obtained_at: Option<i64>,
    grant_refreshed_at: Option<i64>,
}

/// The account with this id.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    id: &AccountId,
) -> Result<Option<Account>, Error> {
    let row: Option<AccountRow> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM accounts WHERE id = ?1"
    ))
    .bind(id.as_str())
    .fetch_optional(connection)
    .await
    .map_err(failed)?;
    row.map(Account::try_from).transpose()
}

/// As [`find`], of an account that this transaction has just written.
pub(super) async fn find_written(
    connection: &mut SqliteConnection,
    id: &AccountId,
) -> Result<Account, Error> {
    find(connection, id)
        .await?
        .ok_or_else(|| malformed("accounts.id", id.as_str()))
}

pub(super) fn account_id(text: String) -> Result<AccountId, Error> {
    AccountId::try_from(text.clone()).map_err(|_| malformed("accounts.id", text))
}

impl TryFrom<AccountRow> for Account {
    type Error = Error;

    fn try_from(row: AccountRow) -> Result<Self, Error> {
        let bad = |column| malformed(column, &row.id);
        let json = |text: &String| serde_json::from_str::<Value>(text);
        Ok(Self {
            flow: row.flow.parse().map_err(|_| bad("accounts.flow"))?,
            state: row.state.parse().map_err(|_| bad("accounts.state"))?,
            identity: row
                .identity
                .as_ref()
                .map(|text| serde_json::from_str(text))
                .transpose()
                .map_err(|_| bad("accounts.identity"))?,
            diagnosis: row
                .diagnosis
                .as_ref()
                .map(json)
                .transpose()
                .map_err(|_| bad("accounts.diagnosis"))?,
            metadata: json(&row.metadata).map_err(|_| bad("accounts.metadata"))?,
            grant: row.grant_obtained_at.zip(row.grant_refreshed_at).map(
                |(obtained_at, refreshed_at)| GrantAge {
                    obtained_at: UnixTime(obtained_at),
                    refreshed_at: UnixTime(refreshed_at),
                },
            ),
            next_attempt_at: row.next_attempt_at.map(UnixTime),
            created_at: UnixTime(row.created_at),
            updated_at: UnixTime(row.updated_at),
            id: account_id(row.id)?,
            site: row.site,
            application: row.application,
            origin: row.origin,
            tenant: row.tenant,
            imap_user: row.imap_user,
            smtp_user: row.smtp_user,
            from_address: row.from_address,
        })
    }
}
