//! How the client proves who it is: one kind a file.
//!
//! What stands in files is looked at again for each request, so that a replaced secret, certificate
//! or key needs no restart.

use mailgrant_core::time::UnixTime;
use mailgrant_core::token::ClientSecret;

mod error;
mod federated;
mod proof;
mod secret;
mod watched;

pub use error::{CredentialError, Part};
pub use federated::Federated;
pub(crate) use proof::{Proof, Sent};
pub use secret::Secret;

/// How the client proves who it is (RFC 6749 §2.3, RFC 7523).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credential {
    /// A public client.
    None,
    /// A client secret: its value, not its id.
    Secret(Secret),
    /// Another authority's token, such as a Kubernetes service account's.
    Federated(Federated),
}

impl Credential {
    /// `none`, `secret`, `certificate`, `federated` or `service_account`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Secret(_) => "secret",
            Self::Federated(_) => "federated",
        }
    }

    /// When it ends, where it tells by itself: a certificate's `notAfter`.
    #[must_use]
    pub const fn ends_at(&self) -> Option<UnixTime> {
        match self {
            Self::None | Self::Secret(_) | Self::Federated(_) => None,
        }
    }

    /// Whether an app-only token is one mailbox's only: a Google service account speaks for one
    /// person at a time.
    #[must_use]
    pub const fn is_per_mailbox(&self) -> bool {
        match self {
            Self::None | Self::Secret(_) | Self::Federated(_) => false,
        }
    }

    /// Whether it can be used at all, as far as it tells by itself.
    pub(crate) fn check(&self, _now: UnixTime) -> Result<(), CredentialError> {
        Ok(())
    }

    /// What the next request is signed or filled with.
    pub(crate) async fn proof(&self, now: UnixTime) -> Result<Proof, CredentialError> {
        Ok(match self {
            Self::None => Proof::None,
            Self::Secret(secret) => Proof::Secret(secret.current(now).await),
            Self::Federated(federated) => Proof::Token(federated.current(now).await?),
        })
    }
}

impl From<ClientSecret> for Credential {
    fn from(secret: ClientSecret) -> Self {
        Self::Secret(Secret::value(secret))
    }
}
