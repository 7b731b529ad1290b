//! One request to the authority for a token, with what must be stored on the way.

use mailgrant_core::{time::UnixTime, token::TokenResponse};
use mailgrant_storage::{AccountId, Grant, Hold, NewGrant, Replacement, StoredAccessToken};

use super::{
    Error, Inner, LiveToken, Registration,
    slot::{Slot, Unstored},
    wanted::{Key, Wanted},
};
use crate::scopes;

/// Why a token is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Somebody waits for it.
    Request,
    /// The one in memory nears its end.
    Ahead,
    /// The refresh token is to live on: it was not used after `since`.
    KeepAlive { since: UnixTime },
}

/// A request under way.
pub(super) struct Journey<'a> {
    pub(super) inner: &'a Inner,
    pub(super) wanted: &'a Wanted,
    pub(super) slot: &'a Slot,
    pub(super) purpose: Purpose,
}

impl Journey<'_> {
    pub(super) async fn fly(&self) -> Result<LiveToken, Error> {
        let registration = self.inner.registration(&self.wanted.application)?;
        match &self.wanted.key {
            Key::Account(account) => self.delegated(registration, account).await,
            Key::Application { .. } | Key::Mailbox { .. } => self.app_only(registration).await,
        }
    }

    async fn app_only(&self, registration: &Registration) -> Result<LiveToken, Error> {
        if let Some(kept) = self.recall(registration, None).await {
            return Ok(kept);
        }
        self.admit(registration).await?;
        let asked_at = self.inner.clock.now();
        let tenant = self.wanted.tenant.as_deref();
        let refused = |error| Error::of(&error, &registration.asked(tenant));
        let response = registration
            .client(tenant)
            .map_err(refused)?
            .app_only(
                registration.application.app_only_scopes(),
                self.wanted.key.mailbox(),
            )
            .await
            .map_err(refused)?;
        let live = self.keep(&response, asked_at);
        self.remember(registration, &live, None).await;
        Ok(live)
    }

    async fn delegated(
        &self,
        registration: &Registration,
        account: &AccountId,
    ) -> Result<LiveToken, Error> {
        if let Some(unstored) = self.slot.unstored()
            && self.store(account, &unstored).await?
            && unstored.is_good(self.inner.clock.now())
        {
            return Ok(self.keep(&unstored.response, unstored.at));
        }
        // Another process may be refreshing the grant; what it gets is there for all then.
        let hold = self.hold(account).await?;
        for _ in 0..RACES {
            let grant = self.grant(account).await?;
            self.slot.set_generation(grant.generation);
            // Who keeps a grant alive is content when another replica has done so.
            let recalls = match self.purpose {
                Purpose::Request | Purpose::Ahead => true,
                Purpose::KeepAlive { since } => grant.refreshed_at > since,
            };
            if recalls && let Some(kept) = self.recall(registration, Some(grant.generation)).await {
                return Ok(kept);
            }
            let unstored = self.refresh(registration, grant, &hold).await?;
            // In memory first: if the storage fails, the next flight begins with storing it.
            self.slot.set_unstored(Some(unstored.clone()));
            if self.store(account, &unstored).await? {
                let live = self.keep(&unstored.response, unstored.at);
                // Only now: the new refresh token is worth more than the access token.
                self.remember(registration, &live, self.slot.generation())
                    .await;
                return Ok(live);
            }
        }
        Err(Error::Storage {
            detail: "the grant is being replaced by others all the time".to_owned(),
        })
    }

    /// Whether the application is still for that tenant, where only the authority can tell.
    async fn admit(&self, registration: &Registration) -> Result<(), Error> {
        let Some(tenant) = self.wanted.tenant.as_deref() else {
            return Ok(());
        };
        let admitted = registration.admit_by_domain(tenant).await;
        admitted.map_err(Error::Excluded)
    }

    async fn refresh(
        &self,
        registration: &Registration,
        grant: Grant,
        hold: &Hold,
    ) -> Result<Unstored, Error> {
        self.admit(registration).await?;
        let asked_at = self.inner.clock.now();
        let asked = scopes::of_grant(&registration.application, &grant.scopes);
        let tenant = self.wanted.tenant.as_deref();
        let refused = |error| Error::of(&error, &registration.asked(tenant));
        let response = registration
            .client(tenant)
            .map_err(refused)?
            .refresh(&grant.refresh_token, asked.as_ref())
            .await
            .map_err(refused)?;
        Ok(Unstored {
            refresh_token: response
                .refresh_token
                .clone()
                .unwrap_or(grant.refresh_token),
            scopes: scopes::granted(
                asked.as_ref().unwrap_or(&grant.scopes),
                response.scope.as_ref(),
            ),
            generation: grant.generation,
            response,
            at: asked_at,
            _hold: hold.clone(),
        })
    }

    /// Puts the new refresh token on disk; false when another was first and this one is worth nothing.
    async fn store(&self, account: &AccountId, unstored: &Unstored) -> Result<bool, Error> {
        let grant = NewGrant {
            refresh_token: unstored.refresh_token.clone(),
            scopes: unstored.scopes.clone(),
        };
        let now = self.inner.clock.now();
        let replacement = self
            .inner
            .storage
            .grants()
            .replace(account, unstored.generation, grant, now)
            .await
            .map_err(|error| storage_error(&error))?;
        self.slot.set_unstored(None);
        match replacement {
            Replacement::Stored { generation } => {
                self.slot.set_generation(generation);
                Ok(true)
            }
            Replacement::Superseded => Ok(false),
        }
    }

    async fn hold(&self, account: &AccountId) -> Result<Hold, Error> {
        let hold = self.inner.storage.grants().hold(account).await;
        hold.map_err(|error| storage_error(&error))
    }

    async fn grant(&self, account: &AccountId) -> Result<Grant, Error> {
        let grants = self.inner.storage.grants();
        let grant = grants.lookup(account).await;
        grant
            .map_err(|error| storage_error(&error))?
            .ok_or(Error::Gone)
    }

    /// A good token that was stored before a restart, by another replica or by the command line: one that is later than
    /// what is in memory, of the present grant, and not the one that the mail server refused.
    async fn recall(
        &self,
        registration: &Registration,
        generation: Option<i64>,
    ) -> Option<LiveToken> {
        if self.slot.is_dead(generation) {
            return None;
        }
        let tokens = self.inner.storage.access_tokens();
        let name = self.wanted.stored_name(registration);
        let stored = match tokens.lookup(&name).await {
            Ok(stored) => stored?,
            Err(error) => {
                tracing::debug!(%error, "a stored access token cannot be used");
                return None;
            }
        };
        if self.slot.has_refused(&stored.token) {
            if let Err(error) = tokens.remove(&name).await {
                tracing::debug!(%error, "a refused access token was not removed");
            }
            return None;
        }
        let live = LiveToken {
            token: stored.token,
            expires_at: stored.expires_at,
            obtained_at: stored.obtained_at,
        };
        let is_news = self
            .slot
            .obtained_at()
            .is_none_or(|known| known < live.obtained_at);
        let now = self.inner.clock.now();
        if live.obtained_at > now
            && !live.is_good(now)
            && let Err(error) = tokens.remove(&name).await
        {
            // It would stand in the way of those with an earlier end.
            tracing::debug!(%error, "an access token from the future was not removed");
        }
        (stored.generation == generation && is_news && live.is_good(now))
            .then(|| self.slot.hold(live, &*self.inner.random))
    }

    /// Stores an access token for others. Without it they ask for their own: a failure is no fault.
    async fn remember(
        &self,
        registration: &Registration,
        live: &LiveToken,
        generation: Option<i64>,
    ) {
        let token = StoredAccessToken {
            token: live.token.clone(),
            generation,
            obtained_at: live.obtained_at,
            expires_at: live.expires_at,
        };
        let name = self.wanted.stored_name(registration);
        if let Err(error) = self.inner.storage.access_tokens().put(&name, token).await {
            tracing::warn!(%error, "an access token was not stored");
        }
    }

    fn keep(&self, response: &TokenResponse, received_at: UnixTime) -> LiveToken {
        self.slot.keep(response, received_at, &*self.inner.random)
    }
}

fn storage_error(error: &mailgrant_storage::Error) -> Error {
    Error::Storage {
        detail: error.to_string(),
    }
}

/// How often a grant may be replaced meanwhile: the person has agreed anew.
const RACES: usize = 3;
