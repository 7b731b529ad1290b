//! The state machine of the guard, free of I/O.

use super::GuardLimit;

/// Follows the octets of a server, one response after the other.
#[derive(Debug)]
pub(super) struct Scanner {
    max_literal: u64,
    max_line: usize,
    max_depth: u32,
    responses: u64,
    literal_left: u64,
    response: Response,
}

impl Scanner {
    pub(super) fn new(max_literal: u64, max_line: usize, max_depth: u32) -> Self {
        Self {
            max_literal,
            max_line,
            max_depth,
            responses: 0,
            literal_left: 0,
            response: Response::default(),
        }
    }

    /// Reads on; answers how many octets are good, and the offence that stands after them.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> (usize, Result<(), GuardLimit>) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if self.literal_left > 0 {
                let skipped =
                    usize::try_from(self.literal_left).map_or(rest.len(), |n| n.min(rest.len()));
                self.literal_left -= skipped as u64;
                at += skipped;
                continue;
            }
            for &byte in rest {
                if let Err(limit) = self.octet(byte) {
                    return (at, Err(limit));
                }
                at += 1;
                if self.literal_left > 0 {
                    break;
                }
            }
        }
        (at, Ok(()))
    }

    /// Complete responses so far.
    pub(super) fn responses(&self) -> u64 {
        self.responses
    }

    /// Whether a response has begun and not ended.
    pub(super) fn is_partial(&self) -> bool {
        self.response.line > 0
    }

    fn octet(&mut self, byte: u8) -> Result<(), GuardLimit> {
        let response = &mut self.response;
        response.line += 1;
        if response.line > self.max_line {
            return Err(GuardLimit::Line {
                limit: self.max_line,
            });
        }
        match byte {
            0 => return Err(GuardLimit::Malformed("a NUL octet")),
            b'\n' => return self.end_of_line(),
            _ if response.after_cr => return Err(GuardLimit::Malformed("a CR without LF")),
            b'\r' => {
                response.after_cr = true;
                return Ok(());
            }
            b'(' => {
                response.parentheses += 1;
                if response.parentheses > self.max_depth {
                    return Err(GuardLimit::Depth {
                        limit: self.max_depth,
                    });
                }
            }
            _ => {}
        }
        response.octet(byte)
    }

    fn end_of_line(&mut self) -> Result<(), GuardLimit> {
        let response = &mut self.response;
        if !response.after_cr {
            return Err(GuardLimit::Malformed("a LF without CR"));
        }
        response.after_cr = false;
        if response.quoted {
            return Err(GuardLimit::Malformed("a line that ends inside quotes"));
        }
        if let Some(size) = response.brace.announced() {
            if !response.literal_is_allowed() {
                return Err(GuardLimit::Malformed(
                    "a literal that is neither BODY[] nor a mailbox name",
                ));
            }
            let limit = match response.kind {
                Kind::Fetch => self.max_literal,
                _ => self.max_line as u64,
            };
            response.literals = response.literals.saturating_add(size);
            if response.literals > limit {
                return Err(GuardLimit::Literal {
                    announced: response.literals,
                    limit,
                });
            }
            self.literal_left = size;
            response.after_literal();
            return Ok(());
        }
        if response.depth > 0 && response.kind != Kind::Other {
            return Err(GuardLimit::Malformed("a line that ends inside parentheses"));
        }
        self.responses += 1;
        *response = Response::default();
        Ok(())
    }
}

/// What is known of the response being read.
#[derive(Debug, Default)]
struct Response {
    kind: Kind,
    head: Head,
    line: usize,
    literals: u64,
    parentheses: u32,
    depth: u32,
    quoted: bool,
    escaped: bool,
    after_cr: bool,
    brace: Brace,
    token: Token,
    previous: Token,
}

impl Response {
    fn octet(&mut self, byte: u8) -> Result<(), GuardLimit> {
        if self.kind == Kind::Undecided {
            self.kind = self.head.push(byte);
        }
        if self.kind == Kind::Other {
            self.brace.push(byte, true);
            return Ok(());
        }
        if self.quoted {
            return self.quoted_octet(byte);
        }
        let starts_token = self.token.length == 0;
        self.brace.push(byte, starts_token);
        match byte {
            b'"' if starts_token => {
                self.quoted = true;
                self.token.push(byte);
            }
            b'"' => return Err(GuardLimit::Malformed("a quote inside a word")),
            b' ' => self.previous = std::mem::take(&mut self.token),
            b'(' => {
                self.depth += 1;
                self.forget_tokens();
            }
            b')' => {
                self.depth = self
                    .depth
                    .checked_sub(1)
                    .ok_or(GuardLimit::Malformed("a stray closing parenthesis"))?;
                self.forget_tokens();
            }
            _ => self.token.push(byte),
        }
        Ok(())
    }

