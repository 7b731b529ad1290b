//! The one test program; a module for each flow or part of the URL tree.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that cannot go on says so by panicking"
)]

#[path = "end_to_end/accounts.rs"]
mod accounts;
#[path = "end_to_end/app_only/mod.rs"]
mod app_only;
#[path = "end_to_end/authority_answers_html.rs"]
mod authority_answers_html;
#[path = "end_to_end/awkward_mail.rs"]
mod awkward_mail;
#[path = "end_to_end/bad_input.rs"]
mod bad_input;
#[path = "end_to_end/client_authentication/mod.rs"]
mod client_authentication;
#[path = "end_to_end/clients/mod.rs"]
mod clients;
#[path = "end_to_end/connect/mod.rs"]
mod connect;
#[path = "end_to_end/connect_attacks.rs"]
mod connect_attacks;
#[path = "end_to_end/core_in_browser.rs"]
mod core_in_browser;
#[path = "end_to_end/corpus.rs"]
mod corpus;
#[path = "end_to_end/delegated.rs"]
mod delegated;
#[path = "end_to_end/demo_in_browser.rs"]
mod demo_in_browser;
#[path = "end_to_end/description.rs"]
mod description;
#[path = "end_to_end/hostile_mail_server.rs"]
mod hostile_mail_server;
#[path = "end_to_end/imports.rs"]
mod imports;
#[path = "end_to_end/killed.rs"]
mod killed;
#[path = "end_to_end/master_key.rs"]
mod master_key;
#[path = "end_to_end/readme.rs"]
mod readme;
#[path = "end_to_end/sandbox_in_browser.rs"]
mod sandbox_in_browser;
#[path = "end_to_end/secrets.rs"]
mod secrets;
#[path = "end_to_end/setup/mod.rs"]
mod setup;
#[path = "end_to_end/terminal/mod.rs"]
mod terminal;
#[path = "end_to_end/tokens.rs"]
mod tokens;
#[path = "end_to_end/widget_in_browser.rs"]
mod widget_in_browser;
