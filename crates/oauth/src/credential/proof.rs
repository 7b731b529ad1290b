//! What one request is signed or filled with.

use mailgrant_core::token::{ClientAssertion, ClientAuthentication, ClientSecret};

/// Enough to authenticate any number of attempts.
pub(crate) enum Proof {
    None,
    Secret(ClientSecret),
    /// Somebody else's token, as it is.
    Token(ClientAssertion),
}

/// The authentication of one attempt.
pub(crate) enum Sent {
    None,
    SecretPost(ClientSecret),
    SecretBasic(ClientSecret),
    Assertion(ClientAssertion),
}

impl Proof {
    /// The authentication of the next attempt, in a way that the authority supports: a secret goes
    /// into the body unless the authority wants it in the header only.
    pub(crate) fn attempt(&self, supported: Option<&[String]>) -> Sent {
        let supports = |name| supported.is_some_and(|names| names.iter().any(|each| each == name));
        match self {
            Self::None => Sent::None,
            Self::Secret(secret)
                if supports("client_secret_basic") && !supports("client_secret_post") =>
            {
                Sent::SecretBasic(secret.clone())
            }
            Self::Secret(secret) => Sent::SecretPost(secret.clone()),
            Self::Token(token) => Sent::Assertion(token.clone()),
        }
    }
}

impl Sent {
    pub(crate) const fn authentication(&self) -> ClientAuthentication<'_> {
        match self {
            Self::None => ClientAuthentication::None,
            Self::SecretPost(secret) => ClientAuthentication::SecretPost(secret),
            Self::SecretBasic(secret) => ClientAuthentication::SecretBasic(secret),
            Self::Assertion(assertion) => ClientAuthentication::Assertion(assertion),
        }
    }

    /// What must not come back in an error.
    pub(crate) fn secret(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::SecretPost(secret) | Self::SecretBasic(secret) => Some(secret.expose()),
            Self::Assertion(assertion) => Some(assertion.expose()),
        }
    }
}
