//! Clients that others wrote, unchanged, through `mailgrant sandbox`: each runs a script of `tests/clients`.

mod command_line;
mod imapflow;
mod msal_node;
mod nodemailer;
mod python;
mod readme;

use mailgrant_tests::sandbox::Sandbox;
use tempfile::TempDir;

/// The sandbox as a newcomer starts it, in a folder that goes with it.
fn sandbox() -> (Sandbox, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start_with(&dir.path().join("sandbox"), [] as [&str; 0]).unwrap();
    (sandbox, dir)
}

/// Asserts that every one of `lines` was printed, as a whole line or the beginning of one.
#[track_caller]
fn assert_printed(printed: &str, lines: &[&str]) {
    for line in lines {
        assert!(
            printed.lines().any(|printed| printed.starts_with(line)),
            "{line:?} was not printed:\n{printed}"
        );
    }
}
