//! The first words of a message.

/// Characters of a preview (RFC 8621 §4.1.4).
pub(super) const MAX_PREVIEW: usize = 256;

/// The beginning of a text, each run of blanks and control characters as one space.
///
/// Characters that only pad, with which newsletters fill the preview, are left out. What ends in a replacement
/// character was cut off there.
pub(super) fn preview(text: &str) -> String {
    let mut preview = String::new();
    let mut length = 0;
    let mut is_gap = false;
    for character in text.chars() {
        if is_padding(character) {
            continue;
        }
        if character.is_whitespace() || character.is_control() {
            is_gap = !preview.is_empty();
            continue;
        }
        let needed = if is_gap { 2 } else { 1 };
        if length + needed > MAX_PREVIEW {
            break;
        }
        if is_gap {
            preview.push(' ');
        }
        preview.push(character);
        length += needed;
        is_gap = false;
    }
    preview
}

/// Soft hyphen, combining grapheme joiner, zero-width space and non-joiner, word joiner, byte order mark.
fn is_padding(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{200b}' | '\u{200c}' | '\u{2060}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_blanks() {
        for (text, expected) in [
            ("", ""),
            (" \r\n\t ", ""),
            ("  Hello,\r\n\r\n  world \u{a0} !\n", "Hello, world !"),
            ("a\0b\u{7}c", "a b c"),
            ("Sale\u{200c}\u{a0}\u{200c}\u{a0}\u{34f} now", "Sale now"),
        ] {
            assert_eq!(preview(text), expected, "{text:?}");
        }
    }

    #[test]
    fn ends_with_a_whole_character() {
        assert_eq!(preview(&"é".repeat(300)), "é".repeat(MAX_PREVIEW));
        assert_eq!(preview(&"😀 ".repeat(300)).chars().count(), MAX_PREVIEW - 1);
    }
}
