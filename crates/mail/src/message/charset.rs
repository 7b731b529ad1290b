//! Octets as text.

use std::borrow::Cow;

use mail_parser::decoders::charsets::map::charset_decoder;

/// Text in the charset of that name, and whether every octet had a meaning in it.
///
/// Without a charset, or with one that is not known, UTF-8 is tried and then windows-1252, which is what software that
/// does not say means; octets above 127 under `us-ascii` are read the same way.
pub(super) fn decode<'a>(label: &str, bytes: &'a [u8]) -> (Cow<'a, str>, bool) {
    let label = label.trim();
    if label.eq_ignore_ascii_case("utf-8") || label.eq_ignore_ascii_case("utf8") {
        let text = String::from_utf8_lossy(bytes);
        let is_sound = matches!(text, Cow::Borrowed(_));
        return (text, is_sound);
    }
    if label.is_empty() {
        return (guess(bytes), true);
    }
    let is_ascii = label.eq_ignore_ascii_case("us-ascii") || label.eq_ignore_ascii_case("ascii");
    match charset_decoder(label.as_bytes()) {
        Some(decode) if !is_ascii => {
            let text = decode(bytes);
            let is_sound = !text.contains(char::REPLACEMENT_CHARACTER);
            (Cow::Owned(text), is_sound)
        }
        _ => (guess(bytes), bytes.is_ascii()),
    }
}

/// UTF-8, or else windows-1252.
pub(super) fn guess(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => match charset_decoder(b"windows-1252") {
            Some(decode) => Cow::Owned(decode(bytes)),
            None => String::from_utf8_lossy(bytes),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_unknown_and_missing_charsets() {
        for (label, bytes, text, is_sound) in [
            ("utf-8", &b"\xc3\xa9"[..], "é", true),
            ("UTF8", b"\xc3\xa9 \xe9", "é \u{fffd}", false),
            ("iso-8859-1", b"\xe9", "é", true),
            ("ISO-8859-15", b"\xa4", "€", true),
            ("windows-1251", b"\xcf", "П", true),
            ("koi8-r", b"\xf0", "П", true),
            ("shift_jis", b"\x83\x6e", "ハ", true),
            ("iso-2022-jp", b"\x1b$B$\"\x1b(B", "あ", true),
            ("gb18030", b"\xc4\xe3", "你", true),
            ("big5", b"\xa7\x41", "你", true),
            ("euc-kr", b"\xbe\xc8", "안", true),
            ("utf-16le", b"a\0", "a", true),
            ("utf-7", b"+AOk-", "é", true),
            ("", b"\xc3\xa9", "é", true),
            ("", b"\xe9", "é", true),
            ("us-ascii", b"a", "a", true),
            ("us-ascii", b"\x93a\x94", "“a”", false),
            ("x-unknown", b"a", "a", true),
            ("x-unknown", b"\xc3\xa9", "é", false),
        ] {
            assert_eq!(decode(label, bytes), (text.into(), is_sound), "{label}");
        }
    }
}
