//! Which registered redirect URI a request means.

use url::Url;

use crate::directory::{Application, RedirectUri};

/// The registered URI that `requested` is equal to, by Entra's rules: scheme and host without regard to case, path
/// with it, query as registered; on a loopback host the port does not count (RFC 8252 §7.3).
pub(crate) fn find<'a>(application: &'a Application, requested: &str) -> Option<&'a RedirectUri> {
    let requested = parse(requested)?;
    application.redirect_uris.iter().find(|registered| {
        parse(&registered.uri).is_some_and(|registered| same(&registered, &requested))
    })
}

fn parse(uri: &str) -> Option<Url> {
    // `Url` repairs what is not equal: backslashes, dots, spaces, missing slashes.
    let repaired = uri.contains(['\\', '*', '#'])
        || uri.contains(|c: char| c.is_whitespace() || c.is_control());
    let url = Url::parse(uri)
        .ok()
        .filter(|url| !repaired && url.username().is_empty() && url.password().is_none())?;
    let dots = uri.split(['/', '?']).any(|segment| {
        matches!(
            segment.to_ascii_lowercase().as_str(),
            "." | ".." | "%2e" | "%2e%2e"
        )
    });
    (!dots).then_some(url)
}

fn same(registered: &Url, requested: &Url) -> bool {
    registered.scheme() == requested.scheme()
        && registered.host_str() == requested.host_str()
        && (registered.port_or_known_default() == requested.port_or_known_default()
            || is_loopback(registered))
        && registered.path() == requested.path()
        && registered.query() == requested.query()
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Flow, Platform};

    fn application(uris: &[&str]) -> Application {
        let mut application = Application::new("", Flow::Delegated);
        application.redirect_uris = uris
            .iter()
            .map(|uri| RedirectUri {
                uri: (*uri).to_owned(),
                platform: Platform::Web,
            })
            .collect();
        application
    }

    #[test]
    fn matches_as_entra_does() {
        for (registered, requested, expected) in [
            ("https://app.test/cb", "https://app.test/cb", true),
            ("https://app.test/cb", "HTTPS://APP.test/cb", true),
            ("https://app.test/cb", "https://app.test:443/cb", true),
            ("https://app.test", "https://app.test/", true),
            ("https://app.test/cb", "https://app.test/CB", false),
            ("https://app.test/cb", "https://app.test/cb/", false),
            ("https://app.test/cb", "https://app.test/cb?x=1", false),
            ("https://app.test/cb?x=1", "https://app.test/cb?x=1", true),
            ("https://app.test/cb", "https://app.test/cb#f", false),
            ("https://app.test/cb", "http://app.test/cb", false),
            ("https://app.test/cb", "https://app.test:8443/cb", false),
            (
                "https://app.test/cb",
                "https://app.test.evil.test/cb",
                false,
            ),
            (
                "https://app.test/cb",
                "https://app.test@evil.test/cb",
                false,
            ),
            ("https://app.test/cb", "https://user@app.test/cb", false),
            ("https://app.test/cb", "https://app.test/x/../cb", false),
            ("https://app.test/cb", "https://app.test/x/%2e%2e/cb", false),
            ("https://app.test/cb", "https://app.test\\cb", false),
            ("https://app.test/cb", "https://app.test/cb\n", false),
            ("https://app.test/cb", "/cb", false),
            ("https://app.test/cb", "", false),
            ("http://localhost/cb", "http://localhost:53211/cb", true),
            ("http://localhost:8080/cb", "http://localhost:9999/cb", true),
            (
                "http://localhost:8080/cb",
                "http://localhost:9999/other",
                false,
            ),
            ("http://localhost/cb", "https://localhost/cb", false),
            ("http://localhost/cb", "http://127.0.0.1/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:7000/cb", true),
            (
                "http://localhost/cb",
                "http://localhost.evil.test/cb",
                false,
            ),
            ("msal1234://auth", "msal1234://auth", true),
        ] {
            let application = application(&[registered]);
            let found = find(&application, requested).is_some();
            assert_eq!(
                found, expected,
                "registered {registered}, requested {requested}"
            );
        }
    }

    #[test]
    fn the_one_that_matches_is_returned() {
        let application = application(&["https://a.test/1", "https://a.test/2"]);
        assert_eq!(
            find(&application, "https://a.test/2").unwrap().uri,
            "https://a.test/2"
        );
    }
}
