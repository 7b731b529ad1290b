//! Another authority's token in the place of a secret (RFC 7523 §2.2, Entra's workload identity
//! federation).

use std::path::{Path, PathBuf};

use mailgrant_core::claims::{Claims, TokenKind};
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::ClientAssertion;

use super::error::{CredentialError, Part};
use super::watched::{Digest, PATIENCE, content, digest};

/// A file that somebody else keeps filled with a fresh token: Kubernetes, SPIFFE, a CI system.
///
/// It is read for each request; nothing of it is kept.
#[derive(Clone, Debug)]
pub struct Federated {
    token_file: PathBuf,
}

impl Federated {
    /// The file with the token. A token that has ended is no error yet: whoever keeps the file may
    /// be about to renew it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or holds no signed JWT.
    pub fn file(path: impl Into<PathBuf>) -> Result<Self, CredentialError> {
        let federated = Self {
            token_file: path.into(),
        };
        read(&federated.token_file)?;
        Ok(federated)
    }

    /// The file with the token.
    #[must_use]
    pub fn token_file(&self) -> &Path {
        &self.token_file
    }

    pub(crate) async fn current(&self, now: UnixTime) -> Result<ClientAssertion, CredentialError> {
        let path = self.token_file.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let (token, claims) = read(&path)?;
            let wrong = |problem: &str| CredentialError::new(Part::Token, &path, problem);
            match claims.exp {
                Some(end) if end <= now => Err(wrong(
                    "holds a token that has expired: check whether what writes the file still runs, \
                     and this machine's clock",
                )),
                _ => Ok(token),
            }
        });
        let missed = |problem: &str| {
            let path = &self.token_file;
            Err(CredentialError::new(Part::Token, path, problem))
        };
        match tokio::time::timeout(PATIENCE, looked).await {
            Ok(Ok(token)) => token,
            Ok(Err(_)) => missed("was not read: the program is ending"),
            Err(_) => missed("cannot be read in time"),
        }
    }

    pub(super) async fn fingerprint(&self, now: UnixTime) -> Option<Digest> {
        let token = self.current(now).await.ok()?;
        Some(digest(&[token.expose()]))
    }
}

fn read(path: &Path) -> Result<(ClientAssertion, Claims), CredentialError> {
    let wrong = |problem: &str| CredentialError::new(Part::Token, path, problem);
    let content = content(Part::Token, path)?;
    let text = std::str::from_utf8(&content).unwrap_or_default().trim();
    if content.is_empty() || (text.is_empty() && content.iter().all(u8::is_ascii_whitespace)) {
        return Err(wrong(
            "is empty: it must hold the token that proves the workload",
        ));
    }
    if text.len() > LARGEST_TOKEN {
        return Err(wrong(
            "holds more than a token: it must hold one signed JWT and nothing else",
        ));
    }
    let malformed = || wrong("does not hold a signed JWT: it must hold one and nothing else");
    let TokenKind::Jwt(claims) = Claims::unverified(text) else {
        return Err(malformed());
    };
    let token = ClientAssertion::new(text).map_err(|_| malformed())?;
    Ok((token, *claims))
}

/// Kubernetes' are below 2 KiB; an authority takes no more than this in a form field.
const LARGEST_TOKEN: usize = 16 * 1024;
