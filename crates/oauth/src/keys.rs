//! The keys that sign ID tokens (RFC 7517).

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use mailgrant_core::endpoint::Endpoint;

use crate::cache::Cache;
use crate::error::{Error, ErrorKind, Step};
use crate::transport::{Repeat, Transport};

/// The authority's keys, fetched when needed.
pub(crate) struct Keys {
    cache: Cache<Vec<Key>>,
}

/// A public key and what it may be used for.
pub(crate) struct Key {
    pub(crate) id: Option<String>,
    /// Entra: whose tokens it signs, `{tenantid}` in it.
    pub(crate) issuer: Option<String>,
    pub(crate) key: DecodingKey,
    algorithms: Vec<Algorithm>,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self {
            cache: Cache::new(),
        }
    }

    /// The keys that may have signed a token with this `kid` and `alg`.
    ///
    /// When none is known the set is fetched again: the authority may have changed its keys. That
    /// happens once in [`Policy::keys_pause`](crate::Policy::keys_pause) at most, or made-up key
    /// ids would make us hammer the authority.
    pub(crate) async fn candidates(
        &self,
        transport: &Transport,
        jwks_uri: &Endpoint,
        key_id: Option<&str>,
    ) -> Result<Arc<Vec<Key>>, Error> {
        let known = self
            .get(transport, jwks_uri, transport.policy.metadata_ttl)
            .await?;
        if known.iter().any(|key| key.has_id(key_id)) {
            return Ok(known);
        }
        let pause = transport
            .policy
            .keys_pause
            .min(transport.policy.metadata_ttl);
        self.get(transport, jwks_uri, pause).await
    }

    async fn get(
        &self,
        transport: &Transport,
        jwks_uri: &Endpoint,
        ttl: Duration,
    ) -> Result<Arc<Vec<Key>>, Error> {
        self.cache
            .get(ttl, async || {
                transport
                    .send(
                        Step::Keys,
                        Repeat::Always,
                        |http| Ok((http.get(jwks_uri.as_str()), ())),
                        |(), status, body| read(status, body),
                    )
                    .await
                    .map_err(Error::keys_unavailable)
            })
            .await
    }
}

impl Key {
    /// Whether a token that names `key_id`, or none, may be signed with this key.
    pub(crate) fn has_id(&self, key_id: Option<&str>) -> bool {
        key_id.is_none_or(|id| self.id.as_deref() == Some(id))
    }

    pub(crate) fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// `None` for keys that are for something else, or of a kind that is not known.
    fn read(value: &serde_json::Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
        if matches!(jwk.common.public_key_use, Some(ref usage) if *usage != PublicKeyUse::Signature)
        {
            return None;
        }
        // By the key's own type, never by what a token claims: a public RSA key must not become
        // the secret of an HMAC.
        let by_type: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => &[
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ],
            AlgorithmParameters::EllipticCurve(key) => match key.curve {
                EllipticCurve::P256 => &[Algorithm::ES256],
                EllipticCurve::P384 => &[Algorithm::ES384],
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                &[Algorithm::EdDSA]
            }
            _ => return None,
        };
        let named = value.get("alg").and_then(serde_json::Value::as_str);
        let algorithms: Vec<_> = by_type
            .iter()
            .copied()
            .filter(|algorithm| named.is_none_or(|named| named == format!("{algorithm:?}")))
            .collect();
        Some(Self {
            id: jwk.common.key_id.clone(),
            issuer: value
                .get("issuer")
                .and_then(serde_json::Value::as_str)
                .map(str::to_owned),
            key: DecodingKey::from_jwk(&jwk).ok()?,
            algorithms,
        })
    }
}

fn read(status: u16, body: &[u8]) -> Result<Vec<Key>, Error> {
    let malformed = |detail| Err(Error::new(Step::Keys, ErrorKind::Malformed, detail));
    let Ok(document) = serde_json::from_slice::<serde_json::Value>(body) else {
        let detail = format!("the key set (HTTP {status}) is not JSON");
        return Err(Error::new(
            Step::Keys,
            ErrorKind::NotJson { status },
            detail,
        ));
    };
    if status != 200 {
        return malformed(format!("no key set (HTTP {status})"));
    }
    let Some(values) = document.get("keys").and_then(serde_json::Value::as_array) else {
        return malformed("the key set lacks \"keys\"".to_owned());
    };
    let keys: Vec<_> = values.iter().filter_map(Key::read).collect();
    if keys.is_empty() {
        return malformed("the key set holds no usable key".to_owned());
    }
    Ok(keys)
}
