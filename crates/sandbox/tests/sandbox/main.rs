//! The sandbox through its public surface: HTTP, and the directory's answers to the mail servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod access;
mod admin_consent;
mod assertion;
mod authorize;
mod client_credentials;
mod cmdlets;
mod code;
mod consent;
mod console;
mod control;
mod cors;
mod device;
mod directory;
mod discovery;
mod federated;
mod imap;
mod instance_discovery;
#[path = "../catalogue/line.rs"]
#[allow(dead_code, reason = "shared with the tests of the catalogue")]
mod line;
mod on_behalf_of;
mod personal;
mod post;
mod refresh;
mod restart;
mod sign_in;
mod submission;
mod support;
mod tenants;
