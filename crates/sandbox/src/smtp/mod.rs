//! SMTP submission of Exchange Online (`smtp.office365.com:587`), as far as a client can tell.
//!
//! ```text
//! S: 220 SANDBOX.PROD.OUTLOOK.TEST Microsoft ESMTP MAIL Service ready at Sun, 22 Nov 2026 10:13:19 +0000 [08DE…]
//! C: EHLO client.example
//! …  STARTTLS, EHLO again
//! C: AUTH XOAUTH2 dXNlcj0…
//! S: 235 2.7.0 Authentication successful
//! C: MAIL FROM:<ada@tarnbrook.test>
//! S: 250 2.1.0 Sender OK
//! …
//! S: 250 2.0.0 OK <…> [Hostname=SANDBOX.PROD.OUTLOOK.TEST]
//! ```
//!
//! RFC 5321 with STARTTLS (3207), AUTH (4954), SIZE (1870), PIPELINING (2920), CHUNKING and BINARYMIME (3030),
//! 8BITMIME (6152), SMTPUTF8 (6531) and the syntax of DSN (3461). Commands are read by smtp-proto.
//!
//! How Exchange differs from what one might expect, and this service with it:
//! - `AUTH` is offered only after STARTTLS; before it, `MAIL` gets `451 5.7.3 STARTTLS is required to send mail`.
//! - The initial response may be as long as a token is, whatever RFC 4954 says of lines.
//! - `user=` is the person who signed in, by user principal name: neither a shared mailbox nor another address of
//!   theirs. To send as somebody else is a matter of `MAIL FROM` and `From`, and of the right Send As.
//! - Whether one may send, and how much, shows after the message: at the reply to its end, not before.
//! - What was sent is kept in Sent Items of the mailbox that logged in.
//!
//! A message ends at CRLF.CRLF and nowhere else; a bare LF or CR is part of it. Nothing a client sends may harm the
//! process: lines, messages, the memory of all messages together, connections and silence are limited by [`Limits`].

mod authenticate;
mod command;
mod connection;
mod data;
mod fault;
pub(crate) mod message;
mod quota;
mod refusal;
mod transfer;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use mailgrant_core::time::UnixTime;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::control::Faults;
use crate::directory::{Protocol, Submission};
use crate::net::fault::LineFaults;
use crate::net::{self, Door, Security, Stream, Tls, Wire};
use crate::random::Random;
use connection::Connection;
pub use fault::SmtpFault;
use quota::Quota;
pub use refusal::{LoginRefusal, SendRefusal};

/// Exchange behind the wire: who may log in, who can be written to, and what becomes of a message.
pub trait PostOffice: Send + Sync + 'static {
    /// Judges a login.
    ///
    /// # Errors
    /// A [`LoginRefusal`], which says how Exchange would show it.
    fn log_in(&self, user: &str, proof: Proof<'_>, now: UnixTime) -> Result<Login, LoginRefusal>;

    /// Whether a recipient can be written to: one elsewhere, or one that exists here.
    fn knows(&self, recipient: &str) -> bool;

    /// Takes a message over: once this returns well, it is stored and delivered. Returns its `Message-ID`.
    ///
    /// # Errors
    /// A [`SendRefusal`], which says how Exchange would show it.
    fn send(
        &self,
        login: &Login,
        envelope: &Envelope,
        message: &[u8],
        now: UnixTime,
    ) -> Result<String, SendRefusal>;

    /// Remembers a message that the limits kept from being sent.
    fn refused(&self, login: &Login, envelope: &Envelope, why: &str, now: UnixTime);

    /// The limits of now: those of a mailbox, or what somebody is told who has not logged in.
    fn limits(&self, mailbox: Option<&str>) -> Submission;
}

/// With what somebody logs in.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// An access token.
    Token(&'a str),
    /// A password.
    Password(&'a str),
}

/// Who is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Address of the mailbox that sends.
    pub mailbox: String,
    /// The application that the token was issued to; none where a password was used.
    pub client_id: Option<String>,
    /// Whether the application acts by itself.
    pub app_only: bool,
    /// Whether the mailbox can be opened.
    pub connected: bool,
}

/// Who a message is from and who it goes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// `MAIL FROM`; empty for `<>`.
    pub mail_from: String,
    /// `RCPT TO`
    pub recipients: Vec<String>,
    /// The name the client gave itself in `EHLO`.
    pub client: String,
}

/// Where and how to listen.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port on 127.0.0.1 that starts in the clear; 0 for any free one.
    pub port: u16,
    /// Port on 127.0.0.1 that speaks TLS at once, which Exchange Online does not have; 0 for any free one.
    pub tls_port: Option<u16>,
    /// The host name in the greeting.
    pub host_name: String,
    /// What a client may cost.
    pub limits: Limits,
    /// What goes wrong.
    pub faults: Faults,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            port: 0,
            tls_port: None,
            host_name: HOST_NAME.to_owned(),
            limits: Limits::default(),
            faults: Faults::default(),
        }
    }
}

