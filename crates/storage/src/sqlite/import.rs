//! Imports in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::RefreshToken;
use serde_json::Value;

use super::account_row::{account_id, find};
use super::error::{failed, malformed};
use super::import_begin::{again, done, forget, insert, under_way};
use super::import_row::{ImportRow, columns, place};
use super::{Sqlite, account_change, hold, import_end};
use crate::account::{AccountState, Connected, NewAccount, NewGrant};
use crate::error::Error;
use crate::hash::SecretHash;
use crate::hold::Hold;
use crate::id::ImportId;
use crate::import::{Begun, Import, ImportRepository, NewImport, Rest};

/// Of `?1`, the time. No pause is as long as a day: what is to wait longer was written when the clock was wrong.
macro_rules! due {
    () => {
        "account_id IS NULL AND (next_attempt_at <= ?1 OR next_attempt_at > ?1 + 86400) AND expires_at > ?1"
    };
}

#[async_trait]
impl ImportRepository for Sqlite {
    async fn begin(&self, import: NewImport, now: UnixTime) -> Result<Begun, Error> {
        let given = SecretHash::of(import.refresh_token.expose());
        let mut change = self.write().await?;
        if let Some(done) = done(&mut change, &import, &given).await? {
            match find(&mut change, &account_id(done.account_id)?).await? {
                // Not mended by being given again what died with it: it may be good anew at the authority.
                Some(account) if account.state != AccountState::ReauthRequired => {
                    return Ok(Begun::Done(Box::new(account)));
                }
                _ => forget(&mut change, &done.id).await?,
            }
        }
        // Held first: nobody else writes meanwhile, so what is read then is what the last holder left.
        let (row, hold) = match under_way(&mut change, &import, &given).await? {
            Some(row) => {
                let Some(hold) = self.try_hold(&row.id)? else {
                    return Ok(Begun::Held);
                };
                if row.expires_at <= now.0 {
                    forget(&mut change, &row.id).await?;
                    insert(&mut change, &import, &given, now).await?
                } else {
                    (again(&mut change, row.id, &import, now).await?, hold)
                }
            }
            None => insert(&mut change, &import, &given, now).await?,
        };
        let begun = row.open(&self.sealer)?;
        change.commit().await?;
        Ok(Begun::Begun(Box::new(begun), hold))
    }

    async fn due(
        &self,
        after: Option<&ImportId>,
        limit: u32,
        now: UnixTime,
    ) -> Result<Vec<ImportId>, Error> {
        let ids: Vec<String> = sqlx::query_scalar(concat!(
            "SELECT id FROM imports WHERE ",
            due!(),
            " AND id > ?2 ORDER BY id LIMIT ?3"
        ))
        .bind(now.0)
        .bind(after.map_or("", ImportId::as_str))
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        ids.into_iter()
            .map(|id| id.parse().map_err(|_| malformed("imports.id", &id)))
            .collect()
    }

    async fn take_due(
        &self,
        id: &ImportId,
        now: UnixTime,
    ) -> Result<Option<(Import, Hold)>, Error> {
        let Some(hold) = self.try_hold(id.as_str())? else {
            return Ok(None);
        };
        let mut change = self.write().await?;
        let row: Option<ImportRow> = sqlx::query_as(concat!(
            "UPDATE imports SET attempts = attempts + 1 WHERE id = ?2 AND ",
            due!(),
            " RETURNING ",
            columns!()
        ))
        .bind(now.0)
        .bind(id.as_str())
        .fetch_optional(&mut *change)
        .await
        .map_err(failed)?;
        let Some(row) = row else {
            return Ok(None);
        };
        let import = row.open(&self.sealer)?;
        change.commit().await?;
        Ok(Some((import, hold)))
    }

    async fn replace(
        &self,
        id: &ImportId,
        expected: i64,
        refresh_token: &RefreshToken,
    ) -> Result<Option<i64>, Error> {
        let sealed = self
            .sealer
            .seal(refresh_token.expose(), place(id.as_str()))?;
        let mut change = self.write().await?;
        let generation = sqlx::query_scalar(
            "UPDATE imports SET sealed_refresh_token = ?3, generation = generation + 1 \
             WHERE id = ?1 AND generation = ?2 AND account_id IS NULL RETURNING generation",
        )
        .bind(id.as_str())
        .bind(expected)
        .bind(sealed)
        .fetch_optional(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await?;
        Ok(generation)
    }

    async fn finish(
        &self,
        id: &ImportId,
        expected: i64,
        account: NewAccount,
        grant: NewGrant,
        now: UnixTime,
    ) -> Result<Option<Connected>, Error> {
        let mut change = self.write().await?;
        let is_current: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM imports WHERE id = ?1 AND generation = ?2 AND account_id IS NULL)",
        )
        .bind(id.as_str())
        .bind(expected)
        .fetch_one(&mut *change)
        .await
        .map_err(failed)?;
        if !is_current {
            return Ok(None);
        }
        if account.identity.is_none()
            && let Some(known) = account_change::find_identified(&mut change, &account).await?
        {
            return Err(Error::Conflict { account: known });
        }
        let connected = account_change::connect(&mut change, account, &grant, now).await?;
        sqlx::query(
            "UPDATE imports SET account_id = ?2, sealed_refresh_token = x'', request = '{}', next_attempt_at = NULL, \
             expires_at = ?3 WHERE id = ?1",
        )
        .bind(id.as_str())
        .bind(connected.account.id.as_str())
        .bind((now + REMEMBERED).0)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await?;
        Ok(Some(connected))
    }

    async fn rest(
        &self,
        id: &ImportId,
        expected: i64,
        rest: Rest,
        told: Option<Value>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let mut change = self.write().await?;
        import_end::rest(&mut change, id, expected, rest, told, now).await?;
        change.commit().await
    }

    async fn discard(
        &self,
        id: &ImportId,
        expected: i64,
        told: Option<Value>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let mut change = self.write().await?;
        import_end::discard(&mut change, id, expected, told, now).await?;
        change.commit().await
    }

    async fn expire(&self, now: UnixTime) -> Result<u64, Error> {
        let mut given_up = 0;
        let mut after = String::new();
        loop {
            // With a sign before it, id is no reason to walk through all of them in its order: few have run out.
            let over: Vec<String> = sqlx::query_scalar(
                "SELECT id FROM imports WHERE expires_at <= ?1 AND +id > ?2 ORDER BY +id LIMIT ?3",
            )
            .bind(now.0)
            .bind(&after)
            .bind(AT_ONCE)
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
            let Some(last) = over.last() else {
                return Ok(given_up);
            };
            after.clone_from(last);
            given_up += self.expire_these(over, now).await?;
        }
    }
}

impl Sqlite {
    fn try_hold(&self, id: &str) -> Result<Option<Hold>, Error> {
        hold::attempt(self.file.real(), id)
    }

    /// In one transaction; those that somebody works on are left to them.
    async fn expire_these(&self, ids: Vec<String>, now: UnixTime) -> Result<u64, Error> {
        let mut held = Vec::new();
        for id in ids {
            if let Some(hold) = self.try_hold(&id)? {
                held.push((id, hold));
            }
        }
        if held.is_empty() {
            return Ok(0);
        }
        let mut given_up = 0;
        let mut change = self.write().await?;
        for (id, _) in &held {
            given_up += u64::from(import_end::expire(&mut change, id, now).await?);
        }
        change.commit().await?;
        Ok(given_up)
    }
}

/// How long a token that was given is known again.
const REMEMBERED: Duration = Duration::from_secs(30 * 86_400);
/// Expired ones that are looked at in one transaction.
const AT_ONCE: u32 = 100;
