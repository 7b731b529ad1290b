//! One connection: what the client may do when, and what it is told.

use std::io;
use std::sync::Arc;

use tokio::time::timeout;

use super::command::{self, Command};
use super::maildrop::{Maildrop, Stuffing};
use super::{MailboxAccess, Refusal, Service};
use crate::mailstore::Entry;
use crate::net::{Credentials, Line, Security, Wire, sasl_response};

pub(super) struct Connection {
    service: Arc<Service>,
    wire: Wire,
    security: Security,
    state: State,
    /// Commands that were refused.
    errors: u32,
}

/// RFC 1939 §3, and Exchange's own state between.
enum State {
    Authorization,
    /// The token is good, but opens no mailbox.
    NotConnected,
    Transaction(Maildrop),
}

/// How the conversation goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Command,
    Stls,
    Close,
}

impl Connection {
    pub(super) fn new(service: Arc<Service>, wire: Wire, security: Security) -> Self {
        Connection {
            service,
            wire,
            security,
            state: State::Authorization,
            errors: 0,
        }
    }

    /// Talks until one side has enough.
    pub(super) async fn run(mut self) {
        match self.scripted("GREETING") {
            Some(Next::Close) => return self.wire.close().await,
            Some(_) => {}
            None => {
                let greeting = self.service.greeting.clone();
                self.say(&greeting);
            }
        }
        loop {
            let door = self.service.door.clone();
            let next = tokio::select! {
                biased;
                () = door.stopping() => {
                    self.say("-ERR Server Unavailable. 15");
                    Next::Close
                }
                next = self.converse() => next.unwrap_or(Next::Close),
            };
            match next {
                Next::Command => {}
                Next::Close => return self.wire.close().await,
                Next::Stls => match self.encrypt().await {
                    Some(connection) => self = connection,
                    None => return,
                },
            }
        }
    }

    async fn converse(&mut self) -> io::Result<Next> {
        loop {
            self.wire.flush().await?;
            let next = match self.line(self.service.limits.line).await? {
                Some(Line::Whole(line)) => self.command(line.trim_ascii_end()).await?,
                Some(Line::TooLong) => self.protocol_error(),
                Some(Line::End) => Next::Close,
                None => {
                    self.say("-ERR Connection is closed. 13");
                    Next::Close
                }
            };
            if next != Next::Command {
                return Ok(next);
            }
            if self.errors >= MAX_ERRORS {
                return Ok(self.protocol_error());
            }
        }
    }

    /// One line, or `None` when the client is silent for too long.
    async fn line(&mut self, limit: usize) -> io::Result<Option<Line>> {
        let limits = &self.service.limits;
        let silence = match self.state {
            State::Transaction(_) => limits.idle_timeout,
            _ => limits.login_timeout,
        };
        match timeout(silence, self.wire.line(limit)).await {
            Ok(line) => Ok(Some(line?)),
            Err(_) => Ok(None),
        }
    }

    async fn command(&mut self, line: &[u8]) -> io::Result<Next> {
        let Some(command) = command::parse(line) else {
            self.refuse("-ERR Protocol error. 14");
            return Ok(Next::Command);
        };
        if let State::Transaction(drop) = &self.state
            && drop.expires_at <= self.service.clock.now()
        {
            self.say("-ERR Session invalidated - AccessTokenExpired");
            return Ok(Next::Close);
        }
        if let Some(next) = self.scripted(command.keyword()) {
            return Ok(next);
        }
        match (command, &self.state, self.security) {
            (Command::Capa, _, security) => self.capabilities(security),
            (Command::Quit, ..) => return Ok(self.quit().await),
            (Command::Stls, State::Authorization, Security::Plain) => {
                self.say("+OK Begin TLS negotiation.");
                return Ok(Next::Stls);
            }
            (Command::Auth(words), State::Authorization, Security::Encrypted) => {
                return self.authenticate(&words).await;
            }
            (Command::User, State::Authorization, Security::Encrypted) => self.say("+OK"),
            (Command::Pass, State::Authorization, Security::Encrypted) => {
                self.refuse("-ERR Logon failure: unknown user name or bad password.");
            }
            (Command::Auth(_) | Command::User | Command::Pass | Command::Stls, ..)
            | (_, State::Authorization, _) => {
                self.refuse("-ERR Command is not valid in this state.");
            }
            (_, State::NotConnected, _) => {
                self.say("-ERR User is authenticated but not connected.");
                return Ok(Next::Close);
            }
            (command, State::Transaction(_), _) => self.transact(command).await?,
        }
        Ok(Next::Command)
    }

