//! What can go wrong with an authority.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mailgrant_core::discovery::MetadataError;
use mailgrant_core::token::{ErrorCode, ErrorResponse, TokenError};

use crate::{CredentialError, IdTokenProblem};

/// Why an operation failed: in which step, of what kind, and whether waiting helps.
///
/// Holds no secret and no URL: its `Display` and `Debug` can be logged. What the authority wrote
/// for people is in [`ErrorKind::Refused`], cleared of any secret that was echoed.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    step: Step,
    kind: ErrorKind,
    detail: String,
    retry_after: Option<Duration>,
    unsent: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The registration or provider cannot do this: change the configuration.
    Configuration,
    /// The connection failed or broke.
    Network,
    /// No whole answer in time.
    Timeout,
    /// HTTP 5xx, or an error code that says the same.
    Unavailable {
        /// Of HTTP.
        status: u16,
    },
    /// HTTP 429.
    Throttled,
    /// The authority said no: decide on its [`ErrorCode`].
    Refused(Box<ErrorResponse>),
    /// A page where JSON was due: a proxy, or a broken authority.
    NotJson {
        /// Of HTTP.
        status: u16,
    },
    /// JSON, but not what was due; too large; a redirect.
    Malformed,
    /// The ID token is not to be believed.
    IdToken(IdTokenProblem),
    /// Document or callback are another issuer's.
    Issuer,
    /// The keys of ID tokens could not be fetched.
    KeysUnavailable,
    /// The client's own credential cannot be used: its file is missing, malformed or out of date.
    /// The files are looked at again for the next request.
    Credential(Box<CredentialError>),
}

/// In which step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Reading the configuration.
    Configuration,
    /// Fetching the discovery document.
    Discovery,
    /// Fetching the keys.
    Keys,
    /// Redeeming a code.
    CodeExchange,
    /// Redeeming a refresh token.
    Refresh,
    /// Client credentials.
    ClientCredentials,
    /// Beginning the device flow.
    DeviceAuthorization,
    /// Polling in the device flow.
    DeviceToken,
    /// Checking an ID token.
    IdToken,
    /// Asking whose token it is.
    Userinfo,
    /// Checking a callback.
    Callback,
}

impl Error {
    /// What failed.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// In which step.
    #[must_use]
    pub fn step(&self) -> Step {
        self.0.step
    }

