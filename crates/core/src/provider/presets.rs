//! The providers that are known.

use std::time::Duration;

use super::{Endpoints, MailHost, Provider, Tls};
use crate::endpoint::Endpoint;
use crate::scope::Scopes;

mod google;
mod microsoft;
mod others;

/// The ids of the presets.
pub const PRESETS: [&str; 12] = [
    "microsoft365",
    "microsoft365-gcc-high",
    "microsoft365-dod",
    "microsoft365-china",
    "outlook",
    "google",
    "yahoo",
    "aol",
    "fastmail",
    "yandex",
    "mailru",
    "comcast",
];

pub(super) fn preset(id: &str) -> Option<Provider> {
    match id {
        "outlook" => microsoft::outlook(),
        "google" => google::google(),
        "yahoo" => others::yahoo(),
        "aol" => others::aol(),
        "fastmail" => others::fastmail(),
        "yandex" => others::yandex(),
        "mailru" => others::mailru(),
        "comcast" => others::comcast(),
        _ => microsoft::microsoft365(id),
    }
}

fn scopes(text: &str) -> Option<Scopes> {
    Scopes::parse(text).ok()
}

fn explicit(issuer: Option<&str>, authorize: &str, token: &str) -> Option<Endpoints> {
    Some(Endpoints::Explicit {
        issuer: issuer.map(str::to_owned),
        authorization_endpoint: Endpoint::new(authorize).ok()?,
        token_endpoint: Endpoint::new(token).ok()?,
        jwks_uri: None,
        device_authorization_endpoint: None,
        userinfo_endpoint: None,
    })
}

fn implicit(host: &str, port: u16) -> Option<MailHost> {
    MailHost::new(host, port, Tls::Implicit).ok()
}

fn submission(host: &str) -> Option<MailHost> {
    MailHost::new(host, 587, Tls::StartTls).ok()
}

fn parameters(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

const fn days(number: u64) -> Option<Duration> {
    Some(Duration::from_secs(number * 86_400))
}
