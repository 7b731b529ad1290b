//! Lets go of what is over: mail sessions, tokens, connect sessions, events.

use std::{collections::BTreeSet, time::Duration};

use crate::{connect, state::Gateway};

pub(super) async fn tidy(gateway: &Gateway) {
    gateway.pool.sweep();
    gateway.tokens.sweep();
    match gateway
        .storage
        .connect_sessions()
        .expire(
            &|session| connect::expired(gateway, session).to_json(),
            gateway.now(),
        )
        .await
    {
        Ok(expired) => {
            let ids: BTreeSet<_> = expired.into_iter().map(|session| session.id).collect();
            ids.iter().for_each(|id| gateway.tell(id));
        }
        Err(error) => tracing::warn!(%error, "expired connect sessions were not swept"),
    }
    match gateway.storage.imports().expire(gateway.now()).await {
        Ok(0) => {}
        Ok(given_up) => tracing::warn!(given_up, "imports that could not be finished in time"),
        Err(error) => tracing::warn!(%error, "expired imports were not swept"),
    }
    forget(gateway).await;
}

/// Lets go of what nobody has to know any more.
async fn forget(gateway: &Gateway) {
    let now = gateway.now();
    let forgotten = async {
        let events = gateway.storage.events().forget_before(now - KEPT).await?;
        let tokens = gateway.storage.access_tokens().forget_before(now).await?;
        let sessions = gateway
            .storage
            .connect_sessions()
            .forget_before(now - KEPT)
            .await?;
        Ok::<_, mailgrant_storage::Error>((events, tokens, sessions))
    };
    match forgotten.await {
        Ok((0, 0, 0)) => {}
        Ok((events, tokens, sessions)) => {
            tracing::debug!(events, tokens, sessions, "forgotten");
        }
        Err(error) => tracing::warn!(%error, "what is over was not forgotten"),
    }
}

/// How long events and ended connect sessions are kept.
const KEPT: Duration = Duration::from_secs(30 * 86_400);
