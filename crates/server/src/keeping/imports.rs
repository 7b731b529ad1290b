//! Goes on with imports that were interrupted, or that wait for an authority or a mail server.

use futures_util::{StreamExt, stream};
use mailgrant_storage::ImportId;

use crate::state::Gateway;

/// Tries what is due, a few at a time, each once in a round.
pub(super) async fn resume(gateway: &Gateway) {
    let mut after = None;
    loop {
        let imports = gateway.storage.imports();
        let due = match imports.due(after.as_ref(), PAGE, gateway.now()).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "imports were not gone on with");
                return;
            }
        };
        after = due.last().cloned();
        stream::iter(due)
            .for_each_concurrent(AT_A_TIME, |id: ImportId| async move {
                if !gateway.stopping.is_cancelled()
                    && let Err(error) = gateway.resume_import(&id).await
                {
                    tracing::warn!(import = %id, %error, "an import was not gone on with");
                }
            })
            .await;
        if after.is_none() || gateway.stopping.is_cancelled() {
            return;
        }
    }
}

const AT_A_TIME: usize = 4;
/// Imports looked for at one time.
const PAGE: u32 = 100;
