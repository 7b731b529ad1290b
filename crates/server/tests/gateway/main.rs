//! The gateway over HTTP, with an authority and a mail server made for the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs
)]

mod api;
mod connect;
mod imap;
mod mail;
mod settings;
mod tokens;
mod world;
