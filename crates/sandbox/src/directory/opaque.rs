//! Access tokens of personal accounts: opaque to everybody but this sandbox, which needs nothing else to read them.
//!
//! ```text
//! EwB || base64(nonce(12) || AES-256-GCM(claims))
//! ```

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Directory;
use super::access::Refusal;
use crate::Error;

/// Seals and opens tokens.
pub(super) struct Seal(LessSafeKey);

impl Seal {
    pub(super) fn new(key: &[u8]) -> Result<Self, Error> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(Error::cryptography)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    fn seal(&self, claims: &impl Serialize, nonce: [u8; NONCE_LEN]) -> Result<String, Error> {
        let mut sealed = serde_json::to_vec(claims).map_err(Error::cryptography)?;
        let aad = Aad::from(PREFIX.as_bytes());
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .map_err(Error::cryptography)?;
        let whole: Vec<u8> = nonce.into_iter().chain(sealed).collect();
        Ok(format!("{PREFIX}{}", STANDARD.encode(whole)))
    }

    fn open<T: DeserializeOwned>(&self, token: &str) -> Result<T, Refusal> {
        let sealed = token.strip_prefix(PREFIX).ok_or(Refusal::NotAToken)?;
        let mut sealed = STANDARD.decode(sealed).map_err(|_| Refusal::NotAToken)?;
        let (nonce, claims) = sealed
            .split_first_chunk_mut::<NONCE_LEN>()
            .ok_or(Refusal::NotAToken)?;
        let aad = Aad::from(PREFIX.as_bytes());
        let claims = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), aad, claims)
            .map_err(|_| Refusal::Signature)?;
        serde_json::from_slice(claims).map_err(|_| Refusal::NotAToken)
    }
}

impl Directory {
    /// A token that only this directory reads.
    ///
    /// # Errors
    ///
    /// When sealing fails, which it does not.
    pub(crate) fn opaque_token(&self, claims: &impl Serialize) -> Result<String, Error> {
        let mut nonce = [0; NONCE_LEN];
        self.random().fill(&mut nonce);
        self.0.seal.seal(claims, nonce)
    }

    /// The claims of an access token of either form. Times and audience are the caller's to check.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotAToken`] or [`Refusal::Signature`].
    pub(crate) fn read_access_token<T: DeserializeOwned + Clone>(
        &self,
        token: &str,
    ) -> Result<T, Refusal> {
        match is_opaque(token) {
            true => self.0.seal.open(token),
            false => self.keys().verify(token),
        }
    }
}

/// Whether a token has the form of those of personal accounts.
pub(super) fn is_opaque(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// As Microsoft's begin.
const PREFIX: &str = "EwB";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_token_opens_under_its_own_key_and_untouched() {
        let seal = Seal::new(&[1; 32]).unwrap();
        let token = seal.seal(&json!({"oid": "x"}), [7; NONCE_LEN]).unwrap();
        assert!(token.starts_with("EwB") && !token.contains('.'));
        assert_eq!(seal.open::<Value>(&token).unwrap()["oid"], "x");
        let other = Seal::new(&[2; 32]).unwrap();
        assert_eq!(other.open::<Value>(&token).unwrap_err(), Refusal::Signature);
        let (head, _) = token.split_at(24);
        let altered = format!("{head}AAAA{}", &token[28..]);
        assert_eq!(
            seal.open::<Value>(&altered).unwrap_err(),
            Refusal::Signature
        );
        for text in ["EwB", "EwBAAAA", "EwB not base64", "eyJ", ""] {
            assert!(seal.open::<Value>(text).is_err(), "{text}");
        }
    }
}
