//! A message on its way in.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Takes the dots out of `DATA` and finds its end (RFC 5321 §4.5.2).
///
/// Only CRLF `.` CRLF ends it, and only a dot after CRLF is taken out: a lone LF or CR is an octet like any other, so
/// that nobody else reads another end than this does.
#[derive(Debug, Default)]
pub(super) struct Dots(State);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// After CRLF: the command line's own counts.
    #[default]
    Start,
    /// Within a line.
    Within,
    /// After a CR that may be a line's end.
    Cr,
    /// After a dot that begins a line.
    Dot,
    /// After a dot that begins a line, and a CR.
    DotCr,
}

impl Dots {
    /// Reads from the front of `input` to the message's end, or all of it; hands on what belongs to the message.
    /// Returns how many octets were read, and whether the message has ended.
    pub(super) fn read(&mut self, input: &[u8], mut keep: impl FnMut(&[u8])) -> (usize, bool) {
        let mut kept = 0;
        for (at, byte) in input.iter().enumerate() {
            let before = self.0;
            self.0 = match (before, byte) {
                (State::Start, b'.') => State::Dot,
                (State::Cr, b'\n') => State::Start,
                (State::Dot, b'\r') => State::DotCr,
                (State::DotCr, b'\n') => return (at + 1, true),
                (_, b'\r') => State::Cr,
                _ => State::Within,
            };
            // The dot is held back until it is known to be no end, and then dropped; a CR after it is not.
            match (before, self.0) {
                (State::Start, State::Dot) => {
                    keep(input.get(kept..at).unwrap_or_default());
                    kept = at + 1;
                }
                (_, State::DotCr) => {
                    keep(input.get(kept..at).unwrap_or_default());
                    kept = at + 1;
                }
                (State::DotCr, _) => {
                    keep(input.get(kept..at).unwrap_or_default());
                    keep(b"\r");
                    kept = at;
                }
                _ => {}
            }
        }
        keep(input.get(kept..).unwrap_or_default());
        (input.len(), false)
    }
}

/// A message as far as it has come, within its limit and that of all messages together.
#[derive(Debug)]
pub(super) struct Gathered {
    octets: Vec<u8>,
    limit: usize,
    memory: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    outcome: Outcome,
}

/// Whether all of a message is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Whole,
    /// It is larger than it may be; what came was dropped.
    TooLarge,
    /// All messages together are; what came was dropped.
    NoMemory,
}

impl Gathered {
    pub(super) fn new(limit: usize, memory: Arc<Semaphore>) -> Self {
        Gathered {
            octets: Vec::new(),
            limit,
            memory,
            held: None,
            outcome: Outcome::Whole,
        }
    }

    pub(super) fn push(&mut self, octets: &[u8]) {
        if self.outcome != Outcome::Whole || octets.is_empty() {
            return;
        }
        let length = self.octets.len().saturating_add(octets.len());
        if length > self.limit {
            return self.give_up(Outcome::TooLarge);
        }
        let held = self
            .held
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = permits(length).saturating_sub(held);
        if missing > 0 {
            let missing = u32::try_from(missing).unwrap_or(u32::MAX);
            let Ok(more) = Arc::clone(&self.memory).try_acquire_many_owned(missing) else {
                return self.give_up(Outcome::NoMemory);
            };
            match &mut self.held {
                Some(held) => held.merge(more),
                None => self.held = Some(more),
            }
        }
        self.octets.extend_from_slice(octets);
    }

    pub(super) fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The message, if all of it is there, with what keeps its memory counted.
    pub(super) fn into_message(self) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), Outcome> {
        match self.outcome {
            Outcome::Whole => Ok((self.octets, self.held)),
            outcome => Err(outcome),
        }
    }

    fn give_up(&mut self, outcome: Outcome) {
        self.outcome = outcome;
        self.octets = Vec::new();
        self.held = None;
    }
}

