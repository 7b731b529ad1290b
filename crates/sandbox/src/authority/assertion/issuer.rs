//! The keys of a federated issuer (OpenID Connect Discovery 1.0 §4, RFC 7517), fetched on this machine only.

use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Value, json};
use url::{Host, Url};

use crate::authority::problem::{Problem, assertion};
use crate::authority::state::Authority;
use crate::directory::FederatedCredential;

/// The public keys of an issuer.
#[derive(Clone, Debug)]
pub(super) struct IssuerKeys(Vec<Jwk>);

impl IssuerKeys {
    /// Reads a key set. Keys of sorts that are not understood are left out (RFC 7517 §5).
    pub(super) fn parse(jwks: Value) -> Result<Self, Problem> {
        let keys = jwks
            .get("keys")
            .and_then(Value::as_array)
            .ok_or_else(|| assertion::FEDERATED_DISCOVERY.problem())?;
        let understood = keys
            .iter()
            .filter_map(|key| serde_json::from_value(key.clone()).ok());
        Ok(Self(understood.collect()))
    }

    /// This sandbox's own.
    pub(super) fn own(authority: &Authority) -> Result<Self, Problem> {
        Self::parse(json!({"keys": authority.directory.keys().published()}))
    }

    /// The key of that id, if it is for signatures of that sort.
    pub(super) fn find(&self, kid: &str, algorithm: Algorithm) -> Option<DecodingKey> {
        let set = JwkSet {
            keys: self.0.clone(),
        };
        let key = set.find(kid)?;
        let symmetric = matches!(
            algorithm,
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
        );
        (!symmetric)
            .then(|| DecodingKey::from_jwk(key).ok())
            .flatten()
    }
}

/// Fetches the issuer's discovery document and keys: in plain HTTP from loopback, and from nowhere else. Only issuers
/// that the tenant trusts get here.
pub(super) async fn fetch(
    authority: &Authority,
    credential: &FederatedCredential,
) -> Result<IssuerKeys, Problem> {
    let fetched = tokio::time::timeout(DEADLINE, async {
        let issuer = credential.issuer.trim_end_matches('/');
        let document = get(&format!("{issuer}/.well-known/openid-configuration")).await?;
        if document.get("issuer").and_then(Value::as_str) != Some(&credential.issuer) {
            return Err("the discovery document names another issuer".to_owned());
        }
        let keys = document
            .get("jwks_uri")
            .and_then(Value::as_str)
            .ok_or("the discovery document has no jwks_uri")?;
        get(keys).await
    })
    .await;
    match fetched {
        Ok(Ok(keys)) => IssuerKeys::parse(keys),
        Ok(Err(problem)) => Err(note(authority, credential, problem)),
        Err(_) => Err(note(
            authority,
            credential,
            "it did not answer in time".to_owned(),
        )),
    }
}

/// Tells the request log what the wire does not.
fn note(authority: &Authority, credential: &FederatedCredential, problem: String) -> Problem {
    let mut entry = authority.entry("federated_issuer");
    entry.outcome = "error".to_owned();
    entry.code = Some(assertion::FEDERATED_DISCOVERY.code);
    entry.detail = Some(format!("the keys of {}: {problem}", credential.issuer));
    authority.log.record(entry);
    assertion::FEDERATED_DISCOVERY.problem()
}

async fn get(url: &str) -> Result<Value, String> {
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    if !is_plain_loopback(&url) {
        return Err(format!(
            "{url} is not on this machine in plain HTTP: give the keys as jwks in the federated credential"
        ));
    }
    let mut response = client()?
        .get(url)
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(|error| error.to_string())?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| error.to_string())? {
        if body.len().saturating_add(chunk.len()) > LONGEST {
            return Err(format!("the answer is longer than {LONGEST} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|error| error.to_string())
}

fn is_plain_loopback(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    here && url.scheme() == "http" && url.username().is_empty() && url.password().is_none()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the sandbox asks another server, on loopback without redirects"
)]
fn client() -> Result<reqwest::Client, String> {
    let here = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0));
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .resolve("localhost", here)
        .timeout(DEADLINE)
        .build()
        .map_err(|error| error.to_string())
}

/// For discovery and keys together.
const DEADLINE: Duration = Duration::from_secs(4);
const LONGEST: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked() {
        for (url, expected) in [
            ("http://localhost:1/x", true),
            ("http://127.0.0.1:1/x", true),
            ("http://[::1]:1/x", true),
            ("https://localhost:1/x", false),
            ("http://localhost.evil.test/", false),
            ("http://169.254.169.254/", false),
            ("http://10.0.0.1/", false),
            ("http://user@localhost/", false),
            ("file:///etc/passwd", false),
            ("http://[::ffff:10.0.0.1]/", false),
        ] {
            assert_eq!(
                is_plain_loopback(&Url::parse(url).unwrap()),
                expected,
                "{url}"
            );
        }
    }

    #[test]
    fn a_key_set_is_searched_by_id_and_never_for_a_shared_secret() {
        let keys = IssuerKeys::parse(json!({"keys": [
            {"kty": "what is this"},
            {"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB"},
            {"kty": "oct", "kid": "b", "k": "AQAB"},
        ]}))
        .unwrap();
        assert!(keys.find("a", Algorithm::RS256).is_some());
        assert!(keys.find("b", Algorithm::HS256).is_none());
        assert!(keys.find("c", Algorithm::RS256).is_none());
        assert!(IssuerKeys::parse(json!({})).is_err());
    }
}
