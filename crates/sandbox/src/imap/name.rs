//! Mailbox names on the wire: modified UTF-7 (RFC 3501 §5.1.3) and LIST patterns (§6.3.8).

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{GeneralPurpose, general_purpose::NO_PAD};

/// `Entwürfe` as `Entw&APw-rfe`.
pub(super) fn encode(name: &str) -> String {
    let mut encoded = String::new();
    let mut pending: Vec<u8> = Vec::new();
    for character in name.chars() {
        if (' '..='~').contains(&character) {
            flush(&mut encoded, &mut pending);
            encoded.push(character);
            if character == '&' {
                encoded.push('-');
            }
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                pending.extend_from_slice(&unit.to_be_bytes());
            }
        }
    }
    flush(&mut encoded, &mut pending);
    encoded
}

/// `Entw&APw-rfe` as `Entwürfe`; `None` for anything that is not modified UTF-7. UTF-8 is taken as it is: some
/// clients send it, and Exchange understands them.
pub(super) fn decode(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    let mut decoded = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let (shifted, after) = after.split_once('-')?;
        rest = after;
        if shifted.is_empty() {
            decoded.push('&');
            continue;
        }
        let bytes = MUTF7.decode(shifted).ok()?;
        let units: Vec<u16> = bytes
            .chunks(2)
            .map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)))
            .collect::<Option<_>>()?;
        decoded.push_str(&String::from_utf16(&units).ok()?);
    }
    decoded.push_str(rest);
    Some(decoded)
}

/// Whether a name matches a LIST pattern: `*` matches anything, `%` anything but the delimiter. Case is ignored,
/// as in all of Exchange's names. Takes time in proportion to the product of the lengths, whatever the pattern.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    // reached[n]: the pattern so far matches the first n characters of the name.
    let mut reached = vec![false; name.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for token in pattern.to_lowercase().chars() {
        let mut next = vec![false; reached.len()];
        let mut open = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let here = reached.get(at).copied().unwrap_or(false);
            let before = at.checked_sub(1);
            let character = before.and_then(|at| name.get(at)).copied();
            *slot = match token {
                '*' => {
                    open |= here;
                    open
                }
                '%' => {
                    open = here || (open && character != Some('/'));
                    open
                }
                _ => {
                    character == Some(token)
                        && before.and_then(|at| reached.get(at)).copied() == Some(true)
                }
            };
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

fn flush(encoded: &mut String, pending: &mut Vec<u8>) {
    if !pending.is_empty() {
        encoded.push('&');
        encoded.push_str(&MUTF7.encode(&pending));
        encoded.push('-');
        pending.clear();
    }
}

const MUTF7: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modified_utf7_known_answers() {
        for (name, wire) in [
            ("INBOX", "INBOX"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("Gelöschte Elemente", "Gel&APY-schte Elemente"),
            ("Tom & Jerry", "Tom &- Jerry"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("☃🎄", "&JgPYPN+E-"),
        ] {
            assert_eq!(encode(name), wire);
            assert_eq!(decode(wire.as_bytes()).as_deref(), Some(name));
        }
        for bad in ["&", "&U", "&U-", "&2DwAYQ-", "a&!!-"] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(decode("Küche".as_bytes()).as_deref(), Some("Küche"));
    }

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*", "a/b", true),
            ("%", "a", true),
            ("%", "a/b", false),
            ("%/%", "a/b", true),
            ("a/%", "a", false),
            ("a*c", "a/b/c", true),
            ("inbox", "INBOX", true),
            ("*b%", "a/b", true),
            ("*b%", "b/a", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        let hostile = "*a".repeat(500);
        assert!(!matches(&hostile, &"a".repeat(400)));
    }
}
