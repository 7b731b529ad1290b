//! IMAP with an access token: one connection, its login, and reading mail.
//!
//! ```no_run
//! # async fn example(host: &mailgrant_core::provider::MailHost, token: &mailgrant_core::token::AccessToken)
//! #     -> Result<(), mailgrant_mail::imap::Error> {
//! use mailgrant_mail::imap::{Connector, Limits};
//!
//! let connector = Connector::new(None, Limits::default())?;
//! let connection = connector.connect(host).await?;
//! let mut session = connection.authenticate("shared@contoso.example", token).await?;
//! session.examine("INBOX").await?;
//! let page = session.page(50, None).await?;
//! for email in &page.items {
//!     println!("{} {} octets", email.uid, email.size);
//! }
//! session.logout().await
//! # }
//! ```
//!
//! Layers, from the wire up: [`guard`] (what the parser may see), the driver (one command, one
//! tagged answer, deadlines), [`Connection`] (not yet authenticated), [`Session`] (authenticated).
//! Everything above the driver sees only this crate's own types, so that the parsing library can be
//! replaced in two files.
//!
//! # Logging
//!
//! The parsing library logs every octet received through `log` at level trace, mail included.
//! A subscriber that bridges `log` must switch it off: `async_imap=off,imap_proto=off`. What this
//! crate sends, tokens among it, never passes through that library's writer.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

pub use connection::{Connection, Connector};
pub use error::Error;
pub use fetch::Summary;
pub use idle::Idled;
pub use mailbox::{Mailbox, MailboxStatus, Role, Selected};
pub use page::{Page, PagePosition};
pub use search::Query;
pub use session::Session;

mod authenticate;
mod connection;
mod date;
mod driver;
mod error;
mod fetch;
pub mod guard;
mod idle;
mod mailbox;
mod page;
mod response;
mod role;
mod search;
mod session;
mod tls;
pub mod utf7;

#[cfg(test)]
mod tests;

/// How much a server may send and how long it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Octets of all literals in one response.
    pub max_literal: u64,
    /// Octets of one response outside literals.
    pub max_line: usize,
    /// Opening parentheses of one response outside literals. What is asked for needs three. On a
    /// stack of 2 MiB the parser overflows at some 60 in a debug build, at some 300 in a release.
    pub max_depth: u32,
    /// Name resolution and TCP together.
    pub connect_timeout: Duration,
    /// TLS handshake, and the greeting.
    pub greeting_timeout: Duration,
    /// The whole login: capabilities and AUTHENTICATE.
    pub login_timeout: Duration,
    /// Silence within a command.
    pub idle_timeout: Duration,
    /// One command from its first to its last octet.
    pub command_timeout: Duration,
    /// Octets of each message's head that a listing fetches.
    pub head_window: u32,
    /// Octets of a body that are asked for at a time by those who read it in windows.
    pub chunk: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_literal: 32 * 1024 * 1024,
            max_line: 256 * 1024,
            max_depth: 16,
            connect_timeout: Duration::from_secs(10),
            greeting_timeout: Duration::from_secs(15),
            login_timeout: Duration::from_secs(45),
            idle_timeout: Duration::from_secs(60),
            command_timeout: Duration::from_secs(180),
            head_window: 16 * 1024,
            chunk: 256 * 1024,
        }
    }
}

/// What an IMAP connection runs over: TCP, TLS, or a pipe in tests.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}
