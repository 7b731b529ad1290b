#![doc = include_str!("../README.md")]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

mod attempt;
mod browser;
pub mod session;
pub mod status;
pub mod text;
pub mod watch;

pub use attempt::{Attempt, Page};