    /// RFC 3501 `quoted`: only `"` and `\` may be escaped. The parser falls back to another reading
    /// of the line where that is broken, so it must not get there.
    fn quoted_octet(&mut self, byte: u8) -> Result<(), GuardLimit> {
        match (self.escaped, byte) {
            (true, b'"' | b'\\') => self.escaped = false,
            (true, _) => {
                return Err(GuardLimit::Malformed(
                    "a backslash before an ordinary octet",
                ));
            }
            (false, b'\\') => self.escaped = true,
            (false, b'"') => self.quoted = false,
            (false, _) => {}
        }
        Ok(())
    }

    fn literal_is_allowed(&self) -> bool {
        self.brace.starts_token
            && !self.brace.non_synchronising
            && match self.kind {
                Kind::Fetch => self.depth == 1 && self.previous.is_body_section(),
                Kind::Name => self.depth == 0,
                Kind::Undecided | Kind::Other => false,
            }
    }

    fn after_literal(&mut self) {
        self.brace = Brace::default();
        self.previous = Token::default();
        self.token = Token::default();
        self.token.push(b'}');
    }

    fn forget_tokens(&mut self) {
        self.previous = Token::default();
        self.token = Token::default();
    }
}

/// The kinds of response that differ in where a literal may stand.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[default]
    Undecided,
    /// `* n FETCH (…)`
    Fetch,
    /// `* LIST`, `* LSUB`, `* STATUS`
    Name,
    /// Everything else: no literal at all.
    Other,
}

/// The first words of a response.
#[derive(Debug, Default)]
struct Head {
    bytes: [u8; 24],
    length: usize,
}

impl Head {
    fn push(&mut self, byte: u8) -> Kind {
        let Some(slot) = self.bytes.get_mut(self.length) else {
            return Kind::Other;
        };
        *slot = byte;
        self.length += 1;
        if byte != b' ' {
            return Kind::Undecided;
        }
        let words = self.bytes.get(..self.length - 1).unwrap_or_default();
        let mut words = words.split(|&b| b == b' ');
        match (words.next(), words.next(), words.next()) {
            (Some(b"*"), None, None) => Kind::Undecided,
            (Some(b"*"), Some(word), None) if is_name_response(word) => Kind::Name,
            (Some(b"*"), Some(number), None) if is_number(number) => Kind::Undecided,
            (Some(b"*"), Some(_), Some(word)) if word.eq_ignore_ascii_case(b"FETCH") => Kind::Fetch,
            _ => Kind::Other,
        }
    }
}

fn is_name_response(word: &[u8]) -> bool {
    [&b"LIST"[..], b"LSUB", b"STATUS"]
        .iter()
        .any(|name| word.eq_ignore_ascii_case(name))
}

fn is_number(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(u8::is_ascii_digit)
}

/// `{123}` or `{123+}` as it is read.
#[derive(Debug, Default)]
struct Brace {
    state: BraceState,
    size: u64,
    non_synchronising: bool,
    starts_token: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum BraceState {
    #[default]
    Outside,
    Open,
    Digits,
    Plus,
    Closed,
}

impl Brace {
    fn push(&mut self, byte: u8, starts_token: bool) {
        use BraceState::{Closed, Digits, Open, Outside, Plus};
        self.state = match (self.state, byte) {
            (_, b'{') => {
                *self = Self {
                    starts_token,
                    ..Self::default()
                };
                Open
            }
            (Open | Digits, b'0'..=b'9') => {
                let digit = u64::from(byte - b'0');
                self.size = self.size.saturating_mul(10).saturating_add(digit);
                Digits
            }
            (Digits, b'+') => {
                self.non_synchronising = true;
                Plus
            }
            (Digits | Plus, b'}') => Closed,
            _ => Outside,
        };
    }

    /// The size, when the line ends in a literal announcement.
    fn announced(&self) -> Option<u64> {
        (self.state == BraceState::Closed).then_some(self.size)
    }
}

/// As much of a word as decides whether a literal may follow it.
#[derive(Debug, Default)]
struct Token {
    start: [u8; 5],
    length: usize,
    last: u8,
}

impl Token {
    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.start.get_mut(self.length) {
            *slot = byte;
        }
        self.length += 1;
        self.last = byte;
    }

    /// `BODY[…]` or `BODY[…]<n>`.
    fn is_body_section(&self) -> bool {
        self.start.eq_ignore_ascii_case(b"BODY[") && matches!(self.last, b']' | b'>')
    }
}
