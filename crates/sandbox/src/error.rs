//! Why a sandbox does not start.

use std::io;
use std::path::PathBuf;

/// Why the sandbox could not be started or could not keep what it must keep.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the sandbox's directory could not be read or written.
    #[error("cannot {action} {}: {source}; check that the directory is yours and that the disk has room", path.display())]
    File {
        /// What was tried: `read`, `write`, `create`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the sandbox's directory holds something else than the sandbox wrote.
    #[error("{} is not what the sandbox wrote there ({problem}); remove it to begin anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, without the content.
        problem: String,
    },
    /// The tenant file is not valid.
    #[error("the tenant file is not valid: {problem}")]
    Tenant {
        /// Names the key and what to write instead.
        problem: String,
    },
    /// No free port, or the wished one is taken.
    #[error(
        "cannot listen on 127.0.0.1:{port} for {service}: {source}; choose another port, or 0 for a free one"
    )]
    Listen {
        /// Which service.
        service: &'static str,
        /// The wished port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// Making a key or certificate failed.
    #[error("cannot make the sandbox's keys and certificates: {problem}")]
    Cryptography {
        /// What the library said.
        problem: String,
    },
    /// The mail part could not be started.
    #[error("cannot start the mailboxes: {problem}")]
    Mail {
        /// What it said.
        problem: String,
    },
}

impl Error {
    pub(crate) fn cryptography(problem: impl std::fmt::Display) -> Self {
        Self::Cryptography {
            problem: problem.to_string(),
        }
    }

    pub(crate) fn tenant(problem: impl Into<String>) -> Self {
        Self::Tenant {
            problem: problem.into(),
        }
    }
}
