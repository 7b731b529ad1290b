//! A client secret.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mailgrant_core::time::UnixTime;
use mailgrant_core::token::ClientSecret;

use super::error::{CredentialError, Part};
use super::watched::{Content, Digest, Meaning, Watched};

/// A client secret, by value or in a file.
///
/// The file holds the secret and nothing else; line ends after it do not count. It is read again for
/// each request, so that a secret can be replaced before it ends without a restart.
#[derive(Clone)]
pub struct Secret(Kept);

#[derive(Clone)]
enum Kept {
    Value(ClientSecret),
    File(Arc<Watched<SecretFile>>),
}

impl Secret {
    /// The secret itself.
    #[must_use]
    pub const fn value(secret: ClientSecret) -> Self {
        Self(Kept::Value(secret))
    }

    /// A file that holds it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or holds no secret.
    pub fn file(path: impl Into<PathBuf>) -> Result<Self, CredentialError> {
        let watched = Watched::open(SecretFile(path.into()))?;
        Ok(Self(Kept::File(Arc::new(watched))))
    }

    /// The secret as it was when it was last looked at.
    #[must_use]
    pub fn last(&self) -> ClientSecret {
        match &self.0 {
            Kept::Value(secret) => secret.clone(),
            Kept::File(watched) => watched.last().as_ref().clone(),
        }
    }

    pub(crate) async fn current(&self, now: UnixTime) -> ClientSecret {
        match &self.0 {
            Kept::Value(secret) => secret.clone(),
            Kept::File(watched) => watched.current(now).await.as_ref().clone(),
        }
    }

    pub(super) async fn fingerprint(&self, now: UnixTime) -> Option<Digest> {
        match &self.0 {
            Kept::Value(_) => None,
            Kept::File(watched) => Some(watched.fingerprint(now).await),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

struct SecretFile(PathBuf);

impl Meaning for SecretFile {
    type Value = ClientSecret;

    fn files(&self) -> Vec<(Part, &Path)> {
        vec![(Part::Secret, &self.0)]
    }

    fn read(&self, contents: &[Content]) -> Result<ClientSecret, CredentialError> {
        let wrong = |problem: String| CredentialError::new(Part::Secret, &self.0, problem);
        let content = contents.first().map_or(&[][..], |content| content);
        let text = std::str::from_utf8(content)
            .map_err(|_| wrong("is not text: it must hold the secret's value alone".to_owned()))?;
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            return Err(wrong("holds no secret".to_owned()));
        }
        ClientSecret::new(secret).map_err(|problem| wrong(problem.to_string()))
    }
}
