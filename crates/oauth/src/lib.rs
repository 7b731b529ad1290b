#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

mod cache;
mod client;
pub mod credential;
mod error;
mod id_token;
mod keys;
mod metadata;
mod policy;
mod registration;
mod surroundings;
mod transport;

pub use client::{AuthorizationParameters, Client, Userinfo};
pub use credential::{Credential, CredentialError, Fingerprint};
pub use error::{Error, ErrorKind, Step};
pub use id_token::{IdTokenProblem, Identity};
pub use policy::Policy;
pub use registration::Registration;
pub use surroundings::Surroundings;
pub use transport::http_client;

#[cfg(test)]
mod tests;
