//! The end of an import that made no account, or none yet.

use mailgrant_core::time::UnixTime;
use serde_json::{Value, json};

use super::change::Change;
use super::error::failed;
use super::event;
use crate::error::Error;
use crate::event::{EventKind, NewEvent};
use crate::id::ImportId;
use crate::import::Rest;

/// What [`ToldRow`] reads.
macro_rules! told {
    () => {
        "site, application, mailbox_key, account_id IS NULL AND next_attempt_at IS NOT NULL AS was_tried"
    };
}

/// Leaves it for now.
pub(super) async fn rest(
    change: &mut Change<'_>,
    id: &ImportId,
    expected: i64,
    rest: Rest,
    told: Option<Value>,
    now: UnixTime,
) -> Result<(), Error> {
    let row: Option<ToldRow> = sqlx::query_as(concat!(
        "UPDATE imports SET next_attempt_at = ?3, expires_at = ?4 \
         WHERE id = ?1 AND generation = ?2 AND account_id IS NULL RETURNING ",
        told!()
    ))
    .bind(id.as_str())
    .bind(expected)
    .bind(rest.next_attempt_at.map(|time| time.0))
    .bind(rest.expires_at.0)
    .fetch_optional(&mut **change)
    .await
    .map_err(failed)?;
    tell(change, row, told, now).await
}

/// Forgets it.
pub(super) async fn discard(
    change: &mut Change<'_>,
    id: &ImportId,
    expected: i64,
    told: Option<Value>,
    now: UnixTime,
) -> Result<(), Error> {
    let row: Option<ToldRow> = sqlx::query_as(concat!(
        "DELETE FROM imports WHERE id = ?1 AND generation = ?2 AND account_id IS NULL RETURNING ",
        told!()
    ))
    .bind(id.as_str())
    .bind(expected)
    .fetch_optional(&mut **change)
    .await
    .map_err(failed)?;
    tell(change, row, told, now).await
}

/// Forgets it if its time is over; true when it was still tried.
pub(super) async fn expire(
    change: &mut Change<'_>,
    id: &str,
    now: UnixTime,
) -> Result<bool, Error> {
    let row: Option<ToldRow> = sqlx::query_as(concat!(
        "DELETE FROM imports WHERE id = ?1 AND expires_at <= ?2 RETURNING ",
        told!()
    ))
    .bind(id)
    .bind(now.0)
    .fetch_optional(&mut **change)
    .await
    .map_err(failed)?;
    if let Some(row) = row.filter(|row| row.was_tried) {
        let ended = json!({"code": "import_expired", "title": "The import was given up",
            "detail": "the authority or the mail server did not answer in time", "remedy": [RENEW]});
        tell(change, Some(row), Some(ended), now).await?;
        return Ok(true);
    }
    Ok(false)
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
struct ToldRow {
    site: String,
    application: String,
    mailbox_key: String,
    was_tried: bool,
}

const RENEW: &str = "Import a newer refresh token, or let the person sign in.";
