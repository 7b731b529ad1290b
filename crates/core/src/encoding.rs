//! Percent and form encoding, base64: the three ways values travel.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use zeroize::Zeroizing;

/// Appends pairs as `application/x-www-form-urlencoded` (RFC 6749 appendix B): the space becomes
/// `+`, everything but `ALPHA / DIGIT / "*" / "-" / "." / "_"` a percent escape.
pub(crate) fn form<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Zeroizing<String> {
    // Sized at once: a growing string would leave copies of secrets behind.
    let capacity = pairs
        .clone()
        .map(|(name, value)| 3 * (name.len() + value.len()) + 2)
        .sum();
    let mut encoded = Zeroizing::new(String::with_capacity(capacity));
    for (name, value) in pairs {
        if !encoded.is_empty() {
            encoded.push('&');
        }
        form_component(&mut encoded, name);
        encoded.push('=');
        form_component(&mut encoded, value);
    }
    encoded
}

/// Reads pairs; `None` when an escape is broken or the bytes are not UTF-8.
pub(crate) fn form_pairs(encoded: &str) -> Option<Vec<(String, String)>> {
    encoded
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((form_text(name)?, form_text(value)?))
        })
        .collect()
}

pub(crate) fn form_component(into: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                into.push(char::from(byte));
            }
            b' ' => into.push('+'),
            _ => {
                into.push('%');
                into.push(hex_digit(byte >> 4));
                into.push(hex_digit(byte & 0xf));
            }
        }
    }
}

pub(crate) fn base64(bytes: &[u8]) -> Zeroizing<String> {
    // Exact, so that no copy is left behind by growth.
    let mut encoded = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(3) * 4));
    general_purpose::STANDARD.encode_string(bytes, &mut encoded);
    encoded
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64 as mail servers really send it: padding missing or one short, stray last bits.
pub(crate) fn base64_lenient(encoded: &str) -> Option<Zeroizing<Vec<u8>>> {
    LENIENT
        .decode(encoded.trim_matches(|c: char| c.is_ascii_whitespace()))
        .ok()
        .map(Zeroizing::new)
}

/// Reads base64url with or without padding, as it stands in a JWT.
pub(crate) fn base64url_lenient(encoded: &str) -> Option<Vec<u8>> {
    LENIENT_URL.decode(encoded).ok()
}

fn form_text(encoded: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex_value(bytes.next()?)? << 4 | hex_value(bytes.next()?)?,
            _ => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex_digit(nibble: u8) -> char {
    char::from(match nibble {
        0..=9 => b'0' + nibble,
        _ => b'A' + (nibble - 10),
    })
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

const LENIENT_CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const LENIENT: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT_CONFIG);
const LENIENT_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT_CONFIG);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn encodes_the_example_of_appendix_b() {
        // U+0020, "%", "&", "+", POUND SIGN, EURO SIGN.
        let mut encoded = String::new();
        form_component(&mut encoded, " %&+\u{a3}\u{20ac}");
        assert_eq!(encoded, "+%25%26%2B%C2%A3%E2%82%AC");
    }

    #[test]
    fn refuses_broken_escapes() {
        for broken in ["a=%", "a=%4", "a=%zz", "%ff=1"] {
            assert_eq!(form_pairs(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn form_round_trips(pairs: Vec<(String, String)>) {
            let encoded = form(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            prop_assert!(encoded.is_ascii());
            prop_assert_eq!(form_pairs(&encoded).unwrap(), pairs);
        }

        #[test]
        fn form_never_grows_past_its_capacity(pairs: Vec<(String, String)>) {
            let encoded = form(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            let capacity: usize = pairs.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
            prop_assert!(encoded.len() <= capacity);
        }

        #[test]
        fn form_reading_never_panics(text: String) {
            let _ = form_pairs(&text);
        }

        #[test]
        fn base64_round_trips(bytes: Vec<u8>) {
            let encoded = base64(&bytes);
            prop_assert_eq!(&*base64_lenient(&encoded).unwrap(), &bytes);
            prop_assert_eq!(&*base64_lenient(encoded.trim_end_matches('=')).unwrap(), &bytes);
            prop_assert_eq!(base64url_lenient(&base64url(&bytes)).unwrap(), bytes);
        }
    }
}
