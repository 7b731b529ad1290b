//! Google's service accounts with domain-wide delegation (RFC 7523 §2.1).

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jsonwebtoken::Header;
use mailgrant_core::endpoint::Endpoint;
use mailgrant_core::scope::Scopes;
use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::Assertion;
use serde::Deserialize;

use super::assertion::{self, GrantClaims, LIFETIME};
use super::error::{CredentialError, Part};
use super::key::RsaKey;
use super::pem;
use super::watched::{Content, Digest, Meaning, Watched};
use crate::error::Error;

/// A service account, by the JSON key file that Google's console makes. Read again for each
/// request, so that keys can be rotated.
#[derive(Clone)]
pub struct ServiceAccount(Arc<Watched<KeyFile>>);

impl ServiceAccount {
    /// Reads the key file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is not a service account's key.
    pub fn file(path: impl Into<PathBuf>) -> Result<Self, CredentialError> {
        Ok(Self(Arc::new(Watched::open(KeyFile(path.into()))?)))
    }

    /// `client_id`, by which a Workspace administrator delegates to it; where the file has none,
    /// its address.
    #[must_use]
    pub fn client_id(&self) -> String {
        let key = self.0.last();
        key.client_id.clone().unwrap_or_else(|| key.email.clone())
    }

    /// `client_email`.
    #[must_use]
    pub fn email(&self) -> String {
        self.0.last().email.clone()
    }

    pub(crate) async fn current(&self, now: UnixTime) -> Arc<Key> {
        self.0.current(now).await
    }

    pub(super) async fn fingerprint(&self, now: UnixTime) -> Digest {
        self.0.fingerprint(now).await
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = &self.0.meaning().0;
        formatter.debug_tuple("ServiceAccount").field(file).finish()
    }
}

/// What is in the key file.
pub(crate) struct Key {
    email: String,
    client_id: Option<String>,
    token_uri: Endpoint,
    header: Header,
    key: RsaKey,
}

impl Key {
    /// Where the assertion is redeemed.
    pub(crate) const fn token_uri(&self) -> &Endpoint {
        &self.token_uri
    }

    /// Speaks for the person whose mailbox it is.
    pub(crate) fn sign(
        &self,
        mailbox: &str,
        scopes: &Scopes,
        now: UnixTime,
    ) -> Result<Assertion, Error> {
        let claims = GrantClaims {
            iss: &self.email,
            sub: mailbox,
            aud: self.token_uri.as_str(),
            scope: &scopes.to_string(),
            iat: now,
            exp: now + LIFETIME,
        };
        assertion::grant(&self.header, &self.key, &claims)
    }
}

struct KeyFile(PathBuf);

/// The members that count; a file has more.
#[derive(Deserialize)]
struct Members {
    #[serde(rename = "type")]
    kind: String,
    client_email: Option<String>,
    client_id: Option<String>,
    private_key: Option<Secret>,
    private_key_id: Option<String>,
    token_uri: Option<String>,
}

impl Meaning for KeyFile {
    type Value = Key;

    fn files(&self) -> Vec<(Part, &Path)> {
        vec![(Part::ServiceAccount, &self.0)]
    }

    fn read(&self, contents: &[Content]) -> Result<Key, CredentialError> {
        let wrong = |problem: &str| CredentialError::new(Part::ServiceAccount, &self.0, problem);
        let missing = |name: &str| {
            wrong(&format!(
                "`{name}` is missing: put the key file here as Google's console gives it"
            ))
        };
        let content = contents.first().map_or(&[][..], |content| content);
        // What serde says may quote the file.
        let members: Members = serde_json::from_slice(content).map_err(|_| {
            wrong("is not a service account's key: it must be the JSON file that Google's console gives")
        })?;
        if members.kind != "service_account" {
            return Err(wrong(
                "is a key file of another type: make a key of a service account, in JSON form",
            ));
        }
        let email = members.client_email.filter(|email| !email.is_empty());
        let private_key = members.private_key.ok_or_else(|| missing("private_key"))?;
        let blocks = pem::blocks(private_key.expose().as_bytes());
        let key = match blocks.as_ref().and_then(|blocks| blocks.keys.first()) {
            Some(block) => block
                .read(None)
                .map_err(|problem| wrong(&problem.to_string()))?,
            None => return Err(wrong("`private_key` is not a private key in PEM form")),
        };
        let token_uri = members.token_uri.ok_or_else(|| missing("token_uri"))?;
        let mut header = Header::new(jsonwebtoken::Algorithm::RS256);
        header.kid = members.private_key_id;
        Ok(Key {
            email: email.ok_or_else(|| missing("client_email"))?,
            client_id: members.client_id.filter(|id| !id.is_empty()),
            token_uri: Endpoint::new(token_uri)
                .map_err(|problem| wrong(&format!("`token_uri`: {problem}")))?,
            header,
            key,
        })
    }
}
