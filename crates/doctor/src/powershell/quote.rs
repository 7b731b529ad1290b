//! Literals that hold whatever text they are given.

use std::fmt::Write as _;

/// A PowerShell literal of that text, in ASCII and in one line.
///
/// ```text
/// orders@contoso.example    'orders@contoso.example'
/// appId eq 'x'              "appId eq 'x'"
/// 'a' and $b                '''a'' and $b'
/// Müller                    "M$([char]0x00FC)ller"
/// ```
///
/// PowerShell takes typographic quotation marks for plain ones (about_Quoting_Rules), so these too are written by
/// their numbers.
#[must_use]
pub fn quoted(text: &str) -> String {
    let plain = text
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if !plain {
        return expandable(text);
    }
    match text.contains('\'') {
        true if !text.contains(['"', '$', '`']) => format!("\"{text}\""),
        _ => format!("'{}'", text.replace('\'', "''")),
    }
}

/// Text for behind a `#`: one line, in ASCII.
#[must_use]
pub fn comment(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            ' '..='~' => letter,
            _ => '?',
        })
        .collect()
}

fn expandable(text: &str) -> String {
    let mut literal = String::with_capacity(text.len().saturating_add(2));
    literal.push('"');
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte @ (b'"' | b'$' | b'`')) => {
                literal.push('`');
                literal.push(char::from(byte));
            }
            // Behind a number, readers of other make than PowerShell take `#` for a comment.
            Ok(byte) if byte != b'#' && (byte == b' ' || byte.is_ascii_graphic()) => {
                literal.push(char::from(byte));
            }
            // Writing to a String cannot fail.
            _ => {
                let _ = write!(literal, "$([char]0x{unit:04X})");
            }
        }
    }
    literal.push('"');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn literals_are_what_a_person_would_write() {
        for (text, literal) in [
            ("", "''"),
            ("orders@contoso.example", "'orders@contoso.example'"),
            ("o'brien@contoso.example", "\"o'brien@contoso.example\""),
            ("$(rm)'", "'$(rm)'''"),
            ("a`\"'b", "'a`\"''b'"),
            ("it\u{2019}s", "\"it$([char]0x2019)s\""),
            ("a\r\n$b", "\"a$([char]0x000D)$([char]0x000A)`$b\""),
            ("\u{2018}#", "\"$([char]0x2018)$([char]0x0023)\""),
            ("\u{1F4EE}", "\"$([char]0xD83D)$([char]0xDCEE)\""),
        ] {
            assert_eq!(quoted(text), literal);
        }
    }

    /// What PowerShell makes of a literal of ours, and what is left behind it.
    fn read(literal: &str) -> (String, &str) {
        let mut rest = literal.get(1..).unwrap();
        let mut units = Vec::new();
        if literal.starts_with('\'') {
            loop {
                let end = rest.find('\'').unwrap();
                units.extend(rest[..end].encode_utf16());
                rest = &rest[end + 1..];
                match rest.strip_prefix('\'') {
                    Some(more) => rest = more,
                    None => break,
                }
                units.push(u16::from(b'\''));
            }
        } else {
            while let Some(after) = rest.strip_prefix(|_: char| true) {
                if let Some(number) = rest.strip_prefix("$([char]0x") {
                    units.push(u16::from_str_radix(&number[..4], 16).unwrap());
                    rest = number[4..].strip_prefix(')').unwrap();
                } else if let Some(escaped) = rest.strip_prefix('`') {
                    units.extend(escaped[..1].encode_utf16());
                    rest = &escaped[1..];
                } else if rest.starts_with('"') {
                    rest = after;
                    break;
                } else {
                    assert!(!rest.starts_with('$'), "expands: {literal}");
                    units.extend(rest[..1].encode_utf16());
                    rest = after;
                }
            }
        }
        (String::from_utf16(&units).unwrap(), rest)
    }

    proptest! {
        #[test]
        fn no_text_gets_out(text in ".*|[ -~'\"$`()]*") {
            let literal = quoted(&text);
            prop_assert!(literal.is_ascii() && !literal.contains(['\r', '\n']));
            prop_assert_eq!(read(&literal), (text, ""));
        }

        #[test]
        fn a_comment_stays_one(text: String) {
            let line = comment(&text);
            prop_assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }
}
