//! What was asked of the sandbox, and what it answered: for tests, and for people who wonder.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mailgrant_core::time::UnixTime;
use serde::Serialize;

/// One request. Never holds a token, secret, code or password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// When, by the sandbox's clock (Unix seconds).
    pub at: UnixTime,
    /// What was asked: `authorize`, `sign_in`, `consent`, `admin_consent`, `token`, `discovery`, `keys`, `userinfo`,
    /// `logout`, `imap_login`.
    pub kind: &'static str,
    /// For `token`: the grant type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_type: Option<String>,
    /// The application, as it named itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The person or mailbox, when one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `ok`, an OAuth error such as `invalid_grant`, or `fault` when the sandbox was told to fail.
    pub outcome: String,
    /// The AADSTS number of an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// For `imap_login`: why it was refused, which the wire does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Entry {
    /// An entry of that kind that went well.
    #[must_use]
    pub fn new(at: UnixTime, kind: &'static str) -> Self {
        Self {
            at,
            kind,
            grant_type: None,
            client_id: None,
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
            &mut self.user,
            &mut self.detail,
        ];
        for text in fields.into_iter().flatten() {
            if text.chars().count() > LONGEST {
                *text = text.chars().take(LONGEST).collect();
            }
        }
        self
    }
}

/// The last requests, and how many there were of each sort. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct RequestLog(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    entries: VecDeque<Entry>,
    counts: BTreeMap<String, u64>,
}

impl RequestLog {
    /// Remembers a request.
    pub fn record(&self, entry: Entry) {
        let entry = entry.bounded();
        let mut inner = self.lock();
        let known = matches!(
            entry.grant_type.as_deref(),
            Some("authorization_code" | "refresh_token" | "client_credentials")
        );
        let sort = match &entry.grant_type {
            Some(grant_type) if known => format!("{}.{grant_type}", entry.kind),
            Some(_) => format!("{}.other", entry.kind),
            None => entry.kind.to_owned(),
        };
        let count = inner.counts.entry(sort).or_default();
        *count = count.saturating_add(1);
        if inner.entries.len() >= MOST {
            inner.entries.pop_front();
        }
        inner.entries.push_back(entry);
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

    /// Forgets everything.
    pub fn clear(&self) {
        *self.lock() = Inner::default();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
}
