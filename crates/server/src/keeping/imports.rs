//! Goes on with imports that were interrupted, or that wait for an authority or a mail server.

use futures_util::future::join_all;

use crate::state::Gateway;

/// Tries what is due, a few at a time. One that fails is not due again in the same round.
pub(super) async fn resume(gateway: &Gateway) {
    join_all((0..AT_A_TIME).map(|_| in_turn(gateway))).await;
}

async fn in_turn(gateway: &Gateway) {
    while !gateway.stopping.is_cancelled() {
        match gateway.resume_import().await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(%error, "imports were not gone on with");
                return;
            }
        }
    }
}

const AT_A_TIME: usize = 4;
