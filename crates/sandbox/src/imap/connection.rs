//! One connection: what the client may do when, and who answers it.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use imap_codec::CommandCodec;
use imap_codec::decode::Decoder as _;
use imap_codec::imap_types::command::CommandBody;
use mailgrant_core::time::UnixTime;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::folders;
use super::list_options::{self, ListOptions};
use super::reply::Reply;
use super::selected::Selected;
use super::wire::{Allowance, Incoming, Wire};
use super::{Service, fetch, messages, search};
use crate::clock::Clock;
use crate::mailstore::Mailbox;
use crate::net::Security;

pub(super) struct Connection {
    pub(super) service: Arc<Service>,
    pub(super) wire: Wire,
    pub(super) security: Security,
    pub(super) state: State,
    /// Commands in a row that were refused.
    errors: u32,
}

/// RFC 3501 §3, and Exchange's own state between.
pub(super) enum State {
    NotAuthenticated,
    /// The token is good, but opens no mailbox.
    NotConnected,
    Open(Open),
}

/// A mailbox that is open, and perhaps a folder of it.
pub(super) struct Open {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) selected: Option<Selected>,
    pub(super) expires_at: UnixTime,
    pub(super) changes: watch::Receiver<u64>,
}

/// Why the conversation stops.
enum End {
    /// Close, with a last word if there is one.
    Bye(Option<&'static str>),
    StartTls,
}

impl Connection {
    pub(super) fn new(service: Arc<Service>, wire: Wire, security: Security) -> Self {
        Connection {
            service,
            wire,
            security,
            state: State::NotAuthenticated,
            errors: 0,
        }
    }

    /// Talks until one side has enough.
    pub(super) async fn run(mut self) {
        let greeting = self.service.greeting.clone();
        self.wire.push(greeting.as_bytes());
        loop {
            let door = self.service.door.clone();
            let end = tokio::select! {
                biased;
                () = door.stopping() => End::Bye(Some("Server Unavailable. 15")),
                end = self.converse() => end.unwrap_or(End::Bye(None)),
            };
            match end {
                End::Bye(text) => {
                    if let Some(text) = text {
                        self.wire.push(format!("* BYE {text}\r\n").as_bytes());
                    }
                    return self.wire.close().await;
                }
                End::StartTls => match self.encrypt().await {
                    Some(connection) => self = connection,
                    None => return,
                },
            }
        }
    }

    async fn converse(&mut self) -> io::Result<End> {
        loop {
            self.wire.flush().await?;
            let (silence, allowance) = self.patience();
            let expired = expired(self.service.clock.clone(), self.expires_at());
            let incoming = tokio::select! {
                biased;
                () = expired => return Ok(End::Bye(Some(EXPIRED))),
                incoming = timeout(silence, self.wire.command(allowance)) => match incoming {
                    Ok(incoming) => incoming?,
                    Err(_) => return Ok(End::Bye(Some("Connection is closed. 13"))),
                },
            };
            let end = match incoming {
                Incoming::Command(command) => self.command(command).await?,
                Incoming::LiteralRefused { command } => {
                    let reply = Reply::No("[TOOBIG] Literal is too large.".into());
                    self.reply(tag(&command), &reply);
                    None
                }
                Incoming::Unreadable(reason) => Some(End::Bye(Some(reason))),
                Incoming::End => Some(End::Bye(None)),
            };
            if let Some(end) = end {
                return Ok(end);
            }
            if self.errors >= MAX_ERRORS {
                return Ok(End::Bye(Some("Connection closed. 14")));
            }
        }
    }

