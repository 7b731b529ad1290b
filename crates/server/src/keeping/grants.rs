//! Keeps grants alive and tokens fresh, and tries those again that failed.
//!
//! An authority that fails is left alone for a while, whatever else is due there: a list of thousands is not tried one by
//! one against a wall. An account that fails is left alone for longer, so that it keeps nobody else from a turn.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use mailgrant_core::time::UnixTime;
use mailgrant_oauth::Fingerprint;
use mailgrant_storage::{Account, AccountFilter, AccountId, AccountState};

use super::rest::Rests;
use crate::{
    pauses,
    state::Gateway,
    tokens::{self, Authority, Due, Error, LiveToken},
};

/// What is remembered from one round to the next.
pub(super) struct Keeper {
    /// One round at a time: a second one would ask the same again.
    turn: tokio::sync::Mutex<Turn>,
    authorities: Rests<Authority>,
    accounts: Rests<AccountId>,
}

/// What only rounds look at.
struct Turn {
    /// When unused grants are looked for again.
    next_look: UnixTime,
    /// What the applications' credentials were in the last round.
    credentials: BTreeMap<String, Fingerprint>,
}

impl Default for Keeper {
    fn default() -> Self {
        Self {
            turn: tokio::sync::Mutex::new(Turn {
                next_look: UnixTime(i64::MIN),
                credentials: BTreeMap::new(),
            }),
            authorities: Rests::new(FIRST_REST, AUTHORITYS_REST),
            accounts: Rests::new(AUTHORITYS_REST, ACCOUNTS_REST),
        }
    }
}

/// Does what is due now.
pub(super) async fn keep(gateway: &Gateway) {
    let keeper = &gateway.keeping.grants;
    let mut turn = keeper.turn.lock().await;
    let now = gateway.now();
    keeper.authorities.tidy(now);
    keeper.accounts.tidy(now);
    let mended = mended(gateway, &mut turn.credentials).await;
    renew_ahead(gateway).await;
    if let Err(error) = retry(gateway, &mended).await {
        tracing::warn!(%error, "degraded accounts were not tried again");
    }
    if pauses::left(turn.next_look, now, BETWEEN_LOOKS).is_none() {
        turn.next_look = now + BETWEEN_LOOKS;
        if let Err(error) = keep_alive(gateway).await {
            tracing::warn!(%error, "unused grants were not kept alive");
        }
    }
}

/// Renews the tokens in use that near their end, so that who asks next waits for no authority.
async fn renew_ahead(gateway: &Gateway) {
    stream::iter(gateway.tokens.due())
        .for_each_concurrent(AT_A_TIME, |due: Due| async move {
            let authority = due.authority();
            if may(gateway, &authority, None) {
                let outcome = gateway.tokens.renew_ahead(&due).await;
                note(gateway, authority, None, &outcome);
            }
        })
        .await;
}

/// The applications whose credential is another than in the last round: who refused the former one may take this one, so
/// nothing waits for the end of a pause.
async fn mended(
    gateway: &Gateway,
    credentials: &mut BTreeMap<String, Fingerprint>,
) -> BTreeSet<String> {
    let keeper = &gateway.keeping.grants;
    let mut mended = BTreeSet::new();
    for application in &gateway.settings.applications {
        let now = application.credential.fingerprint(gateway.now()).await;
        let before = credentials.insert(application.id.clone(), now.clone());
        if before.is_some_and(|before| before != now) {
            mended.insert(application.id.clone());
        }
    }
    if !mended.is_empty() {
        keeper
            .authorities
            .wake(|authority| mended.contains(&authority.application));
        // Which of them are the application's is not known here; one try more hurts none.
        keeper.accounts.wake(|_| true);
    }
    mended
}

/// Tries the accounts again that the authority's fault, or the operator's, has stopped.
async fn retry(
    gateway: &Gateway,
    mended: &BTreeSet<String>,
) -> Result<(), mailgrant_storage::Error> {
    let filter = AccountFilter {
        state: Some(AccountState::Degraded),
        ..AccountFilter::default()
    };
    let mut after = None;
    loop {
        let accounts = gateway.storage.accounts();
        let page = accounts.list(&filter, after.as_ref(), PAGE).await?;
        let now = gateway.now();
        let is_due = |account: &Account| {
            let is_time = super::is_time(account, now);
            (is_time || mended.contains(&account.application)) && tokens::is_authoritys(account)
        };
        let due = page.items.into_iter().filter(is_due);
        each(gateway, due, Attempt::Token).await;
        match page.next {
            Some(next) if !gateway.stopping.is_cancelled() => after = Some(next),
            _ => return Ok(()),
        }
    }
}

