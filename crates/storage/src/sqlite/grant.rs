//! Grants in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use mailgrant_core::scope::Scopes;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::RefreshToken;

use super::account_row::{AccountRow, columns};
use super::change::Change;
use super::error::{failed, malformed};
use super::{Sqlite, access_token, hold};
use crate::account::{Account, AccountState, Flow, NewGrant};
use crate::error::Error;
use crate::grant::{Grant, GrantRepository, Replacement};
use crate::hold::Hold;
use crate::id::AccountId;
use crate::seal::{Place, Sealer};

#[async_trait]
impl GrantRepository for Sqlite {
    async fn lookup(&self, account: &AccountId) -> Result<Option<Grant>, Error> {
        let row: Option<GrantRow> = sqlx::query_as(
            "SELECT sealed_refresh_token, scopes, obtained_at, refreshed_at, generation \
             FROM grants WHERE account_id = ?1",
        )
        .bind(account.as_str())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        row.map(|row| row.open(account, &self.sealer)).transpose()
    }

    async fn hold(&self, account: &AccountId) -> Result<Hold, Error> {
        hold::take(self.file.real(), account.as_str()).await
    }

    async fn replace(
        &self,
        account: &AccountId,
        expected: i64,
        grant: NewGrant,
        now: UnixTime,
    ) -> Result<Replacement, Error> {
        let sealed = seal(&self.sealer, account, &grant.refresh_token)?;
        let mut change = self.write().await?;
        let generation: Option<i64> = sqlx::query_scalar(
            "UPDATE grants SET sealed_refresh_token = ?3, scopes = ?4, refreshed_at = ?5, generation = generation + 1 \
             WHERE account_id = ?1 AND generation = ?2 RETURNING generation",
        )
        .bind(account.as_str())
        .bind(expected)
        .bind(sealed)
        .bind(grant.scopes.to_string())
        .bind(now.0)
        .fetch_optional(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await?;
        Ok(match generation {
            Some(generation) => Replacement::Stored { generation },
            None => Replacement::Superseded,
        })
    }

    async fn stale(
        &self,
        refreshed_before: UnixTime,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Result<Vec<Account>, Error> {
        let rows: Vec<AccountRow> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM accounts WHERE id IN (SELECT account_id FROM grants WHERE (refreshed_at < ?1 OR refreshed_at > ?7) AND account_id > ?2) \
             AND flow = ?3 AND state IN (?4, ?5) ORDER BY id LIMIT ?6"
        ))
        .bind(refreshed_before.0)
        .bind(after.map_or("", AccountId::as_str))
        .bind(Flow::Delegated.as_str())
        .bind(AccountState::Connected.as_str())
        .bind(AccountState::Degraded.as_str())
        .bind(limit)
        .bind((refreshed_before + TWO_DAYS).0)
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.into_iter().map(Account::try_from).collect()
    }

    async fn revoke(&self, account: &AccountId) -> Result<bool, Error> {
        let mut change = self.write().await?;
        let deleted = sqlx::query("DELETE FROM grants WHERE account_id = ?1")
            .bind(account.as_str())
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        access_token::drop_of(&mut change, account).await?;
        change.commit().await?;
        Ok(deleted.rows_affected() > 0)
    }
}

/// Adds the account's grant, or replaces it whatever its generation: the person has agreed anew.
pub(super) async fn put(
    change: &mut Change<'_>,
    account: &AccountId,
    grant: &NewGrant,
    now: UnixTime,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO grants (account_id, sealed_refresh_token, scopes, obtained_at, refreshed_at, generation) \
         VALUES (?1, ?2, ?3, ?4, ?4, 1) \
         ON CONFLICT (account_id) DO UPDATE SET sealed_refresh_token = excluded.sealed_refresh_token, \
         scopes = excluded.scopes, obtained_at = excluded.obtained_at, refreshed_at = excluded.refreshed_at, \
         generation = grants.generation + 1",
    )
    .bind(account.as_str())
    .bind(seal(&change.storage.sealer, account, &grant.refresh_token)?)
    .bind(grant.scopes.to_string())
    .bind(now.0)
    .execute(&mut **change)
    .await
    .map_err(failed)?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct GrantRow {
    sealed_refresh_token: Vec<u8>,
    scopes: String,
    obtained_at: i64,
    refreshed_at: i64,
    generation: i64,
}

impl GrantRow {
    fn open(self, account: &AccountId, sealer: &Sealer) -> Result<Grant, Error> {
        let token = sealer.open(&self.sealed_refresh_token, place(account))?;
        Ok(Grant {
            account: account.clone(),
            refresh_token: RefreshToken::new(token.as_str())
                .map_err(|_| malformed(COLUMN, account.as_str()))?,
            scopes: Scopes::parse(&self.scopes)
                .map_err(|_| malformed("grants.scopes", account.as_str()))?,
            obtained_at: UnixTime(self.obtained_at),
            refreshed_at: UnixTime(self.refreshed_at),
            generation: self.generation,
        })
    }
}

fn seal(sealer: &Sealer, account: &AccountId, token: &RefreshToken) -> Result<Vec<u8>, Error> {
    sealer.seal(token.expose(), place(account))
}

fn place(account: &AccountId) -> Place<'_> {
    Place {
        column: COLUMN,
        id: account.as_str(),
    }
}

const COLUMN: &str = "grants.sealed_refresh_token";
const TWO_DAYS: Duration = Duration::from_secs(2 * 24 * 60 * 60);
