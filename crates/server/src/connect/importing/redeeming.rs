//! The moment at which a refresh token can be lost: it is used, and what the authority gives in its place is put on disk.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailgrant_core::{
    scope::Scopes,
    token::{RefreshToken, TokenResponse},
};
use mailgrant_oauth::Client;
use mailgrant_storage::{ImportId, Storage};
use tokio::time::sleep;

use super::ImportFault;
use crate::scopes;

/// Successors that the storage did not take; the tokens that they replace may be dead.
#[derive(Default)]
pub(crate) struct Unstored(Mutex<HashMap<ImportId, (i64, RefreshToken)>>);

/// One use of a refresh token.
pub(super) struct Using {
    pub(super) client: Client,
    pub(super) asks: Vec<Option<Scopes>>,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) unstored: Arc<Unstored>,
    pub(super) id: ImportId,
    pub(super) generation: i64,
    pub(super) refresh_token: RefreshToken,
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

    async fn keep(&self, successor: &RefreshToken) -> Result<i64, ImportFault> {
        // In memory first: if the storage fails, the next try begins with storing it.
        self.unstored.put(&self.id, self.generation, successor);
        let mut pauses = PAUSES.into_iter();
        let stored = loop {
            let imports = self.storage.imports();
            match imports.replace(&self.id, self.generation, successor).await {
                Ok(stored) => break stored,
                Err(error) => match pauses.next() {
                    Some(pause) => sleep(pause).await,
                    None => return Err(error.into()),
                },
            }
        };
        self.unstored.forget(&self.id);
        stored.ok_or(ImportFault::UnderWay)
    }
}

impl Unstored {
    pub(super) fn of(&self, import: &ImportId) -> Option<(i64, RefreshToken)> {
        self.lock().get(import).cloned()
    }

    fn put(&self, import: &ImportId, generation: i64, successor: &RefreshToken) {
        self.lock()
            .insert(import.clone(), (generation, successor.clone()));
    }

    pub(super) fn forget(&self, import: &ImportId) {
        self.lock().remove(import);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ImportId, (i64, RefreshToken)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Between tries to store a successor.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
];
