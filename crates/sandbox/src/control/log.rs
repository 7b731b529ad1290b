//! What was asked of the sandbox, and what it answered: for tests, and for people who wonder.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mailgrant_core::time::UnixTime;
use serde::Serialize;
use tokio::sync::watch;

/// One request. Never holds a token, secret, code or password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// Which of all requests since the start, counted from 1; 0 until it is recorded.
    pub id: u64,
    /// When, by the sandbox's clock (Unix seconds).
    pub at: UnixTime,
    /// What was asked: `authorize`, `sign_in`, `consent`, `admin_consent`, `token`, `discovery`, `keys`, `userinfo`,
    /// `logout`, `device_code`, `device_approval`, `instance_discovery`; `imap_login`, `imap_command`, `smtp_login`,
    /// `smtp_send`, `pop3_login`; `control` (a change by the control API) and `fault` (failed as told).
    pub kind: &'static str,
    /// For `token`: the grant type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_type: Option<String>,
    /// The application, as it named itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The tenant that the authority was asked about, as the address named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The person or mailbox, when one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `ok`, an OAuth error such as `invalid_grant`, or `fault` when the sandbox was told to fail.
    pub outcome: String,
    /// The AADSTS number of an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// Why it was refused, where the wire does not say; what it was about, for `control` and `fault`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Entry {
    /// An entry of that kind that went well.
    #[must_use]
    pub fn new(at: UnixTime, kind: &'static str) -> Self {
        Self {
            id: 0,
            at,
            kind,
            grant_type: None,
            client_id: None,
            tenant: None,
            user: None,
            outcome: "ok".to_owned(),
            code: None,
            detail: None,
        }
    }

    /// Shortens what a client made overlong.
    fn bounded(mut self) -> Self {
        let fields = [
            &mut self.grant_type,
            &mut self.client_id,
            &mut self.tenant,
            &mut self.user,
            &mut self.detail,
        ];
        let outcome = [&mut self.outcome];
        for text in fields.into_iter().flatten().chain(outcome) {
            if text.chars().count() > LONGEST {
                *text = text.chars().take(LONGEST).collect();
            }
        }
        self
    }
}

/// The last requests, and how many there were of each sort. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct RequestLog(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    /// Tells those who wait that there is something new, or nothing more to come.
    news: watch::Sender<News>,
}

#[derive(Clone, Copy, Debug, Default)]
struct News {
    last: u64,
    ended: bool,
}

#[derive(Debug, Default)]
struct Kept {
    last: u64,
    entries: VecDeque<Entry>,
    counts: BTreeMap<String, u64>,
}

/// What is kept of the requests after some id, at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Excerpt {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// The id of the last request of all; where to go on from.
    pub last: u64,
    /// The id of the oldest one kept; `last + 1` when none is.
    pub oldest: u64,
    pub counts: BTreeMap<String, u64>,
}

impl RequestLog {
    /// Remembers a request.
    pub fn record(&self, entry: Entry) {
        let mut entry = entry.bounded();
        let mut kept = self.lock();
        let known = matches!(
            entry.grant_type.as_deref(),
            Some("authorization_code" | "refresh_token" | "client_credentials" | "device_code")
        );
        let sort = match &entry.grant_type {
            Some(grant_type) if known => format!("{}.{grant_type}", entry.kind),
            Some(_) => format!("{}.other", entry.kind),
            None => entry.kind.to_owned(),
        };
        let count = kept.counts.entry(sort).or_default();
        *count = count.saturating_add(1);
        kept.last = kept.last.saturating_add(1);
        entry.id = kept.last;
        if kept.entries.len() >= MOST {
            kept.entries.pop_front();
        }
        kept.entries.push_back(entry);
        let last = kept.last;
        drop(kept);
        self.0
            .news
            .send_modify(|news| news.last = news.last.max(last));
    }

    /// The last requests, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().entries.iter().cloned().collect()
    }

    /// How many there were of each sort, since the start or the last [`clear`](Self::clear); such as
    /// `token.refresh_token`.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.lock().counts.clone()
    }

    /// Forgets everything; ids go on from where they were.
    pub fn clear(&self) {
        let mut kept = self.lock();
        kept.entries.clear();
        kept.counts.clear();
    }

    /// The requests after the id `after`.
    pub(crate) fn since(&self, after: u64) -> Excerpt {
        let kept = self.lock();
        let next = kept.last.saturating_add(1);
        Excerpt {
            entries: kept
                .entries
                .iter()
                .filter(|entry| entry.id > after)
                .cloned()
                .collect(),
            last: kept.last,
            oldest: kept.entries.front().map_or(next, |entry| entry.id),
            counts: kept.counts.clone(),
        }
    }

    /// Waits until there is a request after the id `after`, for at most `patience`.
    pub(crate) async fn wait(&self, after: u64, patience: Duration) {
        let mut news = self.0.news.subscribe();
        let arrival = news.wait_for(|news| news.ended || news.last > after);
        // Whether it came or not: the caller looks.
        let _ = tokio::time::timeout(patience, arrival).await;
    }

    /// Lets everybody who waits go: nothing more will come.
    pub(crate) fn end(&self) {
        self.0.news.send_modify(|news| news.ended = true);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Entries kept.
const MOST: usize = 1_000;
/// Characters of a field kept.
const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_entries_go_but_stay_counted() {
        let log = RequestLog::default();
        for _ in 0..MOST + 5 {
            log.record(Entry::new(UnixTime(0), "keys"));
        }
        assert_eq!(log.entries().len(), MOST);
        assert_eq!(log.counts()["keys"], 1_005);
        log.clear();
        assert!(log.entries().is_empty() && log.counts().is_empty());
    }

    #[test]
    fn what_a_client_makes_up_costs_nothing() {
        let log = RequestLog::default();
        let mut entry = Entry::new(UnixTime(0), "token");
        entry.grant_type = Some("x".repeat(100_000));
        log.record(entry);
        assert_eq!(log.entries()[0].grant_type.as_ref().unwrap().len(), LONGEST);
        assert_eq!(log.counts()["token.other"], 1);
    }

    #[test]
    fn ids_go_on_after_a_clear() {
        let log = RequestLog::default();
        log.record(Entry::new(UnixTime(0), "keys"));
        log.record(Entry::new(UnixTime(0), "token"));
        let since = log.since(1);
        assert_eq!(since.entries.len(), 1);
        assert_eq!((since.entries[0].id, since.last, since.oldest), (2, 2, 1));
        log.clear();
        let since = log.since(0);
        assert_eq!((since.entries.len(), since.last, since.oldest), (0, 2, 3));
        log.record(Entry::new(UnixTime(0), "keys"));
        assert_eq!(log.entries()[0].id, 3);
    }

    #[tokio::test]
    async fn waiting_ends_with_news_with_patience_or_with_the_end() {
        let log = RequestLog::default();
        let hour = Duration::from_secs(3_600);
        let mut waiting = std::pin::pin!(log.wait(0, hour));
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        log.record(Entry::new(UnixTime(0), "keys"));
        waiting.await;
        log.wait(0, hour).await;
        log.wait(1, Duration::from_millis(1)).await;
        let mut waiting = std::pin::pin!(log.wait(1, hour));
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        log.end();
        waiting.await;
    }
}