/// What one client may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Octets of a command; an access token must fit.
    pub line: usize,
    /// Octets of all messages under way together.
    pub memory: usize,
    /// How long a client may be silent before it has logged in, the TLS handshake included.
    pub login_timeout: Duration,
    /// How long it may be silent afterwards (RFC 5321 §4.5.3.2 demands at least 5 minutes).
    pub idle_timeout: Duration,
    /// How long a whole message may take.
    pub message_timeout: Duration,
    /// How long it may refuse to read.
    pub write_timeout: Duration,
    /// How long a mailbox that sends too much is made to wait at most, in the machine's time.
    pub longest_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 2_048,
            line: 128 << 10,
            memory: 512 << 20,
            login_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(10 * 60),
            message_timeout: Duration::from_secs(30 * 60),
            write_timeout: Duration::from_secs(120),
            longest_wait: Duration::from_secs(60),
        }
    }
}

/// Starts the service.
///
/// # Errors
/// When a port cannot be had.
pub async fn serve(
    settings: Settings,
    tls: Arc<ServerConfig>,
    office: Arc<dyn PostOffice>,
    clock: Clock,
    random: Arc<dyn Random>,
) -> io::Result<Server> {
    let starttls = TcpListener::bind((Ipv4Addr::LOCALHOST, settings.port)).await?;
    let implicit = match settings.tls_port {
        Some(port) => Some(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?),
        None => None,
    };
    let service = Arc::new(Service::new(settings, tls, office, clock, random));
    let door = service.door.clone();
    Ok(Server {
        starttls: door.open(&service, starttls, Tls::StartTls)?,
        implicit: match implicit {
            Some(listener) => Some(door.open(&service, listener, Tls::Implicit)?),
            None => None,
        },
        door,
    })
}

/// The running service. Dropping it ends the service without waiting.
pub struct Server {
    starttls: SocketAddr,
    implicit: Option<SocketAddr>,
    door: Door,
}

impl Server {
    /// The port that offers STARTTLS.
    pub fn port(&self) -> u16 {
        self.starttls.port()
    }

    /// The port that speaks TLS at once, if it was asked for.
    pub fn tls_port(&self) -> Option<u16> {
        self.implicit.map(|address| address.port())
    }

    /// Says 421 to every client and waits until all is closed.
    pub async fn stop(self) {
        self.door.closed().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.door.close();
    }
}

/// What all connections share.
struct Service {
    door: Door,
    /// What is left of [`Limits::memory`].
    memory: Arc<Semaphore>,
    limits: Limits,
    host_name: String,
    faults: Faults,
    line_faults: LineFaults,
    quota: Quota,
    office: Arc<dyn PostOffice>,
    clock: Clock,
    random: Arc<dyn Random>,
}

impl Service {
    fn new(
        settings: Settings,
        tls: Arc<ServerConfig>,
        office: Arc<dyn PostOffice>,
        clock: Clock,
        random: Arc<dyn Random>,
    ) -> Self {
        let limits = settings.limits;
        let line_faults = LineFaults::new(settings.faults.clone(), Protocol::Smtp);
        Service {
            door: Door::new(tls, limits.connections, limits.login_timeout).under(&line_faults),
            memory: Arc::new(Semaphore::new(data::permits(limits.memory))),
            limits,
            host_name: settings.host_name,
            faults: settings.faults,
            line_faults,
            quota: Quota::default(),
            office,
            clock,
            random,
        }
    }

    /// The line to a client; `greeted` when it has had its greeting.
    fn wire(&self, stream: Box<dyn Stream>, greeted: bool) -> Wire {
        Wire::new(stream, self.limits.write_timeout).under(&self.line_faults, greeted)
    }
}

/// The service without a port, for fuzzing.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn portless(
    tls: Arc<ServerConfig>,
    office: Arc<dyn PostOffice>,
    clock: Clock,
    random: Arc<dyn Random>,
) -> Arc<impl net::Service> {
    let settings = Settings::default();
    Arc::new(Service::new(settings, tls, office, clock, random))
}

impl net::Service for Service {
    const NAME: &'static str = "SMTP";

    fn door(&self) -> &Door {
        &self.door
    }

    fn crowded(&self) -> &'static [u8] {
        b"421 4.3.2 The maximum number of concurrent server connections has exceeded a limit, closing transmission channel\r\n"
    }

    async fn serve(self: Arc<Self>, stream: Box<dyn Stream>, security: Security) {
        let wire = self.wire(stream, false);
        Connection::new(self, wire, security).run().await;
    }
}

/// The host that the sandbox calls itself.
pub(crate) const HOST_NAME: &str = "SANDBOX.PROD.OUTLOOK.TEST";

#[cfg(test)]
mod tests;
