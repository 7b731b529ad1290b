//! How connect sessions end, each with the event that tells of it.

use mailgrant_core::time::UnixTime;
use serde_json::{Value, json};

use super::account_change::{self, Mending};
use super::change::Change;
use super::error::failed;
use super::session_row::{SessionRow, by_id, columns};
use super::{Sqlite, attempt, event};
use crate::account::{Connected, NewAccount, NewGrant};
use crate::connect_session::{Completed, Completion, ConnectSession, Diagnose};
use crate::error::Error;
use crate::event::{EventKind, NewEvent};
use crate::id::ConnectSessionId;

/// See [`ConnectSessionRepository::complete`](crate::ConnectSessionRepository::complete).
pub(super) async fn complete(
    change: &mut Change<'_>,
    id: &ConnectSessionId,
    account: NewAccount,
    grant: &NewGrant,
    now: UnixTime,
) -> Result<Completion, Error> {
    let Some(row) = by_id(change, id.as_str()).await? else {
        return Ok(Completion::Unknown);
    };
    let returned = row.is_returned(now);
    let session = row.read(now)?;
    if !returned {
        return Ok(Completion::Refused(Box::new(session)));
    }
    let Connected {
        mut account,
        reconnected,
    } = match &session.mends {
        Some(mends) => match account_change::mend(change, mends, account, grant, now).await? {
            Mending::Mended(account) => Connected {
                account: *account,
                reconnected: true,
            },
            Mending::WrongPerson => return Ok(Completion::WrongPerson(Box::new(session))),
            Mending::AccountGone => return Ok(Completion::AccountGone(Box::new(session))),
        },
        None => account_change::connect(change, account, grant, now).await?,
    };
    // A link that was mailed begins on no page.
    if session.mends.is_none() {
        sqlx::query("UPDATE accounts SET origin = ?2 WHERE id = ?1")
            .bind(account.id.as_str())
            .bind(&session.origin)
            .execute(&mut **change)
            .await
            .map_err(failed)?;
        account.origin = Some(session.origin.clone());
    }
    let row: SessionRow = sqlx::query_as(concat!(
        "UPDATE connect_sessions SET status = 'connected', phase = 'finished', account_id = ?2, diagnosis = NULL, \
         consent_state_hash = NULL, completed_at = ?3 WHERE id = ?1 RETURNING ",
        columns!()
    ))
    .bind(id.as_str())
    .bind(account.id.as_str())
    .bind(now.0)
    .fetch_one(&mut **change)
    .await
    .map_err(failed)?;
    let session = row.read(now)?;
    tell(change, &session, now).await?;
    Ok(Completion::Connected(Box::new(Completed {
        session,
        account,
        reconnected,
    })))
}

/// What follows when a session has ended without an account: its attempt goes, and the site is told.
pub(super) async fn ended(
    change: &mut Change<'_>,
    row: SessionRow,
    now: UnixTime,
) -> Result<ConnectSession, Error> {
    attempt::drop_of(change, row.id()).await?;
    let session = row.read(now)?;
    tell(change, &session, now).await?;
    Ok(session)
}

/// What follows when a session has run out: the same, and why is written down while the attempt still tells.
pub(super) async fn expired(
    change: &mut Change<'_>,
    row: SessionRow,
    diagnose: &Diagnose<'_>,
    now: UnixTime,
) -> Result<ConnectSession, Error> {
    attempt::drop_of(change, row.id()).await?;
    let mut session = row.read(now)?;
    let diagnosis = diagnose(&session);
    sqlx::query("UPDATE connect_sessions SET diagnosis = ?2 WHERE id = ?1")
        .bind(session.id.as_str())
        .bind(diagnosis.to_string())
        .execute(&mut **change)
        .await
        .map_err(failed)?;
    session.diagnosis = Some(diagnosis);
    tell(change, &session, now).await?;
    Ok(session)
}

/// See [`ConnectSessionRepository::forget_before`](crate::ConnectSessionRepository::forget_before).
pub(super) async fn forget_before(storage: &Sqlite, time: UnixTime) -> Result<u64, Error> {
    let mut forgotten = 0;
    loop {
        let due: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM connect_sessions WHERE completed_at < ?1)",
        )
        .bind(time.0)
        .fetch_one(&storage.readers)
        .await
        .map_err(failed)?;
        if !due {
            return Ok(forgotten);
        }
        let mut change = storage.write().await?;
        // Some at a time, so that nobody waits long for the writer.
        let deleted = sqlx::query(
            "DELETE FROM connect_sessions WHERE id IN \
             (SELECT id FROM connect_sessions WHERE completed_at < ?1 LIMIT 500)",
        )
        .bind(time.0)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await?;
        forgotten += deleted.rows_affected();
    }
}

async fn tell(
    change: &mut Change<'_>,
    session: &ConnectSession,
    now: UnixTime,
) -> Result<(), Error> {
    let told = NewEvent {
        site: Some(session.site.clone()),
        kind: EventKind::ConnectSessionCompleted,
        account: session.account.clone(),
        connect_session: Some(session.id.clone()),
        data: json!({
            "application": session.application,
            "status": session.status,
            "account_id": session.account,
            "diagnosis": session.diagnosis.as_ref().and_then(|diagnosis| diagnosis.get("code")).and_then(Value::as_str),
        }),
    };
    event::add(change, told, now).await?;
    Ok(())
}
