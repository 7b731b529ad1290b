//! The sandbox's own time: one clock for every part, which a test may move.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailgrant_core::time::UnixTime;

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
    offset: Arc<AtomicI64>,
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
            offset: Arc::new(AtomicI64::new(0)),
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
        self.set_offset_seconds(self.offset_seconds().saturating_add(seconds));
    }

    /// How many seconds the clock is ahead of its source.
    #[must_use]
    pub fn offset_seconds(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }

    /// Sets how many seconds the clock is ahead of its source; 0 puts it right again.
    pub fn set_offset_seconds(&self, seconds: i64) {
        self.offset.store(seconds, Ordering::Relaxed);
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

    #[test]
    fn advancing_without_end_saturates() {
        let clock = Clock::fixed(UnixTime(5));
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), UnixTime(i64::MAX));
    }
}
