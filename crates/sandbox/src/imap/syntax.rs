//! Writing IMAP: strings, dates, flags.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mailgrant_core::time::UnixTime;

use crate::mailstore::Flags;

/// A string as quoted string where that can be, else as literal (RFC 3501 §4.3).
pub(super) fn string(out: &mut Vec<u8>, value: &[u8]) {
    let plain = value.len() <= 1_000
        && value
            .iter()
            .all(|byte| (0x20..0x7F).contains(byte) || *byte == b'\t');
    if !plain {
        return literal(out, value);
    }
    out.push(b'"');
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// A string, or `NIL`.
pub(super) fn nstring(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(value) => string(out, value),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// `{5}` CRLF and the octets.
pub(super) fn literal(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(format!("{{{}}}\r\n", value.len()).as_bytes());
    out.extend_from_slice(value);
}

/// A mailbox name as atom where that can be, else quoted: so does Exchange.
pub(super) fn astring(out: &mut Vec<u8>, value: &str) {
    let atom = !value.is_empty()
        && value
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte));
    if atom {
        out.extend_from_slice(value.as_bytes());
    } else {
        string(out, value.as_bytes());
    }
}

/// `(\Seen \Flagged)`
pub(super) fn flags(out: &mut Vec<u8>, flags: Flags) {
    out.push(b'(');
    for (at, name) in flags.names().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(name.as_bytes());
    }
    out.push(b')');
}

/// `"22-Nov-2026 07:10:36 +0000"`
pub(super) fn date_time(moment: UnixTime) -> String {
    let moment = Timestamp::from_second(moment.0).unwrap_or_default();
    format!(
        "\"{}\"",
        moment
            .to_zoned(TimeZone::UTC)
            .strftime("%d-%b-%Y %H:%M:%S +0000")
    )
}

/// UIDs as `1:3,5`, ascending input.
pub(super) fn sequence_set(numbers: impl IntoIterator<Item = u32>) -> String {
    let mut set = String::new();
    let mut run: Option<(u32, u32)> = None;
    for number in numbers {
        run = match run {
            Some((first, last)) if last.checked_add(1) == Some(number) => Some((first, number)),
            _ => {
                push_run(&mut set, run);
                Some((number, number))
            }
        };
    }
    push_run(&mut set, run);
    set
}

fn push_run(set: &mut String, run: Option<(u32, u32)>) {
    let Some((first, last)) = run else { return };
    if !set.is_empty() {
        set.push(',');
    }
    set.push_str(&first.to_string());
    if last > first {
        set.push(':');
        set.push_str(&last.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_take_the_form_that_carries_them() {
        let written = |value: &[u8]| {
            let mut out = Vec::new();
            string(&mut out, value);
            String::from_utf8_lossy(&out).into_owned()
        };
        assert_eq!(written(b""), "\"\"");
        assert_eq!(written(b"a \"b\" \\c"), r#""a \"b\" \\c""#);
        assert_eq!(written("é".as_bytes()), "{2}\r\né");
        assert_eq!(written(b"a\r\nb"), "{4}\r\na\r\nb");
    }

    #[test]
    fn sets_are_written_in_runs() {
        assert_eq!(sequence_set([]), "");
        assert_eq!(sequence_set([1, 2, 3, 5, 7, 8]), "1:3,5,7:8");
        assert_eq!(sequence_set([u32::MAX]), "4294967295");
    }

    #[test]
    fn dates_have_two_digits() {
        assert_eq!(
            date_time(UnixTime(1_795_000_000)),
            "\"18-Nov-2026 11:06:40 +0000\""
        );
        assert_eq!(date_time(UnixTime(0)), "\"01-Jan-1970 00:00:00 +0000\"");
    }
}
