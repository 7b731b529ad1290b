//! What may go wrong on the line of any mail protocol, whatever is said on it.
//!
//! Each [`Wire`](super::Wire) writes through a [`Faulty`] (above TLS, so that octets count as the client reads them); the
//! service names the mailbox ([`Owner`]) once it is known. Faults are looked up when an answer begins: a connection that was open
//! before the fault was put in force shows it with its next answer.

use std::fmt;
use std::future::Future;
use std::io;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::control::Faults;
use crate::directory::Protocol;

/// How the line misbehaves: `transport` in the faults of each mail protocol.
///
/// ```json
/// {"imap": {"transport": {"latency_ms": 250, "mailbox": "ada.finch@tarnbrook.test", "times": 3}}}
/// ```
///
/// An answer is all that the server sends between two reads from the client; the greeting is the first one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TransportFault {
    /// The ports are closed: connections are refused. Those that are open stay.
    pub down: bool,
    /// Refuses every TLS handshake with the alert `handshake_failure`.
    pub refuse_tls: bool,
    /// Sends octets that are no protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub garbage: Option<Garbage>,
    /// Waits before each answer, in milliseconds.
    pub latency_ms: u32,
    /// Sends no faster than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drip_bytes_per_second: Option<NonZeroU32>,
    /// Cuts the connection, without a word and without TLS's own end, once this many octets were sent since the fault
    /// was put in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_after_bytes: Option<u64>,
    /// Says nothing more, and keeps the connection open. Ends when another plan is put in force.
    pub hang: bool,
    /// Only on connections that are logged in to this mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
    /// How often it strikes; for ever when absent. Each answer held up or spoilt, each connection cut and each
    /// handshake refused counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// Where garbage is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Garbage {
    /// Before the greeting, which follows.
    BeforeGreeting,
    /// In the place of each answer.
    InsteadOfAnswer,
}

impl TransportFault {
    fn concerns(&self, mailbox: Option<&str>) -> bool {
        let named = match (&self.mailbox, mailbox) {
            (None, _) => true,
            (Some(named), Some(mailbox)) => named.eq_ignore_ascii_case(mailbox),
            (Some(_), None) => false,
        };
        named && self.times != Some(0)
    }

    /// Whether the whole answer is touched, rather than a certain octet.
    fn spoils_answers(&self) -> bool {
        self.latency_ms > 0
            || self.hang
            || self.drip_bytes_per_second.is_some()
            || self.garbage == Some(Garbage::InsteadOfAnswer)
    }

    /// Counts one strike.
    fn struck(&mut self) {
        if let Some(times) = &mut self.times {
            *times = times.saturating_sub(1);
        }
    }
}

/// The line's faults of one protocol. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct LineFaults {
    faults: Faults,
    protocol: Protocol,
}

impl LineFaults {
    pub(crate) fn new(faults: Faults, protocol: Protocol) -> Self {
        Self { faults, protocol }
    }

    /// Whether the ports are to be closed now.
    pub(crate) fn is_down(&self) -> bool {
        self.look(|fault| fault.down && fault.times != Some(0))
            .unwrap_or(false)
    }

    /// Ends when another plan is put in force.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut revisions = self.faults.revisions();
        async move {
            // Without a sender nothing will ever change.
            if revisions.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Whether this handshake is to be refused: send [`TLS_REFUSAL`] and close.
    pub(crate) fn refuses_tls(&self) -> bool {
        self.strike(|fault| fault.refuse_tls && fault.concerns(None))
            .is_some()
    }

    fn look<R>(&self, look: impl FnOnce(&TransportFault) -> R) -> Option<R> {
        self.faults
            .look(|plan| plan.transport(self.protocol).map(look))
    }

    /// The fault in force, if `condition` holds; counts it as struck.
    fn strike(&self, condition: impl Fn(&TransportFault) -> bool) -> Option<TransportFault> {
        // Nothing is wrong, mostly: many may look at once.
        self.look(&condition).filter(|strikes| *strikes)?;
        self.faults.strike(|plan| {
            let fault = plan.transport_mut(self.protocol)?;
            condition(fault).then(|| {
                let now = fault.clone();
                fault.struck();
                now
            })
        })
    }
}

/// Whose mailbox a connection opened. Clones tell the same line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owner(Arc<OnceLock<String>>);

impl Owner {
    /// Names the mailbox, once it is known.
    pub(crate) fn is(&self, mailbox: &str) {
        let _ = self.0.set(mailbox.to_owned());
    }

    fn get(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

/// A stream that does what it was told to do wrong.
pub(crate) struct Faulty<S> {
    stream: S,
    faults: Option<LineFaults>,
    owner: Owner,
    greeted: bool,
    /// Whether something was written since the last read.
    answering: bool,
    /// What spoils the present answer.
    current: Option<TransportFault>,
    garbage: Vec<u8>,
    /// The answer is thrown away.
    swallows: bool,
    /// Octets sent under a plan, and its revision.
    sent: (u64, u64),
    cut: bool,
    wait: Option<Wait>,
}

type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<S> Faulty<S> {
    /// A stream that does nothing wrong.
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            faults: None,
            owner: Owner::default(),
            greeted: false,
            answering: false,
            current: None,
            garbage: Vec::new(),
            swallows: false,
            sent: (0, 0),
            cut: false,
            wait: None,
        }
    }

    /// From now on these go wrong.
    pub(crate) fn may_go_wrong(&mut self, faults: &LineFaults, greeted: bool) {
        self.faults = Some(faults.clone());
        self.greeted = greeted;
    }