    async fn command(&mut self, bytes: Vec<u8>) -> io::Result<Option<End>> {
        let tag = tag(&bytes).map(str::to_owned);
        let (bytes, options) = list_options::take(bytes);
        let decoded = CommandCodec::default().decode(&bytes);
        let Ok((b"", command)) = decoded else {
            self.reply(tag.as_deref(), &Reply::unknown());
            return Ok(None);
        };
        let tag = command.tag.as_ref().to_owned();
        let (reply, end) = match command.body {
            CommandBody::Capability => {
                let line = format!("* CAPABILITY {}\r\n", self.capabilities());
                self.wire.push(line.as_bytes());
                (Reply::done("CAPABILITY"), None)
            }
            CommandBody::Logout => {
                self.wire
                    .push(b"* BYE Microsoft Exchange Server IMAP4 server signing off.\r\n");
                (Reply::done("LOGOUT"), Some(End::Bye(None)))
            }
            CommandBody::Noop => {
                self.catch_up(true);
                (Reply::done("NOOP"), None)
            }
            CommandBody::Id { .. } => {
                self.wire.push(b"* ID (\"name\" \"Microsoft.Exchange.Imap4.Imap4Server\" \"version\" \"15.20\")\r\n");
                (Reply::done("ID"), None)
            }
            CommandBody::StartTLS => self.starttls(),
            CommandBody::Authenticate {
                mechanism,
                initial_response,
            } => {
                let initial = initial_response.map(|response| response.declassify().to_vec());
                (self.authenticate(&mechanism, initial).await?, None)
            }
            CommandBody::Login { .. } => (self.login(), None),
            CommandBody::Idle => match self.state {
                State::Open(_) => match self.idle(&tag).await? {
                    Ok(reply) => (reply, None),
                    Err(end) => return Ok(Some(end)),
                },
                _ => self.not_open(),
            },
            body => match &mut self.state {
                State::Open(open) => (
                    execute(open, &mut self.wire, body, &options, &self.service.clock).await?,
                    None,
                ),
                _ => self.not_open(),
            },
        };
        self.reply(Some(&tag), &reply);
        Ok(end)
    }

    fn reply(&mut self, tag: Option<&str>, reply: &Reply) {
        let (word, text) = match reply {
            Reply::Ok(text) => ("OK", text),
            Reply::No(text) => ("NO", text),
            Reply::Bad(text) => ("BAD", text),
        };
        self.errors = match reply {
            Reply::Ok(_) => 0,
            // Within an open mailbox a client may be wrong as often as it likes.
            _ if matches!(self.state, State::Open(_)) => 0,
            _ => self.errors + 1,
        };
        let line = format!("{} {word} {text}\r\n", tag.unwrap_or("*"));
        self.wire.push(line.as_bytes());
    }

    fn capabilities(&self) -> &'static str {
        match (&self.state, self.security) {
            (State::NotAuthenticated, Security::Plain) => {
                "IMAP4 IMAP4rev1 LOGINDISABLED STARTTLS SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
            }
            (State::NotAuthenticated, Security::Encrypted) => {
                "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
            }
            _ => {
                "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CLIENTACCESSRULES CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN IDLE NAMESPACE SPECIAL-USE LITERAL+"
            }
        }
    }

    fn starttls(&mut self) -> (Reply, Option<End>) {
        match (&self.state, self.security) {
            (State::NotAuthenticated, Security::Plain) => (
                Reply::Ok("Begin TLS negotiation now.".into()),
                Some(End::StartTls),
            ),
            _ => (Reply::invalid_state(), None),
        }
    }

    /// Nothing said in the clear is remembered, and nothing sent ahead is taken for encrypted.
    async fn encrypt(mut self) -> Option<Connection> {
        self.wire.flush().await.ok()?;
        let stream = self.wire.into_stream()?;
        let stream = self.service.door.encrypt(stream).await?;
        let wire = Wire::new(stream, &self.service.limits).under(&self.service.line_faults, true);
        Some(Connection::new(self.service, wire, Security::Encrypted))
    }

    fn not_open(&self) -> (Reply, Option<End>) {
        match self.state {
            State::NotConnected => (
                Reply::Bad("User is authenticated but not connected.".into()),
                Some(End::Bye(Some("Connection closed. 14"))),
            ),
            _ => (Reply::invalid_state(), None),
        }
    }

