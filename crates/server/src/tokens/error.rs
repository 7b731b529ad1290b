//! Why there is no token now, and what it means for the account.

use std::time::Duration;

use mailgrant_core::time::UnixTime;
use mailgrant_oauth::ErrorKind;
use mailgrant_storage::{Account, AccountState, Flow, Transition};
use thiserror::Error as ThisError;

use super::LiveToken;
use crate::diagnosis::{self, Asked, Diagnosis};

/// Why there is no access token now.
#[derive(Debug, Clone, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The grant is dead: the person must connect again.
    #[error("the person must sign in again: start a new connect session")]
    ReauthRequired(Option<Box<Diagnosis>>),
    /// An administrator must agree first.
    #[error("an administrator must agree before this account works")]
    ConsentRequired(Option<Box<Diagnosis>>),
    /// The account is switched off.
    #[error("the account is disabled; enable it first")]
    Disabled,
    /// The authority refused the application, not the person: the operator must act.
    #[error("{}", .0.detail)]
    Refused(Box<Diagnosis>),
    /// What it is wanted for needs more than the person agreed to.
    #[error("{}", .0.detail)]
    NotGranted(Box<Diagnosis>),
    /// The authority cannot be used now; the account is not dead.
    #[error("{}", diagnosis.detail)]
    Unavailable {
        /// In which way.
        kind: Unavailable,
        /// What was seen.
        diagnosis: Box<Diagnosis>,
        /// When to try again.
        retry_after: Option<Duration>,
    },
    /// The new token could not be stored, so it is not handed out.
    #[error("the storage does not answer: {detail}")]
    Storage {
        /// What the storage said.
        detail: String,
    },
    /// The settings no longer take the account, or no longer have its application. Nobody was asked.
    #[error("{}", .0.detail)]
    Excluded(Box<Diagnosis>),
    /// The account was deleted meanwhile.
    #[error("the account is gone")]
    Gone,
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopping,
}

/// In which way the authority cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// No sensible answer.
    Faulty,
    /// No answer in time.
    Silent,
    /// It asks for a pause.
    Throttling,
}

impl Error {
    pub(crate) fn of(error: &mailgrant_oauth::Error, asked: &Asked<'_>) -> Self {
        let diagnosis = Box::new(diagnosis::authority(error, asked));
        let retry_after = error.retry_after().map(|wait| wait.min(LONGEST_WAIT));
        let kind = match error.kind() {
            // Behind an application's own request there is no person to sign in again.
            ErrorKind::Refused(answer)
                if diagnosis::needs_reauthentication(answer)
                    && !diagnosis::is_passing(answer)
                    && !diagnosis::is_app_only(error.step()) =>
            {
                return Self::ReauthRequired(Some(diagnosis));
            }
            ErrorKind::Refused(answer) if !diagnosis::is_passing(answer) => {
                return Self::Refused(diagnosis);
            }
            // Waiting mends no settings.
            ErrorKind::Configuration | ErrorKind::Credential(_) => {
                return Self::Refused(diagnosis);
            }
            ErrorKind::Timeout => Unavailable::Silent,
            ErrorKind::Throttled => Unavailable::Throttling,
            _ => Unavailable::Faulty,
        };
        Self::Unavailable {
            kind,
            diagnosis,
            retry_after,
        }
    }

    /// Whether the operator has to change the settings before anything else can help.
    #[must_use]
    pub fn is_operators(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Excluded(_) => true,
            Self::NotGranted(diagnosis) => diagnosis.code == diagnosis::SCOPE_NOT_ASKED,
            _ => false,
        }
    }

    /// What the authority or the gateway asks to wait.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether others who ask the same authority for the same application would hardly fare better.
    pub(crate) const fn concerns_all(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::Refused(_) | Self::Storage { .. } | Self::Stopping
        )
    }

    pub(super) fn waiting(self, wait: Duration) -> Self {
        match self {
            Self::Unavailable {
                kind, diagnosis, ..
            } => Self::Unavailable {
                kind,
                diagnosis,
                retry_after: Some(wait),
            },
            other => other,
        }
    }
}

/// Whether the account's record does not say yet what the outcome means for it.
pub(super) fn is_news(
    account: &Account,
    outcome: &Result<LiveToken, Error>,
    now: UnixTime,
) -> bool {
    match (outcome, account.state) {
        (Ok(_), state) => state == AccountState::Degraded,
        // Waiting changes nothing about the settings: once is enough.
        (Err(Error::Excluded(diagnosis)), AccountState::Degraded) => {
            account.diagnosis.as_ref() != Some(&diagnosis.to_json())
        }
        // The next try is late: this was one.
        (Err(_), AccountState::Degraded) => account.next_attempt_at.is_none_or(|next| next <= now),
        (Err(_), _) => true,
    }
}

/// The change of the account's state that the outcome calls for.
pub(super) fn transition(
    account: &Account,
    outcome: &Result<LiveToken, Error>,
    generation: Option<i64>,
    next_attempt_at: Option<UnixTime>,
    now: UnixTime,
) -> Option<Transition> {
    let generation = generation.filter(|_| account.flow == Flow::Delegated);
    let to =
        |to: AccountState, diagnosis: &Diagnosis, next_attempt_at: Option<UnixTime>| Transition {
            from: AccountState::ENABLED,
            generation,
            to,
            diagnosis: Some(diagnosis.to_json()),
            next_attempt_at,
        };
    match outcome {
        Ok(_) => (account.state == AccountState::Degraded && is_authoritys(account)).then(|| {
            Transition {
                from: &[AccountState::Degraded],
                ..Transition::recovered()
            }
        }),
        // An application's refusal is no matter of the person's: signing in again would not help.
        Err(Error::ReauthRequired(Some(diagnosis))) if account.flow == Flow::Delegated => {
            Some(to(AccountState::ReauthRequired, diagnosis, None))
        }
        Err(Error::Excluded(diagnosis)) => Some(Transition {
            // A dead grant is no better for it, and who is switched off stays so.
            from: &[
                AccountState::PendingConsent,
                AccountState::Connected,
                AccountState::Degraded,
            ],
            ..to(AccountState::Degraded, diagnosis, None)
        }),
        // A token alone will not show that the mail server works again.
        Err(Error::Unavailable { .. })
            if account.state == AccountState::Degraded && !is_authoritys(account) =>
        {
            None
        }
        Err(
            Error::ReauthRequired(Some(diagnosis))
            | Error::Refused(diagnosis)
            | Error::Unavailable { diagnosis, .. },
        ) => Some(to(
            AccountState::Degraded,
            diagnosis,
            next_attempt_at.or(Some(now)),
        )),
        Err(_) => None,
    }
}

/// Whether a token alone shows that the fault has passed.
pub(crate) fn is_authoritys(account: &Account) -> bool {
    account
        .diagnosis
        .as_ref()
        .and_then(Diagnosis::from_json)
        .is_none_or(|diagnosis| !diagnosis::is_mail_servers(&diagnosis.code))
}

/// An authority that asks for a longer pause than this is asked again all the same.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);
