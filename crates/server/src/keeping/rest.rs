//! Whom to leave alone for a while.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailgrant_core::time::UnixTime;

use crate::pauses;

/// Who failed lately, and is asked again only after a pause that doubles.
#[derive(Debug)]
pub(super) struct Rests<T> {
    first: Duration,
    longest: Duration,
    resting: Mutex<HashMap<T, Rest>>,
}

#[derive(Debug, Clone, Copy)]
struct Rest {
    until: UnixTime,
    /// How long it is.
    pause: Duration,
    failures: u32,
}

impl<T: Eq + Hash> Rests<T> {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            resting: Mutex::default(),
        }
    }

    /// Whether it may be asked now.
    pub(super) fn may(&self, whom: &T, now: UnixTime) -> bool {
        self.lock().get(whom).is_none_or(|rest| rest.is_over(now))
    }

    /// It failed, and asks for this pause at least. A failure during the pause counts no more: it was on its way.
    pub(super) fn failed(&self, whom: T, asked: Option<Duration>, now: UnixTime) {
        let mut resting = self.lock();
        let rest = resting.entry(whom).or_insert(Rest {
            until: now,
            pause: Duration::ZERO,
            failures: 0,
        });
        if !rest.is_over(now) {
            return;
        }
        let pause = self
            .first
            .saturating_mul(1 << rest.failures.min(10))
            .min(self.longest)
            .max(asked.unwrap_or_default());
        rest.failures = rest.failures.saturating_add(1);
        rest.until = now + pause;
        rest.pause = pause;
    }

    /// Those are worth a try at once.
    pub(super) fn wake(&self, whom: impl Fn(&T) -> bool) {
        self.lock().retain(|each, _| !whom(each));
    }

    /// It works.
    pub(super) fn works(&self, whom: &T) {
        self.lock().remove(whom);
    }

    /// Forgets those that nobody has asked again for long: they are gone.
    pub(super) fn tidy(&self, now: UnixTime) {
        let longest = self.longest;
        self.lock()
            .retain(|_, rest| now < rest.until + longest + longest);
    }

    /// Each change is one step: what a task that panicked left is whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<T, Rest>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rest {
    fn is_over(&self, now: UnixTime) -> bool {
        pauses::left(self.until, now, self.pause).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end_with_the_first_success() {
        let seconds = Duration::from_secs;
        let rests = Rests::new(seconds(30), seconds(100));
        assert!(rests.may(&"a", UnixTime(0)));
        let mut now = UnixTime(0);
        for pause in [30, 60, 100, 100] {
            rests.failed("a", None, now);
            rests.failed("a", None, now);
            assert!(!rests.may(&"a", now + seconds(pause - 1)), "{pause}");
            now = now + seconds(pause);
            assert!(rests.may(&"a", now), "{pause}");
        }
        assert!(rests.may(&"b", now));
        rests.failed("a", Some(seconds(500)), now);
        assert!(!rests.may(&"a", now + seconds(499)));
        rests.works(&"a");
        rests.failed("a", None, now);
        assert!(rests.may(&"a", now + seconds(30)));
        rests.tidy(now + seconds(30));
        assert_eq!(rests.lock().len(), 1);
        rests.tidy(now + seconds(230));
        assert_eq!(rests.lock().len(), 0);
    }
}
