//! One connection: what the client may do when, and who answers it.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use imap_codec::CommandCodec;
use imap_codec::decode::Decoder as _;
use imap_codec::imap_types::command::CommandBody;
use tokio::time::timeout;

use super::Service;
use super::fault::{self, Counts};
use super::list_options::{self, ListOptions};
use super::open::{self, Open};
use super::reply::Reply;
use super::selected::Selected;
use super::wire::{Allowance, Incoming, Wire};
use crate::clock::Clock;
use crate::control::Entry;
use crate::net::Security;

pub(super) struct Connection {
    pub(super) service: Arc<Service>,
    pub(super) wire: Wire,
    pub(super) security: Security,
    pub(super) state: State,
    /// The commands so far.
    pub(super) counts: Counts,
    /// Commands in a row that were refused.
    errors: u32,
}

/// RFC 3501 §3, and Exchange's own state between.
pub(super) enum State {
    NotAuthenticated,
    /// The token is good, but opens no mailbox; this is what the first command that needs one is told.
    NotConnected(Cow<'static, str>),
    Open(Box<Open>),
}

/// Why the conversation stops.
pub(super) enum End {
    /// Close, with a last word if there is one.
    Bye(Option<Cow<'static, str>>),
    /// Cut the line, without TLS's own end.
    Cut,
    StartTls,
}

/// What comes of a command: a tagged reply, the end of the conversation, or both.
pub(super) struct Answer {
    pub(super) reply: Option<Reply>,
    pub(super) end: Option<End>,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Answer {
            reply: Some(reply),
            end: None,
        }
    }
}

impl From<End> for Answer {
    fn from(end: End) -> Self {
        Answer {
            reply: None,
            end: Some(end),
        }
    }
}

impl End {
    pub(super) fn bye(text: impl Into<Cow<'static, str>>) -> End {
        End::Bye(Some(text.into()))
    }
}

impl Connection {
    pub(super) fn new(service: Arc<Service>, wire: Wire, security: Security) -> Self {
        Connection {
            service,
            wire,
            security,
            state: State::NotAuthenticated,
            counts: Counts::default(),
            errors: 0,
        }
    }

    /// Talks until one side has enough.
    pub(super) async fn run(mut self) {
        let mut greets = true;
        loop {
            let door = self.service.door.clone();
            let conversation = async {
                let greets = std::mem::take(&mut greets);
                if greets && let Some(end) = self.greet().await? {
                    return Ok(end);
                }
                self.converse().await
            };
            let end = tokio::select! {
                biased;
                () = door.stopping() => End::bye("Server Unavailable. 15"),
                end = conversation => end.unwrap_or(End::Bye(None)),
            };
            match end {
                End::Bye(text) => {
                    if let Some(text) = text {
                        self.wire.push(format!("* BYE {text}\r\n").as_bytes());
                    }
                    return self.wire.close().await;
                }
                End::Cut => return,
                End::StartTls => match self.encrypt().await {
                    Some(connection) => self = connection,
                    None => return,
                },
            }
        }
    }

    async fn greet(&mut self) -> io::Result<Option<End>> {
        self.counts.add(fault::GREETING);
        if let Some(staged) = self.strike(fault::GREETING, None, None) {
            staged.wait().await;
            if staged.rule.replaces() {
                let answer = self.play(&staged, None);
                if let Some(reply) = answer.reply {
                    self.reply(None, fault::GREETING, &reply);
                }
                self.wire.flush().await?;
                return Ok(answer.end);
            }
        }
        let greeting = self.service.greeting.clone();
        self.wire.push(greeting.as_bytes());
        Ok(None)
    }

    async fn converse(&mut self) -> io::Result<End> {
        loop {
            self.wire.flush().await?;
            let (silence, allowance) = self.patience();
            let over = over(&self.service.clock, &mut self.state);
            let incoming = tokio::select! {
                biased;
                end = over => return Ok(end),
                incoming = timeout(silence, self.wire.command(allowance)) => match incoming {
                    Ok(incoming) => incoming?,
                    Err(_) => return Ok(End::bye(SILENT)),
                },
            };
            let end = match incoming {
                Incoming::Command(command) => self.command(command).await?,
                Incoming::LiteralRefused { command } => {
                    let reply = Reply::No("[TOOBIG] Literal is too large.".into());
                    self.reply(tag(&command), fault::command_name(&command), &reply);
                    None
                }
                Incoming::Unreadable(reason) => Some(End::bye(reason)),
                Incoming::End => Some(End::Bye(None)),
            };
            if let Some(end) = end {
                return Ok(end);
            }
            if self.errors >= MAX_ERRORS {
                return Ok(End::bye(CLOSED));
            }
        }
    }