/// Uses the refresh tokens that nobody has used for a day: one that is never used ends, and one that was revoked should
/// not be found out only when somebody needs it.
async fn keep_alive(gateway: &Gateway) -> Result<(), mailgrant_storage::Error> {
    let mut after = None;
    loop {
        let now = gateway.now();
        let grants = gateway.storage.grants();
        let page = grants.stale(now - UNUSED, after.as_ref(), PAGE).await?;
        after = page.last().map(|account| account.id.clone());
        let is_due = |account: &Account| {
            let grant = account.grant.as_ref();
            grant.is_some_and(|grant| {
                grant.refreshed_at < now - unused(&account.id) || grant.refreshed_at > now + A_DAY
            })
        };
        each(gateway, page.into_iter().filter(is_due), Attempt::KeepAlive).await;
        if after.is_none() || gateway.stopping.is_cancelled() {
            return Ok(());
        }
    }
}

/// How long this account's refresh token may lie unused: a little less than a day, not the same for all, so that those
/// connected together are not refreshed together.
fn unused(account: &AccountId) -> Duration {
    let mixed = account
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    UNUSED + Duration::from_secs(mixed % SPREAD.as_secs())
}

/// What is tried with an account.
#[derive(Clone, Copy)]
enum Attempt {
    /// A token, from wherever there is one.
    Token,
    /// A new refresh token.
    KeepAlive,
}

/// Tries these accounts, a few at a time, as long as their authorities answer.
async fn each(gateway: &Gateway, accounts: impl Iterator<Item = Account>, attempt: Attempt) {
    stream::iter(accounts)
        .for_each_concurrent(AT_A_TIME, |account: Account| async move {
            let Ok(authority) = gateway.tokens.authority(&account) else {
                return;
            };
            if may(gateway, &authority, Some(&account.id)) {
                let outcome = match attempt {
                    Attempt::Token => gateway.tokens.access_token(&account).await,
                    Attempt::KeepAlive => {
                        let since = gateway.now() - unused(&account.id);
                        gateway.tokens.keep_alive(&account, since).await
                    }
                };
                note(gateway, authority, Some(account.id), &outcome);
            }
        })
        .await;
}

fn may(gateway: &Gateway, authority: &Authority, account: Option<&AccountId>) -> bool {
    let (keeper, now) = (&gateway.keeping.grants, gateway.now());
    !gateway.stopping.is_cancelled()
        && keeper.authorities.may(authority, now)
        && account.is_none_or(|account| keeper.accounts.may(account, now))
}

fn note(
    gateway: &Gateway,
    authority: Authority,
    account: Option<AccountId>,
    outcome: &Result<LiveToken, Error>,
) {
    let (keeper, now) = (&gateway.keeping.grants, gateway.now());
    match outcome {
        Ok(_) => {
            keeper.authorities.works(&authority);
            if let Some(account) = account {
                keeper.accounts.works(&account);
            }
        }
        Err(error) => {
            if error.concerns_all() {
                tracing::warn!(application = authority.application, %error, "the authority gives no tokens now");
                keeper
                    .authorities
                    .failed(authority, error.retry_after(), now);
            }
            if let Some(account) = account {
                keeper.accounts.failed(account, error.retry_after(), now);
            }
        }
    }
}

/// Requests to authorities at one time.
const AT_A_TIME: usize = 4;
/// Accounts read at one time.
const PAGE: u32 = 100;
/// An authority that failed is left alone for so long at first.
const FIRST_REST: Duration = Duration::from_secs(30);
/// No longer than this, or who comes back would be late for the tokens that near their end.
const AUTHORITYS_REST: Duration = Duration::from_secs(5 * 60);
/// An account is left alone for no longer than this: who mends it should not have to wait for it.
const ACCOUNTS_REST: Duration = Duration::from_secs(15 * 60);
/// How often unused grants are looked for.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5 * 60);
/// A refresh token is used at the latest after this and a part of [`SPREAD`]: within a day.
const UNUSED: Duration = Duration::from_secs(20 * 60 * 60);
/// What is further in the future was written when the clock was wrong.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
const SPREAD: Duration = Duration::from_secs(4 * 60 * 60);
