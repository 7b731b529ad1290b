#![doc = include_str!("../README.md")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test that cannot go on says so by panicking, and reads the clock and the environment it is given"
)]

pub mod archive;
pub mod authority;
pub mod bench;
pub mod browser;
pub mod client;
pub mod corpus;
pub mod customers;
pub mod dovecot;
pub mod gateway;
pub mod mail_server;
pub mod office;
pub mod person;
pub mod pki;
pub mod port;
pub mod powershell;
pub mod process;
pub mod rotating;
pub mod sandbox;
pub mod socket;
pub mod stack;
pub mod terminal;
pub mod wire;

/// Ends the test, saying so, when a component could not be installed on this machine.
#[macro_export]
macro_rules! needs {
    ($($component:literal),+) => {
        if let Some(missing) = $crate::process::missing(&[$($component),+]) {
            eprintln!("left out: {missing} could not be installed on this machine");
            return;
        }
    };
}

/// The README's Rust is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
