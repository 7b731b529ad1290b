//! Reading emails from an open mailbox: by their ids, whole or in windows.

use actix_web::web::Bytes;
use mailgrant_mail::{
    imap::{self, Session, Summary},
    message::Facts,
};

use crate::{
    email_id::EmailId,
    problem::{Code, Problem},
};

/// Opens the mailbox of an id, if the id still means anything there.
///
/// The outer result is the connection's, the inner one the caller's.
pub(crate) async fn open(
    session: &mut Session,
    id: &EmailId,
) -> Result<Result<(), Problem>, imap::Error> {
    let selected = match session.examine(&id.mailbox).await {
        Ok(selected) => selected,
        Err(error) if is_no_mailbox(&error) => return Ok(Err(Problem::not_found("email"))),
        Err(error) => return Err(error),
    };
    Ok(check_validity(selected.uid_validity, id.uid_validity))
}

/// UIDs mean nothing under another UIDVALIDITY (RFC 9051 §2.3.1.1).
pub(crate) fn check_validity(now: u32, then: u32) -> Result<(), Problem> {
    if now == then {
        Ok(())
    } else {
        Err(Problem::new(
            Code::UidvalidityChanged,
            "the mail server has rebuilt the mailbox, so ids and cursors from before are void; list the emails again",
        ))
    }
}

/// A refusal to open that speaks of the mailbox, not of the moment.
pub(crate) fn is_no_mailbox(error: &imap::Error) -> bool {
    match error {
        imap::Error::No { command, text, .. } => {
            matches!(*command, "EXAMINE" | "SELECT" | "STATUS")
                && !error.is_transient()
                && !text.to_ascii_lowercase().contains("not connected")
        }
        _ => false,
    }
}

/// What the API says of an email besides its content.
pub(crate) fn facts(mailbox: &str, uid_validity: u32, summary: &Summary) -> Facts {
    let id = EmailId {
        mailbox: mailbox.to_owned(),
        uid_validity,
        uid: summary.uid,
    };
    Facts {
        id: id.encode(),
        mailbox: mailbox.to_owned(),
        keywords: summary.flags.clone(),
        received_at: summary.received_at,
        size: summary.size,
    }
}

/// A whole email with its facts, if it is not larger than what is taken apart in memory.
pub(crate) async fn whole(
    session: &mut Session,
    id: &EmailId,
) -> Result<Result<(Facts, Vec<u8>), Problem>, imap::Error> {
    if let Err(problem) = open(session, id).await? {
        return Ok(Err(problem));
    }
    let gone = || Ok(Err(Problem::not_found("email")));
    let Some(summary) = session.describe(id.uid).await? else {
        return gone();
    };
    let mut raw = Vec::new();
    let mut windows = Windows::of(id.uid);
    loop {
        match windows.next(session, WINDOW).await? {
            Window::Bytes(bytes) if raw.len() + bytes.len() > LARGEST => {
                return Ok(Err(Problem::new(
                    Code::EmailTooLarge,
                    format!(
                        "it is larger than {} MiB; read it from …/raw",
                        LARGEST / (1024 * 1024)
                    ),
                )));
            }
            Window::Bytes(bytes) => raw.extend_from_slice(&bytes),
            Window::End => break,
            Window::Gone => return gone(),
        }
    }
    // Exchange's RFC822.SIZE is an estimate; this is the size.
    let facts = Facts {
        size: u64::try_from(raw.len()).unwrap_or(u64::MAX),
        ..facts(&id.mailbox, id.uid_validity, &summary)
    };
    Ok(Ok((facts, raw)))
}

/// Goes through the octets of an email.
#[derive(Debug)]
pub(crate) struct Windows {
    uid: u32,
    offset: u64,
    is_at_end: bool,
}

/// What was found in the next window.
#[derive(Debug)]
pub(crate) enum Window {
    /// More octets.
    Bytes(Bytes),
    /// All of the email was read.
    End,
    /// The email was deleted meanwhile.
    Gone,
}

impl Windows {
    pub(crate) const fn of(uid: u32) -> Self {
        Self {
            uid,
            offset: 0,
            is_at_end: false,
        }
    }

    pub(crate) async fn next(
        &mut self,
        session: &mut Session,
        length: usize,
    ) -> Result<Window, imap::Error> {
        if self.is_at_end {
            return Ok(Window::End);
        }
        let Some(bytes) = session.body_window(self.uid, self.offset, length).await? else {
            return Ok(Window::Gone);
        };
        // A window that is not full is the last: the announced size is an estimate and decides nothing.
        self.is_at_end = bytes.len() < length;
        self.offset = self
            .offset
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(if bytes.is_empty() {
            Window::End
        } else {
            Window::Bytes(bytes)
        })
    }
}

/// Octets asked for at a time for emails that are taken apart.
const WINDOW: usize = 1024 * 1024;
/// The largest email that is taken apart in memory.
const LARGEST: usize = 64 * 1024 * 1024;
