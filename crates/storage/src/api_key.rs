//! API keys: who may ask for what.

use std::collections::BTreeSet;

use async_trait::async_trait;
use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;

use crate::error::Error;
use crate::hash::{SecretHash, random_secret};
use crate::id::ApiKeyId;
use crate::page::Page;
use crate::random::Random;
use crate::words::words;

/// What a caller may do, and for which site. The secret itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its identifier.
    pub id: ApiKeyId,
    /// The site whose accounts and sessions it opens.
    pub site: String,
    /// The operator's note.
    pub label: String,
    /// What it may be used for.
    pub scopes: BTreeSet<ApiScope>,
    /// The secret's beginning, to tell keys apart: `mgk_` and four characters.
    pub hint: String,
    /// When it was made.
    pub created_at: UnixTime,
    /// When it was last used, to within ten minutes.
    pub last_used_at: Option<UnixTime>,
    /// When it was revoked.
    pub revoked_at: Option<UnixTime>,
}

words! {
    /// One thing an API key may be used for.
    pub enum ApiScope {
        /// Make and see connect sessions.
        Connect = "connect",
        /// See accounts.
        AccountsRead = "accounts:read",
        /// Add, change and delete accounts.
        AccountsWrite = "accounts:write",
        /// Read mail.
        MailRead = "mail:read",
        /// Change, delete and send mail.
        MailWrite = "mail:write",
        /// Get access tokens.
        Tokens = "tokens",
        /// Read events and register webhooks.
        Events = "events",
    }
}

/// A key to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApiKey {
    /// The site whose accounts and sessions it opens.
    pub site: String,
    /// The operator's note.
    pub label: String,
    /// What it may be used for.
    pub scopes: BTreeSet<ApiScope>,
}

/// A key's secret: `mgk_` and 43 characters of base64url. Shown once, when the key is made.
///
/// ```
/// use mailgrant_storage::{ApiKeySecret, SystemRandom};
///
/// let secret = ApiKeySecret::generate(&SystemRandom);
/// assert!(secret.expose().starts_with("mgk_"));
/// assert_eq!(secret.hint().len(), 8);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeySecret(Secret);

impl ApiKeySecret {
    /// What every key begins with.
    pub const PREFIX: &'static str = "mgk_";

    /// A new one.
    pub fn generate(random: &dyn Random) -> Self {
        Self(random_secret(Self::PREFIX, random))
    }

    /// The secret in the clear.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What is stored in its place.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(self.expose())
    }

    /// Its first eight characters.
    pub fn hint(&self) -> String {
        self.expose().chars().take(8).collect()
    }
}

/// API keys.
#[async_trait]
pub trait ApiKeyRepository: Send + Sync {
    /// Makes a key; the secret is returned here and never again.
    ///
    /// # Errors
    /// As everywhere in this crate.
    async fn add(&self, key: NewApiKey, now: UnixTime) -> Result<(ApiKey, ApiKeySecret), Error>;

    /// The key a presented secret belongs to, if it is not revoked.
    ///
    /// # Errors
    /// As everywhere.
    async fn find_by_secret(&self, secret: &SecretHash) -> Result<Option<ApiKey>, Error>;

    /// Notes that the key was used. Writes at most once in ten minutes for a key; a failure
    /// is no reason to refuse the request.
    ///
    /// # Errors
    /// As everywhere.
    async fn touch(&self, key: &ApiKey, now: UnixTime) -> Result<(), Error>;

    /// At most `limit` keys of one site or of all, oldest first, that come after `after`.
    ///
    /// # Errors
    /// As everywhere.
    async fn list(
        &self,
        site: Option<&str>,
        after: Option<&ApiKeyId>,
        limit: u32,
    ) -> Result<Page<ApiKey, ApiKeyId>, Error>;

    /// Revokes a key for good; `None` when there is no such key. Revoking twice keeps the first time.
    ///
    /// # Errors
    /// As everywhere.
    async fn revoke(&self, id: &ApiKeyId, now: UnixTime) -> Result<Option<ApiKey>, Error>;
}
