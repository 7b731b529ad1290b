//! The POP3 service of Exchange Online, as far as a client can tell.
//!
//! ```text
//! S: +OK The Microsoft Exchange POP3 service is ready. [bABvAGMAYQBsAGgAbwBzAHQA]
//! C: AUTH XOAUTH2
//! S: +
//! C: dXNlcj0…
//! S: +OK User successfully authenticated.
//! C: STAT
//! S: +OK 3 1504
//! ```
//!
//! RFC 1939 with CAPA (2449), STLS (2595) and AUTH (5034). One port speaks TLS from the first byte, one starts in the
//! clear and offers STLS.
//!
//! How Exchange differs from what one might expect, and this service with it:
//! - `AUTH XOAUTH2` takes two lines. With the response on the line of the command, as RFC 5034 allows and Gmail takes
//!   it, the answer is `-ERR Protocol error. Connection is closed. 10`.
//! - A password is refused whatever it is; before TLS nothing but STLS is of use.
//! - A failed login has the same words for every reason.
//!
//! What Exchange says when nothing is behind a login, when the token ends and to an unknown command was not seen in any
//! transcript: there this service uses the words of IMAP.
//!
//! The inbox is numbered at the login. UIDLs are the inbox's UIDVALIDITY and the message's UID: they are the same in
//! every session. Deletion happens at QUIT and only there. Every wait and every line is limited by [`Limits`].

mod command;
mod connection;
mod fault;
mod maildrop;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use mailgrant_core::time::UnixTime;
use rustls::ServerConfig;

use crate::clock::Clock;
use crate::control::Faults;
use crate::directory::Protocol;
use crate::mailstore::MailStore;
pub use crate::net::Server;
use crate::net::fault::LineFaults;
use crate::net::{self, Door, Security, Stream, Wire};
use connection::Connection;
pub use fault::Pop3Fault;

/// Decides who may open which mailbox.
pub trait Authenticator: Send + Sync + 'static {
    /// Judges the `user` and `token` of an XOAUTH2 response.
    ///
    /// # Errors
    /// A [`Refusal`], which says how Exchange would show it.
    fn authenticate(
        &self,
        user: &str,
        token: &str,
        now: UnixTime,
    ) -> Result<MailboxAccess, Refusal>;
}

/// What a good token opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxAccess {
    /// Address of the mailbox.
    pub mailbox: String,
    /// When the token, and with it the session, ends.
    pub expires_at: UnixTime,
}

/// How Exchange says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `-ERR Authentication failure: unknown user name or bad password.`
    Authentication,
    /// The login succeeds, and nothing is behind it.
    NotConnected,
}

/// Where and how to listen.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port on 127.0.0.1 that speaks TLS at once; 0 for any free one.
    pub port: u16,
    /// Port on 127.0.0.1 that starts in the clear; 0 for any free one.
    pub starttls_port: u16,
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
            starttls_port: 0,
            host_name: crate::smtp::HOST_NAME.to_owned(),
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
    /// Octets of a command (RFC 2449 §4: 255).
    pub line: usize,
    /// Octets of a response within AUTH: an access token must fit.
    pub response: usize,
    /// How long a client may be silent before it has logged in, the TLS handshake included.
    pub login_timeout: Duration,
    /// How long it may be silent afterwards (RFC 1939 §3 demands at least 10 minutes).
    pub idle_timeout: Duration,
    /// How long it may refuse to read.
    pub write_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 2_048,
            line: 255,
            response: 128 << 10,
            login_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(11 * 60),
            write_timeout: Duration::from_secs(120),
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
    store: Arc<MailStore>,
    authenticator: Arc<dyn Authenticator>,
    clock: Clock,
) -> io::Result<Server> {
    let (port, starttls_port) = (settings.port, settings.starttls_port);
    let service = Arc::new(Service::new(settings, tls, store, authenticator, clock));
    Server::open(&service, port, starttls_port).await
}

/// What all connections share.
struct Service {
    door: Door,
    limits: Limits,
    greeting: String,
    faults: Faults,
    line_faults: LineFaults,
    store: Arc<MailStore>,
    authenticator: Arc<dyn Authenticator>,
    clock: Clock,
}

impl Service {
    fn new(
        settings: Settings,
        tls: Arc<ServerConfig>,
        store: Arc<MailStore>,
        authenticator: Arc<dyn Authenticator>,
        clock: Clock,
    ) -> Self {
        let limits = settings.limits;
        let line_faults = LineFaults::new(settings.faults.clone(), Protocol::Pop);
        let host_name = net::hidden_host_name(&settings.host_name);
        Service {
            door: Door::new(tls, limits.connections, limits.login_timeout).under(&line_faults),
            limits,
            greeting: format!("+OK The Microsoft Exchange POP3 service is ready. [{host_name}]"),
            faults: settings.faults,
            line_faults,
            store,
            authenticator,
            clock,
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
    store: Arc<MailStore>,
    authenticator: Arc<dyn Authenticator>,
    clock: Clock,
) -> Arc<impl net::Service> {
    let settings = Settings::default();
    Arc::new(Service::new(settings, tls, store, authenticator, clock))
}

impl net::Service for Service {
    const NAME: &'static str = "POP3";

    fn door(&self) -> &Door {
        &self.door
    }

    fn crowded(&self) -> &'static [u8] {
        b"-ERR Connection refused: too many connections.\r\n"
    }

    async fn serve(self: Arc<Self>, stream: Box<dyn Stream>, security: Security) {
        let wire = self.wire(stream, false);
        Connection::new(self, wire, security).run().await;
    }
}

#[cfg(test)]
mod tests;
