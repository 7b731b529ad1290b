//! Encoded words (RFC 2047), also those that were cut in the middle of a character.
//!
//! RFC 2047 §5 forbids the cut, and many senders do it nevertheless; decoded one by one, such words end in replacement
//! characters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::decoders::base64::base64_decode;

use super::{charset, transfer};

/// Decodes the encoded words of unstructured text.
pub(super) fn decode(text: &str) -> String {
    map(text, |word, decoded| decoded.push_str(&word.text()))
}

/// Writes encoded words that follow each other, in the same charset and separated by nothing but blanks, as one; for
/// parsers that decode word by word.
pub(super) fn join_adjacent(text: &str) -> String {
    map(text, |word, joined| {
        if word.is_joined {
            joined.push_str("=?");
            joined.push_str(word.charset);
            joined.push_str("?B?");
            STANDARD.encode_string(&word.bytes, joined);
            joined.push_str("?=");
        } else {
            joined.push_str(word.source);
        }
    })
}

/// Replaces encoded words, adjacent ones of the same charset taken together.
fn map(text: &str, write: impl Fn(&Word<'_>, &mut String)) -> String {
    let mut mapped = String::with_capacity(text.len());
    let mut pending: Option<Word<'_>> = None;
    let mut rest = text;
    while let Some((before, from_word)) = rest.find("=?").and_then(|at| rest.split_at_checked(at)) {
        let Some((word, after)) = Word::parse(from_word) else {
            flush(&mut mapped, pending.take(), &write);
            mapped.push_str(before);
            mapped.push_str("=?");
            rest = from_word.get(2..).unwrap_or_default();
            continue;
        };
        let is_adjacent = before.trim().is_empty();
        match &mut pending {
            Some(previous)
                if is_adjacent && previous.charset.eq_ignore_ascii_case(word.charset) =>
            {
                previous.bytes.extend_from_slice(&word.bytes);
                previous.is_joined = true;
            }
            previous => {
                let was_word = previous.is_some();
                flush(&mut mapped, previous.take(), &write);
                // Blanks between encoded words are no part of the text (RFC 2047 §6.2).
                if !(was_word && is_adjacent) {
                    mapped.push_str(before);
                }
                pending = Some(word);
            }
        }
        rest = after;
    }
    flush(&mut mapped, pending, &write);
    mapped.push_str(rest);
    mapped
}

fn flush(mapped: &mut String, word: Option<Word<'_>>, write: impl Fn(&Word<'_>, &mut String)) {
    if let Some(word) = word {
        write(&word, mapped);
    }
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

    fn text(&self) -> String {
        // A language may follow the charset (RFC 2231 §5).
        let label = self.charset.split('*').next().unwrap_or_default();
        charset::decode(label, &self.bytes).0.into_owned()
    }
}
