//! From each layer's error to its problem, exhaustively and in one place.

use actix_web::http::StatusCode;
use mailgrant_mail::imap;

use super::{Code, Problem};
use crate::{diagnosis, pool, registration::TENANT_NOT_ALLOWED, tokens};

impl From<mailgrant_storage::Error> for Problem {
    fn from(error: mailgrant_storage::Error) -> Self {
        use mailgrant_storage::Error;
        match error {
            Error::Unavailable(_) => {
                tracing::error!(%error, "storage");
                Self::new(
                    Code::StorageUnavailable,
                    "the database does not answer; nothing was stored; try again",
                )
                .retry_after(Some(std::time::Duration::from_secs(2)))
            }
            Error::Conflict { account } => Self::new(
                Code::AlreadyConnected,
                format!("this mailbox is connected already, as {account}"),
            )
            .of_account(account),
            other => {
                tracing::error!(error = %other, "storage");
                Self::new(
                    Code::Internal,
                    "the stored data cannot be read; the gateway's log says more",
                )
            }
        }
    }
}

impl From<tokens::Error> for Problem {
    fn from(error: tokens::Error) -> Self {
        use tokens::{Error, Unavailable};
        let detail = error.to_string();
        match error {
            Error::ReauthRequired(diagnosis) => {
                Self::new(Code::ReauthRequired, detail).with(diagnosis)
            }
            Error::ConsentRequired(diagnosis) => {
                Self::new(Code::ConsentRequired, detail).with(diagnosis)
            }
            Error::Disabled => Self::new(Code::AccountDisabled, detail),
            Error::Refused(diagnosis) => {
                Self::new(Code::AuthorityRefused, detail).with(Some(diagnosis))
            }
            Error::NotGranted(diagnosis) => {
                Self::new(Code::ScopeMissing, detail).diagnosed(*diagnosis)
            }
            Error::Unavailable {
                kind,
                diagnosis,
                retry_after,
            } => {
                let status = match kind {
                    Unavailable::Faulty => StatusCode::BAD_GATEWAY,
                    Unavailable::Silent => StatusCode::GATEWAY_TIMEOUT,
                    Unavailable::Throttling => StatusCode::SERVICE_UNAVAILABLE,
                };
                Self::new(Code::AuthorityUnavailable, detail)
                    .with_status(status)
                    .with(Some(diagnosis))
                    .retry_after(Some(
                        retry_after.unwrap_or(std::time::Duration::from_secs(5)),
                    ))
            }
            Error::Storage { .. } => {
                tracing::error!(error = %detail, "storage");
                Self::new(
                    Code::StorageUnavailable,
                    "the database does not answer, or another process keeps the grant; the log says which; try again",
                )
                .retry_after(Some(std::time::Duration::from_secs(2)))
            }
            Error::Excluded(diagnosis) if diagnosis.code == TENANT_NOT_ALLOWED => {
                Self::new(Code::TenantNotAllowed, detail).diagnosed(*diagnosis)
            }
            Error::Excluded(diagnosis) => {
                Self::new(Code::Misconfigured, detail).diagnosed(*diagnosis)
            }
            Error::Gone => Self::not_found("account"),
            Error::Stopping => {
                Self::new(Code::Busy, detail).retry_after(Some(std::time::Duration::from_secs(2)))
            }
        }
    }
}

impl From<pool::Error> for Problem {
    fn from(error: pool::Error) -> Self {
        use pool::Error;
        let detail = error.to_string();
        match error {
            Error::Token(error) => error.into(),
            Error::Refused(diagnosis) => {
                Self::new(Code::MailboxAccessRefused, detail).with(Some(diagnosis))
            }
            Error::Throttled { retry_after } => {
                Self::new(Code::Throttled, detail).retry_after(Some(retry_after))
            }
            Error::Busy => {
                Self::new(Code::Busy, detail).retry_after(Some(std::time::Duration::from_secs(2)))
            }
            Error::Imap(error) => imap_problem(&error),
        }
    }
}

fn imap_problem(error: &imap::Error) -> Problem {
    let detail = error.to_string();
    let diagnosis = diagnosis::unusable(error);
    match error {
        imap::Error::InvalidInput { .. } => Problem::new(Code::InvalidField, detail),
        imap::Error::No { .. } | imap::Error::Bad { .. }
            if diagnosis.code == "mailbox_not_connected" =>
        {
            Problem::new(Code::MailboxAccessRefused, detail).diagnosed(diagnosis)
        }
        imap::Error::No { .. } | imap::Error::Bad { .. } => {
            Problem::new(Code::MailServerRefused, detail).diagnosed(diagnosis)
        }
        imap::Error::Timeout { .. } => Problem::new(Code::MailServerUnavailable, detail)
            .with_status(StatusCode::GATEWAY_TIMEOUT)
            .diagnosed(diagnosis),
        _ => Problem::new(Code::MailServerUnavailable, detail).diagnosed(diagnosis),
    }
}

impl Problem {
    fn with(self, diagnosis: Option<Box<diagnosis::Diagnosis>>) -> Self {
        match diagnosis {
            Some(diagnosis) => self.diagnosed(*diagnosis),
            None => self,
        }
    }
}
