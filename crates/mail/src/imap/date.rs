//! Dates as IMAP writes them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use mailgrant_core::time::UnixTime;

/// Reads an INTERNALDATE (RFC 3501 `date-time`).
///
/// ```text
/// "17-Jul-1996 02:44:25 -0700"
/// ```
pub(super) fn internal_date(text: &str) -> Option<UnixTime> {
    let mut words = text.split_ascii_whitespace();
    let (date, time) = (words.next()?, words.next()?);
    let zone = words.next().unwrap_or("+0000");

    let mut date = date.split('-');
    let day: i8 = date.next()?.parse().ok()?;
    let month = month(date.next()?)?;
    let year: i16 = date.next()?.parse().ok()?;
    let mut time = time.split(':');
    let hour: i8 = time.next()?.parse().ok()?;
    let minute: i8 = time.next()?.parse().ok()?;
    let second: i8 = time.next()?.parse().ok()?;

    let local = DateTime::new(year, month, day, hour, minute, second.min(59), 0).ok()?;
    let utc = local.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    Some(UnixTime(utc - zone_seconds(zone)?))
}

/// The date in UTC, some days away from `time`, as SEARCH takes it (RFC 3501 `date`).
///
/// `None` outside the years 1 to 9999.
pub(super) fn search_date(time: UnixTime, days: i64) -> Option<String> {
    let date = Timestamp::from_second(time.0)
        .ok()?
        .to_zoned(TimeZone::UTC)
        .date()
        .checked_add(Span::new().try_days(days).ok()?)
        .ok()?;
    let month = usize::try_from(date.month()).ok()?.checked_sub(1)?;
    let month = MONTHS.get(month)?;
    (date.year() > 0).then(|| format!("{}-{month}-{:04}", date.day(), date.year()))
}

fn month(name: &str) -> Option<i8> {
    let index = MONTHS
        .iter()
        .position(|month| month.eq_ignore_ascii_case(name))?;
    i8::try_from(index + 1).ok()
}

fn zone_seconds(zone: &str) -> Option<i64> {
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at_checked(2)?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn internal_dates() {
        for (text, seconds) in [
            ("17-Jul-1996 02:44:25 -0700", Some(837_596_665)),
            (" 1-Jan-1970 00:00:00 +0000", Some(0)),
            ("01-Jan-1970 02:00:00 +0200", Some(0)),
            ("22-Nov-2026 08:00:00 +0530", Some(1_795_314_600)),
            ("29-Feb-2024 23:59:60 +0000", Some(1_709_251_199)),
            ("31-dec-1969 23:59:59", Some(-1)),
            ("30-Feb-2024 00:00:00 +0000", None),
            ("1-Foo-2024 00:00:00 +0000", None),
            ("1-Jan-2024 25:00:00 +0000", None),
            ("1-Jan-2024 00:00:00 GMT", None),
            ("1-Jan-2024 00:00:00 +1", None),
            ("1-Jan-2024", None),
            ("", None),
        ] {
            assert_eq!(internal_date(text), seconds.map(UnixTime), "{text}");
        }
    }

    #[test]
    fn search_dates() {
        assert_eq!(search_date(UnixTime(0), 0).as_deref(), Some("1-Jan-1970"));
        assert_eq!(search_date(UnixTime(0), -1).as_deref(), Some("31-Dec-1969"));
        assert_eq!(
            search_date(UnixTime(86_399), 2).as_deref(),
            Some("3-Jan-1970")
        );
        assert_eq!(search_date(UnixTime(i64::MAX), 0), None);
        assert_eq!(search_date(UnixTime(i64::MIN), 0), None);
        assert_eq!(search_date(UnixTime(253_402_207_200), 2), None);
    }

    proptest! {
        #[test]
        fn reading_is_total(text in any::<String>(), time in any::<i64>(), days in -3i64..3) {
            let _ = internal_date(&text);
            let _ = search_date(UnixTime(time), days);
        }

        #[test]
        fn near_dates_are_total(text in "[ 0-9]{1,3}-(Jan|Feb|Xyz)-[0-9]{1,6} [0-9]{1,3}:[0-9]{1,2}:[0-9]{1,2} [-+][0-9]{2,5}") {
            let _ = internal_date(&text);
        }
    }
}
