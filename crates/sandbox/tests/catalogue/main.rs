//! The rules by which people's troubles with Entra ID and Exchange are told apart, each staged by its real cause and
//! read off the wire. `CATALOGUE.md` beside the crate's README is the table; `table.rs` keeps it in step with these
//! tests.
//!
//! To stage a rule: write a test in the file of its protocol, named after the rule's id with `_` for `-`; bring the
//! cause about in the tenant file (`World::start_with`), by the control API or by a fault; send what a client sends;
//! and pass what came back to one of the functions of `harness.rs`, with the exact words that must be in it. Then
//! move the rule's row in `CATALOGUE.md` from the second table to the first and raise the number in its head. A new
//! file is a `mod` here and nothing else. `imap.rs` is the example for a line protocol.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod account;
mod assertion;
mod authorize;
mod claims;
mod client_credentials;
mod device;
mod harness;
mod imap;
#[allow(dead_code, reason = "shared with the tests of the sandbox")]
mod line;
mod password;
mod personal;
mod policies;
mod refresh;
mod set_up;
mod sign_in;
mod smtp;
#[path = "../sandbox/support.rs"]
#[allow(dead_code, reason = "shared with the tests of the sandbox")]
mod support;
mod table;
mod token;
