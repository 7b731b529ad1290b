//! Proof key for code exchange (RFC 7636), S256 only.
//!
//! ```
//! use mailgrant_core::pkce::CodeVerifier;
//!
//! // 32 random bytes from the caller's generator; the verifier stays with who will redeem the code.
//! let verifier = CodeVerifier::from_random([7; 32]);
//! let challenge = verifier.challenge();
//! assert_eq!(challenge.as_str().len(), 43);
//! assert!(challenge.verify(&verifier));
//! ```

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::InvalidValue;
use crate::encoding::{base64url, base64url_lenient};
use crate::secret::secret_newtype;
use crate::value::Problem;

secret_newtype! {
    /// `code_verifier`: 43 to 128 unreserved characters (RFC 7636 §4.1).
    ///
    /// ```text
    /// code-verifier = 43*128unreserved
    /// unreserved    = ALPHA / DIGIT / "-" / "." / "_" / "~"
    /// ```
    CodeVerifier, "code verifier", check_verifier
}

impl CodeVerifier {
    /// The verifier of 32 random bytes, in 43 characters.
    #[must_use]
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(crate::secret::Secret::new(base64url(&bytes)))
    }

    /// Reads a verifier that was stored or received.
    ///
    /// # Errors
    ///
    /// When it is not 43 to 128 unreserved characters.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        Self::new(text)
    }

    /// `code_challenge` by S256: `BASE64URL(SHA256(ASCII(code_verifier)))` (RFC 7636 §4.2).
    #[must_use]
    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge(base64url(&Sha256::digest(self.expose().as_bytes())))
    }
}

/// `code_challenge`, public; its method is always `S256`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// The value of `code_challenge_method`.
    pub const METHOD: &'static str = "S256";

    /// Reads a challenge that came in an authorization request.
    ///
    /// # Errors
    ///
    /// When it is not the base64url form of 32 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        match base64url_lenient(text) {
            Some(digest) if digest.len() == 32 && base64url(&digest) == text => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(InvalidValue::new(
                "code challenge",
                Problem::Form("the base64url form of a SHA-256 digest"),
            )),
        }
    }

    /// The value of `code_challenge`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the challenge of `verifier`, in constant time (RFC 7636 §4.6).
    #[must_use]
    pub fn verify(&self, verifier: &CodeVerifier) -> bool {
        verifier
            .challenge()
            .0
            .as_bytes()
            .ct_eq(self.0.as_bytes())
            .into()
    }
}

impl fmt::Display for CodeChallenge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn check_verifier(name: &'static str, text: &str) -> Result<(), InvalidValue> {
    if !(43..=128).contains(&text.len()) {
        return Err(InvalidValue::new(
            name,
            Problem::Form("43 to 128 characters long"),
        ));
    }
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    match text.bytes().position(|byte| !unreserved(byte)) {
        Some(at) => Err(InvalidValue::new(name, Problem::Character { at })),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn verifier_length_and_alphabet() {
        assert!(CodeVerifier::parse(&"a".repeat(42)).is_err());
        assert!(CodeVerifier::parse(&"~".repeat(43)).is_ok());
        assert!(CodeVerifier::parse(&"a".repeat(128)).is_ok());
        assert!(CodeVerifier::parse(&"a".repeat(129)).is_err());
        assert!(CodeVerifier::parse(&"+".repeat(43)).is_err());
    }

    #[test]
    fn another_verifier_does_not_match() {
        let challenge = CodeVerifier::from_random([1; 32]).challenge();
        assert!(!challenge.verify(&CodeVerifier::from_random([2; 32])));
    }

    proptest! {
        #[test]
        fn random_verifiers_are_valid_and_match(bytes: [u8; 32]) {
            let verifier = CodeVerifier::from_random(bytes);
            let parsed = CodeVerifier::parse(verifier.expose()).unwrap();
            let challenge = CodeChallenge::parse(verifier.challenge().as_str()).unwrap();
            prop_assert!(challenge.verify(&parsed));
        }

        #[test]
        fn parsing_never_panics(text: String) {
            let _ = CodeVerifier::parse(&text);
            let _ = CodeChallenge::parse(&text);
        }
    }
}
