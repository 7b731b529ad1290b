//! Tries the mailboxes again that the mail server kept closed, so that the next request is not the one that finds out.
//!
//! When a mailbox is due is on record with its account; the pool says so, and keeps the pauses that servers ask for. A host
//! that cannot be reached is left alone as a whole, whatever else is due there.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use mailgrant_mail::imap;
use mailgrant_storage::{Account, AccountFilter, AccountId, AccountState};

use super::rest::Rests;
use crate::{pool, state::Gateway, tokens};

/// What is remembered from one round to the next.
pub(super) struct Keeper {
    /// One round at a time: a second one would try the same again.
    turn: tokio::sync::Mutex<()>,
    /// By application: each has one host.
    hosts: Rests<String>,
    accounts: Rests<AccountId>,
}

impl Default for Keeper {
    fn default() -> Self {
        Self {
            turn: tokio::sync::Mutex::default(),
            hosts: Rests::new(FIRST_REST, HOSTS_REST),
            accounts: Rests::new(FIRST_REST, ACCOUNTS_REST),
        }
    }
}

/// Tries what is due now.
pub(super) async fn keep(gateway: &Gateway) {
    let keeper = &gateway.keeping.mailboxes;
    let _turn = keeper.turn.lock().await;
    keeper.hosts.tidy(gateway.now());
    keeper.accounts.tidy(gateway.now());
    if let Err(error) = retry(gateway).await {
        tracing::warn!(%error, "mailboxes that were closed were not tried again");
    }
}

async fn retry(gateway: &Gateway) -> Result<(), mailgrant_storage::Error> {
    let filter = AccountFilter {
        state: Some(AccountState::Degraded),
        ..AccountFilter::default()
    };
    let mut after = None;
    loop {
        let accounts = gateway.storage.accounts();
        let page = accounts.list(&filter, after.as_ref(), PAGE).await?;
        let now = gateway.now();
        let is_due =
            |account: &Account| super::is_time(account, now) && !tokens::is_authoritys(account);
        stream::iter(page.items.into_iter().filter(is_due))
            .for_each_concurrent(AT_A_TIME, |account| async move {
                if may(gateway, &account) {
                    let outcome = gateway.pool.probe(&account).await;
                    note(gateway, account, &outcome);
                }
            })
            .await;
        match page.next {
            Some(next) if !gateway.stopping.is_cancelled() => after = Some(next),
            _ => return Ok(()),
        }
    }
}

fn may(gateway: &Gateway, account: &Account) -> bool {
    let (keeper, now) = (&gateway.keeping.mailboxes, gateway.now());
    !gateway.stopping.is_cancelled()
        && keeper.hosts.may(&account.application, now)
        && keeper.accounts.may(&account.id, now)
}

fn note(gateway: &Gateway, account: Account, outcome: &Result<(), pool::Error>) {
    let (keeper, now) = (&gateway.keeping.mailboxes, gateway.now());
    match outcome {
        Ok(()) => {
            keeper.hosts.works(&account.application);
            keeper.accounts.works(&account.id);
        }
        Err(error) => {
            tracing::debug!(account = %account.id, %error, "the mailbox is still closed");
            if is_the_hosts(error) {
                keeper.hosts.failed(account.application, None, now);
            }
            // What is on record may be another fault by now, with a next try of its own.
            if !matches!(error, pool::Error::Imap(_) | pool::Error::Throttled { .. }) {
                keeper.accounts.failed(account.id, None, now);
            }
        }
    }
}

/// Whether no other mailbox of the host would fare better.
fn is_the_hosts(error: &pool::Error) -> bool {
    matches!(
        error,
        pool::Error::Busy
            | pool::Error::Imap(
                imap::Error::Connect { .. } | imap::Error::Tls { .. } | imap::Error::Timeout { .. }
            )
    )
}

/// Mailboxes tried at one time.
const AT_A_TIME: usize = 4;
/// Accounts read at one time.
const PAGE: u32 = 100;
/// A host or a mailbox that failed is left alone for so long at first.
const FIRST_REST: Duration = Duration::from_secs(15);
/// No host is left alone for longer: others than the one that was tried may wait for it.
const HOSTS_REST: Duration = Duration::from_secs(2 * 60);
const ACCOUNTS_REST: Duration = Duration::from_secs(15 * 60);
