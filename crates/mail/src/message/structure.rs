//! The tree of parts of a message: where each header and each body begins and ends.
//!
//! One pass over the lines with a stack of open boundaries, so that time is linear in the input and depth is bounded by
//! [`MAX_DEPTH`], whatever the message says. `mail_parser` reads what is inside the ranges (field values, encodings,
//! charsets); its own splitting is not used, because version 0.11 has no limits: it looks for each boundary to the end
//! of the input and drops nested messages recursively.

use std::ops::Range;

use super::content::Content;
use super::fields::Fields;

/// Multiparts inside multiparts. Deeper ones are kept as attachments.
pub(super) const MAX_DEPTH: usize = 64;
/// Parts of a message. What follows the last one is not read.
pub(super) const MAX_PARTS: usize = 2_000;

/// The parts of a message in the order in which they appear; the first is the message itself.
pub(super) struct Structure {
    pub parts: Vec<Part>,
    /// A limit was reached, so there is more than `parts` tells.
    pub is_truncated: bool,
}

/// One entity (RFC 2045 §2.4): header fields and a body.
pub(super) struct Part {
    /// The part number of IMAP (RFC 3501 §6.4.5), `""` for a multipart that is the whole message.
    pub number: String,
    pub header: Range<usize>,
    pub body: Range<usize>,
    pub content: Content,
    /// Indices into [`Structure::parts`]; empty unless this is a multipart.
    pub children: Vec<usize>,
}

impl Part {
    pub fn is_multipart(&self) -> bool {
        !self.children.is_empty()
    }
}

impl Structure {
    /// Finds the parts of a message.
    pub fn of(raw: &[u8]) -> Self {
        Splitter::new(raw).run()
    }

    /// The parts which are not multiparts.
    pub fn leaves(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| !part.is_multipart())
    }
}

/// What the lines that follow are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Header fields of a part.
    Header(usize),
    /// The body of a part, or the preamble of a multipart.
    Body(usize),
    /// The epilogue of a multipart, or parts beyond the limit.
    Ignored,
}

/// A multipart whose end has not been seen.
struct Open {
    part: usize,
    boundary: Vec<u8>,
}

struct Splitter<'a> {
    raw: &'a [u8],
    parts: Vec<Part>,
    open: Vec<Open>,
    state: State,
    is_truncated: bool,
}

impl<'a> Splitter<'a> {
    fn new(raw: &'a [u8]) -> Self {
        let mut splitter = Self {
            raw,
            parts: Vec::new(),
            open: Vec::new(),
            state: State::Ignored,
            is_truncated: false,
        };
        splitter.begin_part(None, 0);
        splitter
    }

    fn run(mut self) -> Structure {
        let mut line_start = 0;
        // Where the line break before the current line begins: it belongs to the boundary (RFC 2046 §5.1.1).
        let mut previous_end = 0;
        while let Some(rest) = self.raw.get(line_start..).filter(|rest| !rest.is_empty()) {
            let (line, length) = first_line(rest);
            let next = line_start + length;
            if !self.boundary_line(line, previous_end, next)
                && let State::Header(part) = self.state
                && self.header_line(part, line, line_start, next)
            {
                self.boundary_line(line, line_start, next);
            }
            previous_end = line_start + line.len();
            line_start = next;
        }
        self.end_parts(self.raw.len(), 0);
        for part in self
            .parts
            .iter_mut()
            .filter(|part| part.children.is_empty())
        {
            part.content.without_parts();
        }
        if let Some(root) = self.parts.first_mut()
            && root.children.is_empty()
        {
            root.number = "1".to_owned();
        }
        Structure {
            parts: self.parts,
            is_truncated: self.is_truncated,
        }
    }

    /// Ends and begins parts if the line is a boundary; says whether it is one.
    fn boundary_line(&mut self, line: &[u8], previous_end: usize, next: usize) -> bool {
        let Some((depth, is_close)) = self.boundary(line) else {
            return false;
        };
        let parent = self.open.get(depth).map(|open| open.part);
        if is_close {
            self.end_parts(previous_end, depth);
        } else {
            self.end_parts(previous_end, depth + 1);
            self.begin_part(parent, next);
        }
        true
    }

