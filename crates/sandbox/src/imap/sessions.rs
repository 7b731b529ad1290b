//! Who is connected to which mailbox, and what the mailbox's limits leave them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mailgrant_core::time::UnixTime;
use tokio::sync::oneshot;

use super::MailboxAccess;
use crate::directory::ImapLimits;

/// The open sessions of all mailboxes. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Sessions(Arc<Mutex<HashMap<String, Visitors>>>);

/// What a mailbox sees of its clients.
#[derive(Debug, Default)]
struct Visitors {
    open: HashMap<u64, Visitor>,
    last: u64,
    logins: Window,
    commands: Window,
    throttled: Option<Backoff>,
}

#[derive(Debug)]
struct Visitor {
    access: MailboxAccess,
    end: oneshot::Sender<String>,
}

/// Why a login leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// So many are connected already.
    Connections(u32),
    /// The mailbox is throttled for so many more milliseconds.
    Throttled(u64),
}

/// A session's place; it is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Session {
    sessions: Sessions,
    mailbox: String,
    id: u64,
    ended: oneshot::Receiver<String>,
}

impl Sessions {
    /// How many sessions each mailbox has, in order of addresses.
    #[must_use]
    pub fn counts(&self) -> Vec<(String, usize)> {
        let mut counts: Vec<(String, usize)> = self
            .lock()
            .iter()
            .filter(|(_, visitors)| !visitors.open.is_empty())
            .map(|(mailbox, visitors)| (mailbox.clone(), visitors.open.len()))
            .collect();
        counts.sort_unstable();
        counts
    }

    /// Ends the sessions of a mailbox, or of all, with `* BYE` and this text. Returns how many.
    pub fn end(&self, mailbox: Option<&str>, text: &str) -> usize {
        self.end_where(text, |access| {
            mailbox.is_none_or(|mailbox| mailbox.to_lowercase() == access.mailbox.to_lowercase())
        })
    }

    /// Ends those sessions with `* BYE` and this text. Returns how many.
    pub(super) fn end_where(&self, text: &str, chosen: impl Fn(&MailboxAccess) -> bool) -> usize {
        let mut ended = 0;
        for visitors in self.lock().values_mut() {
            for (_, visitor) in visitors
                .open
                .extract_if(|_, visitor| chosen(&visitor.access))
            {
                if visitor.end.send(text.to_owned()).is_ok() {
                    ended += 1;
                }
            }
        }
        ended
    }

