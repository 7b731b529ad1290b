//! Joining of encoded words (RFC 2047) that were cut in the middle of a character.
//!
//! RFC 2047 §5 forbids the cut, and many senders do it nevertheless; decoded one by one, such words end in replacement
//! characters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::decoders::base64::base64_decode;

use super::transfer;

/// Writes encoded words that follow each other, in the same charset and separated by nothing but blanks, as one.
pub(super) fn join_adjacent(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut pending: Option<Word<'_>> = None;
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let (before, from_word) = rest.split_at(at);
        let Some((word, after)) = Word::parse(from_word) else {
            flush(&mut joined, pending.take());
            joined.push_str(before);
            joined.push_str("=?");
            rest = from_word.get(2..).unwrap_or_default();
            continue;
        };
        match &mut pending {
            Some(previous) if before.trim().is_empty() && previous.continues_with(&word) => {
                previous.bytes.extend_from_slice(&word.bytes);
                previous.is_joined = true;
            }
            _ => {
                flush(&mut joined, pending.take());
                joined.push_str(before);
                pending = Some(word);
            }
        }
        rest = after;
    }
    flush(&mut joined, pending);
    joined.push_str(rest);
    joined
}

/// `=?charset?encoding?payload?=`
struct Word<'a> {
    source: &'a str,
    charset: &'a str,
    bytes: Vec<u8>,
    is_joined: bool,
}

impl<'a> Word<'a> {
    /// Longer than the 75 octets of RFC 2047, because senders are; bounded, so that a header of `=?` costs nothing.
    const MAX: usize = 2_048;

    fn parse(text: &'a str) -> Option<(Self, &'a str)> {
        let mut limit = text.len().min(Self::MAX);
        while !text.is_char_boundary(limit) {
            limit -= 1;
        }
        let window = text.get(..limit)?;
        let (charset, after) = window.strip_prefix("=?")?.split_once('?')?;
        let (encoding, after) = after.split_once('?')?;
        let (payload, _) = after.split_once("?=")?;
        if charset.is_empty() || charset.contains(char::is_whitespace) {
            return None;
        }
        let bytes = match encoding {
            "b" | "B" => base64_decode(payload.as_bytes())?,
            "q" | "Q" => transfer::quoted_printable(payload.replace('_', " ").as_bytes()),
            _ => return None,
        };
        let length = charset.len() + encoding.len() + payload.len() + "=????=".len();
        let (source, rest) = text.split_at_checked(length)?;
        let word = Self {
            source,
            charset,
            bytes,
            is_joined: false,
        };
        Some((word, rest))
    }

    fn continues_with(&self, next: &Word<'_>) -> bool {
        self.charset.eq_ignore_ascii_case(next.charset)
    }
}

fn flush(joined: &mut String, word: Option<Word<'_>>) {
    let Some(word) = word else { return };
    if word.is_joined {
        joined.push_str("=?");
        joined.push_str(word.charset);
        joined.push_str("?B?");
        STANDARD.encode_string(&word.bytes, joined);
        joined.push_str("?=");
    } else {
        joined.push_str(word.source);
    }
}
