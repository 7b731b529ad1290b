//! Finding an import by the token that was given, and beginning it.

use mailgrant_core::time::UnixTime;
use serde_json::json;

use super::account_change::mailbox_key;
use super::change::Change;
use super::error::failed;
use super::hold;
use super::import_row::{ImportRow, columns, place};
use crate::error::Error;
use crate::hash::SecretHash;
use crate::hold::Hold;
use crate::id::ImportId;
use crate::import::NewImport;

/// The import of the same token for the same mailbox that has an account.
pub(super) async fn done(
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
pub(super) async fn under_way(
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

pub(super) async fn insert(
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
pub(super) async fn again(
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

pub(super) async fn forget(change: &mut Change<'_>, id: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM imports WHERE id = ?1")
        .bind(id)
        .execute(&mut **change)
        .await
        .map_err(failed)?;
    Ok(())
}

#[derive(sqlx::FromRow)]
pub(super) struct DoneRow {
    pub(super) id: String,
    pub(super) account_id: String,
}

#[derive(sqlx::FromRow)]
pub(super) struct UnderWayRow {
    pub(super) id: String,
    pub(super) expires_at: i64,
}

fn key(import: &NewImport) -> String {
    mailbox_key(import.request.mailbox.as_deref().unwrap_or_default())
}

fn request(import: &NewImport) -> String {
    json!(import.request).to_string()
}
