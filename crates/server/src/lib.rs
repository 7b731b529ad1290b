#![doc = include_str!("../README.md")]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod adding;
mod app;
mod connect;
mod cursor;
mod diagnosis;
mod email_id;
mod engine;
mod environment;
mod gateway;
mod http;
mod keeping;
mod pauses;
mod pool;
mod problem;
mod reading;
mod registration;
mod representation;
mod routes;
mod scopes;
mod settings;
mod state;
mod tokens;
mod tools;

pub use self::{
    connect::{Ending, ImportFailure, ImportFault, Kept, Proven, SignIn},
    diagnosis::Diagnosis,
    email_id::{EmailId, NotAnEmailId},
    engine::Engine,
    environment::{Clock, Environment, SystemClock},
    gateway::{Gateway, RunningGateway, StartError},
    pool::Pool,
    problem::{Code, FieldError, Problem},
    settings::{Application, MasterKeySource, Origin, Server, Settings, SettingsError, Storage},
    tokens::{Error as TokenError, LiveToken, TokenKeeper},
    tools::Protocol,
};

/// The API's description (OpenAPI 3.1) as JSON, as `/openapi.json` serves it.
///
/// ```
/// let description = mailgrant_server::description();
/// assert!(description.contains("/v1/connect-sessions"));
/// ```
#[must_use]
pub fn description() -> String {
    app::description().to_pretty_json().unwrap_or_default()
}
