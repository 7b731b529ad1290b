//! One account's sessions.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailgrant_core::time::UnixTime;
use mailgrant_mail::imap::Session;
use mailgrant_storage::Random;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::Error;
use crate::{pauses, tokens::LiveToken};

pub(super) struct Slot {
    /// Who may use a session now.
    pub(super) turns: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
    trouble: Mutex<Trouble>,
}

/// What went wrong lately, and how long nobody is to try by himself.
#[derive(Debug, Default)]
struct Trouble {
    until: Option<UnixTime>,
    /// The server asked for it: nobody is to try at all.
    is_asked: bool,
    failures: u32,
}

/// A session that waits for its next caller.
pub(super) struct Idle {
    pub(super) session: Session,
    pub(super) token: LiveToken,
    pub(super) open: OwnedSemaphorePermit,
    since: Instant,
}

impl Default for Slot {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(MOST_SESSIONS)),
            idle: Mutex::default(),
            trouble: Mutex::default(),
        }
    }
}

impl Idle {
    pub(super) fn new(session: Session, token: LiveToken, open: OwnedSemaphorePermit) -> Self {
        Self {
            session,
            token,
            open,
            since: Instant::now(),
        }
    }

    fn is_fresh(&self, now: UnixTime) -> bool {
        now < ends_at(&self.token) && self.since.elapsed() < LONGEST_IDLE
    }
}

impl Slot {
    /// The session used last, when there is a good one.
    pub(super) fn take(&self, now: UnixTime) -> Option<Idle> {
        let mut idle = self.idle();
        idle.retain(|each| each.is_fresh(now));
        idle.pop()
    }

    pub(super) fn put(&self, session: Idle) {
        self.idle().push(session);
    }

    pub(super) fn clear(&self) {
        self.idle().clear();
    }

    pub(super) fn sweep(&self, now: UnixTime) {
        self.idle().retain(|each| each.is_fresh(now));
    }

    /// Honours a pause that the mail server asked for.
    pub(super) fn check_pause(&self, now: UnixTime) -> Result<(), Error> {
        let trouble = self.trouble();
        match trouble.until {
            Some(until) if trouble.is_asked => check(until, now),
            _ => Ok(()),
        }
    }

    /// Notes a failure; gives the time of the next try that nobody waits for. A server that asks for a pause has it; else it
    /// doubles with each try that was due. What fails before was somebody's who would not wait.
    pub(super) fn rest(
        &self,
        asked: Option<Duration>,
        now: UnixTime,
        random: &dyn Random,
    ) -> UnixTime {
        let mut trouble = self.trouble();
        let until = match (asked, trouble.until) {
            (Some(asked), _) => now + asked.min(LONGEST_ASKED),
            (None, Some(until)) if pauses::left(until, now, LONGEST_ASKED).is_some() => until,
            (None, _) => {
                let doubled = FIRST_REST
                    .saturating_mul(1 << trouble.failures.min(10))
                    .min(LONGEST_REST);
                now + jittered(doubled, random)
            }
        };
        if trouble.until.is_none_or(|before| before <= now) {
            trouble.failures = trouble.failures.saturating_add(1);
        }
        trouble.is_asked = asked.is_some();
        trouble.until = Some(until);
        until
    }

    /// A session works.
    pub(super) fn works(&self) {
        *self.trouble() = Trouble::default();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a pause that the server asked for.
pub(super) fn check(until: UnixTime, now: UnixTime) -> Result<(), Error> {
    match pauses::left(until, now, LONGEST_ASKED) {
        Some(retry_after) => Err(Error::Throttled { retry_after }),
        None => Ok(()),
    }
}

/// When a session that was opened with this token is given up.
pub(super) fn ends_at(token: &LiveToken) -> UnixTime {
    token.expires_at - BEFORE_THE_END
}

/// Up to a quarter more, so that mailboxes that failed together are not tried together.
fn jittered(rest: Duration, random: &dyn Random) -> Duration {
    let mut bytes = [0; 2];
    random.fill(&mut bytes);
    rest + rest / 4 * u32::from(u16::from_be_bytes(bytes)) / u32::from(u16::MAX)
}

const MOST_SESSIONS: usize = 2;
const LONGEST_IDLE: Duration = Duration::from_secs(60);
/// A session is given up this long before its token ends: Exchange says BYE then.
const BEFORE_THE_END: Duration = Duration::from_secs(60);
/// A mail server that failed is tried again after this, and then after twice as long each time.
const FIRST_REST: Duration = Duration::from_secs(30);
/// Who mends a mailbox should not have to wait longer for it.
const LONGEST_REST: Duration = Duration::from_secs(15 * 60);
/// A server that asks for a longer pause than this is asked again all the same.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds the least, or the most.
    struct Always(u8);

    impl Random for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_pause_holds_until_its_end() {
        let slot = Slot::default();
        assert!(slot.check_pause(UnixTime(0)).is_ok());
        slot.rest(Some(seconds(90)), UnixTime(0), &Always(0));
        let Err(Error::Throttled { retry_after }) = slot.check_pause(UnixTime(30)) else {
            panic!("not throttled");
        };
        assert_eq!(retry_after, seconds(60));
        assert!(slot.check_pause(UnixTime(90)).is_ok());
        // No server makes a mailbox unusable for a day.
        let until = slot.rest(Some(seconds(86_400)), UnixTime(90), &Always(0));
        assert_eq!(until, UnixTime(90 + 3600));
        assert!(slot.check_pause(UnixTime(91)).is_err());
        // It began by a clock that was put back since.
        assert!(slot.check_pause(UnixTime(-86_400)).is_ok());
    }

    #[test]
    fn rests_double_with_the_tries_that_are_due_and_forbid_nobody_to_try() {
        let slot = Slot::default();
        let mut now = UnixTime(1000);
        for rest in [30, 60, 120, 240, 480, 900, 900] {
            let next = slot.rest(None, now, &Always(0));
            assert_eq!(next, now + seconds(rest));
            // Somebody tries in vain meanwhile.
            assert!(slot.check_pause(now).is_ok());
            assert_eq!(slot.rest(None, now + seconds(1), &Always(0)), next);
            now = next;
        }
        slot.works();
        let most = slot.rest(None, now, &Always(0xff));
        assert_eq!(most, now + Duration::from_millis(37_500));
    }
}
