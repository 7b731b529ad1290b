//! What is printed. A reader that has gone away is an error, not a panic in the middle of the work.

use std::fmt::Display;
use std::io::Write as _;

use crate::failure::{Exit, Failure};

/// A line of standard output: what the command is for.
///
/// # Errors
/// When nobody reads it.
pub(crate) fn print(line: impl Display) -> Result<(), Failure> {
    writeln!(std::io::stdout().lock(), "{line}")
        .map_err(|error| Failure::new(Exit::Failed, format!("nobody reads the output: {error}")))
}

/// A line of standard error, for a person who may look.
pub(crate) fn tell(line: impl Display) {
    // Where even this cannot be said there is nobody to say it to.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A line of standard output of a command that goes on whether anybody reads it or not.
pub(crate) fn show(line: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
