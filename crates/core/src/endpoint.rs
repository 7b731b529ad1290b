//! The address of an authority's endpoint.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Deserializer, Serialize};

use crate::InvalidValue;
use crate::value::{self, Problem};

/// An absolute `https` URL without fragment or user information (RFC 6749 §3.1, §3.2).
///
/// `http` is accepted for loopback hosts only, where tests and the sandbox live.
///
/// ```
/// use mailgrant_core::endpoint::Endpoint;
///
/// let endpoint = Endpoint::new("https://login.example.com/token").unwrap();
/// assert_eq!(endpoint.origin(), "https://login.example.com");
/// assert!(Endpoint::new("http://127.0.0.1:8080/token").is_ok());
/// assert!(Endpoint::new("http://login.example.com/token").is_err());
/// assert!(Endpoint::new("https://user@login.example.com/token").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Endpoint(String);

impl Endpoint {
    /// Checks the URL.
    ///
    /// # Errors
    ///
    /// Refuses any scheme but `https` (and `http` on loopback), user information, a fragment,
    /// a missing host, and characters that do not belong in a URL.
    pub fn new(url: impl Into<String>) -> Result<Self, InvalidValue> {
        let url = url.into();
        check(&url)?;
        Ok(Self(url))
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        origin(&self.0)
    }

    /// The URL with parameters added to whatever query it has (RFC 6749 §3.1).
    #[must_use]
    pub(crate) fn with_query<'a>(
        &self,
        pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> String {
        let separator = match self.0.split_once('?') {
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{separator}{}", self.0, *crate::encoding::form(pairs))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Whether a host (as it stands in a URL, without port) can only be this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let numeric = host.trim_start_matches('[').trim_end_matches(']');
    match numeric.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// Whether a URL's host is this machine or on its own link, in any of the ways in which that can be written.
pub(crate) fn is_near(url: &str) -> bool {
    let authority = origin(url)
        .split_once("://")
        .map_or(url, |(_, authority)| authority);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .trim_end_matches('.')
        .to_ascii_lowercase();
    let is_near_v4 = |address: Ipv4Addr| {
        address.is_loopback() || address.is_link_local() || address.is_unspecified()
    };
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => is_near_v4(address),
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(address) => is_near_v4(address),
            None => {
                address.is_loopback() || address.is_unicast_link_local() || address.is_unspecified()
            }
        },
        Err(_) => {
            let last = host.rsplit('.').next().unwrap_or_default();
            // `127.1`, `0x7f000001`: whatever reads URLs may take them for addresses (URL Standard, "ends in a number").
            let is_number =
                last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
            is_number || last == "localhost"
        }
    }
}

pub(crate) fn origin(url: &str) -> &str {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    url.get(..scheme.len() + "://".len() + authority.len())
        .unwrap_or(url)
}

fn check(url: &str) -> Result<(), InvalidValue> {
    let refuse = |expected| Err(InvalidValue::new(NAME, Problem::Form(expected)));
    value::graphic(NAME, url)?;
    if let Some(at) = url.find(['\\', '"', '<', '>', '^', '`', '{', '|', '}']) {
        return Err(InvalidValue::new(NAME, Problem::Character { at }));
    }
    if url.contains('#') {
        return refuse("without a fragment (#…)");
    }
    let Some((scheme, _)) = url.split_once("://") else {
        return refuse("an absolute URL (https://…)");
    };
    let authority = origin(url)
        .get(scheme.len() + "://".len()..)
        .unwrap_or_default();
    if authority.contains('@') {
        return refuse("without user information (user@)");
    }
    let host = match authority
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((address, port)) => {
            if address.parse::<Ipv6Addr>().is_err() || !is_port(port) {
                return refuse("a URL with a readable host");
            }
            address
        }
        None => {
            let (host, port) = match authority.find(':') {
                Some(at) => authority.split_at(at),
                None => (authority, ""),
            };
            let readable = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if host.is_empty() || !host.bytes().all(readable) || !is_port(port) {
                return refuse("a URL with a readable host");
            }
            host
        }
    };
    match scheme {
        "https" => Ok(()),
        "http" if is_loopback(host) => Ok(()),
        "http" => refuse("https (http is for loopback hosts only)"),
        _ => refuse("an https URL"),
    }
}

/// Nothing, or a colon and a number.
fn is_port(text: &str) -> bool {
    match text.strip_prefix(':') {
        Some(digits) => {
            digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
        }
        None => text.is_empty(),
    }
}

const NAME: &str = "endpoint";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accepts_real_endpoints() {
        for url in [
            "https://login.microsoftonline.com/common/oauth2/v2.0/token",
            "https://oauth2.googleapis.com/token",
            "https://corp.test:8443/authorize?policy=b2c_1",
            "http://localhost:3000/token",
            "http://[::1]:3000/token",
            "http://127.0.0.1/token",
            "http://LOCALHOST:9000",
        ] {
            assert!(Endpoint::new(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn refuses_what_could_lead_elsewhere() {
        for url in [
            "",
            "login.example.com/token",
            "//login.example.com/token",
            "file:///etc/passwd",
            "javascript://login.example.com/%0aalert(1)",
            "http://login.example.com/token",
            "http://127.0.0.1.example.com/token",
            "http://localhost.example.com/token",
            "http://127.0.0.1@example.com/token",
            "https://login.example.com@evil.test/token",
            "https://login.example.com\\@evil.test/token",
            "https://login.example.com/token#fragment",
            "https:///token",
            "https://:443/token",
            "https://host:99999/token",
            "https://host:+1/token",
            "https://[::1/token",
            "https://log in.example.com/",
            "https://login.example.com/\r\nHost: evil.test",
            "https://login.example.com/{tenant}/token",
        ] {
            assert!(Endpoint::new(url).is_err(), "{url}");
        }
    }

    #[test]
    fn adds_to_a_query_that_is_there() {
        let with = |url: &str| {
            Endpoint::new(url)
                .unwrap()
                .with_query([("a", "1")].into_iter())
        };
        assert_eq!(with("https://a.test/x"), "https://a.test/x?a=1");
        assert_eq!(with("https://a.test/x?"), "https://a.test/x?a=1");
        assert_eq!(with("https://a.test/x?b=2"), "https://a.test/x?b=2&a=1");
    }

    proptest! {
        #[test]
        fn never_panics(url: String) {
            let _ = Endpoint::new(url);
        }

        #[test]
        fn origin_is_a_prefix(path in "[a-z/?]{0,20}") {
            let url = format!("https://host.test/{path}");
            prop_assert_eq!(origin(&url), "https://host.test");
        }
    }
}
