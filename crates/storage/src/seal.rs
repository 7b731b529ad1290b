//! Sealed values: AES-256-GCM, bound to the column and row they stand in.
//!
//! ```text
//! 0x01  key id (8)  nonce (12)  ciphertext  tag (16)
//! ```
//!
//! Associated data: `mailgrant`, the version byte, the key id, then column and row identifier, each
//! after its length in 8 bytes. Nonces are random: NIST SP 800-38D §8.3 allows 2³² of them under
//! one key, which at a refresh per second is 136 years.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::random::{Random, random_bytes};

/// Where a sealed value stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// Table and column.
    pub column: &'static str,
    /// The row's identifier.
    pub id: &'a str,
}

/// Names a key in front of what it sealed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyId(pub [u8; 8]);

/// The data keys of a database, opened.
pub(crate) struct Sealer {
    keys: BTreeMap<KeyId, SealingKey>,
    current: KeyId,
    random: Arc<dyn Random>,
}

impl Sealer {
    /// Seals with `current`; opens with any of `others` too.
    pub fn new(current: SealingKey, others: Vec<SealingKey>, random: Arc<dyn Random>) -> Self {
        let id = current.id;
        let keys = others
            .into_iter()
            .chain([current])
            .map(|key| (key.id, key))
            .collect();
        Self {
            keys,
            current: id,
            random,
        }
    }

    pub fn seal(&self, plain: &str, place: Place<'_>) -> Result<Vec<u8>, Error> {
        let key = self.keys.get(&self.current).ok_or_else(|| refused(place))?;
        key.seal(plain.as_bytes(), place, &*self.random)
    }

    pub fn open(&self, sealed: &[u8], place: Place<'_>) -> Result<Zeroizing<String>, Error> {
        let key = key_id(sealed)
            .and_then(|id| self.keys.get(&id))
            .ok_or_else(|| refused(place))?;
        let plain = key.open(sealed, place)?;
        match std::str::from_utf8(&plain) {
            Ok(text) => Ok(Zeroizing::new(text.to_owned())),
            Err(_) => Err(refused(place)),
        }
    }
}

/// One key and its name.
pub(crate) struct SealingKey {
    id: KeyId,
    key: LessSafeKey,
}

impl SealingKey {
    pub fn new(id: KeyId, bytes: &[u8; KEY_LEN]) -> Option<Self> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).ok()?);
        Some(Self { id, key })
    }

    pub fn seal(
        &self,
        plain: &[u8],
        place: Place<'_>,
        random: &dyn Random,
    ) -> Result<Vec<u8>, Error> {
        let nonce: [u8; NONCE_LEN] = random_bytes(random);
        let mut text = Zeroizing::new(Vec::with_capacity(plain.len() + TAG_LEN));
        text.extend_from_slice(plain);
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(aad(self.id, place)),
                &mut *text,
            )
            .map_err(|_| refused(place))?;
        Ok([&[VERSION], &self.id.0[..], &nonce[..], &text[..]].concat())
    }

    pub fn open(&self, sealed: &[u8], place: Place<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        if key_id(sealed) != Some(self.id) {
            return Err(refused(place));
        }
        let (nonce, text) = sealed
            .get(HEADER_LEN..)
            .and_then(|rest| rest.split_first_chunk::<NONCE_LEN>())
            .ok_or_else(|| refused(place))?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self
            .key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(aad(self.id, place)),
                &mut text,
            )
            .map_err(|_| refused(place))?
            .len();
        text.truncate(length);
        Ok(text)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for KeyId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text.len() != 16 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(());
        }
        u64::from_str_radix(text, 16)
            .map(|id| Self(id.to_be_bytes()))
            .map_err(drop)
    }
}

/// The length of every key here.
pub(crate) const KEY_LEN: usize = 32;

const VERSION: u8 = 1;
const HEADER_LEN: usize = 1 + 8;
const TAG_LEN: usize = 16;

fn key_id(sealed: &[u8]) -> Option<KeyId> {
    let (version, rest) = sealed.split_first()?;
    let (id, _) = rest.split_first_chunk::<8>()?;
    (*version == VERSION).then_some(KeyId(*id))
}

fn aad(id: KeyId, place: Place<'_>) -> Vec<u8> {
    let mut aad = b"mailgrant".to_vec();
    aad.push(VERSION);
    aad.extend_from_slice(&id.0);
    for part in [place.column, place.id] {
        aad.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        aad.extend_from_slice(part.as_bytes());
    }
    aad
}

fn refused(place: Place<'_>) -> Error {
    Error::Sealed {
        column: place.column,
        id: place.id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::SystemRandom;

    const PLACE: Place<'static> = Place {
        column: "grants.sealed_refresh_token",
        id: "acc_1",
    };

    fn sealer(key: u8) -> Sealer {
        let key = SealingKey::new(KeyId([7; 8]), &[key; 32]).unwrap();
        Sealer::new(key, Vec::new(), Arc::new(SystemRandom))
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(text in ".*") {
            let sealed = sealer(1).seal(&text, PLACE).unwrap();
            prop_assert_eq!(&*sealer(1).open(&sealed, PLACE).unwrap(), &text);
            prop_assert_eq!(sealed.len(), HEADER_LEN + NONCE_LEN + text.len() + TAG_LEN);
        }

        #[test]
        fn anything_else_does_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(sealer(1).open(&bytes, PLACE).is_err());
        }
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let sealed = sealer(1).seal("0.AXkA-refresh-token", PLACE).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(sealer(1).open(&changed, PLACE).is_err(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(
                sealer(1).open(&sealed[..length], PLACE).is_err(),
                "cut to {length}"
            );
        }
    }

    #[test]
    fn another_key_row_or_column_does_not_open_it() {
        let sealed = sealer(1).seal("secret", PLACE).unwrap();
        assert!(sealer(2).open(&sealed, PLACE).is_err());
        assert!(
            sealer(1)
                .open(
                    &sealed,
                    Place {
                        id: "acc_2",
                        ..PLACE
                    }
                )
                .is_err()
        );
        assert!(
            sealer(1)
                .open(
                    &sealed,
                    Place {
                        column: "connect_attempts.sealed_nonce",
                        ..PLACE
                    }
                )
                .is_err()
        );
    }

    #[test]
    fn column_and_row_do_not_run_into_each_other() {
        let sealed = sealer(1)
            .seal(
                "secret",
                Place {
                    column: "ab",
                    id: "c",
                },
            )
            .unwrap();
        assert!(
            sealer(1)
                .open(
                    &sealed,
                    Place {
                        column: "a",
                        id: "bc"
                    }
                )
                .is_err()
        );
    }

    #[test]
    fn the_same_text_seals_differently_each_time() {
        assert_ne!(
            sealer(1).seal("x", PLACE).unwrap(),
            sealer(1).seal("x", PLACE).unwrap()
        );
    }
}
