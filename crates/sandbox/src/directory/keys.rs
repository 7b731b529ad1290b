//! The authority's signing keys: RS256, published as JWKS, kept across restarts, rotated on request.

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use aws_lc_rs::digest;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use mailgrant_core::time::UnixTime;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::access::Refusal;
use crate::Error;

/// The signing keys, newest first. The first is published and does not sign yet, so that whoever keeps keys knows it in
/// time; the second signs; the others are still published, until they are retired.
pub struct KeySet {
    path: PathBuf,
    keys: RwLock<Vec<SigningKey>>,
}

/// A key as `/discovery/v2.0/keys` shows it (RFC 7517).
#[derive(Clone, Debug, Serialize)]
pub struct PublicKey {
    kty: &'static str,
    r#use: &'static str,
    kid: String,
    x5t: String,
    n: String,
    e: String,
    x5c: [String; 1],
}

impl KeySet {
    pub(super) fn open(directory: &Path, now: UnixTime) -> Result<Self, Error> {
        let path = directory.join("signing-keys.json");
        let stored: Option<Vec<StoredKey>> = match crate::files::read(&path)? {
            Some(text) => Some(serde_json::from_str(&text).map_err(|error| damaged(&path, error))?),
            None => None,
        };
        let keys = match stored {
            Some(stored) if !stored.is_empty() => stored
                .into_iter()
                .map(|key| SigningKey::load(key).map_err(|error| damaged(&path, error)))
                .collect::<Result<_, _>>()?,
            _ => vec![SigningKey::generate(now)?],
        };
        let mut keys: Vec<SigningKey> = keys;
        if keys.len() == 1 {
            keys.insert(0, SigningKey::generate(now)?);
        }
        let set = Self {
            path,
            keys: RwLock::new(keys),
        };
        set.save(&set.read())?;
        Ok(set)
    }

    /// Signs claims with the key that is in use. Access tokens of version 1.0 carry `x5t` too.
    ///
    /// # Errors
    ///
    /// When signing fails, which it does not.
    pub fn sign<T: Serialize>(&self, claims: &T, with_x5t: bool) -> Result<String, Error> {
        let keys = self.read();
        let key = keys
            .get(SIGNER)
            .ok_or_else(|| Error::cryptography("there is no signing key"))?;
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some("JWT".to_owned());
        header.kid = Some(key.public.kid.clone());
        header.x5t = with_x5t.then(|| key.public.x5t.clone());
        jsonwebtoken::encode(&header, claims, &key.signing).map_err(Error::cryptography)
    }

    /// The claims of a token that one of these keys signed. Times and audience are the caller's to check.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotAToken`] or [`Refusal::Signature`].
    pub fn verify<T: DeserializeOwned + Clone>(&self, token: &str) -> Result<T, Refusal> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Refusal::NotAToken)?;
        let kid = header.kid.ok_or(Refusal::NotAToken)?;
        let keys = self.read();
        let key = keys
            .iter()
            .find(|key| key.public.kid == kid)
            .ok_or(Refusal::Signature)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        jsonwebtoken::decode::<T>(token, &key.verifying, &validation)
            .map(|data| data.claims)
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::InvalidSignature => Refusal::Signature,
                _ => Refusal::NotAToken,
            })
    }

    /// The published keys, newest first.
    #[must_use]
    pub fn published(&self) -> Vec<PublicKey> {
        self.read().iter().map(|key| key.public.clone()).collect()
    }

    /// Begins to sign with the key that was published for it, and publishes the one after. Those before stay
    /// published, unless `retire` says that what they signed shall not hold any longer.
    ///
    /// # Errors
    ///
    /// When the new key cannot be made or written down; then nothing has changed.
    pub fn rotate(&self, now: UnixTime, retire: bool) -> Result<(), Error> {
        let new = SigningKey::generate(now)?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = vec![new];
        let kept = match retire {
            true => SIGNER,
            false => PUBLISHED - 1,
        };
        next.extend(keys.iter().take(kept).cloned());
        self.save(&next)?;
        *keys = next;
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<SigningKey>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn save(&self, keys: &[SigningKey]) -> Result<(), Error> {
        let stored: Vec<&StoredKey> = keys.iter().map(|key| &key.stored).collect();
        let text = serde_json::to_vec_pretty(&stored).map_err(Error::cryptography)?;
        crate::files::write_private(&self.path, &text)
    }
}

/// How many keys are published at most.
const PUBLISHED: usize = 4;
/// Which of them signs.
const SIGNER: usize = 1;