    /// Takes a place for a session.
    pub(super) fn enter(
        &self,
        access: &MailboxAccess,
        limits: &ImapLimits,
        now: UnixTime,
    ) -> Result<Session, Full> {
        let mailbox = access.mailbox.to_lowercase();
        let mut all = self.lock();
        let visitors = all.entry(mailbox.clone()).or_default();
        if let Some(left) = visitors.throttled(now) {
            return Err(Full::Throttled(left));
        }
        if visitors.logins.exceed(limits.logins_per_minute, now) {
            return Err(Full::Throttled(visitors.throttle(limits, now)));
        }
        if visitors.open.len() >= limits.connections as usize {
            return Err(Full::Connections(limits.connections));
        }
        visitors.last += 1;
        let (end, ended) = oneshot::channel();
        let visitor = Visitor {
            access: access.clone(),
            end,
        };
        visitors.open.insert(visitors.last, visitor);
        Ok(Session {
            sessions: self.clone(),
            id: visitors.last,
            mailbox,
            ended,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Visitors>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Counts a command; milliseconds that are left when the mailbox is throttled.
    pub(super) fn command(&self, limits: &ImapLimits, now: UnixTime) -> Option<u64> {
        let mut all = self.sessions.lock();
        let visitors = all.get_mut(&self.mailbox)?;
        if let Some(left) = visitors.throttled(now) {
            return Some(left);
        }
        visitors
            .commands
            .exceed(limits.commands_per_minute, now)
            .then(|| visitors.throttle(limits, now))
    }

    /// Ends when the session is to end, with what to say. May be dropped and called again, until it has ended.
    pub(super) async fn ended(&mut self) -> String {
        match (&mut self.ended).await {
            Ok(text) => text,
            // Nobody will ever say so.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(visitors) = self.sessions.lock().get_mut(&self.mailbox) {
            visitors.open.remove(&self.id);
        }
    }
}

impl Visitors {
    fn throttled(&mut self, now: UnixTime) -> Option<u64> {
        let left = self.throttled?.left(now);
        if left == 0 {
            self.throttled = None;
        }
        (left > 0).then_some(left)
    }

    fn throttle(&mut self, limits: &ImapLimits, now: UnixTime) -> u64 {
        let backoff = Backoff {
            began: now,
            milliseconds: u64::from(limits.backoff_seconds) * 1_000,
        };
        self.throttled = Some(backoff);
        backoff.left(now)
    }
}

/// A time for which a mailbox is turned away, by the sandbox's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Backoff {
    pub(super) began: UnixTime,
    pub(super) milliseconds: u64,
}

impl Backoff {
    /// Milliseconds that are left; 0 when it is over.
    pub(super) fn left(&self, now: UnixTime) -> u64 {
        let gone = now.since(self.began).as_millis();
        self.milliseconds
            .saturating_sub(u64::try_from(gone).unwrap_or(u64::MAX))
    }
}

/// What happened within the present minute.
#[derive(Debug, Default)]
struct Window {
    began: UnixTime,
    count: u32,
}

impl Window {
    /// Counts once more; whether that is too often.
    fn exceed(&mut self, limit: Option<u32>, now: UnixTime) -> bool {
        let fresh = now.since(self.began) < MINUTE && now >= self.began;
        if !fresh {
            self.began = now;
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        limit.is_some_and(|limit| self.count > limit)
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_795_000_000);

    fn access(mailbox: &str) -> MailboxAccess {
        MailboxAccess {
            mailbox: mailbox.to_owned(),
            expires_at: NOW + Duration::from_secs(3600),
            holder: None,
        }
    }

    #[test]
    fn a_place_that_is_given_back_is_free_again() {
        let sessions = Sessions::default();
        let limits = ImapLimits {
            connections: 1,
            ..ImapLimits::default()
        };
        let ada = access("ada@tarnbrook.test");
        let first = sessions.enter(&ada, &limits, NOW).unwrap();
        assert_eq!(
            sessions.enter(&ada, &limits, NOW).unwrap_err(),
            Full::Connections(1)
        );
        sessions
            .enter(&access("bruno@tarnbrook.test"), &limits, NOW)
            .unwrap();
        drop(first);
        let _first = sessions.enter(&ada, &limits, NOW).unwrap();
        assert_eq!(sessions.counts(), [("ada@tarnbrook.test".to_owned(), 1)]);
    }

    #[test]
    fn a_mailbox_that_asks_too_often_is_throttled_for_a_while() {
        let sessions = Sessions::default();
        let limits = ImapLimits {
            commands_per_minute: Some(2),
            backoff_seconds: 90,
            ..ImapLimits::default()
        };
        let session = sessions
            .enter(&access("ada@tarnbrook.test"), &limits, NOW)
            .unwrap();
        let at = |seconds| session.command(&limits, NOW + Duration::from_secs(seconds));
        assert_eq!([at(0), at(30)], [None, None]);
        assert_eq!(at(59), Some(90_000));
        assert_eq!(at(100), Some(49_000));
        assert_eq!([at(149), at(150)], [None, None]);
        // Another minute, another count.
        assert_eq!([at(210), at(220), at(221)], [None, None, Some(90_000)]);
    }

    #[tokio::test]
    async fn sessions_are_ended_by_mailbox() {
        let sessions = Sessions::default();
        let limits = ImapLimits::default();
        let mut ada = sessions
            .enter(&access("ada@tarnbrook.test"), &limits, NOW)
            .unwrap();
        let _bruno = sessions
            .enter(&access("bruno@tarnbrook.test"), &limits, NOW)
            .unwrap();
        assert_eq!(
            sessions.end(Some("Ada@tarnbrook.test"), "Connection closed. 14"),
            1
        );
        assert_eq!(ada.ended().await, "Connection closed. 14");
        assert_eq!(sessions.end(None, "x"), 1);
    }
}
