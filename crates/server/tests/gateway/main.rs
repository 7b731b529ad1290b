//! The gateway over HTTP, with an authority and a mail server made for the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs
)]

mod admission;
mod api;
mod bad_input;
mod barred;
mod clock_put_back;
mod connect;
mod connect_ends;
mod consent;
mod credentials;
mod event_readers;
mod event_stream;
mod events;
mod hostile_authority;
mod imap;
mod imports;
mod keeping;
mod mail;
mod providers;
mod reauth;
mod refused_tokens;
mod scopes;
mod session;
mod settings;
mod tokens;
mod whole;
mod world;
