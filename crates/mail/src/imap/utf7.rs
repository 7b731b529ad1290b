//! Mailbox names on the wire: modified UTF-7 (RFC 3501 §5.1.3).
//!
//! ```text
//! ~peter/mail/台北/日本語   <->   ~peter/mail/&U,BTFw-/&ZeVnLIqe-
//! ```

use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The wire form of a mailbox name.
///
/// ```
/// # use mailgrant_mail::imap::utf7;
/// assert_eq!(utf7::encode("Entwürfe & mehr"), "Entw&APw-rfe &- mehr");
/// ```
pub fn encode(name: &str) -> String {
    let mut wire = String::with_capacity(name.len());
    let mut shifted: Vec<u8> = Vec::new();
    for character in name.chars() {
        if (' '..='~').contains(&character) {
            unshift(&mut shifted, &mut wire);
            wire.push(character);
            if character == '&' {
                wire.push('-');
            }
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                shifted.extend(unit.to_be_bytes());
            }
        }
    }
    unshift(&mut shifted, &mut wire);
    wire
}

/// The name behind a wire form; `None` when it is no modified UTF-7.
///
/// ```
/// # use mailgrant_mail::imap::utf7;
/// assert_eq!(utf7::decode("Entw&APw-rfe &- mehr").as_deref(), Some("Entwürfe & mehr"));
/// assert_eq!(utf7::decode("Q&A"), None);
/// ```
pub fn decode(wire: &str) -> Option<String> {
    let mut name = String::with_capacity(wire.len());
    let mut rest = wire;
    while let Some((plain, shifted)) = rest.split_once('&') {
        name.push_str(plain);
        let (run, after) = shifted.split_once('-')?;
        if run.is_empty() {
            name.push('&');
        } else {
            let bytes = ENGINE.decode(run).ok()?;
            let (pairs, []) = bytes.as_chunks::<2>() else {
                return None;
            };
            for character in char::decode_utf16(pairs.iter().map(|pair| u16::from_be_bytes(*pair)))
            {
                name.push(character.ok()?);
            }
        }
        rest = after;
    }
    name.push_str(rest);
    // Raw 8-bit names and needless shifts decode to something that encodes differently: such a
    // name could not be opened again.
    (encode(&name) == wire).then_some(name)
}

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

fn unshift(shifted: &mut Vec<u8>, wire: &mut String) {
    if !shifted.is_empty() {
        let _ = write!(wire, "&{}-", ENGINE.encode(&shifted));
        shifted.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_answers() {
        for (name, wire) in [
            ("INBOX", "INBOX"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("Gelöschte Elemente", "Gel&APY-schte Elemente"),
            ("Éléments envoyés", "&AMk-l&AOk-ments envoy&AOk-s"),
            ("Отправленные", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"),
            ("R&D", "R&-D"),
            ("&", "&-"),
            ("&&", "&-&-"),
            ("ü&ü", "&APw-&-&APw-"),
            ("📬", "&2D3c7A-"),
            ("a\tb", "a&AAk-b"),
            ("", ""),
        ] {
            assert_eq!(encode(name), wire);
            assert_eq!(decode(wire).as_deref(), Some(name), "{wire}");
        }
    }

    #[test]
    fn refuses_what_is_not_modified_utf7() {
        for wire in [
            "Q&A",
            "&AGE-",
            "&2D0-",
            "&A-",
            "&AP*-",
            "Entwürfe",
            "&APw",
            "&APw=-",
            "&APw-&APw-",
        ] {
            assert_eq!(decode(wire), None, "{wire}");
        }
    }

    proptest! {
        #[test]
        fn every_name_survives_the_wire(name in any::<String>()) {
            let wire = encode(&name);
            prop_assert!(wire.bytes().all(|b| (b' '..=b'~').contains(&b)));
            prop_assert_eq!(decode(&wire), Some(name));
        }

        #[test]
        fn decoding_is_total_and_faithful(wire in "[ -~]{0,24}") {
            if let Some(name) = decode(&wire) {
                prop_assert_eq!(encode(&name), wire);
            }
        }
    }
}
