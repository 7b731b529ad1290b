//! Believing an ID token (OpenID Connect Core §3.1.3.7).

use jsonwebtoken::Algorithm;
use mailgrant_core::authorization::Nonce;
use mailgrant_core::claims::Claims;
use mailgrant_core::discovery::issuer_matches;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::{ClientId, IdToken};
use serde::{Deserialize, Serialize};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::keys::Key;
use crate::policy::Policy;

/// Who signed in, as far as a verified ID token tells.
///
/// [`subject`](Self::subject) with [`issuer`](Self::issuer) is the person; names and addresses are
/// for display: Entra does not vouch for `email`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// Entra's `tid`.
    pub tenant_id: Option<String>,
    /// Entra's `oid`.
    pub object_id: Option<String>,
    /// `email`, unless the token says that it is not verified.
    pub email: Option<String>,
    /// `preferred_username`.
    pub preferred_username: Option<String>,
    /// `name`.
    pub name: Option<String>,
}

/// Why an ID token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenProblem {
    /// Not a signed JWT.
    #[error("the ID token is not a signed JWT")]
    NotAJwt,
    /// `none`, HMAC, or nothing that the key is for.
    #[error("the ID token is not signed with an algorithm that its key allows")]
    Algorithm,
    /// No key of the authority has its `kid`.
    #[error("the ID token is signed with a key that is not the authority's")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the ID token's signature is wrong")]
    Signature,
    /// A required claim is not there.
    #[error("the ID token lacks \"{0}\"")]
    Missing(&'static str),
    /// `iss` is somebody else's.
    #[error("the ID token is of another issuer: check the tenant")]
    Issuer,
    /// `aud` is another client.
    #[error("the ID token is for another client: check the client id")]
    Audience,
    /// `azp` is another client, or missing among several audiences.
    #[error("the ID token was issued to another client")]
    AuthorizedParty,
    /// `nonce` is not that of the request.
    #[error("the ID token answers another request: start the sign-in again")]
    Nonce,
    /// `exp` is past.
    #[error("the ID token has expired: check this machine's clock")]
    Expired,
    /// `nbf` or `iat` is ahead.
    #[error("the ID token is not valid yet: check this machine's clock")]
    NotYetValid,
}

/// A token taken apart, its signature not checked yet.
pub(crate) struct Parts<'a> {
    /// Of the header.
    pub(crate) key_id: Option<String>,
    algorithm: Algorithm,
    message: &'a str,
    signature: &'a str,
    payload: &'a str,
}

/// What a token is measured by.
pub(crate) struct Expected<'a> {
    /// The metadata's issuer, `{tenantid}` in it.
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a ClientId,
    /// None: there was none in the request.
    pub(crate) nonce: Option<&'a Nonce>,
    pub(crate) now: UnixTime,
    pub(crate) policy: &'a Policy,
    /// What the metadata allows, where it tells.
    pub(crate) algorithms: Option<&'a [String]>,
}

impl<'a> Parts<'a> {
    pub(crate) fn read(token: &'a IdToken) -> Result<Self, IdTokenProblem> {
        let (message, signature) = token
            .expose()
            .rsplit_once('.')
            .ok_or(IdTokenProblem::NotAJwt)?;
        let (header, payload) = message.split_once('.').ok_or(IdTokenProblem::NotAJwt)?;
        if payload.contains('.') {
            return Err(IdTokenProblem::NotAJwt);
        }
        let header: serde_json::Value = URL_SAFE_NO_PAD
            .decode(header)
            .ok()
            .and_then(|header| serde_json::from_slice(&header).ok())
            .ok_or(IdTokenProblem::NotAJwt)?;
        // RFC 7515 §4.1.11: an extension that must be understood, and is not.
        if header.get("crit").is_some() {
            return Err(IdTokenProblem::NotAJwt);
        }
        let algorithm = header.get("alg").and_then(serde_json::Value::as_str);
        Ok(Self {
            key_id: header
                .get("kid")
                .and_then(serde_json::Value::as_str)
                .map(str::to_owned),
            algorithm: algorithm
                .and_then(asymmetric)
                .ok_or(IdTokenProblem::Algorithm)?,
            message,
            signature,
            payload,
        })
    }

