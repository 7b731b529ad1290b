//! Events in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use mailgrant_core::time::UnixTime;
use sqlx::SqliteConnection;
use tokio::sync::watch;

use super::change::Change;
use super::error::{failed, malformed};
use super::{Sqlite, reauth_link};
use crate::error::Error;
use crate::event::{Event, EventPage, EventRepository, NewEvent};
use crate::id::{AccountId, ConnectSessionId, EventId};
use crate::seal::Sealer;

/// Adds an event after all others. The row of `event_order` is held until the end of the transaction, so events become
/// visible in the order of their identifiers: who reads on after the last one seen misses none.
pub(super) async fn add(
    change: &mut Change<'_>,
    event: NewEvent,
    now: UnixTime,
) -> Result<EventId, Error> {
    let milliseconds: i64 = sqlx::query_scalar(
        "UPDATE event_order SET last_milliseconds = max(last_milliseconds + 1, ?1) WHERE id = 1 \
         RETURNING last_milliseconds",
    )
    .bind(now.0.saturating_mul(1000))
    .fetch_one(&mut **change)
    .await
    .map_err(failed)?;
    let id = EventId::at(
        u64::try_from(milliseconds).unwrap_or(0),
        &*change.storage.random,
    );
    sqlx::query(
        "INSERT INTO events (id, site, kind, account_id, connect_session, data, occurred_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(id.as_str())
    .bind(&event.site)
    .bind(event.kind.as_str())
    .bind(event.account.as_ref().map(AccountId::as_str))
    .bind(event.connect_session.as_ref().map(ConnectSessionId::as_str))
    .bind(event.data.to_string())
    .bind(now.0)
    .execute(&mut **change)
    .await
    .map_err(failed)?;
    change.told = Some(milliseconds);
    Ok(id)
}

#[async_trait]
impl EventRepository for Sqlite {
    async fn list(
        &self,
        site: &str,
        after: Option<&EventId>,
        limit: u32,
    ) -> Result<Option<EventPage>, Error> {
        // One transaction: what is forgotten between two looks would be a gap that nobody is told of.
        let mut snapshot = self.readers.begin().await.map_err(failed)?;
        let gap = match after {
            None => false,
            Some(after) => match standing(&mut snapshot, site, after).await? {
                Standing::Kept => false,
                Standing::Forgotten => true,
                Standing::Unknown => return Ok(None),
            },
        };
        let wanted = i64::from(limit).saturating_add(1);
        let rows: Vec<EventRow> = sqlx::query_as(
            "SELECT page.*, reauth_links.account_id AS link_account, reauth_links.sealed_token AS sealed_link FROM ( \
             SELECT * FROM (SELECT * FROM events WHERE site = ?1 AND id > ?2 ORDER BY id LIMIT ?3) \
             UNION ALL \
             SELECT * FROM (SELECT * FROM events WHERE site IS NULL AND id > ?2 ORDER BY id LIMIT ?3) \
             ORDER BY id LIMIT ?3) AS page \
             LEFT JOIN reauth_links ON reauth_links.event_id = page.id ORDER BY page.id",
        )
        .bind(site)
        .bind(after.map_or("", EventId::as_str))
        .bind(wanted)
        .fetch_all(&mut *snapshot)
        .await
        .map_err(failed)?;
        let more = i64::try_from(rows.len()).is_ok_and(|found| found == wanted);
        let events = rows
            .into_iter()
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|row| row.open(&self.sealer))
            .collect::<Result<_, _>>()?;
        Ok(Some(EventPage { events, more, gap }))
    }

    async fn latest(&self, site: &str) -> Result<EventId, Error> {
        let id: String = sqlx::query_scalar(
            "SELECT max(id) FROM (SELECT max(id) AS id FROM events WHERE site = ?1 \
             UNION ALL SELECT max(id) FROM events WHERE site IS NULL \
             UNION ALL SELECT forgotten FROM event_order WHERE id = 1)",
        )
        .bind(site)
        .fetch_one(&self.readers)
        .await
        .map_err(failed)?;
        if id.is_empty() {
            return Ok(EventId::beginning());
        }
        event_id(id)
    }

    async fn add_once(
        &self,
        event: NewEvent,
        once_key: &str,
        now: UnixTime,
    ) -> Result<bool, Error> {
        let mut change = self.write().await?;
        let marked = sqlx::query(
            "INSERT INTO event_marks (key, made_at) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING",
        )
        .bind(once_key)
        .bind(now.0)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        if marked.rows_affected() == 0 {
            return Ok(false);
        }
        add(&mut change, event, now).await?;
        change.commit().await?;
        Ok(true)
    }

    async fn forget_before(&self, time: UnixTime) -> Result<u64, Error> {
        let mut forgotten = 0;
        loop {
            let found = self.forget_some(time).await?;
            forgotten += found;
            if found < AT_A_TIME.into() {
                return Ok(forgotten);
            }
        }
    }

    fn news(&self) -> watch::Receiver<i64> {
        self.news.subscribe()
    }

    async fn look(&self) -> Result<(), Error> {
        let last: i64 =
            sqlx::query_scalar("SELECT last_milliseconds FROM event_order WHERE id = 1")
                .fetch_one(&self.readers)
                .await
                .map_err(failed)?;
        self.heard(last);
        Ok(())
    }
}