    /// The open multipart whose boundary this line is, and whether it closes it.
    ///
    /// The whole line has to match, trailing blanks aside: boundaries that begin with one another are common
    /// (`=_part_1`, `=_part_10`).
    fn boundary(&self, line: &[u8]) -> Option<(usize, bool)> {
        let candidate = line.strip_prefix(b"--")?.trim_ascii_end();
        self.open
            .iter()
            .enumerate()
            .rev()
            .find_map(
                |(depth, open)| match candidate.strip_prefix(open.boundary.as_slice())? {
                    b"" => Some((depth, false)),
                    b"--" => Some((depth, true)),
                    _ => None,
                },
            )
    }

    fn begin_part(&mut self, parent: Option<usize>, offset: usize) {
        if self.parts.len() >= MAX_PARTS {
            self.is_truncated = true;
            self.state = State::Ignored;
            return;
        }
        let index = self.parts.len();
        let mut number = String::new();
        if let Some(parent) = parent.and_then(|parent| self.parts.get_mut(parent)) {
            parent.children.push(index);
            number.clone_from(&parent.number);
            if !number.is_empty() {
                number.push('.');
            }
            number.push_str(&parent.children.len().to_string());
        }
        self.parts.push(Part {
            number,
            header: offset..offset,
            body: offset..offset,
            content: Content::default(),
            children: Vec::new(),
        });
        self.state = State::Header(index);
    }

    /// Reads a line of a header; says whether it was the first line of the body, the empty line before it missing.
    fn header_line(&mut self, part: usize, line: &[u8], start: usize, next: usize) -> bool {
        let is_first = self
            .parts
            .get(part)
            .is_some_and(|part| part.header.start == start);
        if line.is_empty() {
            self.end_header(part, start, next);
            return false;
        }
        let is_body = !Fields::is_header_line(line, is_first);
        if is_body {
            self.end_header(part, start, start);
        }
        is_body
    }

    fn end_header(&mut self, index: usize, end: usize, body: usize) {
        let is_in_digest = self.open.last().is_some_and(|open| {
            self.parts
                .get(open.part)
                .is_some_and(|parent| parent.content.is("multipart", "digest"))
        });
        let Some(part) = self.parts.get_mut(index) else {
            return;
        };
        part.header.end = end;
        part.body = body..body;
        let header = self.raw.get(part.header.clone()).unwrap_or_default();
        part.content = Content::of(&Fields::of(header), is_in_digest);
        self.state = State::Body(index);
        if let Some(boundary) = part.content.boundary.clone() {
            if self.open.len() < MAX_DEPTH {
                self.open.push(Open {
                    part: index,
                    boundary: boundary.into_bytes(),
                });
            } else {
                self.is_truncated = true;
            }
        }
    }

    /// Ends the part being read and the multiparts above `depth`, which a boundary further out, or the end, cuts off.
    fn end_parts(&mut self, end: usize, depth: usize) {
        match self.state {
            State::Header(part) => self.end_header(part, end, end),
            State::Body(_) | State::Ignored => {}
        }
        if let State::Body(part) = self.state {
            self.end_body(part, end);
        }
        for open in self.open.split_off(depth.min(self.open.len())) {
            self.end_body(open.part, end);
        }
        self.state = State::Ignored;
    }

    fn end_body(&mut self, index: usize, end: usize) {
        if let Some(part) = self.parts.get_mut(index) {
            part.body.end = end.max(part.body.start);
        }
    }
}

/// A line without its line break, and its length with it.
fn first_line(rest: &[u8]) -> (&[u8], usize) {
    match rest.iter().position(|&byte| byte == b'\n') {
        Some(end) => {
            let line = rest.get(..end).unwrap_or_default();
            (line.strip_suffix(b"\r").unwrap_or(line), end + 1)
        }
        None => (rest, rest.len()),
    }
}
