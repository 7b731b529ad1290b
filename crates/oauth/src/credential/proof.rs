//! What one request is signed or filled with.

use std::sync::Arc;

use mailgrant_core::token::{ClientAssertion, ClientAuthentication, ClientId, ClientSecret};

use super::certificate::Signer;
use crate::error::Error;
use crate::surroundings::Surroundings;

/// Enough to authenticate any number of attempts.
pub(crate) enum Proof {
    None,
    Secret(ClientSecret),
    /// Signs an assertion for each.
    Signer(Arc<Signer>),
    /// Somebody else's token, as it is.
    Token(ClientAssertion),
}

/// Who authenticates to whom.
#[derive(Clone, Copy)]
pub(crate) struct Occasion<'a> {
    pub(crate) client_id: &'a ClientId,
    pub(crate) token_endpoint: &'a str,
    pub(crate) issuer: Option<&'a str>,
    /// `token_endpoint_auth_methods_supported`.
    pub(crate) supported: Option<&'a [String]>,
    pub(crate) surroundings: &'a Surroundings,
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
    pub(crate) fn attempt(&self, occasion: &Occasion<'_>) -> Result<Sent, Error> {
        let supports = |name| {
            let mut names = occasion.supported.into_iter().flatten();
            names.any(|each| each == name)
        };
        Ok(match self {
            Self::None => Sent::None,
            Self::Secret(secret)
                if supports("client_secret_basic") && !supports("client_secret_post") =>
            {
                Sent::SecretBasic(secret.clone())
            }
            Self::Secret(secret) => Sent::SecretPost(secret.clone()),
            Self::Signer(signer) => Sent::Assertion(signer.sign(occasion)?),
            Self::Token(token) => Sent::Assertion(token.clone()),
        })
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
