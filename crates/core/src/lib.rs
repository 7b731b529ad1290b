#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod authorization;
pub mod claims;
pub mod device;
pub mod discovery;
pub mod endpoint;
#[cfg(feature = "known-answers")]
pub mod known_answers;
pub mod pkce;
pub mod provider;
pub mod sasl;
pub mod scope;
pub mod secret;
pub mod time;
pub mod token;
pub mod value;

mod encoding;
mod json;

pub use value::InvalidValue;
