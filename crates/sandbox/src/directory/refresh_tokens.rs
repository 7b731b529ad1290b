//! Refresh tokens: long-lived, not tied to a resource, stored by their hash.

use std::collections::HashMap;
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use serde::{Deserialize, Serialize};

use super::Directory;
use super::application::Platform;
use super::expiry::IssuedTo;
use super::journal::Event;
use super::permission::Permission;
use crate::Error;

/// What a new refresh token shall stand for.
#[derive(Clone, Debug)]
pub struct NewRefreshToken {
    /// The application it is given to.
    pub client_id: String,
    /// The object id of the person who agreed.
    pub person: String,
    /// What the person signed in for; a refresh without `scope` asks for the same.
    pub scopes: Vec<Permission>,
    /// The `aud` of the access tokens that it was given with.
    pub audience: String,
    /// The platform of the redirect URI: single-page applications get 24 hours.
    pub platform: Platform,
    /// For single-page applications: when the first token of the family was issued.
    pub first_issued_at: Option<UnixTime>,
    /// When the person did the second step that it was given for, if one was done.
    pub second_step_at: Option<UnixTime>,
    /// The family's generation, kept when a token is made from another.
    pub generation: Option<u64>,
}

/// A refresh token that was issued.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefreshTokenGrant {
    hash: String,
    generation: u64,
    /// The application it was given to.
    pub client_id: String,
    /// The object id of the person who agreed.
    pub person: String,
    /// What it was issued for.
    pub scopes: Vec<Permission>,
    /// The audience it was issued with.
    pub audience: String,
    /// The platform of the redirect URI.
    pub platform: Platform,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// When the first of its family was issued.
    pub first_issued_at: UnixTime,
    /// When the person did the second step that it was given for, if one was done.
    #[serde(default)]
    pub second_step_at: Option<UnixTime>,
}

/// Why a refresh token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshRefusal {
    /// Never issued, or to somebody else.
    Unknown,
    /// Not used for 90 days.
    Expired {
        /// When it was issued.
        issued_at: UnixTime,
    },
    /// Of a single-page application, first issued more than 24 hours ago.
    SpaExpired {
        /// When the first of its family was issued.
        issued_at: UnixTime,
    },
    /// Revoked by the person, an administrator or a new password.
    Revoked,
}

impl RefreshTokenGrant {
    /// The successor's description: same family, same person.
    #[must_use]
    pub fn successor(&self, scopes: Vec<Permission>, audience: String) -> NewRefreshToken {
        NewRefreshToken {
            client_id: self.client_id.clone(),
            person: self.person.clone(),
            scopes,
            audience,
            platform: self.platform,
            first_issued_at: Some(self.first_issued_at),
            second_step_at: self.second_step_at,
            generation: Some(self.generation),
        }
    }

    /// Whether it ended so long ago that nobody asks why any more.
    pub(super) fn is_forgotten(&self, now: UnixTime) -> bool {
        now.since(self.issued_at) > LIFETIME * 2
    }

    /// As if it had not been used for 90 days, if it is one of those.
    pub(super) fn expire(&mut self, issued_to: &IssuedTo, now: UnixTime) {
        let idle_since = UnixTime(now.0.saturating_sub_unsigned(LIFETIME.as_secs()));
        if issued_to.is(&self.person, &self.client_id) {
            self.issued_at = self.issued_at.min(idle_since);
        }
    }

    fn check(&self, now: UnixTime, generation: u64) -> Result<(), RefreshRefusal> {
        if self.generation < generation {
            return Err(RefreshRefusal::Revoked);
        }
        if self.platform == Platform::Spa && now.since(self.first_issued_at) >= SPA_LIFETIME {
            return Err(RefreshRefusal::SpaExpired {
                issued_at: self.first_issued_at,
            });
        }
        if now.since(self.issued_at) >= LIFETIME {
            return Err(RefreshRefusal::Expired {
                issued_at: self.issued_at,
            });
        }
        Ok(())
    }
}

impl Directory {
    /// Issues a refresh token, written down before it is returned.
    ///
    /// # Errors
    ///
    /// When it cannot be written down.
    pub fn issue_refresh_token(
        &self,
        new: NewRefreshToken,
        now: UnixTime,
    ) -> Result<Secret, Error> {
        // Entra's are about as long; columns of 255 or 512 characters shall be found out here.
        let token = Secret::new(format!("1.{}", self.random().token(750)));
        let mut tokens = self.refresh_tokens();
        let grant = RefreshTokenGrant {
            hash: hash(token.expose()),
            generation: new
                .generation
                .unwrap_or_else(|| tokens.generation(&new.person)),
            client_id: new.client_id,
            person: new.person,
            scopes: new.scopes,
            audience: new.audience,
            platform: new.platform,
            issued_at: now,
            first_issued_at: new.first_issued_at.unwrap_or(now),
            second_step_at: new.second_step_at,
        };
        self.journal()
            .append(&Event::RefreshTokenIssued(grant.clone()))?;
        tokens.insert(grant);
        Ok(token)
    }

    /// What a refresh token stands for. It stays valid: Entra does not revoke it when it gives out a new one.
    ///
    /// # Errors
    ///
    /// Why it is refused.
    pub fn refresh_token(
        &self,
        token: &str,
        now: UnixTime,
    ) -> Result<RefreshTokenGrant, RefreshRefusal> {
        let tokens = self.refresh_tokens();
        let grant = tokens
            .by_hash
            .get(&hash(token))
            .ok_or(RefreshRefusal::Unknown)?;
        grant.check(now, tokens.generation(&grant.person))?;
        Ok(grant.clone())
    }

    /// Revokes every refresh token of a person, as a new password or an administrator does. Access tokens live on.
    ///
    /// # Errors
    ///
    /// When it cannot be written down.
    pub fn revoke_refresh_tokens(&self, person: &str) -> Result<(), Error> {
        let mut tokens = self.refresh_tokens();
        let generation = tokens.generation(person).saturating_add(1);
        self.journal().append(&Event::Revoked {
            person: person.to_owned(),
            generation,
        })?;
        tokens.set_generation(person, generation);
        Ok(())
    }
}

/// All refresh tokens that are not forgotten, and how often each person's were revoked.
#[derive(Default)]
pub(super) struct RefreshTokens {
    by_hash: HashMap<String, RefreshTokenGrant>,
    generations: HashMap<String, u64>,
}

impl RefreshTokens {
    pub(super) fn insert(&mut self, grant: RefreshTokenGrant) {
        self.by_hash.insert(grant.hash.clone(), grant);
    }

    /// As if those issued so far had not been used for 90 days.
    pub(super) fn expire(&mut self, issued_to: &IssuedTo, now: UnixTime) {
        for grant in self.by_hash.values_mut() {
            grant.expire(issued_to, now);
        }
    }

    pub(super) fn set_generation(&mut self, person: &str, generation: u64) {
        self.generations.insert(person.to_owned(), generation);
    }

    fn generation(&self, person: &str) -> u64 {
        self.generations.get(person).copied().unwrap_or(0)
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Without use.
const LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Since the first of the family.
const SPA_LIFETIME: Duration = DAY;

fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()))
}
