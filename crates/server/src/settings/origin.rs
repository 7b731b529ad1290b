//! Web origins (RFC 6454): scheme, host and port, and nothing else.

use std::fmt;

use url::{Host, Url};

/// The origin of a site: `https://app.example.com`, or plain http on loopback.
///
/// ```
/// use mailgrant_server::Origin;
///
/// let origin = Origin::parse("https://app.example.com")?;
/// assert!(origin.holds("https://app.example.com/mail?x=1"));
/// assert!(!origin.holds("https://app.example.com.evil.test/"));
/// assert!(Origin::parse("http://app.example.com").is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin as a browser writes it.
    ///
    /// # Errors
    /// What is wrong with it, for a person: not an origin, or plain http on a public host.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| {
            format!(
                "`{text}` is not an origin ({error}); write for example https://app.example.com"
            )
        })?;
        if !is_secure_or_loopback(&url) {
            return Err(format!(
                "`{text}` must begin with https:// (plain http only on localhost)"
            ));
        }
        let origin = url.origin().ascii_serialization();
        if text.trim_end_matches('/') != origin {
            return Err(format!("`{text}` is not an origin: write {origin}"));
        }
        Ok(Self(origin))
    }

    /// As a browser writes it in `Origin`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the URL belongs to this origin.
    #[must_use]
    pub fn holds(&self, url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| url.origin().ascii_serialization() == self.0)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// https anywhere; http on loopback, where nobody can listen in.
pub(crate) fn is_secure_or_loopback(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => is_loopback(url),
        _ => false,
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_origins_are_accepted() {
        for good in [
            "https://app.example.com",
            "https://app.example.com:8443",
            "http://localhost:3000",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
        ] {
            assert_eq!(Origin::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "*",
            "null",
            "app.example.com",
            "https://app.example.com/path",
            "https://user@app.example.com",
            "http://app.example.com",
            "file:///etc",
            "javascript:alert(1)",
            "http://127.0.0.1.evil.test",
        ] {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_origin_holds_its_own_urls_only() {
        let origin = Origin::parse("https://app.example.com").unwrap();
        assert!(origin.holds("https://app.example.com:443/done"));
        for foreign in [
            "https://app.example.com:8443/",
            "http://app.example.com/",
            "https://app.example.com@evil.test/",
            "//app.example.com/",
            "javascript:alert(1)",
        ] {
            assert!(!origin.holds(foreign), "{foreign}");
        }
    }
}
