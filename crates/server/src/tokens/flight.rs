//! One request to the authority for a token, with what must be stored on the way.

use mailgrant_storage::{Account, Flow, Grant, NewGrant, Replacement};

use super::{
    Error, Inner, LiveToken, Registration,
    slot::{Slot, Unstored},
};

pub(super) async fn fly(inner: &Inner, account: &Account, slot: &Slot) -> Result<LiveToken, Error> {
    let registration = inner.registration(account)?;
    match account.flow {
        Flow::AppOnly => app_only(inner, registration, slot).await,
        Flow::Delegated => delegated(inner, registration, account, slot).await,
    }
}

async fn app_only(
    inner: &Inner,
    registration: &Registration,
    slot: &Slot,
) -> Result<LiveToken, Error> {
    let refused = |error| Error::of(&error, &registration.asked(None));
    let response = registration
        .client(None)
        .map_err(refused)?
        .app_only(registration.application.app_only_scopes(), None)
        .await
        .map_err(refused)?;
    Ok(slot.keep(&response, inner.clock.now()))
}

async fn delegated(
    inner: &Inner,
    registration: &Registration,
    account: &Account,
    slot: &Slot,
) -> Result<LiveToken, Error> {
    if let Some(unstored) = slot.unstored()
        && store(inner, account, slot, &unstored).await?
        && unstored.is_good(inner.clock.now())
    {
        return Ok(slot.keep(&unstored.response, unstored.at));
    }
    for _ in 0..RACES {
        let grant = grant(inner, account).await?;
        slot.set_generation(grant.generation);
        let asked = inner.clock.now();
        let provider = &registration.application.provider;
        let scopes = provider
            .refresh_names_scopes
            .then(|| registration.application.scopes());
        let refused = |error| Error::of(&error, &registration.asked(None));
        let response = registration
            .client(None)
            .map_err(refused)?
            .refresh(&grant.refresh_token, scopes)
            .await
            .map_err(refused)?;
        let unstored = Unstored {
            refresh_token: response
                .refresh_token
                .clone()
                .unwrap_or(grant.refresh_token),
            scopes: response.scope.clone().unwrap_or(grant.scopes),
            generation: grant.generation,
            response,
            at: asked,
        };
        // In memory first: if the storage fails, the next flight begins with storing it.
        slot.set_unstored(Some(unstored.clone()));
        if store(inner, account, slot, &unstored).await? {
            return Ok(slot.keep(&unstored.response, unstored.at));
        }
    }
    Err(Error::Storage {
        detail: "the grant is being replaced by others all the time".to_owned(),
    })
}

/// Puts the new refresh token on disk; false when another was first and this one is worth nothing.
async fn store(
    inner: &Inner,
    account: &Account,
    slot: &Slot,
    unstored: &Unstored,
) -> Result<bool, Error> {
    let grant = NewGrant {
        refresh_token: unstored.refresh_token.clone(),
        scopes: unstored.scopes.clone(),
    };
    let replacement = inner
        .storage
        .grants()
        .replace(&account.id, unstored.generation, grant, inner.clock.now())
        .await
        .map_err(|error| storage_error(&error))?;
    slot.set_unstored(None);
    match replacement {
        Replacement::Stored { generation } => {
            slot.set_generation(generation);
            Ok(true)
        }
        Replacement::Superseded => Ok(false),
    }
}

async fn grant(inner: &Inner, account: &Account) -> Result<Grant, Error> {
    inner
        .storage
        .grants()
        .lookup(&account.id)
        .await
        .map_err(|error| storage_error(&error))?
        .ok_or(Error::Gone)
}

fn storage_error(error: &mailgrant_storage::Error) -> Error {
    Error::Storage {
        detail: error.to_string(),
    }
}

/// How often another replica may be first.
const RACES: usize = 3;
