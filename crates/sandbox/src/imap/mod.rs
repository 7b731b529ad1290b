//! The IMAP service of Exchange Online, as far as a client can tell.
//!
//! ```text
//! S: * OK The Microsoft Exchange IMAP4 service is ready. [bABvAGMAYQBsAGgAbwBzAHQA]
//! C: 1 AUTHENTICATE XOAUTH2 dXNlcj0…
//! S: 1 OK AUTHENTICATE completed.
//! C: 2 SELECT INBOX
//! S: * 3 EXISTS
//! …
//! ```
//!
//! Commands are read by imap-codec (RFC 3501 and its extensions), answers are written here byte by byte, in
//! the words Exchange uses where transcripts show them. One port speaks TLS from the first byte, one starts in
//! the clear and offers STARTTLS.
//!
//! How Exchange differs from what one might expect, and this service with it:
//! - `AUTH=PLAIN` is advertised and refused; `XOAUTH2` is the only way in; there is no error challenge.
//! - A login can succeed and mean nothing: without a permission on the mailbox the first command that needs it
//!   gets `BAD User is authenticated but not connected.` and the line is cut.
//! - When the access token ends, so does the session: `* BYE Session invalidated - AccessTokenExpired`.
//! - Only the system flags and `$MDNSent` are kept; `\Recent` is never set.
//! - A folder with a `/` in its own name is not shown, see [`path::SLASH_IN_NAME`](crate::mailstore::path).
//!
//! Nothing a client sends may harm the process: lines, literals, nesting, connections and silence are limited
//! by [`Limits`].

mod authenticate;
mod connection;
pub mod fault;
mod fetch;
mod folders;
mod idle;
mod list_options;
mod messages;
mod mime;
mod name;
mod open;
mod reply;
mod search;
mod selected;
mod sessions;
mod staged;
mod structure;
mod syntax;
mod wire;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mailgrant_core::time::UnixTime;
use rustls::ServerConfig;
use tokio::sync::watch;

pub use fault::{ImapFault, ImapRule};
pub use sessions::Sessions;

use crate::clock::Clock;
use crate::control::{Entry, Faults};
use crate::directory::{Holder, ImapLimits, Protocol};
use crate::mailstore::MailStore;
pub use crate::net::Server;
use crate::net::fault::LineFaults;
use crate::net::{self, Door, Security, Stream};
use connection::Connection;
use wire::Wire;

/// What the service asks of the house it stands in.
pub trait Authenticator: Send + Sync + 'static {
    /// Judges the `user` and `token` of an XOAUTH2 response.
    ///
    /// # Errors
    /// How Exchange would refuse, and why.
    fn authenticate(
        &self,
        user: &str,
        token: &str,
        now: UnixTime,
    ) -> Result<MailboxAccess, Refused>;

    /// What LOGIN and AUTHENTICATE PLAIN are told, in which nobody gets in.
    fn refuse_password(&self, user: &str) -> PasswordRefusal {
        let _ = user;
        PasswordRefusal::Failed
    }

    /// What the mailbox may take at once.
    fn limits(&self, mailbox: &str) -> ImapLimits {
        let _ = mailbox;
        ImapLimits::default()
    }

    /// Whether a session may stay open; asked when [`changes`](Self::changes) tells of something.
    fn may_stay(&self, access: &MailboxAccess) -> bool {
        let _ = access;
        true
    }

    /// Tells when [`may_stay`](Self::may_stay) is to be asked again.
    fn changes(&self) -> Option<watch::Receiver<u64>> {
        None
    }

    /// Writes down what happened.
    fn record(&self, entry: Entry) {
        let _ = entry;
    }
}

/// What a good token opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxAccess {
    /// Address of the mailbox.
    pub mailbox: String,
    /// When the token, and with it the session, ends.
    pub expires_at: UnixTime,
    /// Who came in, where that is known.
    pub holder: Option<Holder>,
}

/// A login that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// How Exchange shows it.
    pub refusal: Refusal,
    /// Why, which the wire does not say.
    pub reason: String,
}

/// How Exchange says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `NO AUTHENTICATE failed.`
    Authentication,
    /// The login succeeds, and the first mailbox command gets `BAD User is authenticated but not connected.`
    NotConnected,
}

/// How Exchange says no to a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordRefusal {
    /// `NO LOGIN failed.`
    Failed,
    /// `NO Basic authentication is disabled.`: a personal account.
    Disabled,
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
    /// Where the open sessions are counted.
    pub sessions: Sessions,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            port: 0,
            starttls_port: 0,
            host_name: "SANDBOX.PROD.OUTLOOK.TEST".to_owned(),
            limits: Limits::default(),
            faults: Faults::default(),
            sessions: Sessions::default(),
        }
    }
}

/// What one client may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Octets of a command without its literals.
    pub line: usize,
    /// Octets of a literal outside APPEND.
    pub literal: usize,
    /// Octets of an appended message.
    pub message: usize,
    /// How long a client may be silent before it has logged in, the TLS handshake included.
    pub login_timeout: Duration,
    /// How long it may be silent afterwards, in IDLE too (RFC 3501 §5.4 demands at least 30 minutes).
    pub idle_timeout: Duration,
    /// How long it may refuse to read.
    pub write_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 8_192,
            line: 64 << 10,
            literal: 64 << 10,
            message: 36 << 20,
            login_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(31 * 60),
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
    let server = Server::open(&service, port, starttls_port).await?;
    if let Some(changes) = service.authenticator.changes() {
        let door = service.door.clone();
        door.spawn(look_after(service, changes));
    }
    Ok(server)
}

/// What all connections share.
struct Service {
    door: Door,
    limits: Limits,
    faults: Faults,
    line_faults: LineFaults,
    sessions: Sessions,
    /// Since when the rules of the plan with that number turn mailboxes away.
    backoffs: Mutex<staged::Backoffs>,
    greeting: String,
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
        let line_faults = LineFaults::new(settings.faults.clone(), Protocol::Imap);
        Service {
            door: Door::new(tls, limits.connections, limits.login_timeout).under(&line_faults),
            greeting: greeting(&settings.host_name),
            limits,
            faults: settings.faults,
            line_faults,
            sessions: settings.sessions,
            backoffs: Mutex::default(),
            store,
            authenticator,
            clock,
        }
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
    const NAME: &'static str = "IMAP";

    fn door(&self) -> &Door {
        &self.door
    }

    fn crowded(&self) -> &'static [u8] {
        b"* BYE Connection refused: too many connections.\r\n"
    }

    async fn serve(self: Arc<Self>, stream: Box<dyn Stream>, security: Security) {
        let wire = Wire::new(stream, &self.limits).under(&self.line_faults, false);
        Connection::new(self, wire, security).run().await;
    }
}

/// Ends the sessions that may not stay when the house changes.
async fn look_after(service: Arc<Service>, mut changes: watch::Receiver<u64>) {
    loop {
        tokio::select! {
            () = service.door.stopping() => return,
            changed = changes.changed() => if changed.is_err() {
                return;
            },
        }
        service.sessions.end_where(connection::CLOSED, |access| {
            !service.authenticator.may_stay(access)
        });
    }
}

/// ```text
/// * OK The Microsoft Exchange IMAP4 service is ready. [<base64 of the UTF-16LE host name>]
/// ```
fn greeting(host_name: &str) -> String {
    let host_name = net::hidden_host_name(host_name);
    format!("* OK The Microsoft Exchange IMAP4 service is ready. [{host_name}]\r\n")
}

#[cfg(test)]
mod tests;
