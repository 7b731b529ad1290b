//! What reads other people's octets, as one function for each: for `cargo xtask fuzz` and the smoke test.
//!
//! Each takes one input, runs it through the service's own code (a whole session over a pipe, whole requests through
//! the router) and returns; what must not be is a panic. An input always does the same: clock, randomness and mail are
//! made anew for each, and time only passes when everybody waits.

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "to panic is how it tells of a finding"
)]

mod form;
mod imap;
mod pipe;
mod tenant;

pub use form::form;
pub use imap::imap;
pub use tenant::tenant;

#[cfg(test)]
mod tests;

use std::path::Path;

use mailgrant_core::time::UnixTime;
use tempfile::TempDir;

/// The moment of every input.
const NOW: UnixTime = UnixTime(1_795_000_000);

/// A folder that ends with the input, in memory where the machine has that.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a folder")
}
