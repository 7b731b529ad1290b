//! How a command ends when it does not succeed.

use std::fmt;
use std::process::ExitCode;

use mailgrant_server::StartError;
use mailgrant_storage::Error as StorageError;

/// The documented exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Failed = 1,
    Usage = 2,
    Configuration = 3,
    Unavailable = 4,
    PersonNeeded = 5,
}

/// What went wrong, for the person at the terminal, and the exit code that says it to scripts.
#[derive(Debug)]
pub(crate) struct Failure {
    pub exit: Exit,
    pub message: String,
}

impl Failure {
    pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
        }
    }

    pub fn configuration(message: impl fmt::Display) -> Self {
        Self::new(Exit::Configuration, message)
    }
}

/// Text that others had a hand in, for a terminal: it cannot command it.
pub(crate) fn shown(text: &str) -> String {
    let commands = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
    text.replace("\r\n", "\n")
        .replace(|letter: char| commands(letter) || turns(letter), "\u{fffd}")
}

/// Whether it makes a terminal show what follows in another order than it is (Unicode Bidirectional Algorithm §2).
fn turns(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        let exit = match &error {
            _ if error.is_unavailable() => Exit::Unavailable,
            StorageError::Url(_)
            | StorageError::Migration(_)
            | StorageError::MasterKeyMissing { .. }
            | StorageError::MasterKey(_) => Exit::Configuration,
            _ => Exit::Failed,
        };
        Self::new(exit, error)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Storage(error) => error.into(),
            StartError::Listen { .. } => Self::new(Exit::Unavailable, error),
            _ => Self::new(Exit::Configuration, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_commands_no_terminal() {
        assert_eq!(
            shown("ada\u{1b}[2J@example.com\r\nß\r"),
            "ada\u{fffd}[2J@example.com\nß\u{fffd}"
        );
        assert_eq!(shown("moc.live\u{202e}@ada"), "moc.live\u{fffd}@ada");
    }
}
