//! How often one account may be asked for.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use mailgrant_core::time::UnixTime;
use mailgrant_storage::AccountId;

use crate::pauses;

/// Lets each account through so many times in a while.
#[derive(Debug, Default)]
pub(crate) struct Limiter(Mutex<HashMap<AccountId, Window>>);

#[derive(Debug)]
struct Window {
    ends: UnixTime,
    used: u32,
}

impl Limiter {
    pub(crate) fn admits(&self, account: &AccountId, now: UnixTime) -> bool {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Only accounts that somebody has a link to come here: what is over is dropped before it can become much.
        if windows.len() >= MANY {
            windows.retain(|_, window| now < window.ends);
        }
        let window = windows.entry(account.clone()).or_insert(Window {
            ends: now + WHILE,
            used: 0,
        });
        if pauses::left(window.ends, now, WHILE).is_none() {
            *window = Window {
                ends: now + WHILE,
                used: 0,
            };
        }
        window.used = window.used.saturating_add(1);
        window.used <= TIMES
    }
}

const TIMES: u32 = 10;
const WHILE: Duration = Duration::from_secs(10 * 60);
const MANY: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use mailgrant_storage::SystemRandom;

    #[test]
    fn ten_times_in_ten_minutes_for_each_account() {
        let limiter = Limiter::default();
        let id = || AccountId::generate(UnixTime(0), &SystemRandom);
        let (mine, other) = (id(), id());
        let admitted = |account: &AccountId, now| limiter.admits(account, UnixTime(now));
        assert_eq!((0..30).filter(|_| admitted(&mine, 1_000)).count(), 10);
        assert!(!admitted(&mine, 1_599));
        assert!(admitted(&other, 1_599), "each by itself");
        assert!(admitted(&mine, 1_600));
    }

    #[test]
    fn what_is_over_takes_no_room() {
        let limiter = Limiter::default();
        for second in 0..5_000 {
            let account = AccountId::generate(UnixTime(second), &SystemRandom);
            assert!(limiter.admits(&account, UnixTime(second)));
        }
        assert!(limiter.0.lock().unwrap().len() <= MANY);
    }
}
