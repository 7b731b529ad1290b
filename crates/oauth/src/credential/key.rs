//! RSA private keys.

use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::KeyPair as _;
use jsonwebtoken::EncodingKey;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::{EncryptedPrivateKeyInfoRef, ObjectIdentifier, PrivateKeyInfoRef};

/// A private key that signs, and the public half by which it is matched with a certificate.
pub(crate) struct RsaKey {
    signing: EncodingKey,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// Why a private key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyProblem {
    #[error("the private key cannot be read: it is damaged, or still being written")]
    Malformed,
    #[error(
        "the private key is not an RSA key, which authorities expect: make one with `openssl \
         genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072`, and a new certificate"
    )]
    NotRsa,
    #[error("the RSA key is too small: make one of 2048 to 8192 bits, and a new certificate")]
    Size,
    #[error("the private key is encrypted: give its password")]
    Encrypted,
    #[error("the password does not open the private key")]
    Password,
    #[error(
        "the private key is encrypted in a way that is not supported: convert it with `openssl \
         pkcs8 -topk8 -v2 aes-256-cbc`"
    )]
    Encryption,
}

impl RsaKey {
    /// `PrivateKeyInfo` in DER (RFC 5208 §5).
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, KeyProblem> {
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| KeyProblem::Malformed)?;
        if info.algorithm.oid != RSA_ENCRYPTION {
            return Err(KeyProblem::NotRsa);
        }
        Self::from_pkcs1(info.private_key.as_bytes())
    }

    /// `EncryptedPrivateKeyInfo` in DER (RFC 5208 §6), under PBES2.
    pub(crate) fn from_encrypted_pkcs8(
        der: &[u8],
        password: Option<&[u8]>,
    ) -> Result<Self, KeyProblem> {
        let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|error| match error {
            // Well-formed, but of an algorithm from before PBES2.
            pkcs8::Error::Asn1(error) if is_unknown_algorithm(error.kind()) => {
                KeyProblem::Encryption
            }
            _ => KeyProblem::Malformed,
        })?;
        if !is_affordable(&info.encryption_algorithm) {
            return Err(KeyProblem::Encryption);
        }
        let password = password.ok_or(KeyProblem::Encrypted)?;
        let plain = info.decrypt(password).map_err(|_| KeyProblem::Password)?;
        Self::from_pkcs8(plain.as_bytes())
    }

    /// `RSAPrivateKey` in DER (RFC 8017 §A.1.2).
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyProblem> {
        let pair =
            KeyPair::from_der(der).map_err(|rejected| match rejected.to_string().as_str() {
                "TooSmall" | "TooLarge" => KeyProblem::Size,
                _ => KeyProblem::Malformed,
            })?;
        let public = pair.public_key();
        let modulus = public.modulus();
        if !SIZES.contains(&(8 * modulus.big_endian_without_leading_zero().len())) {
            return Err(KeyProblem::Size);
        }
        Ok(Self {
            signing: EncodingKey::from_rsa_der(der),
            modulus: modulus.big_endian_without_leading_zero().to_vec(),
            exponent: public.exponent().big_endian_without_leading_zero().to_vec(),
        })
    }

    pub(crate) const fn signing(&self) -> &EncodingKey {
        &self.signing
    }

    /// Whether it is the private half of that public key; leading zeros do not count.
    pub(crate) fn belongs_to(&self, modulus: &[u8], exponent: &[u8]) -> bool {
        without_leading_zeros(modulus) == self.modulus
            && without_leading_zeros(exponent) == self.exponent
    }
}

pub(crate) fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn is_unknown_algorithm(kind: pkcs8::der::ErrorKind) -> bool {
    use pkcs8::der::ErrorKind;
    matches!(
        kind,
        ErrorKind::OidUnknown { .. } | ErrorKind::OidMalformed | ErrorKind::Value { .. }
    )
}

/// A file must not be able to keep the program busy, or to fill its memory.
fn is_affordable(scheme: &EncryptionScheme) -> bool {
    let EncryptionScheme::Pbes2(parameters) = scheme else {
        return true;
    };
    match &parameters.kdf {
        Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count <= MOST_ITERATIONS,
        Kdf::Scrypt(scrypt) => 128_u64
            .checked_mul(scrypt.cost_parameter)
            .and_then(|bytes| bytes.checked_mul(u64::from(scrypt.block_size)))
            .is_some_and(|bytes| bytes <= MOST_MEMORY && scrypt.parallelization <= 16),
        _ => false,
    }
}

/// 1.2.840.113549.1.1.1
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// In bits.
pub(crate) const SIZES: std::ops::RangeInclusive<usize> = 2048..=8192;
const MOST_ITERATIONS: u32 = 1_000_000;
const MOST_MEMORY: u64 = 64 * 1024 * 1024;
