//! The one test program; a module for each flow or part of the URL tree.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that cannot go on says so by panicking"
)]

#[path = "end_to_end/core_in_browser.rs"]
mod core_in_browser;
#[path = "end_to_end/delegated.rs"]
mod delegated;
#[path = "end_to_end/hostile_mail_server.rs"]
mod hostile_mail_server;
#[path = "end_to_end/killed.rs"]
mod killed;
#[path = "end_to_end/readme.rs"]
mod readme;
#[path = "end_to_end/secrets.rs"]
mod secrets;
#[path = "end_to_end/tokens.rs"]
mod tokens;
#[path = "end_to_end/widget_in_browser.rs"]
mod widget_in_browser;
