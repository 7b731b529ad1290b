//! Why a credential cannot be used.

use std::path::{Path, PathBuf};

/// Which of a credential's parts is at fault: each is a setting of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The file with the client secret.
    Secret,
    /// The file with the certificate, or with certificate and key.
    Certificate,
    /// The file with the certificate's private key.
    Key,
    /// The password of the key or of the PKCS#12 file.
    Password,
    /// The file with another authority's token.
    Token,
    /// Google's key file.
    ServiceAccount,
}

/// Why a credential cannot be used: the file, what is wrong with it, and what to do.
///
/// Nothing of a file's content is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", .path.display())]
pub struct CredentialError {
    part: Part,
    path: PathBuf,
    problem: String,
}

impl CredentialError {
    pub(crate) fn new(part: Part, path: &Path, problem: impl Into<String>) -> Self {
        Self {
            part,
            path: path.to_owned(),
            problem: problem.into(),
        }
    }

    /// Which part is at fault.
    #[must_use]
    pub const fn part(&self) -> Part {
        self.part
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is wrong with the file, and what to do, without the file's name.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}
