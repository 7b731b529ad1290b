//! A connect session as SQLite holds it.

use std::time::Duration;

use mailgrant_core::time::UnixTime;
use serde_json::Value;

use sqlx::SqliteConnection;

use super::account_row::account_id;
use super::error::{failed, malformed};
use crate::connect_session::{ConnectPhase, ConnectSession, ConnectStatus};
use crate::error::Error;
use crate::id::ConnectSessionId;

macro_rules! columns {
    () => {
        "id, site, application, origin, user_label, login_hint, mailbox, mends, return_url, metadata, status, phase, \
         account_id, diagnosis, created_at, expires_at, completed_at, returned_at, \
         (SELECT started_at FROM connect_attempts WHERE session_id = connect_sessions.id) AS sent_at"
    };
}

pub(super) use columns;

/// The session with this id.
pub(super) async fn by_id(
    connection: &mut SqliteConnection,
    id: &str,
) -> Result<Option<SessionRow>, Error> {
    sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM connect_sessions WHERE id = ?1"
    ))
    .bind(id)
    .fetch_optional(connection)
    .await
    .map_err(failed)
}

#[derive(sqlx::FromRow)]
pub(super) struct SessionRow {
    id: String,
    site: String,
    application: String,
    origin: String,
    user_label: Option<String>,
    login_hint: Option<String>,
    mailbox: Option<String>,
    mends: Option<String>,
    return_url: Option<String>,
    metadata: String,
    status: String,
    phase: String,
    account_id: Option<String>,
    diagnosis: Option<String>,
    created_at: i64,
    expires_at: i64,
    completed_at: Option<i64>,
    returned_at: Option<i64>,
    sent_at: Option<i64>,
}

impl SessionRow {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Whether its callback has arrived and may go on.
    pub(super) fn is_returned(&self, now: UnixTime) -> bool {
        self.phase == ConnectPhase::Returned.as_str() && self.expires_at > now.0
    }

    /// Whether a callback arrived and was never finished: its process has died.
    fn is_abandoned(&self, now: UnixTime) -> bool {
        self.phase == ConnectPhase::Returned.as_str()
            && self
                .returned_at
                .is_some_and(|time| UnixTime(time) + TIME_TO_COMPLETE <= now)
    }

    /// Reads the row; a session that ran out reads as expired before anybody swept it, and one whose callback was never
    /// finished as one that may be begun again.
    pub(super) fn read(self, now: UnixTime) -> Result<ConnectSession, Error> {
        let bad = |column| malformed(column, &self.id);
        let status: ConnectStatus = self
            .status
            .parse()
            .map_err(|_| bad("connect_sessions.status"))?;
        let phase: ConnectPhase = self
            .phase
            .parse()
            .map_err(|_| bad("connect_sessions.phase"))?;
        let abandoned = self.is_abandoned(now);
        let ran_out = !status.is_final() && self.expires_at <= now.0;
        let json = |text: &String| serde_json::from_str::<Value>(text);
        Ok(ConnectSession {
            metadata: json(&self.metadata).map_err(|_| bad("connect_sessions.metadata"))?,
            diagnosis: self
                .diagnosis
                .as_ref()
                .map(json)
                .transpose()
                .map_err(|_| bad("connect_sessions.diagnosis"))?,
            id: ConnectSessionId::try_from(self.id.clone())
                .map_err(|_| bad("connect_sessions.id"))?,
            status: if ran_out {
                ConnectStatus::Expired
            } else {
                status
            },
            phase: match phase {
                _ if ran_out => ConnectPhase::Finished,
                _ if abandoned => ConnectPhase::Created,
                phase => phase,
            },
            completed_at: if ran_out {
                Some(self.expires_at)
            } else {
                self.completed_at
            }
            .map(UnixTime),
            account: self.account_id.map(account_id).transpose()?,
            site: self.site,
            application: self.application,
            origin: self.origin,
            user_label: self.user_label,
            login_hint: self.login_hint,
            mailbox: self.mailbox,
            mends: self.mends.map(account_id).transpose()?,
            return_url: self.return_url,
            created_at: UnixTime(self.created_at),
            expires_at: UnixTime(self.expires_at),
            sent_at: self.sent_at.map(UnixTime),
        })
    }
}

/// From the callback on, a session has at least this long to be completed; after it the person may begin again.
pub(super) const TIME_TO_COMPLETE: Duration = Duration::from_secs(120);
