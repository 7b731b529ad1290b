//! Assertions that the client signs itself (RFC 7523).

use std::time::Duration;

use jsonwebtoken::Header;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::{Assertion, ClientAssertion};
use serde::Serialize;

use super::key::RsaKey;
use crate::error::Error;
use crate::surroundings::Surroundings;

/// The claims of `private_key_jwt` (OpenID Connect Core §9, RFC 7523 §3):
///
/// ```text
/// {"aud":TOKEN ENDPOINT,"iss":CLIENT ID,"sub":CLIENT ID,"jti":UUID,"nbf":…,"iat":…,"exp":…}
/// ```
#[derive(Serialize)]
struct ClientClaims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: UnixTime,
    iat: UnixTime,
    exp: UnixTime,
}

/// The claims of a service account's grant (RFC 7523 §2.1, Google's `scope` besides).
#[derive(Serialize)]
pub(super) struct GrantClaims<'a> {
    pub(super) iss: &'a str,
    pub(super) sub: &'a str,
    pub(super) aud: &'a str,
    pub(super) scope: &'a str,
    pub(super) iat: UnixTime,
    pub(super) exp: UnixTime,
}

/// Proves the client to `audience`, once.
pub(super) fn client(
    header: &Header,
    key: &RsaKey,
    client_id: &str,
    audience: &str,
    surroundings: &Surroundings,
) -> Result<ClientAssertion, Error> {
    let now = surroundings.now();
    let id = uuid::Builder::from_random_bytes(surroundings.random()).into_uuid();
    let claims = ClientClaims {
        aud: audience,
        iss: client_id,
        sub: client_id,
        jti: id.to_string(),
        nbf: now,
        iat: now,
        exp: now + LIFETIME,
    };
    ClientAssertion::new(sign(header, key, &claims)?).map_err(|_| unsigned())
}

pub(super) fn grant(
    header: &Header,
    key: &RsaKey,
    claims: &GrantClaims<'_>,
) -> Result<Assertion, Error> {
    Assertion::new(sign(header, key, claims)?).map_err(|_| unsigned())
}

fn sign(header: &Header, key: &RsaKey, claims: &impl Serialize) -> Result<String, Error> {
    // The library's words are not passed on: they are about the key.
    jsonwebtoken::encode(header, claims, key.signing()).map_err(|_| unsigned())
}

fn unsigned() -> Error {
    Error::configuration("the private key does not sign: make a new key and certificate")
}

/// How long an assertion is good; it is used at once.
pub(super) const LIFETIME: Duration = Duration::from_secs(300);
