//! What is kept of a bearer secret: enough to recognise it, nothing to use.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mailgrant_core::secret::Secret;
use subtle::ConstantTimeEq as _;

use crate::random::{Random, random_bytes};

/// The SHA-256 of a secret of at least 256 random bits (API key, client token, state, cookie).
///
/// Such a secret cannot be guessed, so a plain hash is enough and makes it an index key.
///
/// ```
/// use mailgrant_storage::SecretHash;
///
/// assert_eq!(SecretHash::of("a"), SecretHash::of("a"));
/// assert_ne!(SecretHash::of("a"), SecretHash::of("b"));
/// ```
#[derive(Clone, Copy, Eq)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash of `secret`'s UTF-8 bytes.
    pub fn of(secret: &str) -> Self {
        let mut hash = [0; 32];
        // SHA-256 has 32 bytes: zip takes all of them.
        for (to, from) in hash
            .iter_mut()
            .zip(digest(&SHA256, secret.as_bytes()).as_ref())
        {
            *to = *from;
        }
        Self(hash)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

/// `prefix` and 256 random bits in unpadded base64url: a bearer secret to hand out once.
///
/// ```
/// use mailgrant_storage::{SystemRandom, random_secret};
///
/// let secret = random_secret("mgk_", &SystemRandom);
/// assert_eq!(secret.expose().len(), 4 + 43);
/// assert!(!format!("{secret:?}").contains("mgk_"));
/// ```
pub fn random_secret(prefix: &str, random: &dyn Random) -> Secret {
    Secret::new(format!(
        "{prefix}{}",
        URL_SAFE_NO_PAD.encode(random_bytes::<32>(random))
    ))
}