    /// RFC 2177: tells of changes until the client says DONE.
    async fn idle(&mut self, tag: &str) -> io::Result<Result<Reply, End>> {
        self.wire
            .push(b"+ IDLE accepted, awaiting DONE command.\r\n");
        loop {
            self.catch_up(true);
            self.wire.flush().await?;
            let State::Open(open) = &mut self.state else {
                return Ok(Err(End::Bye(None)));
            };
            let expired = expired(self.service.clock.clone(), Some(open.expires_at));
            tokio::select! {
                biased;
                () = expired => return Ok(Err(End::Bye(Some(EXPIRED)))),
                line = timeout(self.service.limits.idle_timeout, self.wire.line()) => {
                    let Ok(line) = line else {
                        return Ok(Err(End::Bye(Some("Connection is closed. 13"))));
                    };
                    return Ok(match line? {
                        Some(line) if line.eq_ignore_ascii_case(b"DONE") => Ok(Reply::done("IDLE")),
                        Some(_) => Ok(Reply::unknown()),
                        None => {
                            tracing::debug!(tag, "IMAP: connection closed within IDLE");
                            Err(End::Bye(None))
                        }
                    });
                }
                _ = open.changes.changed() => {}
            }
        }
    }

    fn catch_up(&mut self, expunges: bool) {
        if let State::Open(open) = &mut self.state {
            open.catch_up(&mut self.wire, expunges);
        }
    }

    fn expires_at(&self) -> Option<UnixTime> {
        match &self.state {
            State::Open(open) => Some(open.expires_at),
            _ => None,
        }
    }

    fn patience(&self) -> (Duration, Allowance) {
        let limits = &self.service.limits;
        let (silence, append) = match self.state {
            State::Open(_) => (limits.idle_timeout, limits.message),
            _ => (limits.login_timeout, limits.literal),
        };
        let literal = limits.literal;
        (silence, Allowance { literal, append })
    }
}

impl Open {
    pub(super) fn catch_up(&mut self, wire: &mut Wire, expunges: bool) {
        self.changes.mark_unchanged();
        if let Some(selected) = &mut self.selected {
            selected.catch_up(&self.mailbox, expunges, wire.output());
        }
    }
}

/// The commands of an open mailbox.
async fn execute(
    open: &mut Open,
    wire: &mut Wire,
    body: CommandBody<'_>,
    options: &ListOptions,
    clock: &Clock,
) -> io::Result<Reply> {
    // By sequence number these may not tell of removals: the client is using the numbers (RFC 3501 §7.4.1).
    let expunges = !matches!(
        body,
        CommandBody::Fetch { uid: false, .. }
            | CommandBody::Store { uid: false, .. }
            | CommandBody::Search { uid: false, .. }
    );
    let reply = match body {
        CommandBody::Fetch {
            sequence_set,
            macro_or_item_names,
            uid,
        } => fetch::fetch(open, wire, &sequence_set, macro_or_item_names, uid).await?,
        CommandBody::Search {
            charset,
            criteria,
            uid,
        } => search::search(open, wire, charset.as_ref(), criteria, uid).await,
        CommandBody::Store { .. }
        | CommandBody::Copy { .. }
        | CommandBody::Move { .. }
        | CommandBody::Append { .. }
        | CommandBody::Expunge
        | CommandBody::ExpungeUid { .. }
        | CommandBody::Close => messages::execute(open, wire, body, clock).await,
        body => folders::execute(open, wire, body, options),
    };
    open.catch_up(wire, expunges);
    Ok(reply)
}

/// Ends when the moment has come by the sandbox's clock, which a test may move at any time.
async fn expired(clock: Clock, at: Option<UnixTime>) {
    let Some(at) = at else {
        return pending().await;
    };
    loop {
        let left = at.since(clock.now());
        if left.is_zero() {
            return;
        }
        sleep(left.min(CLOCK_CHECK)).await;
    }
}

/// The tag of a command that may be anything else but readable.
fn tag(command: &[u8]) -> Option<&str> {
    let end = command.iter().position(|byte| *byte == b' ')?;
    let tag = std::str::from_utf8(command.get(..end)?).ok()?;
    let good = !tag.is_empty()
        && tag.len() <= 64
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"(){%*\"\\+".contains(&byte));
    good.then_some(tag)
}

const EXPIRED: &str = "Session invalidated - AccessTokenExpired";
/// How soon a moved clock is noticed.
const CLOCK_CHECK: Duration = Duration::from_secs(1);
const MAX_ERRORS: u32 = 10;