/// So many permits stand for so many octets.
pub(super) fn permits(octets: usize) -> usize {
    octets.div_ceil(PIECE).min(Semaphore::MAX_PERMITS)
}

const PIECE: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads in pieces of so many octets.
    fn read(input: &[u8], piece: usize) -> (Vec<u8>, Option<usize>) {
        let (mut dots, mut message, mut read) = (Dots::default(), Vec::new(), 0);
        for piece in input.chunks(piece) {
            let (count, end) = dots.read(piece, |kept| message.extend_from_slice(kept));
            read += count;
            if end {
                return (message, Some(read));
            }
        }
        (message, None)
    }

    #[test]
    fn dots_are_taken_out_octet_by_octet() {
        for (input, message) in [
            (&b".\r\n"[..], &b""[..]),
            (b"\r\n.\r\n", b"\r\n"),
            (b"a\r\n.\r\n", b"a\r\n"),
            (b"..\r\n.\r\n", b".\r\n"),
            (b"a\r\n..b\r\n...\r\n.\r\n", b"a\r\n.b\r\n..\r\n"),
            (b".a\r\n.\r\n", b"a\r\n"),
            // What smuggling relies on: none of these is an end, none of these dots is taken out.
            (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
            (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n"),
            (b"a\r\n.\nb\r\n.\r\n", b"a\r\n\nb\r\n"),
            (b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n"),
            (b"a\r.\r\nb\r\n.\r\n", b"a\r.\r\nb\r\n"),
            (b"a\r\r\n.\r\n", b"a\r\r\n"),
            (b"a\r\n.\r\r\n.\r\n", b"a\r\n\r\r\n"),
            (b"\0\xff\r\n.\r\n", b"\0\xff\r\n"),
        ] {
            for piece in 1..=input.len() {
                assert_eq!(
                    read(input, piece),
                    (message.to_vec(), Some(input.len())),
                    "{:?} in pieces of {piece}",
                    String::from_utf8_lossy(input)
                );
            }
        }
        assert_eq!(read(b"a\n.\n", 1).1, None);
    }

    #[test]
    fn what_follows_the_end_is_left_alone() {
        assert_eq!(
            read(b"a\r\n.\r\nQUIT\r\n", 100),
            (b"a\r\n".to_vec(), Some(6))
        );
    }

    #[test]
    fn a_message_has_a_limit_and_so_have_all_together() {
        let memory = Arc::new(Semaphore::new(permits(100 << 10)));
        let mut first = Gathered::new(90 << 10, Arc::clone(&memory));
        first.push(&vec![0; 80 << 10]);
        let mut second = Gathered::new(90 << 10, Arc::clone(&memory));
        second.push(&vec![0; 80 << 10]);
        assert_eq!(second.outcome(), Outcome::NoMemory);
        first.push(&vec![0; 11 << 10]);
        assert_eq!(first.outcome(), Outcome::TooLarge);
        assert_eq!(memory.available_permits(), permits(100 << 10));
        let mut third = Gathered::new(90 << 10, memory);
        third.push(&vec![1; 80 << 10]);
        assert_eq!(third.into_message().unwrap().0.len(), 80 << 10);
    }

    proptest! {
        /// Stuffed by the book, a message comes out as it went in.
        #[test]
        fn stuffing_and_back(message in prop::collection::vec(prop_oneof![Just(b'.'), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..200), piece in 1..50_usize) {
            let mut message = message;
            message.extend_from_slice(b"\r\n");
            let mut stuffed = Vec::new();
            for (at, byte) in message.iter().enumerate() {
                if *byte == b'.' && (at == 0 || message[..at].ends_with(b"\r\n")) {
                    stuffed.push(b'.');
                }
                stuffed.push(*byte);
            }
            stuffed.extend_from_slice(b".\r\n");
            let end = stuffed.len();
            stuffed.extend_from_slice(b"NOOP\r\n");
            prop_assert_eq!(read(&stuffed, piece), (message, Some(end)));
        }
    }
}
