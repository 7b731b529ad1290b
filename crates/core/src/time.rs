//! Moments, as the wire gives them.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z (RFC 7519 `NumericDate`, whole seconds).
///
/// Core has no clock: the caller says what time it is. Arithmetic saturates.
///
/// ```
/// use std::time::Duration;
/// use mailgrant_core::time::UnixTime;
///
/// let issued = UnixTime(1_700_000_000);
/// let expires = issued + Duration::from_secs(3600);
/// assert_eq!(expires.since(issued), Duration::from_secs(3600));
/// assert_eq!(issued.since(expires), Duration::ZERO);
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// The time that passed since `earlier`; nothing when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let seconds = self.0.saturating_sub(earlier.0);
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    }
}

impl Add<Duration> for UnixTime {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(whole_seconds(duration)))
    }
}

impl Sub<Duration> for UnixTime {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(whole_seconds(duration)))
    }
}

fn whole_seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saturates_at_both_ends() {
        assert_eq!(UnixTime(i64::MAX) + Duration::MAX, UnixTime(i64::MAX));
        assert_eq!(UnixTime(i64::MIN) - Duration::MAX, UnixTime(i64::MIN));
        assert_eq!(UnixTime(i64::MIN).since(UnixTime(i64::MAX)), Duration::ZERO);
    }

    #[test]
    fn is_a_bare_number_in_json() {
        assert_eq!(serde_json::to_string(&UnixTime(7)).unwrap(), "7");
        assert_eq!(serde_json::from_str::<UnixTime>("7").unwrap(), UnixTime(7));
    }
}
