//! In what providers differ beyond hosts and scopes.

use std::fmt;

/// How an application gets into mailboxes without anybody signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AppOnly {
    /// Not at all.
    None,
    /// RFC 6749 §4.4: one token for all mailboxes that the application may open.
    ClientCredentials,
    /// RFC 7523 §2.1 with `sub`: one token for each mailbox (Google's domain-wide delegation).
    ServiceAccount,
}

/// What an application may prove itself with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialKind {
    /// Nothing: a public client.
    None,
    /// A client secret.
    Secret,
    /// A certificate's key (RFC 7523 §2.2).
    Certificate,
    /// Another issuer's token (RFC 7523 §2.2).
    Federated,
    /// A service account's key (RFC 7523 §2.1).
    ServiceAccount,
}

impl CredentialKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Secret,
        Self::Certificate,
        Self::Federated,
        Self::ServiceAccount,
    ];

    /// `none`, `secret`, `certificate`, `federated` or `service_account`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Secret => "secret",
            Self::Certificate => "certificate",
            Self::Federated => "federated",
            Self::ServiceAccount => "service_account",
        }
    }

    /// Reads what [`as_str`](Self::as_str) gives.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "no credential (a public client)",
            Self::Secret => "a client secret",
            Self::Certificate => "a certificate",
            Self::Federated => "a federated credential",
            Self::ServiceAccount => "a service account's key",
        })
    }
}

/// How a client secret is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretMethod {
    /// In the body.
    Post,
    /// In the `Authorization` header.
    Basic,
}

impl SecretMethod {
    /// `client_secret_post` or `client_secret_basic` (OpenID Connect Core §9).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "client_secret_post",
            Self::Basic => "client_secret_basic",
        }
    }

    /// Reads what [`as_str`](Self::as_str) gives.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Post, Self::Basic]
            .into_iter()
            .find(|method| method.as_str() == text)
    }
}

/// A claim of the ID token that may name the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressClaim {
    /// `preferred_username`: the sign-in name, usually an address.
    PreferredUsername,
    /// `email`.
    Email,
}

impl AddressClaim {
    /// The claim's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreferredUsername => "preferred_username",
            Self::Email => "email",
        }
    }

    /// Reads the claim's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::PreferredUsername, Self::Email]
            .into_iter()
            .find(|claim| claim.as_str() == text)
    }
}

/// Which redirect URIs may be registered without `https`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpRedirects {
    /// Those of loopback hosts (RFC 8252 §7.3).
    Loopback,
    /// Those of loopback hosts but `[::1]`. Entra: `localhost` in the portal, `127.0.0.1` by the
    /// manifest.
    LoopbackIpv4,
    /// None.
    Never,
}

/// An application that the provider does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unfit {
    /// Its credential.
    Credential {
        /// The provider, for people.
        provider: String,
        /// What it has.
        found: CredentialKind,
        /// What it may have.
        allowed: Vec<CredentialKind>,
    },
    /// Its redirect URI.
    Redirect {
        /// The provider, for people.
        provider: String,
        /// What is wrong, and what to do.
        problem: &'static str,
    },
}

impl fmt::Display for Unfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential {
                provider,
                found,
                allowed,
            } => {
                match found {
                    CredentialKind::None => write!(formatter, "{provider} needs ")?,
                    _ => write!(formatter, "{provider} does not take {found}, but ")?,
                }
                for (index, kind) in allowed.iter().enumerate() {
                    let joint = match index {
                        0 => "",
                        _ if index + 1 == allowed.len() => " or ",
                        _ => ", ",
                    };
                    write!(formatter, "{joint}{kind}")?;
                }
                Ok(())
            }
            Self::Redirect { provider, problem } => write!(formatter, "{provider} {problem}"),
        }
    }
}

impl std::error::Error for Unfit {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for kind in CredentialKind::ALL {
            assert_eq!(CredentialKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(CredentialKind::parse("password"), None);
        for method in [SecretMethod::Post, SecretMethod::Basic] {
            assert_eq!(SecretMethod::parse(method.as_str()), Some(method));
        }
        assert_eq!(AddressClaim::parse("email"), Some(AddressClaim::Email));
        assert_eq!(AddressClaim::parse("upn"), None);
    }
}