impl Sqlite {
    /// Wakes who waits for news, if this is any.
    pub(super) fn heard(&self, last: i64) {
        self.news.send_if_modified(|known| {
            let is_news = last > *known;
            *known = last.max(*known);
            is_news
        });
    }

    /// Some at a time, so that nobody waits long for the writer.
    async fn forget_some(&self, time: UnixTime) -> Result<u64, Error> {
        let due: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM events WHERE occurred_at < ?1) \
             OR EXISTS (SELECT 1 FROM event_marks WHERE made_at < ?2)",
        )
        .bind(time.0)
        .bind((time - MARKS_LAST).0)
        .fetch_one(&self.readers)
        .await
        .map_err(failed)?;
        if !due {
            return Ok(0);
        }
        let mut change = self.write().await?;
        let ids: Vec<String> = sqlx::query_scalar(
            "DELETE FROM events WHERE id IN \
             (SELECT id FROM events WHERE occurred_at < ?1 ORDER BY occurred_at LIMIT ?2) RETURNING id",
        )
        .bind(time.0)
        .bind(AT_A_TIME)
        .fetch_all(&mut *change)
        .await
        .map_err(failed)?;
        if let Some(last) = ids.iter().max() {
            sqlx::query("UPDATE event_order SET forgotten = max(forgotten, ?1) WHERE id = 1")
                .bind(last)
                .execute(&mut *change)
                .await
                .map_err(failed)?;
        }
        sqlx::query("DELETE FROM event_marks WHERE made_at < ?1")
            .bind((time - MARKS_LAST).0)
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        change.commit().await?;
        Ok(u64::try_from(ids.len()).unwrap_or(u64::MAX))
    }
}

/// What a position in the events is worth.
enum Standing {
    Kept,
    Forgotten,
    Unknown,
}

async fn standing(
    connection: &mut SqliteConnection,
    site: &str,
    after: &EventId,
) -> Result<Standing, Error> {
    let (kept, forgotten): (bool, String) = sqlx::query_as(
        "SELECT EXISTS (SELECT 1 FROM events WHERE id = ?1 AND (site = ?2 OR site IS NULL)), forgotten \
         FROM event_order WHERE id = 1",
    )
    .bind(after.as_str())
    .bind(site)
    .fetch_one(connection)
    .await
    .map_err(failed)?;
    Ok(
        if kept
            || after.as_str() == forgotten
            || (forgotten.is_empty() && *after == EventId::beginning())
        {
            Standing::Kept
        } else if after.as_str() <= forgotten.as_str() {
            Standing::Forgotten
        } else {
            Standing::Unknown
        },
    )
}

#[derive(sqlx::FromRow)]
struct EventRow {
    id: String,
    site: Option<String>,
    kind: String,
    account_id: Option<String>,
    connect_session: Option<String>,
    data: String,
    occurred_at: i64,
    link_account: Option<String>,
    sealed_link: Option<Vec<u8>>,
}

impl EventRow {
    fn open(self, sealer: &Sealer) -> Result<Event, Error> {
        let bad = |column| malformed(column, &self.id);
        Ok(Event {
            kind: self.kind.parse().map_err(|_| bad("events.kind"))?,
            data: serde_json::from_str(&self.data).map_err(|_| bad("events.data"))?,
            account: self
                .account_id
                .map(AccountId::try_from)
                .transpose()
                .map_err(|_| bad("events.account_id"))?,
            connect_session: self
                .connect_session
                .map(ConnectSessionId::try_from)
                .transpose()
                .map_err(|_| bad("events.connect_session"))?,
            reauth_link: self
                .link_account
                .zip(self.sealed_link)
                .and_then(|(account, sealed)| {
                    // One link that was tampered with must not keep everybody from what happened.
                    reauth_link::open(sealer, &account, &sealed)
                        .inspect_err(|error| tracing::error!(%error, "a link is not shown"))
                        .ok()
                }),
            site: self.site,
            occurred_at: UnixTime(self.occurred_at),
            id: event_id(self.id)?,
        })
    }
}

fn event_id(text: String) -> Result<EventId, Error> {
    EventId::try_from(text.clone()).map_err(|_| malformed("events.id", text))
}

const AT_A_TIME: u32 = 500;
const MARKS_LAST: Duration = Duration::from_secs(2 * 365 * 86_400);
