#![doc = include_str!("../README.md")]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod authority;
pub mod clock;
mod console;
pub mod control;
pub mod directory;
pub mod error;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
pub mod imap;
pub mod mailstore;
pub mod outbox;
pub mod pki;
pub mod pop3;
pub mod random;
pub mod running;
pub mod seed;
pub mod settings;
pub mod smtp;

pub use clock::Clock;
pub use directory::Directory;
pub use error::Error;
pub use random::{Random, SystemRandom};
pub use running::{Running, Sandbox};
pub use settings::SandboxSettings;

mod files;
mod net;
