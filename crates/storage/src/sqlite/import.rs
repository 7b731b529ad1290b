//! Imports in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::RefreshToken;
use serde_json::{Value, json};

use super::account_change::{self, mailbox_key};
use super::account_row::{account_id, find};
use super::change::Change;
use super::error::{failed, malformed};
use super::{Sqlite, event, hold};
use crate::account::{AccountState, Connected, NewAccount, NewGrant};
use crate::error::Error;
use crate::event::{EventKind, NewEvent};
use crate::hash::SecretHash;
use crate::hold::Hold;
use crate::id::ImportId;
use crate::import::{Begun, Import, ImportRepository, NewImport, Rest};
use crate::seal::{Place, Sealer};

macro_rules! columns {
    () => {
        "id, site, application, request, sealed_refresh_token, generation, attempts, expires_at"
    };
}

macro_rules! told {
    () => {
        "site, application, mailbox_key, account_id IS NULL AND next_attempt_at IS NOT NULL AS was_tried"
    };
}

/// Of `?1`, the time.
macro_rules! due {
    () => {
        "account_id IS NULL AND next_attempt_at <= ?1 AND expires_at > ?1"
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
        let row: Option<ToldRow> = sqlx::query_as(concat!(
            "UPDATE imports SET next_attempt_at = ?3, expires_at = ?4 \
             WHERE id = ?1 AND generation = ?2 AND account_id IS NULL RETURNING ",
            told!()
        ))
        .bind(id.as_str())
        .bind(expected)
        .bind(rest.next_attempt_at.map(|time| time.0))
        .bind(rest.expires_at.0)
        .fetch_optional(&mut *change)
        .await
        .map_err(failed)?;
        tell(&mut change, row, told, now).await?;
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
        let row: Option<ToldRow> = sqlx::query_as(concat!(
            "DELETE FROM imports WHERE id = ?1 AND generation = ?2 AND account_id IS NULL RETURNING ",
            told!()
        ))
        .bind(id.as_str())
        .bind(expected)
        .fetch_optional(&mut *change)
        .await
        .map_err(failed)?;
        tell(&mut change, row, told, now).await?;
        change.commit().await
    }

    async fn expire(&self, now: UnixTime) -> Result<u64, Error> {
        let mut given_up = 0;
        let mut after = String::new();
        loop {
            let over: Vec<String> = sqlx::query_scalar(
                "SELECT id FROM imports WHERE expires_at <= ?1 AND id > ?2 ORDER BY id LIMIT ?3",
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
            let row: Option<ToldRow> = sqlx::query_as(concat!(
                "DELETE FROM imports WHERE id = ?1 AND expires_at <= ?2 RETURNING ",
                told!()
            ))
            .bind(id)
            .bind(now.0)
            .fetch_optional(&mut *change)
            .await
            .map_err(failed)?;
            if let Some(row) = row.filter(|row| row.was_tried) {
                let ended = json!({"code": "import_expired", "title": "The import was given up",
                    "detail": "the authority or the mail server did not answer in time", "remedy": [RENEW]});
                tell(&mut change, Some(row), Some(ended), now).await?;
                given_up += 1;
            }
        }
        change.commit().await?;
        Ok(given_up)
    }
}

/// The import of the same token for the same mailbox that has an account.
async fn done(
    change: &mut Change<'_>,
    import: &NewImport,
    given: &SecretHash,
) -> Result<Option<DoneRow>, Error> {
    sqlx::query_as(
        "SELECT id, account_id FROM imports WHERE site = ?1 AND application = ?2 AND given_hash = ?3 \
         AND mailbox_key = ?4 AND account_id IS NOT NULL",
    )
    .bind(&import.site)
    .bind(&import.application)
    .bind(given.as_bytes())
    .bind(key(import))
    .fetch_optional(&mut **change)
    .await
    .map_err(failed)
}

/// The import of the same token that has none yet, for whichever mailbox it was.
async fn under_way(
    change: &mut Change<'_>,
    import: &NewImport,
    given: &SecretHash,
) -> Result<Option<UnderWayRow>, Error> {
    sqlx::query_as(
        "SELECT id, expires_at FROM imports WHERE site = ?1 AND application = ?2 AND given_hash = ?3 \
         AND account_id IS NULL",
    )
    .bind(&import.site)
    .bind(&import.application)
    .bind(given.as_bytes())
    .fetch_optional(&mut **change)
    .await
    .map_err(failed)
}

async fn insert(
    change: &mut Change<'_>,
    import: &NewImport,
    given: &SecretHash,
    now: UnixTime,
) -> Result<(ImportRow, Hold), Error> {
    let id = ImportId::generate(now, &*change.storage.random);
    let hold = hold::take(change.storage.file.real(), id.as_str()).await?;
    let sealer = &change.storage.sealer;
    let sealed = sealer.seal(import.refresh_token.expose(), place(id.as_str()))?;
    sqlx::query_as(concat!(
        "INSERT INTO imports (id, site, application, given_hash, mailbox_key, request, sealed_refresh_token, \
         generation, attempts, next_attempt_at, account_id, created_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, 1, ?8, NULL, ?8, ?9) RETURNING ",
        columns!()
    ))
    .bind(id.as_str())
    .bind(&import.site)
    .bind(&import.application)
    .bind(given.as_bytes())
    .bind(key(import))
    .bind(request(import))
    .bind(sealed)
    .bind(now.0)
    .bind(import.expires_at.0)
    .fetch_one(&mut **change)
    .await
    .map(|row| (row, hold))
    .map_err(failed)
}

/// The same token was given again: the newest names count.
async fn again(
    change: &mut Change<'_>,
    id: String,
    import: &NewImport,
    now: UnixTime,
) -> Result<ImportRow, Error> {
    sqlx::query_as(concat!(
        "UPDATE imports SET mailbox_key = ?2, request = ?3, attempts = attempts + 1, next_attempt_at = ?4, \
         expires_at = ?5 WHERE id = ?1 RETURNING ",
        columns!()
    ))
    .bind(id)
    .bind(key(import))
    .bind(request(import))
    .bind(now.0)
    .bind(import.expires_at.0)
    .fetch_one(&mut **change)
    .await
    .map_err(failed)
}

async fn forget(change: &mut Change<'_>, id: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM imports WHERE id = ?1")
        .bind(id)
        .execute(&mut **change)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Tells that there will be no account, where something is to be told.
async fn tell(
    change: &mut Change<'_>,
    row: Option<ToldRow>,
    diagnosis: Option<Value>,
    now: UnixTime,
) -> Result<(), Error> {
    let (Some(row), Some(diagnosis)) = (row, diagnosis) else {
        return Ok(());
    };
    let told = NewEvent {
        site: Some(row.site),
        kind: EventKind::ImportFailed,
        account: None,
        connect_session: None,
        data: json!({
            "application": row.application,
            "imap_user": Some(row.mailbox_key).filter(|mailbox| !mailbox.is_empty()),
            "diagnosis": diagnosis,
        }),
    };
    event::add(change, told, now).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct DoneRow {
    id: String,
    account_id: String,
}

#[derive(sqlx::FromRow)]
struct UnderWayRow {
    id: String,
    expires_at: i64,
}

#[derive(sqlx::FromRow)]
struct ToldRow {
    site: String,
    application: String,
    mailbox_key: String,
    was_tried: bool,
}

#[derive(sqlx::FromRow)]
struct ImportRow {
    id: String,
    site: String,
    application: String,
    request: String,
    sealed_refresh_token: Vec<u8>,
    generation: i64,
    attempts: i64,
    expires_at: i64,
}

impl ImportRow {
    fn open(self, sealer: &Sealer) -> Result<Import, Error> {
        let bad = |column| malformed(column, &self.id);
        let token = sealer.open(&self.sealed_refresh_token, place(&self.id))?;
        Ok(Import {
            refresh_token: RefreshToken::new(token.as_str()).map_err(|_| bad(COLUMN))?,
            request: serde_json::from_str(&self.request).map_err(|_| bad("imports.request"))?,
            attempts: u32::try_from(self.attempts).map_err(|_| bad("imports.attempts"))?,
            id: self.id.parse().map_err(|_| bad("imports.id"))?,
            site: self.site,
            application: self.application,
            generation: self.generation,
            expires_at: UnixTime(self.expires_at),
        })
    }
}

fn key(import: &NewImport) -> String {
    mailbox_key(import.request.mailbox.as_deref().unwrap_or_default())
}

fn request(import: &NewImport) -> String {
    json!(import.request).to_string()
}

fn place(id: &str) -> Place<'_> {
    Place { column: COLUMN, id }
}

const COLUMN: &str = "imports.sealed_refresh_token";
/// How long a token that was given is known again.
const REMEMBERED: Duration = Duration::from_secs(30 * 86_400);
/// Expired ones that are looked at in one transaction.
const AT_ONCE: u32 = 100;
const RENEW: &str = "Import a newer refresh token, or let the person sign in.";
