//! Why there is no mail now.

use std::time::Duration;

use mailgrant_mail::imap;
use thiserror::Error as ThisError;

use crate::{diagnosis::Diagnosis, tokens};

/// Why there is no mail now.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// There is no token for the mailbox.
    #[error(transparent)]
    Token(#[from] tokens::Error),
    /// The mail server refused a fresh token.
    #[error("{}", .0.detail)]
    Refused(Box<Diagnosis>),
    /// The mail server asks for a pause.
    #[error("the mail server asks for a pause of {} seconds", retry_after.as_secs())]
    Throttled {
        /// How long it lasts yet.
        retry_after: Duration,
    },
    /// All sessions are in use.
    #[error("all connections to the mail server are in use; try again in a moment")]
    Busy,
    /// The mail server failed or refused a command.
    #[error(transparent)]
    Imap(imap::Error),
}

/// Whether the connection is gone, as happens to one that has been idle.
pub(super) const fn is_broken_line(error: &imap::Error) -> bool {
    matches!(
        error,
        imap::Error::Closed { .. } | imap::Error::Bye { .. } | imap::Error::Connect { .. }
    )
}
