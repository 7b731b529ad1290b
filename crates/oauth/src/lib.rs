#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

mod cache;
mod client;
mod error;
mod id_token;
mod keys;
mod metadata;
mod policy;
mod registration;
mod transport;

pub use client::{AuthorizationParameters, Client};
pub use error::{Error, ErrorKind, Step};
pub use id_token::{IdTokenProblem, Identity};
pub use policy::Policy;
pub use registration::{Credential, Registration};
pub use transport::http_client;

#[cfg(test)]
mod tests;
