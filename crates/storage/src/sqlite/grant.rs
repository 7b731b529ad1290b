//! Grants in SQLite.

use async_trait::async_trait;
use mailgrant_core::scope::Scopes;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::RefreshToken;
use sqlx::SqliteConnection;

use super::Sqlite;
use super::error::{failed, malformed};
use crate::account::NewGrant;
use crate::error::Error;
use crate::grant::{Grant, GrantRepository, Replacement};
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
        change.commit().await.map_err(failed)?;
        Ok(match generation {
            Some(generation) => Replacement::Stored { generation },
            None => Replacement::Superseded,
        })
    }

    async fn revoke(&self, account: &AccountId) -> Result<bool, Error> {
        let mut change = self.write().await?;
        let deleted = sqlx::query("DELETE FROM grants WHERE account_id = ?1")
            .bind(account.as_str())
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        change.commit().await.map_err(failed)?;
        Ok(deleted.rows_affected() > 0)
    }
}

/// Adds the account's grant, or replaces it whatever its generation: the person has agreed anew.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    sealer: &Sealer,
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
    .bind(seal(sealer, account, &grant.refresh_token)?)
    .bind(grant.scopes.to_string())
    .bind(now.0)
    .execute(connection)
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
