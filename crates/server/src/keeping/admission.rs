//! Looks, once after the start, whom today's settings no longer take: settings are read at start, so it can have changed
//! only then. That an account stops is told at once, not when somebody next needs it.

use std::sync::atomic::{AtomicBool, Ordering};

use mailgrant_storage::AccountFilter;

use crate::state::Gateway;

/// Whether all have been looked at.
#[derive(Default)]
pub(super) struct Look {
    is_done: AtomicBool,
}

/// Looks at all accounts, unless that is done. True when it is.
pub(super) async fn look(gateway: &Gateway) -> bool {
    let look = &gateway.keeping.admission;
    if look.is_done.load(Ordering::Relaxed) {
        return true;
    }
    match each(gateway).await {
        Ok(is_done) => {
            look.is_done.store(is_done, Ordering::Relaxed);
            is_done
        }
        Err(error) => {
            tracing::warn!(%error, "whether the settings take all accounts was not looked at");
            false
        }
    }
}

async fn each(gateway: &Gateway) -> Result<bool, mailgrant_storage::Error> {
    let all = AccountFilter::default();
    let mut after = None;
    loop {
        if gateway.stopping.is_cancelled() {
            return Ok(false);
        }
        let accounts = gateway.storage.accounts();
        let page = accounts.list(&all, after.as_ref(), PAGE).await?;
        for account in &page.items {
            // What the settings have against it is on record then; what else keeps it from working was before.
            let _ = gateway.tokens.admit(account).await;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(true),
        }
    }
}

/// Accounts read at one time.
const PAGE: u32 = 100;
