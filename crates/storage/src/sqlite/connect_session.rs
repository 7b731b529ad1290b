//! Connect sessions in SQLite.

use async_trait::async_trait;
use mailgrant_core::time::UnixTime;
use serde_json::Value;
use sqlx::SqliteConnection;

use super::attempt::{self, AttemptRow};
use super::error::failed;
use super::session_row::{SessionRow, TIME_TO_COMPLETE, by_id, columns};
use super::{Sqlite, session_end};
use crate::account::{NewAccount, NewGrant};
use crate::connect_session::{
    Completion, ConnectSession, ConnectSessionRepository, Consumed, Diagnose, NewAttempt,
    NewConnectSession, Outcome,
};
use crate::error::Error;
use crate::hash::SecretHash;
use crate::id::{AccountId, ConnectSessionId};
use crate::page::Page;

#[async_trait]
impl ConnectSessionRepository for Sqlite {
    async fn add(
        &self,
        session: NewConnectSession,
        now: UnixTime,
    ) -> Result<ConnectSession, Error> {
        let mut change = self.write().await?;
        let row: SessionRow = sqlx::query_as(concat!(
            "INSERT INTO connect_sessions (id, site, application, origin, user_label, login_hint, mailbox, mends, \
             return_url, metadata, client_token_hash, status, phase, account_id, diagnosis, consent_state_hash, \
             created_at, expires_at, completed_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'pending', 'created', NULL, NULL, NULL, ?12, ?13, NULL) \
             RETURNING ",
            columns!()
        ))
        .bind(ConnectSessionId::generate(now, &*self.random).as_str())
        .bind(&session.site)
        .bind(&session.application)
        .bind(&session.origin)
        .bind(&session.user_label)
        .bind(&session.login_hint)
        .bind(&session.mailbox)
        .bind(session.mends.as_ref().map(AccountId::as_str))
        .bind(&session.return_url)
        .bind(session.metadata.to_string())
        .bind(session.client_token.as_bytes())
        .bind(now.0)
        .bind(session.expires_at.0)
        .fetch_one(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await?;
        row.read(now)
    }

    async fn lookup(
        &self,
        site: &str,
        id: &ConnectSessionId,
        now: UnixTime,
    ) -> Result<Option<ConnectSession>, Error> {
        let row: Option<SessionRow> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM connect_sessions WHERE id = ?1 AND site = ?2"
        ))
        .bind(id.as_str())
        .bind(site)
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        row.map(|row| row.read(now)).transpose()
    }

    async fn find_by_client_token(
        &self,
        token: &SecretHash,
        now: UnixTime,
    ) -> Result<Option<ConnectSession>, Error> {
        let row: Option<SessionRow> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM connect_sessions WHERE client_token_hash = ?1"
        ))
        .bind(token.as_bytes())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        row.map(|row| row.read(now)).transpose()
    }

    async fn list(
        &self,
        site: &str,
        after: Option<&ConnectSessionId>,
        limit: u32,
        now: UnixTime,
    ) -> Result<Page<ConnectSession, ConnectSessionId>, Error> {
        let rows: Vec<SessionRow> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM connect_sessions WHERE site = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
        ))
        .bind(site)
        .bind(after.map_or("", ConnectSessionId::as_str))
        .bind(i64::from(limit) + 1)
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        let sessions = rows
            .into_iter()
            .map(|row| row.read(now))
            .collect::<Result<_, _>>()?;
        Ok(Page::of(sessions, limit, |session: &ConnectSession| {
            session.id.clone()
        }))
    }

    async fn begin(
        &self,
        token: &SecretHash,
        attempt: NewAttempt,
        now: UnixTime,
    ) -> Result<Outcome<ConnectSession>, Error> {
        let mut change = self.write().await?;
        let row: Option<SessionRow> = sqlx::query_as(concat!(
            "UPDATE connect_sessions SET phase = 'started', returned_at = NULL \
             WHERE client_token_hash = ?1 AND expires_at > ?2 \
             AND (phase IN ('created', 'started') OR (phase = 'returned' AND returned_at <= ?3)) RETURNING ",
            columns!()
        ))
        .bind(token.as_bytes())
        .bind(now.0)
        .bind((now - TIME_TO_COMPLETE).0)
        .fetch_optional(&mut *change)
        .await
        .map_err(failed)?;
        let Some(row) = row else {
            return refused(&mut change, Key::ClientToken(token), now).await;
        };
        attempt::put(&mut change, &self.sealer, row.id(), &attempt, now).await?;
        change.commit().await?;
        row.read(now).map(Outcome::Done)
    }

    async fn consume_state(&self, state: &SecretHash, now: UnixTime) -> Result<Consumed, Error> {
        let mut change = self.write().await?;
        let Some(attempt) = attempt::take(&mut change, state).await? else {
            return Ok(Consumed::Unknown);
        };
        let row: Option<SessionRow> = sqlx::query_as(concat!(
            "UPDATE connect_sessions SET phase = 'returned', returned_at = ?2, expires_at = max(expires_at, ?3) \
             WHERE id = ?1 AND phase = 'started' AND expires_at > ?2 RETURNING ",
            columns!()
        ))
        .bind(&attempt.session_id)
        .bind(now.0)
        .bind((now + TIME_TO_COMPLETE).0)
        .fetch_optional(&mut *change)
        .await
        .map_err(failed)?;
        let consumed = match row {
            Some(row) => Consumed::Attempt(Box::new(attempt.open(row.read(now)?, &self.sealer)?)),
            None => over(&mut change, &attempt, now).await?,
        };
        // Only now: a state that could not be opened or recorded is not used up either.
        change.commit().await?;
        Ok(consumed)
    }

    async fn complete(
        &self,
        id: &ConnectSessionId,
        account: NewAccount,
        grant: NewGrant,
        now: UnixTime,
    ) -> Result<Completion, Error> {
        let mut change = self.write().await?;
        let completion = session_end::complete(&mut change, id, account, &grant, now).await?;
        if matches!(completion, Completion::Connected(_)) {
            change.commit().await?;
        }
        Ok(completion)
    }

    async fn fail(
        &self,
        id: &ConnectSessionId,
        diagnosis: Value,
        now: UnixTime,
    ) -> Result<Outcome<ConnectSession>, Error> {
        let mut change = self.write().await?;
        let row: Option<SessionRow> = sqlx::query_as(concat!(
            "UPDATE connect_sessions SET status = 'failed', phase = 'finished', diagnosis = ?2, \
             consent_state_hash = NULL, completed_at = ?3 \
             WHERE id = ?1 AND phase <> 'finished' AND expires_at > ?3 RETURNING ",
            columns!()
        ))
        .bind(id.as_str())
        .bind(diagnosis.to_string())
        .bind(now.0)
        .fetch_optional(&mut *change)
        .await
        .map_err(failed)?;
        let Some(row) = row else {
            return refused(&mut change, Key::Id(id), now).await;
        };
        let session = session_end::ended(&mut change, row, now).await?;
        change.commit().await?;
        Ok(Outcome::Done(session))
    }

    async fn give_up(
        &self,
        token: &SecretHash,
        diagnosis: Value,
        now: UnixTime,
    ) -> Result<Outcome<ConnectSession>, Error> {
        let mut change = self.write().await?;
        let row: Option<SessionRow> = sqlx::query_as(concat!(
            "UPDATE connect_sessions SET status = 'failed', phase = 'finished', diagnosis = ?2, \
             consent_state_hash = NULL, completed_at = ?3 \
             WHERE client_token_hash = ?1 AND expires_at > ?3 \
             AND (phase IN ('created', 'started') OR (phase = 'returned' AND returned_at <= ?4)) RETURNING ",
            columns!()
        ))
        .bind(token.as_bytes())
        .bind(diagnosis.to_string())
        .bind(now.0)
        .bind((now - TIME_TO_COMPLETE).0)
        .fetch_optional(&mut *change)
        .await
        .map_err(failed)?;
        let Some(row) = row else {
            return refused(&mut change, Key::ClientToken(token), now).await;
        };
        let session = session_end::ended(&mut change, row, now).await?;
        change.commit().await?;
        Ok(Outcome::Done(session))
    }

    async fn await_consent(
        &self,
        id: &ConnectSessionId,
        consent_state: SecretHash,
        diagnosis: Value,
        expires_at: UnixTime,
        now: UnixTime,
    ) -> Result<Outcome<ConnectSession>, Error> {
        let mut change = self.write().await?;
        let row: Option<SessionRow> = sqlx::query_as(concat!(
            "UPDATE connect_sessions SET status = 'awaiting_admin_consent', phase = 'created', diagnosis = ?2, \
             consent_state_hash = ?3, expires_at = ?4 \
             WHERE id = ?1 AND phase <> 'finished' AND expires_at > ?5 RETURNING ",
            columns!()
        ))
        .bind(id.as_str())
        .bind(diagnosis.to_string())
        .bind(consent_state.as_bytes())
        .bind(expires_at.0)
        .bind(now.0)
        .fetch_optional(&mut *change)
        .await
        .map_err(failed)?;
        let Some(row) = row else {
            return refused(&mut change, Key::Id(id), now).await;
        };
        attempt::drop_of(&mut change, row.id()).await?;
        change.commit().await?;
        row.read(now).map(Outcome::Done)
    }

    async fn find_by_consent_state(
        &self,
        consent_state: &SecretHash,
        now: UnixTime,
    ) -> Result<Option<ConnectSession>, Error> {
        let row: Option<SessionRow> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM connect_sessions WHERE consent_state_hash = ?1 AND expires_at > ?2"
        ))
        .bind(consent_state.as_bytes())
        .bind(now.0)
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        row.map(|row| row.read(now)).transpose()
    }

    async fn grant_consent(
        &self,
        consent_state: &SecretHash,
        now: UnixTime,
    ) -> Result<Option<ConnectSession>, Error> {
        let mut change = self.write().await?;
        let row: Option<SessionRow> = sqlx::query_as(concat!(
            "UPDATE connect_sessions SET status = 'pending', diagnosis = NULL, consent_state_hash = NULL \
             WHERE consent_state_hash = ?1 AND phase <> 'finished' AND expires_at > ?2 RETURNING ",
            columns!()
        ))
        .bind(consent_state.as_bytes())
        .bind(now.0)
        .fetch_optional(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await?;
        row.map(|row| row.read(now)).transpose()
    }

    async fn expire(
        &self,
        diagnose: &Diagnose<'_>,
        now: UnixTime,
    ) -> Result<Vec<ConnectSession>, Error> {
        let due: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM connect_sessions \
             WHERE status IN ('pending', 'awaiting_admin_consent') AND expires_at <= ?1)",
        )
        .bind(now.0)
        .fetch_one(&self.readers)
        .await
        .map_err(failed)?;
        if !due {
            return Ok(Vec::new());
        }
        let mut change = self.write().await?;
        let rows: Vec<SessionRow> = sqlx::query_as(concat!(
            "UPDATE connect_sessions SET status = 'expired', phase = 'finished', consent_state_hash = NULL, \
             completed_at = expires_at \
             WHERE status IN ('pending', 'awaiting_admin_consent') AND expires_at <= ?1 RETURNING ",
            columns!()
        ))
        .bind(now.0)
        .fetch_all(&mut *change)
        .await
        .map_err(failed)?;
        let mut sessions = Vec::with_capacity(rows.len());
        for row in rows {
            sessions.push(session_end::expired(&mut change, row, diagnose, now).await?);
        }
        change.commit().await?;
        Ok(sessions)
    }

    async fn forget_before(&self, time: UnixTime) -> Result<u64, Error> {
        session_end::forget_before(self, time).await
    }
}

enum Key<'a> {
    Id(&'a ConnectSessionId),
    ClientToken(&'a SecretHash),
}

/// Why a conditional change touched nothing: read inside the same transaction, so it is the
/// state that refused.
async fn refused<T>(
    connection: &mut SqliteConnection,
    key: Key<'_>,
    now: UnixTime,
) -> Result<Outcome<T>, Error> {
    let row = match key {
        Key::Id(id) => by_id(connection, id.as_str()).await?,
        Key::ClientToken(token) => sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM connect_sessions WHERE client_token_hash = ?1"
        ))
        .bind(token.as_bytes())
        .fetch_optional(connection)
        .await
        .map_err(failed)?,
    };
    match row {
        Some(row) => Ok(Outcome::Refused(Box::new(row.read(now)?))),
        None => Ok(Outcome::Unknown),
    }
}

async fn over(
    connection: &mut SqliteConnection,
    attempt: &AttemptRow,
    now: UnixTime,
) -> Result<Consumed, Error> {
    match by_id(connection, &attempt.session_id).await? {
        Some(row) => Ok(Consumed::Over(Box::new(row.read(now)?))),
        None => Ok(Consumed::Unknown),
    }
}
