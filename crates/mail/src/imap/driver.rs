//! One command, one tagged answer.
//!
//! The parsing library's own command helpers take NO, BAD, BYE and a cut connection for an empty
//! success, and its `authenticate` waits for ever when anything precedes the `+`. The driver uses
//! only its response reader, and maps everything that is not the awaited `OK` to an error. It knows
//! nothing of retry: after any error, a dropped future included, it refuses to go on, because what
//! is still in the pipe belongs to a command that nobody waits for any more.

use std::future::{Future as _, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_imap::Client;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use zeroize::Zeroizing;

use super::error::{Error, printable};
use super::guard::{Guard, GuardLimit, Traffic};
use super::response::{Condition, ConditionKind, Reply, Untagged};
use super::{Limits, Transport};

/// The connection as a runner of commands.
pub(super) struct Driver {
    client: Client<Guard<Box<dyn Transport>>>,
    traffic: Arc<Traffic>,
    limits: Limits,
    tags: u32,
    replies: u64,
    usable: bool,
    /// Whether literals may be sent without waiting (RFC 7888 LITERAL+).
    pub(super) literal_plus: bool,
}

/// A command under construction; wiped when dropped.
pub(super) struct Command {
    name: &'static str,
    pieces: Vec<Piece>,
}

enum Piece {
    Text(Zeroizing<Vec<u8>>),
    Literal(Vec<u8>),
}

impl Command {
    /// Begins with the command's name, which is also what errors call it.
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            pieces: vec![Piece::Text(Zeroizing::new(name.as_bytes().to_vec()))],
        }
    }

    /// Adds what is known to be free of CR and LF.
    pub(super) fn text(mut self, text: &str) -> Self {
        debug_assert!(!text.contains(['\r', '\n', '\0']));
        if let Some(Piece::Text(last)) = self.pieces.last_mut() {
            last.extend_from_slice(text.as_bytes());
        } else {
            let text = Zeroizing::new(text.as_bytes().to_vec());
            self.pieces.push(Piece::Text(text));
        }
        self
    }

    /// Adds a string (RFC 3501 `string`): quoted where that is possible, else a literal.
    pub(super) fn string(mut self, text: &str) -> Self {
        if text.bytes().all(|b| (b' '..=b'~').contains(&b)) && text.len() < MAX_QUOTED {
            let quoted = text.replace('\\', r"\\").replace('"', "\\\"");
            return self.text(&format!("\"{quoted}\""));
        }
        self.pieces.push(Piece::Literal(text.as_bytes().to_vec()));
        self
    }
}

impl Driver {
    pub(super) fn new(transport: Box<dyn Transport>, limits: Limits) -> Self {
        let guard = Guard::new(transport, &limits);
        Self {
            traffic: guard.traffic(),
            client: Client::new(guard),
            limits,
            tags: 0,
            replies: 0,
            usable: true,
            literal_plus: false,
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    pub(super) fn is_usable(&self) -> bool {
        self.usable
    }

    /// The stream underneath, and whether the server sent something that was never read.
    pub(super) fn into_transport(self) -> (Box<dyn Transport>, bool) {
        let unread = self.traffic.is_partial() || self.traffic.responses() != self.replies;
        (self.client.into_inner().into_inner(), unread)
    }

    /// Runs a command to its tagged OK; `each` sees the untagged data on the way.
    ///
    /// Not cancel-safe for the connection: a dropped future leaves it unusable.
    pub(super) async fn run(
        &mut self,
        command: Command,
        each: impl FnMut(Untagged) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let deadline = Instant::now() + self.limits.command_timeout;
        let mut exchange = self.begin(command.name, deadline)?;
        let result = exchange.run(command, each).await;
        self.usable = result.is_ok();
        result
    }

    /// Takes the connection for a conversation that [`Driver::run`] does not cover; the caller
    /// gives it back with [`Driver::finish`].
    pub(super) fn begin(
        &mut self,
        during: &'static str,
        deadline: Instant,
    ) -> Result<Exchange<'_>, Error> {
        if !std::mem::replace(&mut self.usable, false) {
            return Err(Error::Closed {
                during: during.into(),
                hint: Some("it failed before, open a new one".into()),
            });
        }
        self.tags = self.tags.wrapping_add(1);
        let tag = format!("M{:04}", self.tags);
        let idle = self.limits.idle_timeout;
        Ok(Exchange {
            driver: self,
            during,
            tag,
            deadline,
            idle,
        })
    }

    pub(super) fn finish(&mut self) {
        self.usable = true;
    }
}

/// One conversation: a command with all its lines in both directions.
pub(super) struct Exchange<'a> {
    driver: &'a mut Driver,
    during: &'static str,
    tag: String,
    deadline: Instant,
    idle: Duration,
}

