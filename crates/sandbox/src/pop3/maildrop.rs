//! The inbox as one session sees it, and messages as POP3 sends them.

use std::collections::BTreeSet;
use std::sync::Arc;

use mailgrant_core::time::UnixTime;

use crate::mailstore::{Entry, FolderId, Mailbox, StoreError};

/// The inbox at the login, numbered from 1.
pub(super) struct Maildrop {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) expires_at: UnixTime,
    inbox: FolderId,
    uid_validity: u32,
    messages: Vec<Entry>,
    deleted: BTreeSet<u32>,
}

impl Maildrop {
    pub(super) fn open(mailbox: Arc<Mailbox>, expires_at: UnixTime) -> Result<Self, StoreError> {
        let inbox = mailbox.folder("INBOX")?;
        Ok(Maildrop {
            expires_at,
            inbox: inbox.id,
            uid_validity: inbox.uid_validity,
            messages: inbox.entries().to_vec(),
            deleted: BTreeSet::new(),
            mailbox,
        })
    }

    /// Number and entry of each message that is not marked.
    pub(super) fn messages(&self) -> impl Iterator<Item = (u32, &Entry)> {
        (1..)
            .zip(&self.messages)
            .filter(|(number, _)| !self.deleted.contains(number))
    }

    /// The message of that number, unless it is marked.
    pub(super) fn message(&self, number: u32) -> Option<&Entry> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        let entry = self.messages.get(at)?;
        (!self.deleted.contains(&number)).then_some(entry)
    }

    /// A name of the message that no other ever has.
    pub(super) fn uidl(&self, entry: &Entry) -> String {
        format!("{:08x}{:08x}", self.uid_validity, entry.uid)
    }

    /// Marks a message; whether there is such a one.
    pub(super) fn delete(&mut self, number: u32) -> bool {
        self.message(number).is_some() && self.deleted.insert(number)
    }

    /// Takes all marks away.
    pub(super) fn reset(&mut self) {
        self.deleted.clear();
    }

    /// Removes what is marked.
    pub(super) fn update(&self) -> Result<(), StoreError> {
        let uids: Vec<u32> = (1..)
            .zip(&self.messages)
            .filter(|(number, _)| self.deleted.contains(number))
            .map(|(_, entry)| entry.uid)
            .collect();
        self.mailbox.expunge(self.inbox, &uids)
    }
}

/// Turns a message into what stands between `+OK` and the dot (RFC 1939 §3), piece by piece.
///
/// A dot is doubled after a lone LF too, so that a client which ends lines there cannot take it for the end.
#[derive(Debug)]
pub(super) struct Stuffing {
    /// The octet before.
    last: u8,
    /// The one before that.
    before: u8,
    /// Lines of the body still to send; none for all of it.
    lines: Option<u32>,
    in_body: bool,
    /// Whether the line so far is empty, but for a CR.
    empty: bool,
    done: bool,
}

impl Stuffing {
    /// The whole message, or its header and so many lines.
    pub(super) fn new(lines: Option<u32>) -> Self {
        Stuffing {
            last: b'\n',
            before: b'\r',
            lines,
            in_body: false,
            empty: true,
            done: false,
        }
    }

    /// Adds a piece; false when no more is needed.
    pub(super) fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> bool {
        for byte in piece {
            if self.done {
                return false;
            }
            if self.last == b'\n' && *byte == b'.' {
                out.push(b'.');
            }
            out.push(*byte);
            (self.before, self.last) = (self.last, *byte);
            match byte {
                b'\n' => {
                    self.line_ended();
                    self.empty = true;
                }
                b'\r' => {}
                _ => self.empty = false,
            }
        }
        !self.done
    }

    /// Ends the last line, if the message does not, and sends the dot.
    pub(super) fn finish(self, out: &mut Vec<u8>) {
        match (self.before, self.last) {
            (b'\r', b'\n') => {}
            (_, b'\r') => out.push(b'\n'),
            _ => out.extend_from_slice(b"\r\n"),
        }
        out.extend_from_slice(b".\r\n");
    }

    fn line_ended(&mut self) {
        if self.in_body {
            if let Some(lines) = &mut self.lines {
                *lines = lines.saturating_sub(1);
            }
        } else if self.empty {
            self.in_body = true;
        }
        self.done = self.in_body && self.lines == Some(0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sent(message: &[u8], lines: Option<u32>, piece: usize) -> Vec<u8> {
        let (mut stuffing, mut out) = (Stuffing::new(lines), Vec::new());
        for piece in message.chunks(piece) {
            if !stuffing.push(piece, &mut out) {
                break;
            }
        }
        stuffing.finish(&mut out);
        out
    }

    #[test]
    fn dots_are_doubled_and_the_end_is_a_line_of_its_own() {
        for (message, lines) in [
            (&b""[..], &b".\r\n"[..]),
            (b"a\r\n", b"a\r\n.\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b"a\r", b"a\r\n.\r\n"),
            (b"a\n", b"a\n\r\n.\r\n"),
            (b".\r\n", b"..\r\n.\r\n"),
            (b"a\r\n..\r\n.b\r\n", b"a\r\n...\r\n..b\r\n.\r\n"),
            (b"a\n.\r\nb\r\n", b"a\n..\r\nb\r\n.\r\n"),
        ] {
            for piece in 1..5 {
                assert_eq!(sent(message, None, piece), lines, "{message:?}");
            }
        }
    }

    #[test]
    fn top_is_the_header_and_some_lines() {
        let message = b"A: b\r\n\r\none\r\n.two\r\n\r\nfour\r\n";
        for (lines, expected) in [
            (0, &b"A: b\r\n\r\n.\r\n"[..]),
            (1, b"A: b\r\n\r\none\r\n.\r\n"),
            (2, b"A: b\r\n\r\none\r\n..two\r\n.\r\n"),
            (3, b"A: b\r\n\r\none\r\n..two\r\n\r\n.\r\n"),
            (99, b"A: b\r\n\r\none\r\n..two\r\n\r\nfour\r\n.\r\n"),
        ] {
            for piece in [1, 3, 100] {
                assert_eq!(sent(message, Some(lines), piece), expected, "{lines}");
            }
        }
        assert_eq!(sent(b"A: b\r\n", Some(0), 9), b"A: b\r\n.\r\n");
    }

    proptest! {
        /// Unstuffed by the book, a message of whole lines comes out as it went in.
        #[test]
        fn a_message_comes_back(lines in prop::collection::vec("[.a]{0,4}", 0..20), piece in 1..9_usize) {
            let message: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let sent = String::from_utf8(sent(message.as_bytes(), None, piece)).unwrap();
            let body = sent.strip_suffix(".\r\n").unwrap();
            let back: String = body
                .split_inclusive("\r\n")
                .map(|line| line.strip_prefix('.').unwrap_or(line))
                .collect();
            prop_assert_eq!(back, message);
        }
    }
}
