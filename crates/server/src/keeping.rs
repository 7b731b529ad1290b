//! What the gateway does by itself, so that access goes on without anybody.

mod admission;
mod credentials;
mod grants;
mod imports;
mod mailboxes;
mod rest;
mod tidy;

use std::time::Duration;

use actix_web::web::Data;
use mailgrant_core::time::UnixTime;
use mailgrant_storage::Account;
use tokio::time::timeout;

use crate::{pauses, state::Gateway};

/// What is remembered from one round to the next.
#[derive(Default)]
pub(crate) struct Keeping {
    admission: admission::Look,
    grants: grants::Keeper,
    mailboxes: mailboxes::Keeper,
    credentials: credentials::Watch,
}

/// Does what is due now, and waits for requests to authorities that are under way.
pub(crate) async fn round(gateway: &Gateway) {
    tidy::tidy(gateway).await;
    credentials::watch(gateway).await;
    admission::look(gateway).await;
    imports::resume(gateway).await;
    grants::keep(gateway).await;
    mailboxes::keep(gateway).await;
    gateway.tokens.settle().await;
}

/// Rounds until the gateway stops. What may take long does not hold up what is short.
pub(crate) async fn run(gateway: Data<Gateway>) {
    let tidying = async {
        // At start, too: what has ended already is to be seen at once.
        credentials::watch(&gateway).await;
        while goes_on(&gateway).await {
            tidy::tidy(&gateway).await;
            credentials::watch(&gateway).await;
        }
    };
    let keeping = async {
        while goes_on(&gateway).await {
            grants::keep(&gateway).await;
        }
    };
    let trying = async {
        while goes_on(&gateway).await {
            // A mail server that hangs does not hold up the end; a session that is given up loses nothing.
            let trying = mailboxes::keep(&gateway);
            gateway.stopping.run_until_cancelled(trying).await;
        }
    };
    let importing = async {
        while wait(&gateway, BETWEEN_IMPORTS).await {
            // One that is left in the middle is gone on with after the next start.
            let resuming = imports::resume(&gateway);
            gateway.stopping.run_until_cancelled(resuming).await;
        }
    };
    let admitting = async { while !admission::look(&gateway).await && goes_on(&gateway).await {} };
    tokio::join!(tidying, keeping, trying, importing, admitting);
}

/// Whether the account's next try is due.
fn is_time(account: &Account, now: UnixTime) -> bool {
    let left = |next| pauses::left(next, now, LONGEST_PAUSE);
    account.next_attempt_at.and_then(left).is_none()
}

/// Waits until the next round is due; false when there will be none.
async fn goes_on(gateway: &Gateway) -> bool {
    wait(gateway, BETWEEN_ROUNDS).await
}

async fn wait(gateway: &Gateway, pause: Duration) -> bool {
    timeout(pause, gateway.stopping.cancelled()).await.is_err()
}

/// No authority and no mail server is given a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);
const BETWEEN_ROUNDS: Duration = Duration::from_secs(15);
/// One that was interrupted by the end of a process is not waited for long.
const BETWEEN_IMPORTS: Duration = Duration::from_secs(3);