    async fn command(&mut self, bytes: Vec<u8>) -> io::Result<Option<End>> {
        let tag = tag(&bytes).map(str::to_owned);
        let name = fault::command_name(&bytes);
        self.counts.add(name);
        let (bytes, options) = list_options::take(bytes);
        let decoded = match CommandCodec::default().decode(&bytes) {
            Ok((b"", command)) => Some(command.body),
            _ => None,
        };
        if let Some(reply) = self.throttled(name) {
            self.reply(tag.as_deref(), name, &reply);
            return Ok(None);
        }
        // Whose mailbox AUTHENTICATE means is known later.
        let staged = match name {
            "AUTHENTICATE" => None,
            _ => self.strike(
                name,
                self.user(decoded.as_ref()),
                self.folder(decoded.as_ref()),
            ),
        };
        let begins = self.wire.output().len();
        let answer = match (staged, decoded) {
            (Some(staged), _) if staged.takes_over(name) => {
                staged.wait().await;
                self.play(&staged, tag.as_deref())
            }
            (_, None) => Reply::unknown().into(),
            (staged, Some(body)) => {
                if name != IDLE
                    && let Some(staged) = &staged
                {
                    staged.wait().await;
                }
                if let State::Open(open) = &mut self.state {
                    open.staged = staged;
                }
                self.execute(tag.as_deref().unwrap_or("*"), body, &options)
                    .await?
            }
        };
        if let Some(reply) = &answer.reply {
            self.reply(tag.as_deref(), name, reply);
        }
        if let State::Open(open) = &mut self.state
            && let Some(staged) = open.staged.take()
        {
            let count = open.selected.as_ref().map_or(0, Selected::count);
            staged.insert_into(self.wire.output(), begins, count);
        }
        Ok(answer.end)
    }

    async fn execute(
        &mut self,
        tag: &str,
        body: CommandBody<'_>,
        options: &ListOptions,
    ) -> io::Result<Answer> {
        Ok(match body {
            CommandBody::Capability => {
                let line = format!("* CAPABILITY {}\r\n", self.capabilities());
                self.wire.push(line.as_bytes());
                Reply::done("CAPABILITY").into()
            }
            CommandBody::Logout => {
                self.wire
                    .push(b"* BYE Microsoft Exchange Server IMAP4 server signing off.\r\n");
                Answer {
                    reply: Some(Reply::done("LOGOUT")),
                    end: Some(End::Bye(None)),
                }
            }
            CommandBody::Noop => {
                self.catch_up(true);
                Reply::done("NOOP").into()
            }
            CommandBody::Id { .. } => {
                self.wire.push(b"* ID (\"name\" \"Microsoft.Exchange.Imap4.Imap4Server\" \"version\" \"15.20\")\r\n");
                Reply::done("ID").into()
            }
            CommandBody::StartTLS => self.starttls(),
            CommandBody::Authenticate {
                mechanism,
                initial_response,
            } => {
                let initial = initial_response.map(|response| response.declassify().to_vec());
                self.authenticate(tag, &mechanism, initial).await?
            }
            CommandBody::Login { username, .. } => self
                .login(&String::from_utf8_lossy(username.as_ref()))
                .into(),
            CommandBody::Idle if matches!(self.state, State::Open(_)) => self.idle().await?,
            body => match &mut self.state {
                State::Open(open) if open::uses_selection(&body) && open.is_gone() => {
                    End::bye(CLOSED).into()
                }
                State::Open(open) => {
                    open::run(open, &mut self.wire, body, options, &self.service.clock).await?
                }
                _ => self.not_open(),
            },
        })
    }

    pub(super) fn reply(&mut self, tag: Option<&str>, command: &str, reply: &Reply) {
        let (word, text) = match reply {
            Reply::Ok(text) => ("OK", text),
            Reply::No(text) => ("NO", text),
            Reply::Bad(text) => ("BAD", text),
        };
        let open = matches!(self.state, State::Open(_));
        self.errors = match reply {
            Reply::Ok(_) => 0,
            // Within an open mailbox a client may be wrong as often as it likes.
            _ if open => 0,
            _ => self.errors + 1,
        };
        if word != "OK" && open {
            let now = self.service.clock.now();
            let mut entry = Entry::new(now, "imap_command");
            entry.outcome = word.to_lowercase();
            entry.detail = Some(format!("{command}: {text}"));
            self.record(entry);
        }
        let line = format!("{} {word} {text}\r\n", tag.unwrap_or("*"));
        self.wire.push(line.as_bytes());
    }

    /// Writes down what happened, with whose mailbox it is.
    pub(super) fn record(&self, mut entry: Entry) {
        if let State::Open(open) = &self.state {
            entry.user = Some(open.mailbox.address().to_owned());
        }
        self.service.authenticator.record(entry);
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

    fn starttls(&mut self) -> Answer {
        match (&self.state, self.security) {
            (State::NotAuthenticated, Security::Plain) => Answer {
                reply: Some(Reply::Ok("Begin TLS negotiation now.".into())),
                end: Some(End::StartTls),
            },
            _ => Reply::invalid_state().into(),
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

    fn not_open(&self) -> Answer {
        match &self.state {
            State::NotConnected(text) => Answer {
                reply: Some(Reply::Bad(text.clone())),
                end: Some(End::bye(CLOSED)),
            },
            _ => Reply::invalid_state().into(),
        }
    }

    pub(super) fn catch_up(&mut self, expunges: bool) {
        if let State::Open(open) = &mut self.state {
            open.catch_up(&mut self.wire, expunges);
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

/// Ends when the session is over: with its token, or because somebody said so.
pub(super) async fn over(clock: &Clock, state: &mut State) -> End {
    let State::Open(open) = state else {
        return std::future::pending().await;
    };
    tokio::select! {
        biased;
        () = clock.reaches(open.expires_at) => End::bye(EXPIRED),
        text = open.session.ended() => End::bye(text),
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

pub(super) const IDLE: &str = "IDLE";
pub(super) const NOT_CONNECTED: &str = "User is authenticated but not connected.";
pub(super) const CLOSED: &str = "Connection closed. 14";
pub(super) const EXPIRED: &str = "Session invalidated - AccessTokenExpired";
pub(super) const SILENT: &str = "Connection is closed. 13";
const MAX_ERRORS: u32 = 10;
