//! One account's sessions.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailgrant_core::time::UnixTime;
use mailgrant_mail::imap::Session;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::Error;

pub(super) struct Slot {
    /// Who may use a session now.
    pub(super) turns: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
    paused_until: Mutex<Option<UnixTime>>,
}

/// A session that waits for its next caller.
pub(super) struct Idle {
    pub(super) session: Session,
    pub(super) ends_at: UnixTime,
    pub(super) open: OwnedSemaphorePermit,
    since: Instant,
}

impl Default for Slot {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(MOST_SESSIONS)),
            idle: Mutex::default(),
            paused_until: Mutex::default(),
        }
    }
}

impl Idle {
    pub(super) fn new(session: Session, ends_at: UnixTime, open: OwnedSemaphorePermit) -> Self {
        Self {
            session,
            ends_at,
            open,
            since: Instant::now(),
        }
    }

    fn is_fresh(&self, now: UnixTime) -> bool {
        now < self.ends_at && self.since.elapsed() < LONGEST_IDLE
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
        match *self.paused() {
            Some(until) if now < until => Err(Error::Throttled {
                retry_after: until.since(now),
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn pause(&self, until: UnixTime) {
        *self.paused() = Some(until);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn paused(&self) -> MutexGuard<'_, Option<UnixTime>> {
        self.paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

const MOST_SESSIONS: usize = 2;
const LONGEST_IDLE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_holds_until_its_end() {
        let slot = Slot::default();
        assert!(slot.check_pause(UnixTime(0)).is_ok());
        slot.pause(UnixTime(90));
        let Err(Error::Throttled { retry_after }) = slot.check_pause(UnixTime(30)) else {
            panic!("not throttled");
        };
        assert_eq!(retry_after, Duration::from_secs(60));
        assert!(slot.check_pause(UnixTime(90)).is_ok());
    }
}
