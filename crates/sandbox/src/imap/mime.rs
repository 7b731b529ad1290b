//! The structure of a message, by octets: where each part's header and body begin and end (RFC 2045, 2046).
//!
//! Clients put parts together from byte ranges and compare sizes with BODYSTRUCTURE, so nothing is decoded here
//! and nothing is guessed: a part is exactly what stands between two boundary lines.

mod address;
mod header;

use std::ops::Range;

pub(super) use address::{Address, addresses};
pub(super) use header::{Fields, Parameterised, parameterised, unfold};

/// A message or body part.
#[derive(Debug)]
pub(super) struct Part {
    /// From the first field to the end of the empty line.
    pub(super) header: Range<usize>,
    /// What follows.
    pub(super) body: Range<usize>,
    pub(super) content_type: Parameterised,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    /// Text, an image, anything without structure.
    Leaf,
    /// `multipart/*` with at least one part.
    Multipart(Vec<Part>),
    /// `message/rfc822`
    Message(Box<Part>),
}

impl Part {
    /// Reads a whole message.
    pub(super) fn parse(message: &[u8]) -> Part {
        let mut budget = MAX_PARTS;
        parse(
            message,
            0..message.len(),
            ("text", "plain"),
            MAX_DEPTH,
            &mut budget,
        )
    }

    /// The part of that number path (RFC 3501 §6.4.5); the empty path is the message itself.
    pub(super) fn find(&self, numbers: impl IntoIterator<Item = u32>) -> Option<&Part> {
        let mut part = self;
        // A number first looks into what it is applied to: the message itself, or a message in a part.
        let mut inside = Some(self);
        for number in numbers {
            let container = inside?;
            part = match &container.content {
                Content::Multipart(parts) => {
                    parts.get(usize::try_from(number).ok()?.checked_sub(1)?)?
                }
                // A message that is not multipart has one part: its body.
                _ if number == 1 => container,
                _ => return None,
            };
            inside = match &part.content {
                Content::Multipart(_) => Some(part),
                Content::Message(message) => Some(message),
                Content::Leaf => None,
            };
        }
        Some(part)
    }

    /// Whether the media type is this one; `subtype` of `None` means any.
    pub(super) fn is(&self, kind: &str, subtype: Option<&str>) -> bool {
        let (this, sub) = media_type(&self.content_type.value);
        this.eq_ignore_ascii_case(kind.as_bytes())
            && subtype.is_none_or(|subtype| sub.eq_ignore_ascii_case(subtype.as_bytes()))
    }
}

/// `text/plain` in its halves; nothing where there is no slash.
pub(super) fn media_type(value: &[u8]) -> (&[u8], &[u8]) {
    match value.iter().position(|byte| *byte == b'/') {
        Some(at) => (
            value.get(..at).unwrap_or_default(),
            value.get(at + 1..).unwrap_or_default(),
        ),
        None => (value, b""),
    }
}

/// Where the header of the octets in `range` ends: after the first empty line.
pub(super) fn header_end(message: &[u8], range: Range<usize>) -> usize {
    let mut at = range.start;
    let bytes = message.get(range.clone()).unwrap_or_default();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if line == b"\r\n" || line == b"\n" {
            return at;
        }
    }
    range.end
}

fn parse(
    message: &[u8],
    range: Range<usize>,
    default: (&str, &str),
    depth: usize,
    budget: &mut usize,
) -> Part {
    let body = header_end(message, range.clone())..range.end;
    let header = range.start..body.start;
    let fields = Fields::new(message.get(header.clone()).unwrap_or_default());
    let content_type = fields
        .value("Content-Type")
        .map(parameterised)
        .filter(|parsed| {
            let (kind, subtype) = media_type(&parsed.value);
            !kind.is_empty() && !subtype.is_empty()
        })
        .unwrap_or_else(|| Parameterised {
            value: format!("{}/{}", default.0, default.1).into_bytes(),
            parameters: Vec::new(),
        });
    let mut part = Part {
        header,
        body,
        content_type,
        content: Content::Leaf,
    };
    if depth == 0 {
        return part;
    }
    if part.is("multipart", None) {
        let default = if part.is("multipart", Some("digest")) {
            ("message", "rfc822")
        } else {
            ("text", "plain")
        };
        let boundary = part.content_type.parameter("boundary").unwrap_or_default();
        let parts: Vec<Part> = between(message, part.body.clone(), boundary, *budget)
            .into_iter()
            .map_while(|range| {
                *budget = budget.checked_sub(1)?;
                Some(parse(message, range, default, depth - 1, budget))
            })
            .collect();
        if !parts.is_empty() {
            part.content = Content::Multipart(parts);
        }
    } else if part.is("message", Some("rfc822")) && *budget > 0 {
        let encoding = fields
            .value("Content-Transfer-Encoding")
            .unwrap_or_default();
        // RFC 2046 §5.2.1 allows no encoding here; where there is one, the octets are not a message.
        let plain = [b"" as &[u8], b"7bit", b"8bit", b"binary"]
            .iter()
            .any(|plain| encoding.trim_ascii().eq_ignore_ascii_case(plain));
        if plain {
            *budget -= 1;
            let inner = parse(
                message,
                part.body.clone(),
                ("text", "plain"),
                depth - 1,
                budget,
            );
            part.content = Content::Message(Box::new(inner));
        }
    }
    part
}

/// The ranges between the boundary lines of a multipart body. The line end before a boundary belongs to it
/// (RFC 2046 §5.1.1).
fn between(message: &[u8], body: Range<usize>, boundary: &[u8], limit: usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    if boundary.is_empty() {
        return ranges;
    }
    let mut at = body.start;
    let mut open: Option<usize> = None;
    let bytes = message.get(body.clone()).unwrap_or_default();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let start = at;
        at += line.len();
        let Some(close) = boundary_line(line, boundary) else {
            continue;
        };
        if let Some(from) = open.take() {
            ranges.push(from..before_line_end(message, from, start));
        }
        if close || ranges.len() >= limit {
            return ranges;
        }
        open = Some(at);
    }
    // A torn message: the last part goes as far as there is anything.
    if let Some(from) = open.filter(|from| *from < body.end) {
        ranges.push(from..body.end);
    }
    ranges
}

/// Whether a line is the boundary (`false`) or its last form (`true`). White space may follow.
fn boundary_line(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    let (rest, close) = match rest.strip_prefix(b"--") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    rest.trim_ascii().is_empty().then_some(close)
}

fn before_line_end(message: &[u8], from: usize, to: usize) -> usize {
    let part = message.get(from..to).unwrap_or_default();
    let end = if part.ends_with(b"\r\n") {
        to - 2
    } else if part.ends_with(b"\n") {
        to - 1
    } else {
        to
    };
    end.max(from)
}

/// Deeper structure is left as one opaque part.
const MAX_DEPTH: usize = 32;
/// More parts than this are left out.
const MAX_PARTS: usize = 2_000;

#[cfg(test)]
mod tests;
