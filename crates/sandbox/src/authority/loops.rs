//! Clients that send the same request again and again (AADSTS50196), and passwords that are tried (AADSTS50053).

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest;
use mailgrant_core::time::UnixTime;

/// When things of a kind happened lately.
pub(crate) struct Recent {
    window: Duration,
    times: Mutex<HashMap<Vec<u8>, VecDeque<UnixTime>>>,
}

impl Recent {
    pub(crate) fn within(window: Duration) -> Self {
        Self {
            window,
            times: Mutex::default(),
        }
    }

    /// How often this happened within the window.
    pub(crate) fn count(&self, what: &str, now: UnixTime) -> usize {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = times.get_mut(&hash(what)) else {
            return 0;
        };
        forget(known, now, self.window);
        known.len()
    }

    /// Counts it once more.
    pub(crate) fn add(&self, what: &str, now: UnixTime) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        if times.len() >= MOST {
            times.retain(|_, known| {
                forget(known, now, self.window);
                !known.is_empty()
            });
        }
        if times.len() >= MOST {
            return;
        }
        let known = times.entry(hash(what)).or_default();
        forget(known, now, self.window);
        if known.len() < LONGEST {
            known.push_back(now);
        }
    }

    /// Forgets it.
    pub(crate) fn clear(&self, what: &str) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.remove(&hash(what));
    }
}

/// Equal token requests are counted for so long.
pub(crate) const LOOP_WINDOW: Duration = Duration::from_secs(5 * 60);
/// So long an account stays locked after [`LOCKED_AFTER`] wrong passwords (Entra's smart lockout).
pub(crate) const LOCK_WINDOW: Duration = Duration::from_secs(60);
/// Wrong passwords.
pub(crate) const LOCKED_AFTER: usize = 10;

/// Different things remembered.
const MOST: usize = 10_000;
/// Times remembered of each.
const LONGEST: usize = 1_000;

fn forget(times: &mut VecDeque<UnixTime>, now: UnixTime, window: Duration) {
    while times
        .front()
        .is_some_and(|oldest| now.since(*oldest) >= window)
    {
        times.pop_front();
    }
}

/// What is sent may be a secret: only its hash is kept.
fn hash(what: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, what.as_bytes())
        .as_ref()
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_is_not_counted() {
        let recent = Recent::within(Duration::from_secs(60));
        for at in [0, 30, 59] {
            recent.add("x", UnixTime(at));
        }
        assert_eq!(recent.count("x", UnixTime(59)), 3);
        assert_eq!(recent.count("x", UnixTime(60)), 2);
        assert_eq!(recent.count("y", UnixTime(60)), 0);
        recent.clear("x");
        assert_eq!(recent.count("x", UnixTime(60)), 0);
    }
}
