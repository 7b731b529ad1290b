//! Whom to leave alone for a while.

use std::{collections::HashMap, hash::Hash, time::Duration};

use mailgrant_core::time::UnixTime;

use crate::pauses;

/// Who failed lately, and is asked again only after a pause that doubles.
#[derive(Debug)]
pub(super) struct Rests<T> {
    first: Duration,
    longest: Duration,
    resting: HashMap<T, Rest>,
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
            resting: HashMap::new(),
        }
    }

    /// Whether it may be asked now.
    pub(super) fn may(&self, whom: &T, now: UnixTime) -> bool {
        let rest = self.resting.get(whom);
        rest.is_none_or(|rest| rest.is_over(now))
    }

    /// It failed, and asks for this pause at least. A failure during the pause counts no more: it was on its way.
    pub(super) fn failed(&mut self, whom: T, asked: Option<Duration>, now: UnixTime) {
        let (first, longest) = (self.first, self.longest);
        let rest = self.resting.entry(whom).or_insert(Rest {
            until: now,
            pause: Duration::ZERO,
            failures: 0,
        });
        if !rest.is_over(now) {
            return;
        }
        let pause = first
            .saturating_mul(1 << rest.failures.min(10))
            .min(longest)
            .max(asked.unwrap_or_default());
        rest.failures = rest.failures.saturating_add(1);
        rest.until = now + pause;
        rest.pause = pause;
    }

    /// Those are worth a try at once.
    pub(super) fn wake(&mut self, whom: impl Fn(&T) -> bool) {
        self.resting.retain(|each, _| !whom(each));
    }

    /// It works.
    pub(super) fn works(&mut self, whom: &T) {
        self.resting.remove(whom);
    }

    /// Forgets those that nobody has asked again for long: they are gone.
    pub(super) fn tidy(&mut self, now: UnixTime) {
        let longest = self.longest;
        self.resting
            .retain(|_, rest| now < rest.until + longest + longest);
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
        let mut rests = Rests::new(seconds(30), seconds(100));
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
        assert_eq!(rests.resting.len(), 1);
        rests.tidy(now + seconds(230));
        assert_eq!(rests.resting.len(), 0);
    }
}
