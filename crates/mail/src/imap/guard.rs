//! The byte guard between the network and the parser.
//!
//! The IMAP parser underneath recurses without limit (425 octets of `(` overflow a worker's stack
//! and kill the process), allocates whatever a literal announces and re-reads a line from its start
//! every 4 KiB. So nothing reaches it that has not passed here: [`Guard`] follows every octet with
//! a small state machine and refuses, before the parser sees them,
//!
//! - literals, and sums of literals in one response, over [`Limits::max_literal`](super::Limits),
//! - responses with more than [`Limits::max_line`](super::Limits) octets outside literals,
//! - responses with more than [`Limits::max_depth`](super::Limits) opening parentheses outside
//!   literals, quoted or not: an upper bound of the nesting whichever way the parser reads the line,
//! - a literal anywhere but as a mailbox name or as the value of `BODY[…]`, unbalanced or
//!   unterminated structure, bare CR, bare LF and NUL.
//!
//! The last group is what makes the others hold: the parser is lenient about attributes it does not
//! know, and where guard and parser disagree on what is a literal, anything could be hidden in it.
//! Bodies are skipped, not copied.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Limits;
use scanner::Scanner;

mod scanner;

/// What a server sent that no honest server sends.
///
/// It travels as the inner error of an [`io::Error`]; [`GuardLimit::of`] takes it out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardLimit {
    /// A literal, or all literals of one response, are larger than the limit.
    #[error("a literal of {announced} octets is over the limit of {limit}")]
    Literal {
        /// Octets announced in the response so far.
        announced: u64,
        /// The limit that was in force.
        limit: u64,
    },
    /// A response is longer than the limit, literals not counted.
    #[error("a response line is longer than {limit} octets")]
    Line {
        /// The limit that was in force.
        limit: usize,
    },
    /// A response holds more opening parentheses than the limit.
    #[error("a response has more than {limit} opening parentheses")]
    Depth {
        /// The limit that was in force.
        limit: u32,
    },
    /// The structure of a response is broken in a way that could mislead the parser.
    #[error("a response is malformed: {0}")]
    Malformed(&'static str),
}

impl GuardLimit {
    /// The limit that an [`io::Error`] of a [`Guard`] is about.
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref::<Self>().copied()
    }
}

impl From<GuardLimit> for io::Error {
    fn from(limit: GuardLimit) -> Self {
        Self::new(io::ErrorKind::InvalidData, limit)
    }
}

/// Counters of one connection, readable while it is in use.
#[derive(Debug, Default)]
pub struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
    responses: AtomicU64,
    partial: AtomicBool,
}

impl Traffic {
    /// Octets received and let through.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Octets sent.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Complete responses received, read by the parser or not.
    pub fn responses(&self) -> u64 {
        self.responses.load(Ordering::Relaxed)
    }

    /// Whether the octets received end inside a response.
    pub fn is_partial(&self) -> bool {
        self.partial.load(Ordering::Relaxed)
    }
}

/// A stream whose reading side refuses what would harm the parser.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use mailgrant_mail::imap::{Limits, guard::{Guard, GuardLimit}};
/// use tokio::io::AsyncReadExt;
///
/// let server = tokio_test_stream(b"* 1 FETCH (BODY[] {500000000}\r\n");
/// let mut guard = Guard::new(server, &Limits::default());
/// let error = guard.read_to_end(&mut Vec::new()).await.unwrap_err();
/// assert!(matches!(GuardLimit::of(&error), Some(GuardLimit::Literal { .. })));
/// # });
/// # fn tokio_test_stream(bytes: &'static [u8]) -> tokio::io::Join<&'static [u8], tokio::io::Sink> {
/// #     tokio::io::join(bytes, tokio::io::sink())
/// # }
/// ```
pub struct Guard<S> {
    inner: S,
    scanner: Scanner,
    traffic: Arc<Traffic>,
    refused: Option<GuardLimit>,
}

impl<S> Guard<S> {
    /// Guards `inner` with the limits on literals, lines and depth.
    pub fn new(inner: S, limits: &Limits) -> Self {
        Self {
            inner,
            scanner: Scanner::new(limits.max_literal, limits.max_line, limits.max_depth),
            traffic: Arc::default(),
            refused: None,
        }
    }

    /// The counters, which stay readable while the stream is borrowed.
    pub fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.traffic)
    }

    /// The stream without its guard.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(limit) = this.refused {
            return Poll::Ready(Err(limit.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(cx, buffer))?;
        let fresh = buffer.filled().get(before..).unwrap_or_default();
        let (passed, verdict) = this.scanner.scan(fresh);

        let traffic = &this.traffic;
        traffic.received.fetch_add(passed as u64, Ordering::Relaxed);
        traffic
            .responses
            .store(this.scanner.responses(), Ordering::Relaxed);
        traffic
            .partial
            .store(this.scanner.is_partial(), Ordering::Relaxed);
        if let Err(limit) = verdict {
            // What came before the offence is still handed on: the same octets give the same
            // result however the network cut them.
            this.refused = Some(limit);
            if passed == 0 {
                buffer.set_filled(before);
                return Poll::Ready(Err(limit.into()));
            }
            buffer.set_filled(before + passed);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes))?;
        self.traffic
            .sent
            .fetch_add(written as u64, Ordering::Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S> std::fmt::Debug for Guard<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard")
            .field("traffic", &self.traffic)
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}
