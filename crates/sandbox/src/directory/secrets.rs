//! Passwords and client secrets that a tenant file leaves out: random for each directory, derived so that they stay.

use std::path::Path;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mailgrant_core::secret::Secret;

use super::application::ApplicationSecret;
use super::guid::derived_guid;
use crate::{Error, Random};

/// What passwords and secrets are derived from.
///
/// One random seed, kept in `seed` with mode 0600; every secret is an HMAC of its name under it.
pub(crate) struct Secrets(hmac::Key);

impl Secrets {
    pub(super) fn open(directory: &Path, random: &dyn Random) -> Result<Self, Error> {
        let path = directory.join("seed");
        let seed = match crate::files::read(&path)? {
            Some(seed) if seed.trim().len() >= 43 => Secret::new(seed.trim()),
            Some(_) => {
                return Err(Error::Damaged {
                    path,
                    problem: "it is too short".to_owned(),
                });
            }
            None => {
                let seed = Secret::new(random.token(32));
                crate::files::write_private(&path, seed.expose().as_bytes())?;
                seed
            }
        };
        Ok(Self(hmac::Key::new(
            hmac::HMAC_SHA256,
            seed.expose().as_bytes(),
        )))
    }

    /// A password that can be read aloud: `kelp-ridge-4821`.
    pub(super) fn password(&self, address: &str) -> Secret {
        let bytes = self.derive("password", address);
        let word = |words: &'static [&'static str], at: usize| {
            let index = bytes.as_ref().get(at).copied().map_or(0, usize::from);
            words.get(index % words.len()).copied().unwrap_or("word")
        };
        let digits: u32 = bytes
            .as_ref()
            .iter()
            .skip(8)
            .take(3)
            .fold(0, |sum, byte| (sum * 256 + u32::from(*byte)) % 10_000);
        Secret::new(format!(
            "{}-{}-{}-{digits:04}",
            word(FIRST, 0),
            word(SECOND, 1),
            word(FIRST, 2)
        ))
    }

    /// A client secret in Entra's form: 40 characters with a tilde, which must be form-encoded with care.
    pub(super) fn application_secret(&self, client_id: &str) -> ApplicationSecret {
        let text = URL_SAFE_NO_PAD.encode(self.derive("client secret", client_id));
        let (head, tail) = text.split_at_checked(5).unwrap_or(("", &text));
        let tail: String = tail.chars().take(34).collect();
        ApplicationSecret {
            id: derived_guid("", "secret", client_id),
            value: Secret::new(format!("{head}~{tail}")),
            expires: None,
            display_name: None,
        }
    }

    pub(super) fn pairwise_salt(&self) -> Secret {
        Secret::new(URL_SAFE_NO_PAD.encode(self.derive("pairwise salt", "")))
    }

    /// The key of opaque access tokens.
    pub(super) fn token_key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key.copy_from_slice(self.derive("opaque tokens", "").as_ref());
        key
    }

    fn derive(&self, kind: &str, name: &str) -> hmac::Tag {
        let text = format!("{kind}\n{}", name.to_ascii_lowercase());
        hmac::sign(&self.0, text.as_bytes())
    }
}

const FIRST: &[&str] = &[
    "alder", "amber", "birch", "cedar", "clover", "copper", "fern", "flint", "hazel", "heron",
    "juniper", "kelp", "larch", "lichen", "linden", "maple", "marsh", "moss", "oat", "otter",
    "pebble", "pine", "plover", "quartz", "reed", "rowan", "sedge", "slate", "sorrel", "thistle",
    "willow", "wren",
];
const SECOND: &[&str] = &[
    "bank", "bay", "bridge", "brook", "cliff", "cove", "creek", "dale", "delta", "field", "ford",
    "gate", "glen", "grove", "harbour", "heath", "hill", "island", "lane", "meadow", "mill",
    "orchard", "pass", "path", "point", "ridge", "river", "shore", "spring", "tarn", "valley",
    "wood",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandom;

    #[test]
    fn secrets_stay_in_a_directory_and_differ_between_directories() {
        let one = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let of = |path: &Path| {
            let secrets = Secrets::open(path, &SystemRandom).unwrap();
            let secret = secrets.application_secret("c").value;
            (secret, secrets.password("ada@x.test"))
        };
        assert_eq!(of(one.path()), of(one.path()));
        assert_ne!(of(one.path()), of(other.path()));
        assert_eq!(of(one.path()).0.len(), 40);
    }

    #[test]
    fn a_cut_off_seed_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("seed"), "short").unwrap();
        let refused = Secrets::open(directory.path(), &SystemRandom)
            .err()
            .unwrap();
        assert!(matches!(refused, Error::Damaged { .. }), "{refused}");
    }
}