    /// Whether it may pass by itself: then no grant is dead and no person is needed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match &self.0.kind {
            ErrorKind::Network
            | ErrorKind::Timeout
            | ErrorKind::Unavailable { .. }
            | ErrorKind::Throttled
            | ErrorKind::NotJson { .. }
            | ErrorKind::KeysUnavailable => true,
            ErrorKind::Configuration
            | ErrorKind::Refused(_)
            | ErrorKind::Malformed
            | ErrorKind::IdToken(_)
            | ErrorKind::Issuer
            | ErrorKind::Credential(_) => false,
        }
    }

    /// How long the authority asked us to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether nothing of the request can have reached the authority.
    pub(crate) fn is_unsent(&self) -> bool {
        self.0.unsent
    }

    pub(crate) fn new(step: Step, kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            step,
            kind,
            detail: detail.into(),
            retry_after: None,
            unsent: false,
            source: None,
        }))
    }

    pub(crate) fn configuration(detail: impl Into<String>) -> Self {
        Self::new(Step::Configuration, ErrorKind::Configuration, detail)
    }

    pub(crate) fn credential(step: Step, error: CredentialError) -> Self {
        let detail = error.to_string();
        Self::new(step, ErrorKind::Credential(Box::new(error)), detail)
    }

    pub(crate) fn timeout(step: Step) -> Self {
        Self::new(
            step,
            ErrorKind::Timeout,
            "the authority did not answer in time",
        )
    }

    pub(crate) fn throttled(step: Step, retry_after: Option<Duration>) -> Self {
        let detail = match retry_after {
            Some(pause) => format!("the authority asks to wait {} s", pause.as_secs()),
            None => "the authority asks to slow down".to_owned(),
        };
        Self::with_retry_after(step, ErrorKind::Throttled, detail, retry_after)
    }

    pub(crate) fn unavailable(step: Step, status: u16, retry_after: Option<Duration>) -> Self {
        let detail = format!("the authority is not available (HTTP {status})");
        Self::with_retry_after(step, ErrorKind::Unavailable { status }, detail, retry_after)
    }

    pub(crate) fn network(step: Step, error: reqwest::Error) -> Self {
        let (kind, detail) = if error.is_timeout() {
            (ErrorKind::Timeout, "the authority did not answer in time")
        } else if error.is_connect() {
            (
                ErrorKind::Network,
                "no connection to the authority: check name, network, proxy and TLS trust",
            )
        } else {
            (ErrorKind::Network, "the connection to the authority broke")
        };
        Self(Arc::new(Inner {
            step,
            kind,
            detail: detail.to_owned(),
            retry_after: None,
            unsent: error.is_connect(),
            source: Some(Box::new(error.without_url())),
        }))
    }

    /// From what core made of an answer. An error code that means a passing fault is one.
    pub(crate) fn token(step: Step, status: u16, error: TokenError) -> Self {
        let detail = error.to_string();
        match error {
            TokenError::Refused(refused)
                if [ErrorCode::TEMPORARILY_UNAVAILABLE, ErrorCode::SERVER_ERROR]
                    .contains(&refused.error) =>
            {
                Self::unavailable(step, status, None)
            }
            TokenError::Refused(refused) => Self::new(step, ErrorKind::Refused(refused), detail),
            TokenError::NotJson { status } => {
                Self::new(step, ErrorKind::NotJson { status }, detail)
            }
            _ => Self::new(step, ErrorKind::Malformed, detail),
        }
    }

    pub(crate) fn metadata(error: &MetadataError) -> Self {
        let kind = match error {
            MetadataError::NotJson => ErrorKind::NotJson { status: 200 },
            MetadataError::Issuer { .. } => ErrorKind::Issuer,
            _ => ErrorKind::Malformed,
        };
        Self::new(Step::Discovery, kind, error.to_string())
    }

    pub(crate) fn id_token(problem: IdTokenProblem) -> Self {
        let detail = problem.to_string();
        Self::new(Step::IdToken, ErrorKind::IdToken(problem), detail)
    }

    pub(crate) fn keys_unavailable(cause: Self) -> Self {
        let retry_after = cause.retry_after();
        Self(Arc::new(Inner {
            step: Step::Keys,
            kind: ErrorKind::KeysUnavailable,
            detail: "the keys of ID tokens could not be fetched".to_owned(),
            retry_after,
            unsent: false,
            source: Some(Box::new(cause)),
        }))
    }

    fn with_retry_after(
        step: Step,
        kind: ErrorKind,
        detail: String,
        retry_after: Option<Duration>,
    ) -> Self {
        Self(Arc::new(Inner {
            step,
            kind,
            detail,
            retry_after,
            unsent: false,
            source: None,
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.0.step, self.0.detail)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            step,
            kind,
            detail,
            retry_after,
            unsent,
            source,
        } = &*self.0;
        formatter
            .debug_struct("Error")
            .field("step", step)
            .field("kind", kind)
            .field("detail", detail)
            .field("retry_after", retry_after)
            .field("unsent", unsent)
            .field("source", source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Configuration => "configuration of the application",
            Self::Discovery => "discovery of the authority",
            Self::Keys => "keys of the authority",
            Self::CodeExchange => "redeeming the authorization code",
            Self::Refresh => "refreshing the access token",
            Self::ClientCredentials => "asking for an app-only token",
            Self::DeviceAuthorization => "beginning the device sign-in",
            Self::DeviceToken => "asking for the device sign-in's token",
            Self::IdToken => "checking the ID token",
            Self::Userinfo => "asking whose token it is",
            Self::Callback => "checking the callback",
        })
    }
}
