//! How much one mailbox may send: at once, in a minute, in a day.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mailgrant_core::time::UnixTime;

use crate::directory::Submission;

/// What every mailbox has under way, and has sent in the last day.
#[derive(Clone, Debug, Default)]
pub(super) struct Quota(Arc<Mutex<HashMap<String, Usage>>>);

#[derive(Debug, Default)]
struct Usage {
    under_way: u32,
    sent: VecDeque<(UnixTime, u32)>,
}

/// The right to hand in one message; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    quota: Quota,
    mailbox: String,
}

impl Quota {
    /// Begins a message; `None` when the mailbox has as many under way as it may.
    pub(super) fn begin(&self, mailbox: &str, limits: &Submission) -> Option<Slot> {
        let mut all = self.lock();
        let usage = all.entry(mailbox.to_lowercase()).or_default();
        if usage.under_way >= limits.concurrent {
            return None;
        }
        usage.under_way = usage.under_way.saturating_add(1);
        Some(Slot {
            quota: self.clone(),
            mailbox: mailbox.to_lowercase(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Usage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Whether the day has room for so many recipients more.
    pub(super) fn has_room(&self, recipients: usize, limits: &Submission, now: UnixTime) -> bool {
        let written: u64 = self.usage(|usage| {
            usage.forget_before(now);
            usage.sent.iter().map(|(_, count)| u64::from(*count)).sum()
        });
        let recipients = u64::try_from(recipients).unwrap_or(u64::MAX);
        written.saturating_add(recipients) <= u64::from(limits.recipients_per_day)
    }

    /// When the next message may go by the minute's limit.
    pub(super) fn next(&self, limits: &Submission, now: UnixTime) -> UnixTime {
        let most = usize::try_from(limits.messages_per_minute.max(1)).unwrap_or(usize::MAX);
        self.usage(|usage| {
            let at = usage.sent.len().checked_sub(most);
            match at.and_then(|at| usage.sent.get(at)) {
                Some((at, _)) => (*at + MINUTE).max(now),
                None => now,
            }
        })
    }

    /// Counts a message that was sent.
    pub(super) fn sent(&self, recipients: usize, now: UnixTime) {
        let recipients = u32::try_from(recipients).unwrap_or(u32::MAX);
        self.usage(|usage| {
            usage.forget_before(now);
            usage.sent.push_back((now, recipients));
        });
    }

    fn usage<T>(&self, look: impl FnOnce(&mut Usage) -> T) -> T {
        look(self.quota.lock().entry(self.mailbox.clone()).or_default())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.usage(|usage| usage.under_way = usage.under_way.saturating_sub(1));
    }
}

impl Usage {
    fn forget_before(&mut self, now: UnixTime) {
        // A clock that was put back leaves what is to come: it is counted all the same.
        while self
            .sent
            .front()
            .is_some_and(|(at, _)| now.since(*at) >= DAY)
        {
            self.sent.pop_front();
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn limits() -> Submission {
        Submission {
            concurrent: 2,
            messages_per_minute: 2,
            recipients_per_day: 10,
            ..Submission::default()
        }
    }

    #[test]
    fn slots_come_back() {
        let quota = Quota::default();
        let first = quota.begin("Ada@x.test", &limits()).unwrap();
        let _second = quota.begin("ada@x.test", &limits()).unwrap();
        assert!(quota.begin("ada@x.test", &limits()).is_none());
        assert!(quota.begin("bea@x.test", &limits()).is_some());
        drop(first);
        assert!(quota.begin("ada@x.test", &limits()).is_some());
    }

    #[test]
    fn a_minute_and_a_day_pass() {
        let quota = Quota::default();
        let slot = quota.begin("ada@x.test", &limits()).unwrap();
        assert_eq!(slot.next(&limits(), NOW), NOW);
        slot.sent(4, NOW);
        slot.sent(4, NOW + Duration::from_secs(10));
        let later = NOW + Duration::from_secs(20);
        assert_eq!(slot.next(&limits(), later), NOW + MINUTE);
        assert_eq!(slot.next(&limits(), NOW + MINUTE), NOW + MINUTE);
        assert!(slot.has_room(2, &limits(), later));
        assert!(!slot.has_room(3, &limits(), later));
        assert!(slot.has_room(6, &limits(), NOW + DAY));
    }
}
