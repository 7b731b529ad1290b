//! One connection: what the client may do when, and what it is told.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::timeout;

use super::command::{self, Command, Misunderstood};
use super::data::Gathered;
use super::message::rfc2822;
use super::quota::Slot;
use super::transfer::TOO_LARGE;
use super::{Envelope, Login, Service};
use crate::net::{Line, Security, Wire};

pub(super) struct Connection {
    pub(super) service: Arc<Service>,
    pub(super) wire: Wire,
    pub(super) security: Security,
    pub(super) login: Option<Login>,
    pub(super) transaction: Option<Transaction>,
    /// Commands that were refused and logins that failed.
    pub(super) errors: u32,
    /// The name the client gave itself.
    hello: Option<String>,
    /// What Exchange would find this conversation by in its logs.
    session: String,
}

/// A message on its way.
pub(super) struct Transaction {
    pub(super) envelope: Envelope,
    /// What came by BDAT so far.
    pub(super) chunks: Option<(Gathered, Option<Slot>)>,
    pub(super) binary: bool,
}

/// How the conversation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Command,
    StartTls,
    Close,
}

impl Connection {
    pub(super) fn new(service: Arc<Service>, wire: Wire, security: Security) -> Self {
        let mut session = [0; 8];
        service.random.fill(&mut session);
        Connection {
            service,
            wire,
            security,
            login: None,
            transaction: None,
            errors: 0,
            hello: None,
            session: format!("{:016X}", u64::from_be_bytes(session)),
        }
    }

    /// Talks until one side has enough.
    pub(super) async fn run(mut self) {
        match self.scripted("GREETING") {
            Some(Next::Command | Next::StartTls) => {}
            Some(Next::Close) => return self.wire.close().await,
            None => {
                let greeting = format!(
                    "220 {} Microsoft ESMTP MAIL Service ready at {} [{}]",
                    self.service.host_name,
                    rfc2822(self.service.clock.now()),
                    self.session
                );
                self.reply(&greeting);
            }
        }
        loop {
            let door = self.service.door.clone();
            let next = tokio::select! {
                biased;
                () = door.stopping() => {
                    self.reply("421 4.3.2 Service not available, closing transmission channel");
                    Next::Close
                }
                next = self.converse() => next.unwrap_or(Next::Close),
            };
            match next {
                Next::Command => {}
                Next::Close => return self.wire.close().await,
                Next::StartTls => match self.encrypt().await {
                    Some(connection) => self = connection,
                    None => return,
                },
            }
        }
    }

    async fn converse(&mut self) -> io::Result<Next> {
        loop {
            self.wire.flush().await?;
            let next = match self.line().await? {
                Some(Line::Whole(line)) => self.command(&line).await?,
                Some(Line::TooLong) => {
                    self.tagged("500 5.5.2 Command line is too long");
                    Next::Close
                }
                Some(Line::End) => Next::Close,
                None => self.timed_out(),
            };
            if next != Next::Command {
                return Ok(next);
            }
            if self.errors >= MAX_ERRORS {
                self.tagged(
                    "421 4.7.0 Too many errors on this connection, closing transmission channel",
                );
                return Ok(Next::Close);
            }
        }
    }

    /// One line, or `None` when the client is silent for too long.
    pub(super) async fn line(&mut self) -> io::Result<Option<Line>> {
        let limits = &self.service.limits;
        let silence = match self.login {
            Some(_) => limits.idle_timeout,
            None => limits.login_timeout,
        };
        match timeout(silence, self.wire.line(limits.line)).await {
            Ok(line) => Ok(Some(line?)),
            Err(_) => Ok(None),
        }
    }

    async fn command(&mut self, line: &[u8]) -> io::Result<Next> {
        let command = match command::parse(line) {
            Ok(command) => command,
            Err(misunderstood) => {
                let reply = match misunderstood {
                    Misunderstood::Unknown => "500 5.3.3 Unrecognized command 'unknown'".into(),
                    Misunderstood::Reply(reply) => reply,
                };
                self.tagged(&reply);
                return Ok(Next::Command);
            }
        };
        // A chunk's octets are on their way whatever is answered.
        if !matches!(command, Command::Bdat { .. })
            && let Some(next) = self.scripted(command.verb())
        {
            return Ok(next);
        }
        match command {
            Command::Hello { extended, client } => self.hello(extended, client),
            Command::StartTls => return Ok(self.starttls()),
            Command::Auth { .. } if self.hello.is_none() => self.tagged(HELLO_FIRST),
            Command::Auth { mechanism, initial } => {
                return self.authenticate(mechanism, initial).await;
            }
            Command::Mail { from, size, binary } => self.mail(from, size, binary),
            Command::Rcpt { to } => self.rcpt(to),
            Command::Data => return self.data().await,
            Command::Bdat { size, last } => return self.chunk(size, last).await,
            Command::Reset => {
                self.transaction = None;
                self.reply("250 2.0.0 Resetting");
            }
            Command::Noop => self.reply("250 2.0.0 OK"),
            Command::Verify => self.reply("252 2.1.5 Cannot VRFY user"),
            Command::Help => self.reply(
                "214-This server supports the following commands:\r\n\
                 214 HELO EHLO STARTTLS RCPT DATA RSET MAIL QUIT HELP AUTH BDAT",
            ),
            Command::NotImplemented => self.tagged("502 5.3.3 Command not implemented"),
            Command::Quit => {
                self.reply("221 2.0.0 Service closing transmission channel");
                return Ok(Next::Close);
            }
        }
        Ok(Next::Command)
    }

