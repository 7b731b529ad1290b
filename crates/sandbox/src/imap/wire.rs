//! Octets in and out: commands with their literals, under limits.

use std::io;

use super::Limits;
use crate::net::fault::LineFaults;
use crate::net::{self, Line, Stream};

/// What the client may send next.
#[derive(Clone, Copy)]
pub(super) struct Allowance {
    /// Octets of a literal in an ordinary command.
    pub(super) literal: usize,
    /// Octets of a literal of APPEND.
    pub(super) append: usize,
}

/// One unit from the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// A whole command: lines and literals in one piece, as imap-codec wants it.
    Command(Vec<u8>),
    /// A literal was announced that may not come; the client has not sent it.
    LiteralRefused { command: Vec<u8> },
    /// The client broke a limit in a way after which the stream cannot be understood.
    Unreadable(&'static str),
    /// The client closed the connection between commands.
    End,
}

pub(super) struct Wire {
    wire: net::Wire,
    /// The command so far, while a literal is awaited.
    command: Vec<u8>,
    /// Octets of the literal that are still to come.
    literal: usize,
    line: usize,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>, limits: &Limits) -> Self {
        Wire {
            wire: net::Wire::new(stream, limits.write_timeout),
            command: Vec::new(),
            literal: 0,
            line: limits.line,
        }
    }

    /// The same on a line where these things go wrong; `greeted` says that the client has had its greeting.
    pub(super) fn under(mut self, faults: &LineFaults, greeted: bool) -> Self {
        self.wire = self.wire.under(faults, greeted);
        self
    }

    /// Names the mailbox, for faults that are for one only.
    pub(super) fn belongs_to(&self, mailbox: &str) {
        self.wire.owner().is(mailbox);
    }

    /// Reads the next command. May be dropped and called again without losing an octet.
    pub(super) async fn command(&mut self, allowance: Allowance) -> io::Result<Incoming> {
        loop {
            match self.step(allowance) {
                Step::Done(incoming) => return Ok(incoming),
                Step::Continue => {
                    self.push(b"+ Ready for additional command text.\r\n");
                    self.flush().await?;
                }
                Step::More => {
                    if !self.wire.fill().await? {
                        let torn = !(self.wire.input().is_empty() && self.command.is_empty());
                        return if torn {
                            Err(io::ErrorKind::UnexpectedEof.into())
                        } else {
                            Ok(Incoming::End)
                        };
                    }
                }
            }
        }
    }

    /// Reads one line, without its end; `None` at the end of the stream or when it is too long. May be dropped
    /// and called again.
    pub(super) async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Line::Whole(mut line) = self.wire.line(self.line).await? else {
            return Ok(None);
        };
        while matches!(line.last(), Some(b'\r' | b'\n')) {
            line.pop();
        }
        Ok(Some(line))
    }

    /// Adds to what will be sent.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.wire.push(bytes);
    }

    /// What will be sent, to be added to.
    pub(super) fn output(&mut self) -> &mut Vec<u8> {
        self.wire.output()
    }

    /// Sends what has gathered.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        self.wire.flush().await
    }

    /// Sends what has gathered, then closes. Failures no longer matter.
    pub(super) async fn close(self) {
        self.wire.close().await;
    }

    /// The bare stream, for STARTTLS; `None` if the client has sent something after the command, which must not
    /// be taken for encrypted (RFC 3501 §6.2.1).
    pub(super) fn into_stream(self) -> Option<Box<dyn Stream>> {
        self.wire.into_stream()
    }

    /// Moves octets from the input to the command, as far as they go.
    fn step(&mut self, allowance: Allowance) -> Step {
        loop {
            let input = self.wire.input();
            if self.literal > 0 {
                let ready = self.literal.min(input.len());
                self.command.extend(input.drain(..ready));
                self.literal -= ready;
                if self.literal > 0 {
                    return Step::More;
                }
            }
            let Some(end) = line_end(input) else {
                let too_long = input.len() > self.line;
                return if too_long {
                    Step::unreadable("Command line is too long.")
                } else {
                    Step::More
                };
            };
            if end > self.line {
                return Step::unreadable("Command line is too long.");
            }
            self.command.extend(input.drain(..end));
            // A lone LF ends a line for some hand-driven clients; imap-codec wants CRLF.
            if !self.command.ends_with(b"\r\n") {
                self.command.pop();
                self.command.extend_from_slice(b"\r\n");
            }
            if self.command == b"\r\n" {
                self.command.clear();
                continue;
            }
            let Some(literal) = announced_literal(&self.command) else {
                return Step::Done(Incoming::Command(std::mem::take(&mut self.command)));
            };
            let room = (self.line + self.allowed(allowance)).saturating_sub(self.command.len());
            match usize::try_from(literal.length) {
                Ok(length) if length <= room => {
                    self.literal = length;
                    if literal.synchronising {
                        return Step::Continue;
                    }
                }
                _ if literal.synchronising => {
                    return Step::Done(Incoming::LiteralRefused {
                        command: std::mem::take(&mut self.command),
                    });
                }
                // The octets are on their way; to read them only to throw them away is what an attacker wants.
                _ => return Step::unreadable("Literal is too large."),
            }
        }
    }

    fn allowed(&self, allowance: Allowance) -> usize {
        let is_append = self
            .command
            .split(|byte| *byte == b' ')
            .nth(1)
            .is_some_and(|name| name.eq_ignore_ascii_case(b"APPEND"));
        if is_append {
            allowance.append
        } else {
            allowance.literal
        }
    }
}

enum Step {
    Done(Incoming),
    Continue,
    More,
}

impl Step {
    fn unreadable(reason: &'static str) -> Step {
        Step::Done(Incoming::Unreadable(reason))
    }
}

struct Announced {
    length: u64,
    synchronising: bool,
}

/// `{123}` or `{123+}` at the end of a line (RFC 3501 §4.3, RFC 7888).
fn announced_literal(command: &[u8]) -> Option<Announced> {
    let line = command.strip_suffix(b"\r\n")?.strip_suffix(b"}")?;
    let open = line.iter().rposition(|byte| *byte == b'{')?;
    let digits = line.get(open + 1..)?;
    let (digits, synchronising) = match digits.strip_suffix(b"+") {
        Some(digits) => (digits, false),
        None => (digits, true),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let length = std::str::from_utf8(digits)
        .ok()?
        .parse()
        .unwrap_or(u64::MAX);
    Some(Announced {
        length,
        synchronising,
    })
}

fn line_end(bytes: &[u8]) -> Option<usize> {
    bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .map(|at| at + 1)
}
