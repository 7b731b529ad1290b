//! How the client proves who it is: one kind a file.
//!
//! What stands in files is looked at again for each request, so that a replaced secret, certificate
//! or key needs no restart.

use mailgrant_core::time::UnixTime;
use mailgrant_core::token::ClientSecret;

mod assertion;
mod certificate;
mod error;
mod federated;
mod key;
mod material;
mod pem;
mod pkcs12;
mod proof;
mod secret;
mod service_account;
mod watched;

pub use certificate::{Algorithm, Audience, Certificate, CertificateSource, Password};
pub use error::{CredentialError, Part};
pub use federated::Federated;
pub(crate) use proof::{Occasion, Proof, Sent};
pub use secret::Secret;
pub use service_account::ServiceAccount;

/// How the client proves who it is (RFC 6749 §2.3, RFC 7523).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credential {
    /// A public client.
    None,
    /// A client secret: its value, not its id.
    Secret(Secret),
    /// A certificate, whose key signs an assertion for each request.
    Certificate(Certificate),
    /// Another authority's token, such as a Kubernetes service account's.
    Federated(Federated),
    /// A Google service account, which speaks for the people of a Workspace domain.
    ServiceAccount(ServiceAccount),
}

impl Credential {
    /// `none`, `secret`, `certificate`, `federated` or `service_account`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Secret(_) => "secret",
            Self::Certificate(_) => "certificate",
            Self::Federated(_) => "federated",
            Self::ServiceAccount(_) => "service_account",
        }
    }

    /// When it ends, where it tells by itself: a certificate's `notAfter`, as it was when its file was
    /// last looked at (see [`reread`](Self::reread)).
    #[must_use]
    pub fn ends_at(&self) -> Option<UnixTime> {
        match self {
            Self::Certificate(certificate) => Some(certificate.ends_at()),
            Self::None | Self::Secret(_) | Self::Federated(_) | Self::ServiceAccount(_) => None,
        }
    }

    /// Looks at the files again, as every request does: before an alarm is raised about a certificate
    /// that may have been replaced meanwhile.
    pub async fn reread(&self, now: UnixTime) {
        match self {
            Self::None | Self::Federated(_) => {}
            Self::Secret(secret) => drop(secret.current(now).await),
            Self::Certificate(certificate) => drop(certificate.current(now).await),
            Self::ServiceAccount(account) => drop(account.current(now).await),
        }
    }

    /// Tells what would be used now from what was used at another time: who was refused with one content may be let in with
    /// another. Looks at the files; nothing where there is no file, or none that can be used.
    pub async fn fingerprint(&self, now: UnixTime) -> Fingerprint {
        Fingerprint(match self {
            Self::None => None,
            Self::Secret(secret) => secret.fingerprint(now).await,
            Self::Certificate(certificate) => Some(certificate.fingerprint(now).await),
            Self::Federated(federated) => federated.fingerprint(now).await,
            Self::ServiceAccount(account) => Some(account.fingerprint(now).await),
        })
    }

    /// Whether an app-only token is one mailbox's only: a Google service account speaks for one
    /// person at a time.
    #[must_use]
    pub const fn is_per_mailbox(&self) -> bool {
        matches!(self, Self::ServiceAccount(_))
    }

    /// Whether it can be used at all, as far as it tells by itself.
    pub(crate) fn check(&self, now: UnixTime) -> Result<(), CredentialError> {
        match self {
            Self::Certificate(certificate) => certificate.check(now),
            Self::None | Self::Secret(_) | Self::Federated(_) | Self::ServiceAccount(_) => Ok(()),
        }
    }

    /// What the next request is signed or filled with.
    pub(crate) async fn proof(&self, now: UnixTime) -> Result<Proof, CredentialError> {
        Ok(match self {
            // A service account's assertion is the grant itself, and needs no client.
            Self::None | Self::ServiceAccount(_) => Proof::None,
            Self::Certificate(certificate) => Proof::Signer(certificate.current(now).await),
            Self::Secret(secret) => Proof::Secret(secret.current(now).await),
            Self::Federated(federated) => Proof::Token(federated.current(now).await?),
        })
    }
}

/// What a credential's files held, as a digest: equal when nothing has changed. Not shown, for it is made of secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fingerprint(Option<watched::Digest>);

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Fingerprint(…)")
    }
}

impl From<ClientSecret> for Credential {
    fn from(secret: ClientSecret) -> Self {
        Self::Secret(Secret::value(secret))
    }
}