    /// To name the mailbox with.
    pub(crate) fn owner(&self) -> Owner {
        self.owner.clone()
    }

    /// The stream itself, for STARTTLS.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    /// What may happen to the next `length` octets.
    fn next(&mut self, length: usize) -> Next {
        let Some(faults) = self.faults.clone() else {
            return Next::Send(length);
        };
        if self.cut {
            return Next::Cut;
        }
        if !self.garbage.is_empty() {
            return Next::Garbage;
        }
        if !std::mem::replace(&mut self.answering, true) {
            self.begin(&faults);
            if let Some(latency) = self.current.as_ref().map(|fault| fault.latency_ms)
                && latency > 0
            {
                let latency = Duration::from_millis(latency.into());
                self.wait = Some(Box::pin(tokio::time::sleep(latency)));
                return Next::Wait;
            }
            if !self.garbage.is_empty() {
                return Next::Garbage;
            }
        }
        if self.current.as_ref().is_some_and(|fault| fault.hang) {
            // The next plan decides anew.
            self.answering = false;
            self.wait = Some(Box::pin(faults.changed()));
            return Next::Wait;
        }
        if self.swallows {
            return Next::Swallow;
        }
        let mut allowed = length;
        if let Some(left) = self.until_cut(&faults) {
            if left == 0 {
                self.cut = true;
                let owner = self.owner.clone();
                faults
                    .strike(|fault| fault.cut_after_bytes.is_some() && fault.concerns(owner.get()));
                return Next::Cut;
            }
            allowed = allowed.min(usize::try_from(left).unwrap_or(usize::MAX));
        }
        if let Some(rate) = self.rate() {
            allowed = allowed.min(usize::try_from(rate / DRIPS).unwrap_or(1).max(1));
        }
        Next::Send(allowed)
    }

    /// An answer begins: decides what becomes of it.
    fn begin(&mut self, faults: &LineFaults) {
        let owner = self.owner.clone();
        self.current = faults.strike(|fault| fault.spoils_answers() && fault.concerns(owner.get()));
        let instead = |fault: &TransportFault| fault.garbage == Some(Garbage::InsteadOfAnswer);
        self.swallows = self.current.as_ref().is_some_and(instead);
        let greets = !std::mem::replace(&mut self.greeted, true);
        let before = greets
            && faults
                .strike(|fault| {
                    fault.garbage == Some(Garbage::BeforeGreeting) && fault.concerns(owner.get())
                })
                .is_some();
        if before || self.swallows {
            self.garbage = GARBAGE.to_vec();
        }
    }

    /// How many octets may still be sent before the connection is cut.
    fn until_cut(&mut self, faults: &LineFaults) -> Option<u64> {
        let revision = faults.faults.revision();
        if self.sent.1 != revision {
            self.sent = (0, revision);
        }
        let cut = faults.look(|fault| {
            fault
                .cut_after_bytes
                .filter(|_| fault.concerns(self.owner.get()))
        })??;
        Some(cut.saturating_sub(self.sent.0))
    }

    fn rate(&self) -> Option<u32> {
        let rate = self.current.as_ref()?.drip_bytes_per_second?;
        Some(rate.get())
    }

    fn was_sent(&mut self, octets: usize) {
        self.sent.0 = self.sent.0.saturating_add(octets as u64);
        if let Some(rate) = self.rate() {
            let nanos = (octets as u64).saturating_mul(1_000_000_000) / u64::from(rate);
            self.wait = Some(Box::pin(tokio::time::sleep(Duration::from_nanos(nanos))));
        }
    }
}

enum Next {
    Send(usize),
    Swallow,
    Garbage,
    Wait,
    Cut,
}

impl<S: AsyncRead + Unpin> AsyncRead for Faulty<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.answering = false;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Faulty<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let this = &mut *self;
            if let Some(wait) = &mut this.wait {
                // What was sent before must be on its way meanwhile.
                ready!(Pin::new(&mut this.stream).poll_flush(context))?;
                ready!(wait.as_mut().poll(context));
                this.wait = None;
            }
            match this.next(octets.len()) {
                Next::Send(allowed) => {
                    let octets = octets.get(..allowed).unwrap_or(octets);
                    let sent = ready!(Pin::new(&mut this.stream).poll_write(context, octets))?;
                    this.was_sent(sent);
                    return Poll::Ready(Ok(sent));
                }
                Next::Garbage => {
                    let sent =
                        ready!(Pin::new(&mut this.stream).poll_write(context, &this.garbage))?;
                    this.garbage.drain(..sent);
                }
                Next::Swallow => return Poll::Ready(Ok(octets.len())),
                Next::Wait => {}
                Next::Cut => {
                    // What counts as sent must have been.
                    ready!(Pin::new(&mut this.stream).poll_flush(context))?;
                    return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
                }
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cut {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S> fmt::Debug for Faulty<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Faulty")
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

/// A TLS record with the fatal alert `handshake_failure` (RFC 8446 §6.2).
pub(crate) const TLS_REFUSAL: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28];

/// No line of any mail protocol: octets of every kind, and an end of line at last.
pub(crate) const GARBAGE: &[u8] =
    b"\x00\xff\xfe{99999999999999}((((\"\\\x1b[2J\x80\xc3\x28* ? ~\x7f<html>\x01\x02\r\n";

/// Pieces a second that a slow line sends.
const DRIPS: u32 = 10;

#[cfg(test)]
mod tests;