    fn capabilities(&mut self, security: Security) {
        let words = match security {
            Security::Plain => "STLS",
            Security::Encrypted => "SASL PLAIN XOAUTH2\r\nUSER",
        };
        self.say(&format!("+OK\r\nTOP\r\nUIDL\r\n{words}\r\n."));
    }

    /// RFC 5034, in Exchange's two lines.
    async fn authenticate(&mut self, words: &[String]) -> io::Result<Next> {
        let mechanism = match words {
            [] => {
                self.say("+OK\r\nPLAIN\r\nXOAUTH2\r\n.");
                return Ok(Next::Command);
            }
            [mechanism] => mechanism.to_ascii_uppercase(),
            _ => return Ok(self.protocol_error()),
        };
        if !matches!(mechanism.as_str(), "PLAIN" | "XOAUTH2") {
            self.refuse("-ERR Unsupported authentication mechanism.");
            return Ok(Next::Command);
        }
        self.say("+ ");
        self.wire.flush().await?;
        let line = match self.line(self.service.limits.response).await? {
            Some(Line::Whole(line)) => line,
            Some(Line::TooLong) => return Ok(self.protocol_error()),
            Some(Line::End) | None => return Ok(Next::Close),
        };
        let line = line.trim_ascii_end();
        if line == b"*" {
            self.refuse("-ERR The AUTH exchange was canceled.");
            return Ok(Next::Command);
        }
        let credentials = sasl_response(line)
            .filter(|_| mechanism == "XOAUTH2")
            .and_then(|response| Credentials::parse(&response));
        let opened = match credentials {
            Some(credentials) => self.open(credentials).await,
            None => Err(Refusal::Authentication),
        };
        match opened {
            Ok(drop) => {
                self.wire.owner().is(drop.mailbox.address());
                self.state = State::Transaction(drop);
            }
            Err(Refusal::NotConnected) => self.state = State::NotConnected,
            Err(Refusal::Authentication) => {
                self.refuse("-ERR Authentication failure: unknown user name or bad password.");
                return Ok(Next::Command);
            }
        }
        self.say("+OK User successfully authenticated.");
        Ok(Next::Command)
    }