impl Exchange<'_> {
    /// Allows that much silence.
    pub(super) fn idle(&mut self, idle: Duration) {
        self.idle = idle;
    }

    /// Moves the end of the whole conversation.
    pub(super) fn deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Writes the tag and a line, in one piece so that it is one TLS record.
    pub(super) async fn send_tagged(&mut self, line: &[u8]) -> Result<(), Error> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.tag.len() + line.len() + 3));
        bytes.extend_from_slice(self.tag.as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n");
        self.write(&bytes).await
    }

    /// Writes a line without a tag.
    pub(super) async fn send_line(&mut self, line: &[u8]) -> Result<(), Error> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(line.len() + 2));
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n");
        self.write(&bytes).await
    }

    /// The next reply; BYE and the end of the stream are errors.
    pub(super) async fn next(&mut self) -> Result<Reply, Error> {
        let reply = self.next_or_bye().await?;
        match reply {
            Reply::Untagged(Untagged::Condition(condition))
                if condition.kind == ConditionKind::Bye =>
            {
                Err(Error::Bye {
                    text: condition.text,
                })
            }
            Reply::Done { tag, .. } if tag != self.tag => {
                Err(self.protocol(format!("answer to the unknown tag {}", printable(&tag))))
            }
            reply => Ok(reply),
        }
    }

    /// The next reply; only the end of the stream is an error.
    pub(super) async fn next_or_bye(&mut self) -> Result<Reply, Error> {
        match self.poll_reply().await {
            Ok(reply) => {
                self.driver.replies += 1;
                Ok(reply)
            }
            Err(failure) => Err(self.failure(failure)),
        }
    }

    async fn poll_reply(&mut self) -> Result<Reply, Failure> {
        let traffic = Arc::clone(&self.driver.traffic);
        let mut response = pin!(self.driver.client.read_response());
        let mut silence = pin!(sleep(self.idle));
        let mut end = pin!(sleep_until(self.deadline));
        let mut received = traffic.received();
        poll_fn(|cx| {
            // The parser panics on some lines (`INTERNALDATE NIL`): that ends this connection only.
            match catch_unwind(AssertUnwindSafe(|| response.as_mut().poll(cx))) {
                Ok(Poll::Ready(read)) => {
                    return Poll::Ready(read.map_err(Failure::Io).and_then(|read| {
                        read.map(|response| Reply::read(response.parsed()))
                            .ok_or(Failure::Ended)
                    }));
                }
                Ok(Poll::Pending) => {}
                Err(_) => return Poll::Ready(Err(Failure::Unreadable)),
            }
            if traffic.received() != received {
                received = traffic.received();
                silence.as_mut().reset(Instant::now() + self.idle);
            }
            if silence.as_mut().poll(cx).is_ready() || end.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(Failure::TimedOut));
            }
            Poll::Pending
        })
        .await
    }

    /// The error for a tagged answer that is not OK.
    pub(super) fn refused(&self, condition: Condition) -> Error {
        let command = self.during;
        let Condition { text, code, .. } = condition;
        if condition.kind == ConditionKind::No {
            return Error::No {
                command,
                text,
                code,
            };
        }
        let text = match code {
            Some(code) => format!("[{code}] {text}"),
            None => text,
        };
        Error::Bad { command, text }
    }

    pub(super) fn protocol(&self, reason: impl Into<String>) -> Error {
        Error::Protocol {
            during: self.during.into(),
            reason: reason.into(),
        }
    }

    async fn run(
        &mut self,
        command: Command,
        mut each: impl FnMut(Untagged) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let literal_plus = self.driver.literal_plus;
        let mut line = Zeroizing::new(format!("{} ", self.tag).into_bytes());
        for piece in &command.pieces {
            match piece {
                Piece::Text(text) => line.extend_from_slice(text),
                Piece::Literal(literal) => {
                    let plus = if literal_plus { "+" } else { "" };
                    let announcement = format!("{{{}{plus}}}\r\n", literal.len());
                    line.extend_from_slice(announcement.as_bytes());
                    if !literal_plus {
                        self.write(&line).await?;
                        line.clear();
                        self.await_continuation(&mut each).await?;
                    }
                    line.extend_from_slice(literal);
                }
            }
        }
        line.extend_from_slice(b"\r\n");
        self.write(&line).await?;
        loop {
            match self.next().await? {
                Reply::Untagged(data) => each(data)?,
                Reply::Continue(_) => return Err(self.protocol("a continuation nobody asked for")),
                Reply::Done { outcome, .. } if outcome.kind == ConditionKind::Ok => {
                    return Ok(());
                }
                Reply::Done { outcome, .. } => return Err(self.refused(outcome)),
            }
        }
    }

    async fn await_continuation(
        &mut self,
        each: &mut impl FnMut(Untagged) -> Result<(), Error>,
    ) -> Result<(), Error> {
        loop {
            match self.next().await? {
                Reply::Continue(_) => return Ok(()),
                Reply::Untagged(data) => each(data)?,
                Reply::Done { outcome, .. } if outcome.kind == ConditionKind::Ok => {
                    return Err(self.protocol("OK in the middle of a command"));
                }
                Reply::Done { outcome, .. } => return Err(self.refused(outcome)),
            }
        }
    }

    /// Past the library's own writer, which logs what it writes.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let deadline = self.deadline.min(Instant::now() + self.idle);
        let stream = self.driver.client.get_mut();
        let written = timeout_at(deadline, async {
            stream.write_all(bytes).await?;
            stream.flush().await
        });
        match written.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.failure(Failure::Io(error))),
            Err(_) => Err(self.failure(Failure::TimedOut)),
        }
    }

    fn failure(&self, failure: Failure) -> Error {
        let during = self.during;
        match failure {
            Failure::TimedOut => Error::Timeout {
                during: during.into(),
            },
            Failure::Ended => closed(during),
            Failure::Unreadable => self.protocol("a response that cannot be read"),
            Failure::Io(error) => match GuardLimit::of(&error) {
                Some(limit) => Error::Limit(limit),
                // The parser's complaint holds its whole buffer, mail included.
                None if error.kind() == io::ErrorKind::Other => {
                    self.protocol("a response that cannot be read")
                }
                None => closed(during),
            },
        }
    }
}

enum Failure {
    Io(io::Error),
    Ended,
    TimedOut,
    Unreadable,
}

fn closed(during: &'static str) -> Error {
    Error::Closed {
        during: during.into(),
        hint: None,
    }
}

/// Longer strings go as literals: RFC 7162 §4 asks for lines under 8192 octets.
const MAX_QUOTED: usize = 1000;
