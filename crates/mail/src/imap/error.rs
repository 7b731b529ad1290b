//! What can go wrong between here and a mailbox.

use std::borrow::Cow;
use std::time::Duration;

use mailgrant_core::sasl::{FailureChallenge, Mechanism};

use super::guard::GuardLimit;

/// Why IMAP did not do what was asked.
///
/// Texts of the server are kept (printable characters only, at most 500 of them); tokens never are.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No TCP connection.
    #[error(
        "cannot connect to {host}:{port}: {source}. Check host and port, and that a firewall lets this machine out to it"
    )]
    Connect {
        /// Host as configured.
        host: String,
        /// Port as configured.
        port: u16,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// No trustworthy TLS.
    #[error("no TLS with {host}: {reason}")]
    Tls {
        /// Host as configured, or what was being set up.
        host: String,
        /// What failed and what to do.
        reason: String,
    },
    /// The server did not answer in time.
    #[error("the mail server did not answer in time during {during}: try again later")]
    Timeout {
        /// The command or phase.
        during: Cow<'static, str>,
    },
    /// The connection ended before the answer was complete.
    #[error("the connection to the mail server ended during {during}{}", hint.as_deref().map(|hint| format!(": {hint}")).unwrap_or_default())]
    Closed {
        /// The command or phase.
        during: Cow<'static, str>,
        /// What may be behind it.
        hint: Option<String>,
    },
    /// The server said goodbye.
    #[error("the mail server closed the connection: {text}")]
    Bye {
        /// Its reason.
        text: String,
    },
    /// The server refused a command.
    #[error("the mail server refused {command}: {}{text}", code.as_deref().map(|code| format!("[{code}] ")).unwrap_or_default())]
    No {
        /// The command's name.
        command: &'static str,
        /// The server's text.
        text: String,
        /// The first word of the response code, upper case (RFC 5530): `LIMIT`, `NONEXISTENT`, …
        code: Option<String>,
    },
    /// The server did not take a command. Exchange answers so where it means NO.
    #[error("the mail server rejected {command}: {text}")]
    Bad {
        /// The command's name.
        command: &'static str,
        /// The server's text.
        text: String,
    },
    /// The server did not accept user and token.
    #[error("the mail server did not accept the access token ({mechanism}): {text}{}", challenge.as_deref().map(|c| format!(" (status {})", c.status)).unwrap_or_default())]
    Authentication {
        /// The mechanism used.
        mechanism: Mechanism,
        /// What the server's error challenge said.
        challenge: Option<Box<FailureChallenge>>,
        /// The text of the NO.
        text: String,
    },
    /// Neither XOAUTH2 nor OAUTHBEARER is offered.
    #[error(
        "the mail server offers neither AUTH=XOAUTH2 nor AUTH=OAUTHBEARER (it offers: {}). Check that host, port and TLS are those of the provider's OAuth service",
        offered.join(" ")
    )]
    NoMechanism {
        /// The capabilities it did offer.
        offered: Vec<String>,
    },
    /// The server sent more, or deeper, or otherwise than any honest server does.
    #[error("the mail server was cut off: {0}")]
    Limit(#[from] GuardLimit),
    /// The server broke the protocol.
    #[error("the mail server broke the protocol during {during}: {reason}")]
    Protocol {
        /// The command or phase.
        during: Cow<'static, str>,
        /// What it did.
        reason: String,
    },
    /// The caller's value cannot be sent; nothing was.
    #[error("{what} cannot be used: {reason}")]
    InvalidInput {
        /// Which value.
        what: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Error {
    /// How long the server asked to be left alone.
    ///
    /// ```text
    /// BAD Request is throttled. Suggested Backoff Time: 299609 milliseconds
    /// ```
    pub fn backoff(&self) -> Option<Duration> {
        let (_, rest) = self.text()?.split_once("Suggested Backoff Time: ")?;
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok().map(Duration::from_millis)
    }

    /// Whether user or token was refused, as against everything that a new token would not mend.
    pub fn is_authentication(&self) -> bool {
        matches!(self, Self::Authentication { .. })
    }

    /// Whether the same request may well succeed later, unchanged.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Closed { .. }
            | Self::Bye { .. } => true,
            Self::No { code, .. } => {
                code.as_deref().is_some_and(is_transient_code) || self.backoff().is_some()
            }
            Self::Bad { .. } => self.backoff().is_some(),
            _ => false,
        }
    }

    /// What the server said, where it said something.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Bye { text }
            | Self::No { text, .. }
            | Self::Bad { text, .. }
            | Self::Authentication { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// Response codes of RFC 5530 and RFC 9051 that speak of now, not of the request.
pub(super) fn is_transient_code(code: &str) -> bool {
    matches!(
        code,
        "UNAVAILABLE" | "INUSE" | "LIMIT" | "SERVERBUG" | "CONTACTADMIN"
    )
}

/// A server's text, fit for messages and logs.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(MAX_TEXT)
        .collect::<String>()
        .trim()
        .to_owned()
}

const MAX_TEXT: usize = 500;