    /// Checks the signature, then every claim.
    pub(crate) fn verify(
        &self,
        keys: &[Key],
        expected: &Expected<'_>,
    ) -> Result<Identity, IdTokenProblem> {
        let algorithm_name = format!("{:?}", self.algorithm);
        if expected
            .algorithms
            .is_some_and(|names| !names.contains(&algorithm_name))
        {
            return Err(IdTokenProblem::Algorithm);
        }
        let key = self.signer(keys)?;
        let payload = URL_SAFE_NO_PAD
            .decode(self.payload)
            .map_err(|_| IdTokenProblem::NotAJwt)?;
        let claims = Claims::from_payload(&payload).ok_or(IdTokenProblem::NotAJwt)?;
        let issuer = check(&claims, expected)?;
        // Entra signs for work and personal accounts with keys of their own.
        if let Some(pattern) = &key.issuer
            && !issuer_matches(pattern, &issuer, claims.tid.as_deref())
        {
            return Err(IdTokenProblem::Issuer);
        }
        Ok(Identity {
            issuer,
            subject: claims.sub.ok_or(IdTokenProblem::Missing("sub"))?,
            tenant_id: claims.tid,
            object_id: claims.oid,
            email: claims.email.filter(|_| !says_unverified(&payload)),
            preferred_username: claims.preferred_username,
            name: claims.name,
        })
    }

    /// The key whose signature it is.
    fn signer<'k>(&self, keys: &'k [Key]) -> Result<&'k Key, IdTokenProblem> {
        let named = keys.iter().filter(|key| key.has_id(self.key_id.as_deref()));
        let mut problem = IdTokenProblem::UnknownKey;
        for key in named {
            if !key.allows(self.algorithm) {
                problem = IdTokenProblem::Algorithm;
                continue;
            }
            let verified = jsonwebtoken::crypto::verify(
                self.signature,
                self.message.as_bytes(),
                &key.key,
                self.algorithm,
            );
            if matches!(verified, Ok(true)) {
                return Ok(key);
            }
            problem = IdTokenProblem::Signature;
        }
        Err(problem)
    }
}

/// Every claim but the subject; gives the issuer.
fn check(claims: &Claims, expected: &Expected<'_>) -> Result<String, IdTokenProblem> {
    let issuer = claims.iss.clone().ok_or(IdTokenProblem::Missing("iss"))?;
    // An authority of several tenants: the token must say which, and agree with itself.
    let tenant = if expected.issuer.contains("{tenantid}") {
        Some(
            claims
                .tid
                .as_deref()
                .ok_or(IdTokenProblem::Missing("tid"))?,
        )
    } else {
        None
    };
    if !issuer_matches(expected.issuer, &issuer, tenant) {
        return Err(IdTokenProblem::Issuer);
    }

    let client_id = expected.client_id.as_str();
    if claims.aud.is_empty() {
        return Err(IdTokenProblem::Missing("aud"));
    }
    if !claims.aud.iter().any(|audience| audience == client_id) {
        return Err(IdTokenProblem::Audience);
    }
    match claims.azp.as_deref() {
        Some(party) if party != client_id => return Err(IdTokenProblem::AuthorizedParty),
        None if claims.aud.len() > 1 => return Err(IdTokenProblem::AuthorizedParty),
        _ => {}
    }

    let skew = expected.policy.clock_skew;
    let expires = claims.exp.ok_or(IdTokenProblem::Missing("exp"))?;
    if expires + skew <= expected.now {
        return Err(IdTokenProblem::Expired);
    }
    let issued = claims.iat.ok_or(IdTokenProblem::Missing("iat"))?;
    if issued > expected.now + skew
        || claims
            .nbf
            .is_some_and(|begins| begins > expected.now + skew)
    {
        return Err(IdTokenProblem::NotYetValid);
    }

    let Some(expected) = expected.nonce else {
        return Ok(issuer);
    };
    let nonce = claims
        .nonce
        .as_deref()
        .ok_or(IdTokenProblem::Missing("nonce"))?;
    // Compared in constant time.
    match Nonce::parse(nonce) {
        Ok(nonce) if nonce == *expected => Ok(issuer),
        _ => Err(IdTokenProblem::Nonce),
    }
}

/// Only what needs no shared secret.
fn asymmetric(name: &str) -> Option<Algorithm> {
    Some(match name {
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "EdDSA" => Algorithm::EdDSA,
        _ => return None,
    })
}

/// `email_verified` is there and not true; some authorities write it as a string.
pub(crate) fn says_unverified(payload: &[u8]) -> bool {
    let value: Option<serde_json::Value> = serde_json::from_slice(payload).ok();
    match value.as_ref().and_then(|value| value.get("email_verified")) {
        None => false,
        Some(verified) => *verified != true && *verified != "true",
    }
}