    fn hello(&mut self, extended: bool, client: String) {
        self.transaction = None;
        self.hello = Some(client);
        let host_name = &self.service.host_name;
        let separator = if extended { '-' } else { ' ' };
        let mut reply = format!("250{separator}{host_name} Hello [127.0.0.1]");
        if extended {
            let size = self.office_limits().message_bytes;
            let security = match self.security {
                Security::Plain => "STARTTLS",
                Security::Encrypted => "AUTH LOGIN XOAUTH2",
            };
            reply.push_str(&format!(
                "\r\n250-SIZE {size}\r\n250-PIPELINING\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n250-{security}\r\n\
                 250-8BITMIME\r\n250-BINARYMIME\r\n250-CHUNKING\r\n250 SMTPUTF8"
            ));
        }
        self.reply(&reply);
    }

    fn starttls(&mut self) -> Next {
        match self.security {
            _ if self.hello.is_none() => self.tagged(HELLO_FIRST),
            Security::Encrypted => {
                self.tagged("503 5.5.2 Only one STARTTLS command can be issued per session")
            }
            Security::Plain => {
                self.reply("220 2.0.0 SMTP server ready");
                return Next::StartTls;
            }
        }
        Next::Command
    }

    /// Nothing said in the clear is remembered, and nothing sent ahead is taken for encrypted (RFC 3207 §4.2).
    async fn encrypt(mut self) -> Option<Connection> {
        self.wire.flush().await.ok()?;
        let stream = self.wire.into_stream()?;
        let stream = self.service.door.encrypt(stream).await?;
        let wire = self.service.wire(stream, true);
        Some(Connection {
            session: self.session,
            errors: self.errors,
            ..Connection::new(self.service, wire, Security::Encrypted)
        })
    }

    /// The limits of who is logged in.
    pub(super) fn office_limits(&self) -> crate::directory::Submission {
        let mailbox = self.login.as_ref().map(|login| login.mailbox.as_str());
        self.service.office.limits(mailbox)
    }

    fn mail(&mut self, from: String, size: usize, binary: bool) {
        let limit = self.office_limits().message_bytes;
        let Some(client) = self.hello.clone() else {
            return self.tagged(HELLO_FIRST);
        };
        if self.security == Security::Plain {
            return self.tagged("451 5.7.3 STARTTLS is required to send mail");
        }
        if self.login.is_none() {
            return self.tagged(NOT_AUTHENTICATED);
        }
        if self.transaction.is_some() {
            return self.tagged("503 5.5.2 Sender already specified");
        }
        if usize::try_from(limit).is_ok_and(|limit| size > limit) {
            return self.tagged(TOO_LARGE);
        }
        self.transaction = Some(Transaction {
            envelope: Envelope {
                mail_from: from,
                recipients: Vec::new(),
                client,
            },
            chunks: None,
            binary,
        });
        self.reply("250 2.1.0 Sender OK");
    }

    fn rcpt(&mut self, to: String) {
        let most = self.office_limits().recipients_per_message;
        let Some(transaction) = &mut self.transaction else {
            return self.tagged(match self.login {
                Some(_) => "503 5.5.2 Need mail command",
                None => NOT_AUTHENTICATED,
            });
        };
        let recipients = &mut transaction.envelope.recipients;
        if transaction.chunks.is_some() {
            return self.tagged("503 5.5.2 Bad sequence of commands");
        }
        if u32::try_from(recipients.len()).is_ok_and(|count| count >= most) {
            return self.tagged("452 4.5.3 Too many recipients");
        }
        if !self.service.office.knows(&to) {
            let reply = format!(
                "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {to} not found by SMTP address lookup"
            );
            return self.tagged(&reply);
        }
        recipients.push(to);
        self.reply("250 2.1.5 Recipient OK");
    }

    pub(super) fn timed_out(&mut self) -> Next {
        self.tagged("421 4.4.1 Connection timed out");
        Next::Close
    }

    /// Says what the sandbox was told to say at this point, if anything.
    pub(super) fn scripted(&mut self, at: &str) -> Option<Next> {
        let mailbox = self.login.as_ref().map(|login| login.mailbox.as_str());
        let rule = self.service.faults.of_smtp(at, mailbox)?;
        self.reply(&rule.reply);
        Some(match rule.close || rule.reply.starts_with("421") {
            true => Next::Close,
            false => Next::Command,
        })
    }

    pub(super) fn reply(&mut self, reply: &str) {
        self.wire.push(reply.as_bytes());
        self.wire.push(b"\r\n");
    }

    /// A refusal, with what Exchange adds: `[HOST 2026-11-22T10:13:19.000Z 08DE295F1A2B3C4D]`.
    pub(super) fn tagged(&mut self, reply: &str) {
        self.errors = self.errors.saturating_add(1);
        let at =
            Timestamp::from_second(self.service.clock.now().0).unwrap_or(Timestamp::UNIX_EPOCH);
        let tagged = format!(
            "{reply} [{} {at:.3} {}]",
            self.service.host_name, self.session
        );
        self.reply(&tagged);
    }
}

pub(super) const NOT_AUTHENTICATED: &str = "530 5.7.57 Client not authenticated to send mail.";
const HELLO_FIRST: &str = "503 5.5.2 Send hello first";
const MAX_ERRORS: u32 = 20;
