//! The sandbox's own time: one clock for every part, which a test may move.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailgrant_core::time::UnixTime;
use tokio::sync::watch;
use tokio::time::timeout;

/// A shared, adjustable clock. Clones tell the same time.
///
/// It runs with the machine's clock (or with the function given) plus an offset, so that a test can let
/// ninety days pass without waiting:
///
/// ```
/// use std::time::Duration;
/// use mailgrant_core::time::UnixTime;
/// use mailgrant_sandbox::Clock;
///
/// let clock = Clock::fixed(UnixTime(1_800_000_000));
/// clock.advance(Duration::from_secs(3600));
/// assert_eq!(clock.now(), UnixTime(1_800_003_600));
/// ```
#[derive(Clone)]
pub struct Clock {
    source: Arc<dyn Fn() -> i64 + Send + Sync>,
    offset: watch::Sender<i64>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::from_source(system_seconds)
    }

    /// A clock that stands still until it is moved.
    #[must_use]
    pub fn fixed(at: UnixTime) -> Self {
        Self::from_source(move || at.0)
    }

    /// A clock that reads Unix seconds from `source`.
    pub fn from_source(source: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self {
            source: Arc::new(source),
            offset: watch::Sender::new(0),
        }
    }

    /// What time it is in the sandbox.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        UnixTime((self.source)().saturating_add(self.offset_seconds()))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        self.offset
            .send_modify(|offset| *offset = offset.saturating_add(seconds));
    }

    /// Ends when that moment has come, at once when the clock is moved past it.
    pub async fn reaches(&self, moment: UnixTime) {
        let mut offset = self.offset.subscribe();
        loop {
            let left = moment.since(self.now());
            if left.is_zero() {
                return;
            }
            // The machine's clock may be set, too.
            let _ = timeout(left.min(LOOK_AGAIN), offset.changed()).await;
        }
    }

    /// How many seconds the clock is ahead of its source.
    #[must_use]
    pub fn offset_seconds(&self) -> i64 {
        *self.offset.borrow()
    }

    /// Sets how many seconds the clock is ahead of its source; 0 puts it right again.
    pub fn set_offset_seconds(&self, seconds: i64) {
        self.offset.send_replace(seconds);
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Clock")
            .field("now", &self.now())
            .field("offset_seconds", &self.offset_seconds())
            .finish()
    }
}

/// How long the machine's clock is trusted to go on as it does.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the sandbox reads the machine's clock"
)]
fn system_seconds() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_move_together_and_can_be_put_right() {
        let clock = Clock::fixed(UnixTime(1_000));
        let other = clock.clone();
        clock.advance(Duration::from_secs(50));
        assert_eq!(other.now(), UnixTime(1_050));
        other.set_offset_seconds(-10);
        assert_eq!(clock.now(), UnixTime(990));
        clock.set_offset_seconds(0);
        assert_eq!(clock.now(), UnixTime(1_000));
    }

    #[tokio::test]
    async fn a_moment_comes_when_the_clock_is_moved_there() {
        let clock = Clock::fixed(UnixTime(1_000));
        clock.reaches(UnixTime(1_000)).await;
        let other = clock.clone();
        let waiting = tokio::spawn(async move { other.reaches(UnixTime(1_100)).await });
        clock.advance(Duration::from_secs(99));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        clock.advance(Duration::from_secs(1));
        waiting.await.unwrap();
    }

    #[test]
    fn advancing_without_end_saturates() {
        let clock = Clock::fixed(UnixTime(5));
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), UnixTime(i64::MAX));
    }
}