#[derive(Clone)]
struct SigningKey {
    stored: StoredKey,
    public: PublicKey,
    signing: EncodingKey,
    verifying: DecodingKey,
}

/// A key as it is kept: PKCS #8 and the certificate around it, both in base64 (DER).
#[derive(Clone, Serialize, Deserialize)]
struct StoredKey {
    pkcs8: String,
    certificate: String,
}

impl SigningKey {
    fn generate(now: UnixTime) -> Result<Self, Error> {
        let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
            .map_err(Error::cryptography)?;
        let mut parameters = CertificateParams::default();
        parameters
            .distinguished_name
            .push(DnType::CommonName, "mailgrant sandbox token signing");
        let (from, until) = crate::pki::validity(now)?;
        parameters.not_before = from;
        parameters.not_after = until;
        let certificate = parameters.self_signed(&pair).map_err(Error::cryptography)?;
        Self::load(StoredKey {
            pkcs8: STANDARD.encode(pair.serialized_der()),
            certificate: STANDARD.encode(certificate.der()),
        })
    }

    fn load(stored: StoredKey) -> Result<Self, Error> {
        let pkcs8 = STANDARD
            .decode(&stored.pkcs8)
            .map_err(Error::cryptography)?;
        let certificate = STANDARD
            .decode(&stored.certificate)
            .map_err(Error::cryptography)?;
        let pair = RsaKeyPair::from_pkcs8(&pkcs8).map_err(Error::cryptography)?;
        let modulus = pair
            .public_key()
            .modulus()
            .big_endian_without_leading_zero();
        let exponent = pair
            .public_key()
            .exponent()
            .big_endian_without_leading_zero();
        // The thumbprint of the certificate names the key, as at Entra.
        let thumbprint = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate);
        let thumbprint = URL_SAFE_NO_PAD.encode(thumbprint);
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            stored.pkcs8
        );
        Ok(Self {
            signing: EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(Error::cryptography)?,
            verifying: DecodingKey::from_rsa_raw_components(modulus, exponent),
            public: PublicKey {
                kty: "RSA",
                r#use: "sig",
                kid: thumbprint.clone(),
                x5t: thumbprint,
                n: URL_SAFE_NO_PAD.encode(modulus),
                e: URL_SAFE_NO_PAD.encode(exponent),
                x5c: [stored.certificate.clone()],
            },
            stored,
        })
    }
}

fn damaged(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::Damaged {
        path: path.to_owned(),
        problem: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    #[test]
    fn a_signed_token_is_read_after_a_restart_and_a_rotation_but_not_after_a_retirement() {
        let directory = tempfile::tempdir().unwrap();
        let keys = KeySet::open(directory.path(), NOW).unwrap();
        let token = keys.sign(&json!({"sub": "x"}), true).unwrap();
        let keys = KeySet::open(directory.path(), NOW).unwrap();
        let before: Vec<String> = keys.published().into_iter().map(|key| key.kid).collect();
        assert_eq!(before.len(), 2);
        keys.rotate(NOW, false).unwrap();
        assert_eq!(keys.published().len(), 3);
        let fresh = keys.sign(&json!({"sub": "y"}), true).unwrap();
        let kid = jsonwebtoken::decode_header(&fresh).unwrap().kid.unwrap();
        assert_eq!(kid, before[0], "it was published before it signed");
        assert_eq!(keys.verify::<Value>(&token).unwrap()["sub"], "x");
        keys.rotate(NOW, true).unwrap();
        assert_eq!(
            keys.verify::<Value>(&token).unwrap_err(),
            Refusal::Signature
        );
        let keys = KeySet::open(directory.path(), NOW).unwrap();
        assert_eq!(keys.published().len(), 2);
    }

    #[test]
    fn other_text_is_no_token() {
        let directory = tempfile::tempdir().unwrap();
        let keys = KeySet::open(directory.path(), NOW).unwrap();
        let token = keys.sign(&json!({"sub": "x"}), false).unwrap();
        let mut altered = token.clone();
        altered.truncate(token.len() - 8);
        altered.push_str("AAAAAAAA");
        assert_eq!(
            keys.verify::<Value>(&altered).unwrap_err(),
            Refusal::Signature
        );
        for text in ["", "EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA", "a.b.c"] {
            assert_eq!(
                keys.verify::<Value>(text).unwrap_err(),
                Refusal::NotAToken,
                "{text}"
            );
        }
    }
}
