//! Pauses by a clock that may be put back.

use std::time::Duration;

use mailgrant_core::time::UnixTime;

/// What is left of a pause that lasts no longer than `longest`; `None` when it is over. More is left only when the clock was
/// wrong as it began: then it is over, too, or it would last for years.
pub(crate) fn left(until: UnixTime, now: UnixTime, longest: Duration) -> Option<Duration> {
    let left = until.since(now);
    (!left.is_zero() && left <= longest).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_lasts_no_longer_than_it_may() {
        let left = |now| left(UnixTime(100), UnixTime(now), Duration::from_secs(30));
        assert_eq!(left(100), None);
        assert_eq!(left(101), None);
        assert_eq!(left(99), Some(Duration::from_secs(1)));
        assert_eq!(left(70), Some(Duration::from_secs(30)));
        assert_eq!(left(69), None, "the clock was put back");
    }
}
