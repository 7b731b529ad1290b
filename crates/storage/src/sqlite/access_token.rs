//! Access tokens in SQLite.

use async_trait::async_trait;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::AccessToken;
use sqlx::SqliteConnection;

use super::Sqlite;
use super::error::{failed, malformed};
use crate::access_token::{AccessTokenRepository, StoredAccessToken};
use crate::account::AccountState;
use crate::error::Error;
use crate::id::AccountId;
use crate::seal::Place;

#[async_trait]
impl AccessTokenRepository for Sqlite {
    async fn lookup(&self, key: &str) -> Result<Option<StoredAccessToken>, Error> {
        let row: Option<TokenRow> = sqlx::query_as(
            "SELECT sealed_token, generation, obtained_at, expires_at FROM access_tokens WHERE key = ?1",
        )
        .bind(key)
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        let Some(row) = row else {
            return Ok(None);
        };
        let token = self.sealer.open(&row.sealed_token, place(key))?;
        Ok(Some(StoredAccessToken {
            token: AccessToken::new(token.as_str()).map_err(|_| malformed(COLUMN, key))?,
            generation: row.generation,
            obtained_at: UnixTime(row.obtained_at),
            expires_at: UnixTime(row.expires_at),
        }))
    }

    async fn put(&self, key: &str, token: StoredAccessToken) -> Result<bool, Error> {
        let account = account_of(key);
        let sealed = self.sealer.seal(token.token.expose(), place(key))?;
        let mut change = self.write().await?;
        let stored = sqlx::query(
            "INSERT INTO access_tokens (key, account_id, sealed_token, generation, obtained_at, expires_at) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE ?2 IS NULL OR (EXISTS (SELECT 1 FROM accounts WHERE id = ?2 AND state NOT IN (?7, ?8)) \
             AND (?4 IS NULL OR EXISTS (SELECT 1 FROM grants WHERE account_id = ?2 AND generation = ?4))) \
             ON CONFLICT (key) DO UPDATE SET sealed_token = excluded.sealed_token, \
             generation = excluded.generation, obtained_at = excluded.obtained_at, expires_at = excluded.expires_at \
             WHERE excluded.expires_at >= access_tokens.expires_at \
             OR coalesce(excluded.generation > access_tokens.generation, FALSE)",
        )
        .bind(key)
        .bind(account.as_ref().map(AccountId::as_str))
        .bind(sealed)
        .bind(token.generation)
        .bind(token.obtained_at.0)
        .bind(token.expires_at.0)
        .bind(AccountState::ReauthRequired.as_str())
        .bind(AccountState::Disabled.as_str())
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await?;
        Ok(stored.rows_affected() > 0)
    }

    async fn remove(&self, key: &str) -> Result<bool, Error> {
        let mut change = self.write().await?;
        let deleted = sqlx::query("DELETE FROM access_tokens WHERE key = ?1")
            .bind(key)
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        change.commit().await?;
        Ok(deleted.rows_affected() > 0)
    }

    async fn forget_before(&self, time: UnixTime) -> Result<u64, Error> {
        let due: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM access_tokens WHERE expires_at < ?1)")
                .bind(time.0)
                .fetch_one(&self.readers)
                .await
                .map_err(failed)?;
        if !due {
            return Ok(0);
        }
        let mut change = self.write().await?;
        let deleted = sqlx::query("DELETE FROM access_tokens WHERE expires_at < ?1")
            .bind(time.0)
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        change.commit().await?;
        Ok(deleted.rows_affected())
    }
}

/// Forgets the account's own token: the grant it came with was replaced by the person, or revoked.
pub(super) async fn drop_of(
    connection: &mut SqliteConnection,
    account: &AccountId,
) -> Result<(), Error> {
    sqlx::query("DELETE FROM access_tokens WHERE account_id = ?1")
        .bind(account.as_str())
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct TokenRow {
    sealed_token: Vec<u8>,
    generation: Option<i64>,
    obtained_at: i64,
    expires_at: i64,
}

/// The account a key of the form `account\n{id}` names.
fn account_of(key: &str) -> Option<AccountId> {
    key.strip_prefix("account\n")?.parse().ok()
}

fn place(key: &str) -> Place<'_> {
    Place {
        column: COLUMN,
        id: key,
    }
}

const COLUMN: &str = "access_tokens.sealed_token";
