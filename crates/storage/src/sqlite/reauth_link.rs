//! The links by which people mend their accounts.

use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use sqlx::SqliteConnection;

use super::account_row::{account_id, find_written};
use super::change::Change;
use super::error::failed;
use crate::account::{AccountState, Flow};
use crate::error::Error;
use crate::hash::{SecretHash, random_secret};
use crate::id::{AccountId, EventId};
use crate::seal::{Place, Sealer};

/// Makes the account's link; the event shows it.
pub(super) async fn make(
    change: &mut Change<'_>,
    account: &AccountId,
    event: &EventId,
    now: UnixTime,
) -> Result<(), Error> {
    let token = random_secret(PREFIX, &*change.storage.random);
    let sealed = change
        .storage
        .sealer
        .seal(token.expose(), place(account.as_str()))?;
    sqlx::query(
        "INSERT INTO reauth_links (account_id, event_id, token_hash, sealed_token, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (account_id) DO UPDATE SET event_id = excluded.event_id, token_hash = excluded.token_hash, \
         sealed_token = excluded.sealed_token, created_at = excluded.created_at",
    )
    .bind(account.as_str())
    .bind(event.as_str())
    .bind(SecretHash::of(token.expose()).as_bytes())
    .bind(sealed)
    .bind(now.0)
    .execute(&mut **change)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Makes the account's link void, if there is one.
pub(super) async fn void(
    connection: &mut SqliteConnection,
    account: &AccountId,
) -> Result<(), Error> {
    sqlx::query("DELETE FROM reauth_links WHERE account_id = ?1")
        .bind(account.as_str())
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Opens what [`make`] sealed.
pub(super) fn open(sealer: &Sealer, account: &str, sealed: &[u8]) -> Result<Secret, Error> {
    let token = sealer.open(sealed, place(account))?;
    Ok(Secret::new(token.as_str()))
}

/// Gives the accounts a link that died under a version which made none, and tells of their death.
pub(super) async fn make_missing(change: &mut Change<'_>, now: UnixTime) -> Result<(), Error> {
    let without: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM accounts WHERE state = ?1 AND flow = ?2 \
         AND NOT EXISTS (SELECT 1 FROM reauth_links WHERE account_id = accounts.id)",
    )
    .bind(AccountState::ReauthRequired.as_str())
    .bind(Flow::Delegated.as_str())
    .fetch_all(&mut **change)
    .await
    .map_err(failed)?;
    for id in without {
        let account = find_written(change, &account_id(id)?).await?;
        super::account_change::tell(change, None, &account, now).await?;
    }
    Ok(())
}

fn place(account: &str) -> Place<'_> {
    Place {
        column: "reauth_links.sealed_token",
        id: account,
    }
}

const PREFIX: &str = "mgr_";
