//! Octets in and out.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::Stream;
use super::fault::{Faulty, LineFaults, Owner};

/// A stream with what has come in and what is to go out.
pub(crate) struct Wire {
    stream: Faulty<Box<dyn Stream>>,
    input: Vec<u8>,
    output: Vec<u8>,
    write_timeout: Duration,
}

/// What was read for a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line with its end, CRLF or a lone LF.
    Whole(Vec<u8>),
    /// More octets than a line may have.
    TooLong,
    /// The client closed the connection; what it left of a line is dropped.
    End,
}

impl Wire {
    /// `write_timeout` is how long the client may refuse to read.
    pub(crate) fn new(stream: Box<dyn Stream>, write_timeout: Duration) -> Self {
        Wire {
            stream: Faulty::new(stream),
            input: Vec::new(),
            output: Vec::new(),
            write_timeout,
        }
    }

    /// The same on a line where these things go wrong. `greeted` says that the client has had its greeting, in the
    /// clear.
    pub(crate) fn under(mut self, faults: &LineFaults, greeted: bool) -> Self {
        self.stream.may_go_wrong(faults, greeted);
        self
    }

    /// To name the mailbox with, for faults that are for one only.
    pub(crate) fn owner(&self) -> Owner {
        self.stream.owner()
    }

    /// Reads one line of at most so many octets. May be dropped and called again without losing an octet.
    pub(crate) async fn line(&mut self, limit: usize) -> io::Result<Line> {
        let mut seen = 0;
        loop {
            // The octets up to `seen` hold no LF: a long line is not searched again and again.
            let fresh = self.input.get(seen..).unwrap_or_default();
            match fresh.iter().position(|byte| *byte == b'\n') {
                Some(at) if seen + at < limit => {
                    return Ok(Line::Whole(self.input.drain(..=seen + at).collect()));
                }
                Some(_) => return Ok(Line::TooLong),
                None if self.input.len() >= limit => return Ok(Line::TooLong),
                None => seen = self.input.len(),
            }
            if !self.fill().await? {
                return Ok(Line::End);
            }
        }
    }

    /// Waits for more octets; false at the end of the stream. May be dropped.
    pub(crate) async fn fill(&mut self) -> io::Result<bool> {
        // Most clients wait: they cost little, and those that send get room.
        if self.input.is_empty() {
            self.input.shrink_to(FIRST);
            self.input.reserve(FIRST);
        } else {
            self.input.reserve(READ);
        }
        Ok(self.stream.read_buf(&mut self.input).await? > 0)
    }

    /// What has come in and was not taken yet.
    pub(crate) fn input(&mut self) -> &mut Vec<u8> {
        &mut self.input
    }

    /// Adds to what will be sent.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
    }

    /// What will be sent, to be added to.
    pub(crate) fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Sends what has gathered.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        let output = std::mem::take(&mut self.output);
        if output.is_empty() {
            return Ok(());
        }
        let mut rest = output.as_slice();
        while !rest.is_empty() {
            let piece = rest.get(..WRITE).unwrap_or(rest);
            let sent = timeout(self.write_timeout, self.stream.write(piece)).await??;
            if sent == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            rest = rest.get(sent..).unwrap_or_default();
        }
        timeout(self.write_timeout, self.stream.flush()).await?
    }

    /// Sends what has gathered, then closes. Failures no longer matter.
    pub(crate) async fn close(mut self) {
        if self.flush().await.is_ok() {
            let _ = timeout(CLOSE, self.stream.shutdown()).await;
        }
    }

    /// The bare stream, for STARTTLS; `None` if the client has sent something ahead, which must not be taken for
    /// encrypted (RFC 3207 §6, RFC 3501 §6.2.1).
    pub(crate) fn into_stream(self) -> Option<Box<dyn Stream>> {
        self.input.is_empty().then(|| self.stream.into_inner())
    }
}

const FIRST: usize = 512;
const READ: usize = 16 << 10;
const WRITE: usize = 64 << 10;
const CLOSE: Duration = Duration::from_secs(5);
