//! The moment at which a refresh token can be lost: it is used, and what the authority gives in its place is put on disk.

use std::{sync::Arc, time::Duration};

use mailgrant_core::{
    scope::Scopes,
    token::{RefreshToken, TokenResponse},
};
use mailgrant_oauth::Client;
use mailgrant_storage::{Hold, ImportId, Storage};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::ImportFault;
use crate::{scopes, tokens::TokenKeeper};

/// One use of a refresh token.
pub(super) struct Using {
    pub(super) client: Client,
    pub(super) asks: Vec<Option<Scopes>>,
    pub(super) storage: Arc<dyn Storage>,
    /// What runs to its end.
    pub(super) tokens: TokenKeeper,
    pub(super) id: ImportId,
    pub(super) generation: i64,
    pub(super) refresh_token: RefreshToken,
    pub(super) hold: Hold,
}

/// What came of it.
pub(super) struct Used {
    pub(super) response: TokenResponse,
    pub(super) asked: Option<Scopes>,
    pub(super) generation: i64,
}

impl Using {
    /// Uses the token and puts its successor on disk.
    ///
    /// # Errors
    /// What the authority or the storage said.
    pub(super) async fn run(self) -> Result<Used, ImportFault> {
        let refreshed = scopes::refresh(&self.client, &self.refresh_token, &self.asks).await;
        let (mut response, asked) = refreshed.map_err(ImportFault::refused)?;
        let mut generation = self.generation;
        match &response.refresh_token {
            Some(successor) if *successor != self.refresh_token => {
                generation = self.keep(successor).await?;
            }
            // That stays good (RFC 6749 §6).
            _ => response.refresh_token = Some(self.refresh_token),
        }
        Ok(Used {
            response,
            asked,
            generation,
        })
    }

    /// Tells whoever waits when the storage does not take it soon, and goes on trying. Until then nobody uses the token that
    /// it replaces: that may be dead.
    async fn keep(&self, token: &RefreshToken) -> Result<i64, ImportFault> {
        let successor = Successor {
            storage: Arc::clone(&self.storage),
            id: self.id.clone(),
            generation: self.generation,
            token: token.clone(),
            _hold: self.hold.clone(),
        };
        let mut pauses = PAUSES.into_iter();
        loop {
            match successor.store().await {
                Ok(stored) => return stored.ok_or(ImportFault::UnderWay),
                Err(error) => match pauses.next() {
                    Some(pause) => sleep(pause).await,
                    None => {
                        let stopping = self.tokens.stopping();
                        self.tokens.sheltered(successor.store_at_last(stopping));
                        return Err(error.into());
                    }
                },
            }
        }
    }
}

/// What the authority gave in place of a token that may be dead.
struct Successor {
    storage: Arc<dyn Storage>,
    id: ImportId,
    generation: i64,
    token: RefreshToken,
    _hold: Hold,
}

impl Successor {
    async fn store(&self) -> Result<Option<i64>, mailgrant_storage::Error> {
        let imports = self.storage.imports();
        imports
            .replace(&self.id, self.generation, &self.token)
            .await
    }

    /// Tries again and again, for the last time when the process stops.
    async fn store_at_last(self, stopping: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let is_last = timeout(pause, stopping.cancelled()).await.is_ok();
            match self.store().await {
                Ok(_) => return,
                Err(error) if is_last => {
                    tracing::error!(import = %self.id, %error, "a refresh token is lost: the storage did not take it");
                    return;
                }
                Err(error) => {
                    tracing::warn!(import = %self.id, %error, "a refresh token is not on disk yet")
                }
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Between tries to store a successor.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
];
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