    async fn open(&mut self, credentials: Credentials) -> Result<Maildrop, Refusal> {
        let service = self.service.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let Credentials { user, token } = credentials;
            let MailboxAccess {
                mailbox,
                expires_at,
            } = service
                .authenticator
                .authenticate(&user, &token, service.clock.now())?;
            let opened = service
                .store
                .mailbox(&mailbox)
                .and_then(|mailbox| Maildrop::open(mailbox, expires_at));
            opened.map_err(|error| {
                tracing::error!(%error, "POP3: the mailbox cannot be opened");
                Refusal::NotConnected
            })
        });
        opened.await.unwrap_or(Err(Refusal::Authentication))
    }

    /// The commands of an open maildrop.
    async fn transact(&mut self, command: Command) -> io::Result<()> {
        let State::Transaction(drop) = &mut self.state else {
            return Ok(());
        };
        let reply = match command {
            Command::Noop => "+OK".to_owned(),
            Command::Rset => {
                drop.reset();
                "+OK".to_owned()
            }
            Command::Stat => {
                let (count, size) = total(drop);
                format!("+OK {count} {size}")
            }
            Command::List(None) => {
                let (count, size) = total(drop);
                let lines = drop
                    .messages()
                    .map(|(number, entry)| format!("{number} {}\r\n", entry.size));
                format!("+OK {count} {size}\r\n{}.", lines.collect::<String>())
            }
            Command::Uidl(None) => {
                let lines = drop
                    .messages()
                    .map(|(number, entry)| format!("{number} {}\r\n", drop.uidl(entry)));
                format!("+OK\r\n{}.", lines.collect::<String>())
            }
            Command::List(Some(number)) => match drop.message(number) {
                Some(entry) => format!("+OK {number} {}", entry.size),
                None => NO_SUCH_MESSAGE.to_owned(),
            },
            Command::Uidl(Some(number)) => match drop.message(number) {
                Some(entry) => format!("+OK {number} {}", drop.uidl(entry)),
                None => NO_SUCH_MESSAGE.to_owned(),
            },
            Command::Dele(number) if drop.delete(number) => "+OK".to_owned(),
            Command::Retr(number) | Command::Top(number, _) => {
                if let Some(entry) = drop.message(number).copied() {
                    let lines = match command {
                        Command::Top(_, lines) => Some(lines),
                        _ => None,
                    };
                    return self.message(entry, lines).await;
                }
                NO_SUCH_MESSAGE.to_owned()
            }
            _ => NO_SUCH_MESSAGE.to_owned(),
        };
        match reply.starts_with('+') {
            true => self.say(&reply),
            false => self.refuse(&reply),
        }
        Ok(())
    }

    /// Sends a message piece by piece: never all of it is in memory.
    async fn message(&mut self, entry: Entry, lines: Option<u32>) -> io::Result<()> {
        let State::Transaction(drop) = &self.state else {
            return Ok(());
        };
        let mailbox = Arc::clone(&drop.mailbox);
        let mut stuffing = Stuffing::new(lines);
        let mut offset = 0;
        while offset < entry.size {
            let piece = {
                let mailbox = Arc::clone(&mailbox);
                tokio::task::spawn_blocking(move || mailbox.read(&entry, offset, PIECE)).await
            };
            let piece = match piece {
                Ok(Ok(piece)) => piece,
                Ok(Err(error)) => {
                    tracing::error!(%error, "POP3: a message cannot be read");
                    // Where the answer has begun, only a cut tells the client that it is not whole.
                    if offset > 0 {
                        return Err(io::ErrorKind::Other.into());
                    }
                    self.refuse("-ERR The message cannot be retrieved.");
                    return Ok(());
                }
                Err(error) => return Err(io::Error::other(error)),
            };
            if offset == 0 {
                self.say("+OK");
            }
            offset = offset.saturating_add(PIECE);
            let more = stuffing.push(&piece, self.wire.output());
            self.wire.flush().await?;
            if !more {
                break;
            }
        }
        if entry.size == 0 {
            self.say("+OK");
        }
        stuffing.finish(self.wire.output());
        Ok(())
    }

    /// RFC 1939 §6: only now what is marked goes.
    async fn quit(&mut self) -> Next {
        let state = std::mem::replace(&mut self.state, State::Authorization);
        let updated = match state {
            State::Transaction(drop) => {
                let updated = tokio::task::spawn_blocking(move || drop.update()).await;
                matches!(updated, Ok(Ok(())))
            }
            _ => true,
        };
        self.say(match updated {
            true => "+OK Microsoft Exchange Server POP3 server signing off.",
            false => "-ERR Some deleted messages were not removed.",
        });
        Next::Close
    }

    /// Nothing said in the clear is remembered, and nothing sent ahead is taken for encrypted (RFC 2595 §4).
    async fn encrypt(mut self) -> Option<Connection> {
        self.wire.flush().await.ok()?;
        let stream = self.wire.into_stream()?;
        let stream = self.service.door.encrypt(stream).await?;
        let wire = self.service.wire(stream, true);
        Some(Connection::new(self.service, wire, Security::Encrypted))
    }

    /// Says what the sandbox was told to say at this point, if anything.
    fn scripted(&mut self, at: &str) -> Option<Next> {
        let mailbox = match &self.state {
            State::Transaction(drop) => Some(drop.mailbox.address()),
            _ => None,
        };
        let rule = self.service.faults.of_pop3(at, mailbox)?;
        self.say(&rule.reply);
        Some(match rule.close {
            true => Next::Close,
            false => Next::Command,
        })
    }

    fn protocol_error(&mut self) -> Next {
        self.say("-ERR Protocol error. Connection is closed. 10");
        Next::Close
    }

    fn refuse(&mut self, words: &str) {
        self.errors = self.errors.saturating_add(1);
        self.say(words);
    }

    fn say(&mut self, words: &str) {
        self.wire.push(words.as_bytes());
        self.wire.push(b"\r\n");
    }
}

fn total(drop: &Maildrop) -> (usize, u64) {
    drop.messages().fold((0, 0), |(count, size), (_, entry)| {
        (count + 1, size + u64::from(entry.size))
    })
}

const NO_SUCH_MESSAGE: &str = "-ERR The specified message is out of range.";
const MAX_ERRORS: u32 = 10;
/// Octets of a message read at a time.
const PIECE: u32 = 64 << 10;
