//! PKCS#12 files (RFC 7292): `.p12`, `.pfx`.

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;

use super::key::{KeyProblem, RsaKey};

/// What the file holds; bags of other kinds do not count.
pub(super) struct Archive {
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) keys: Vec<Result<RsaKey, KeyProblem>>,
}

/// Why it cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("neither PEM nor PKCS#12, or damaged, or still being written")]
    Malformed,
    #[error("the password does not open the PKCS#12 file")]
    Password,
    #[error(
        "the PKCS#12 file is encrypted in a way that is not supported: write it anew with \
         `openssl pkcs12 -export`"
    )]
    Encryption,
}

pub(super) fn open(content: &[u8], password: &str) -> Result<Archive, Problem> {
    let archive = Pkcs12Archive::from_pkcs12(content, password).map_err(problem)?;
    let keys = archive.keys.iter();
    Ok(Archive {
        certificates: archive
            .certs
            .iter()
            .map(|bag| bag.cert.as_der().to_vec())
            .collect(),
        keys: keys
            .map(|bag| RsaKey::from_pkcs8(bag.key.as_der()))
            .collect(),
    })
}

/// What the library says may hold bytes of the file, so its words are not passed on.
fn problem(error: Error) -> Problem {
    match error {
        Error::MacError(_) | Error::Pkcs5Error(_) | Error::UnpadError => Problem::Password,
        Error::UnsupportedEncryptionScheme
        | Error::UnsupportedMacAlgorithm
        | Error::InvalidParameters => Problem::Encryption,
        _ => Problem::Malformed,
    }
}
