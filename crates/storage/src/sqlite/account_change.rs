//! Accounts made, connected again and mended, each with the event that tells of it.

use mailgrant_core::time::UnixTime;
use serde_json::{Value, json};

use super::account_row::{account_id, find, find_written};
use super::change::Change;
use super::error::failed;
use super::{access_token, event, grant, reauth_link};
use crate::account::{Account, AccountState, Connected, Flow, NewAccount, NewGrant};
use crate::error::Error;
use crate::event::{EventKind, NewEvent};
use crate::id::AccountId;

/// The account of the same person, mailbox and application.
pub(super) async fn find_same(
    change: &mut Change<'_>,
    account: &NewAccount,
) -> Result<Option<AccountId>, Error> {
    let id: Option<String> = sqlx::query_scalar(
        "SELECT id FROM accounts WHERE site = ?1 AND application = ?2 AND flow = ?3 AND identity_key = ?4 \
         AND mailbox_key = ?5",
    )
    .bind(&account.site)
    .bind(&account.application)
    .bind(account.flow.as_str())
    .bind(account.identity_key())
    .bind(mailbox_key(&account.imap_user))
    .fetch_optional(&mut **change)
    .await
    .map_err(failed)?;
    id.map(account_id).transpose()
}

/// Adds an account with its grant, if it has one.
pub(super) async fn insert(
    change: &mut Change<'_>,
    account: NewAccount,
    grant: Option<&NewGrant>,
    now: UnixTime,
) -> Result<Account, Error> {
    let id = AccountId::generate(now, &*change.storage.random);
    sqlx::query(
        "INSERT INTO accounts (id, site, application, flow, tenant, state, imap_user, smtp_user, from_address, \
         identity, identity_key, mailbox_key, diagnosis, next_attempt_at, metadata, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, NULL, ?14, ?15, ?15)",
    )
    .bind(id.as_str())
    .bind(&account.site)
    .bind(&account.application)
    .bind(account.flow.as_str())
    .bind(&account.tenant)
    .bind(account.state.as_str())
    .bind(&account.imap_user)
    .bind(&account.smtp_user)
    .bind(&account.from_address)
    .bind(identity_json(&account))
    .bind(account.identity_key())
    .bind(mailbox_key(&account.imap_user))
    .bind(account.diagnosis.as_ref().map(Value::to_string))
    .bind(account.metadata.to_string())
    .bind(now.0)
    .execute(&mut **change)
    .await
    .map_err(failed)?;
    if let Some(grant) = grant {
        grant::put(change, &id, grant, now).await?;
    }
    let account = find_written(change, &id).await?;
    tell(change, None, &account, now).await?;
    Ok(account)
}

/// Adds the account, or brings up to date the one that the same person connected before.
pub(super) async fn connect(
    change: &mut Change<'_>,
    account: NewAccount,
    grant: &NewGrant,
    now: UnixTime,
) -> Result<Connected, Error> {
    let (account, reconnected) = match find_same(change, &account).await? {
        Some(same) => (reconnect(change, &same, account, grant, now).await?, true),
        None => match find_unclaimed(change, &account).await? {
            Some(unclaimed) => (claim(change, &unclaimed, account, grant, now).await?, true),
            None => (insert(change, account, Some(grant), now).await?, false),
        },
    };
    Ok(Connected {
        account,
        reconnected,
    })
}

/// The account of somebody known that has this mailbox.
pub(super) async fn find_identified(
    change: &mut Change<'_>,
    account: &NewAccount,
) -> Result<Option<AccountId>, Error> {
    let id: Option<String> = sqlx::query_scalar(
        "SELECT id FROM accounts WHERE site = ?1 AND application = ?2 AND flow = ?3 AND identity_key <> '' \
         AND mailbox_key = ?4 ORDER BY id LIMIT 1",
    )
    .bind(&account.site)
    .bind(&account.application)
    .bind(account.flow.as_str())
    .bind(mailbox_key(&account.imap_user))
    .fetch_optional(&mut **change)
    .await
    .map_err(failed)?;
    id.map(account_id).transpose()
}

/// The account of this mailbox of which nobody knows whose it is, when the person who comes now owns the mailbox.
async fn find_unclaimed(
    change: &mut Change<'_>,
    account: &NewAccount,
) -> Result<Option<AccountId>, Error> {
    if !account
        .identity
        .as_ref()
        .is_some_and(|person| person.owns(&account.imap_user))
    {
        return Ok(None);
    }
    let id: Option<String> = sqlx::query_scalar(
        "SELECT id FROM accounts WHERE site = ?1 AND application = ?2 AND flow = ?3 AND identity_key = '' \
         AND mailbox_key = ?4 AND (tenant IS NULL OR ?5 IS NULL OR lower(tenant) = lower(?5))",
    )
    .bind(&account.site)
    .bind(&account.application)
    .bind(account.flow.as_str())
    .bind(mailbox_key(&account.imap_user))
    .bind(&account.tenant)
    .fetch_optional(&mut **change)
    .await
    .map_err(failed)?;
    id.map(account_id).transpose()
}

/// The account is this person's from now on. Its names stay as they were set.
async fn claim(
    change: &mut Change<'_>,
    id: &AccountId,
    account: NewAccount,
    grant: &NewGrant,
    now: UnixTime,
) -> Result<Account, Error> {
    let before = find_written(change, id).await?;
    sqlx::query("UPDATE accounts SET identity_key = ?2 WHERE id = ?1")
        .bind(id.as_str())
        .bind(account.identity_key())
        .execute(&mut **change)
        .await
        .map_err(failed)?;
    let account = NewAccount {
        imap_user: before.imap_user,
        smtp_user: before.smtp_user,
        from_address: before.from_address,
        ..account
    };
    reconnect(change, id, account, grant, now).await
}

async fn reconnect(
    change: &mut Change<'_>,
    id: &AccountId,
    account: NewAccount,
    grant: &NewGrant,
    now: UnixTime,
) -> Result<Account, Error> {
    let before = find_written(change, id).await?;
    let keeps_metadata = account
        .metadata
        .as_object()
        .is_none_or(serde_json::Map::is_empty);
    sqlx::query(
        "UPDATE accounts SET state = ?2, tenant = coalesce(?3, tenant), imap_user = ?4, smtp_user = ?5, \
         from_address = ?6, identity = ?7, diagnosis = ?8, next_attempt_at = NULL, metadata = coalesce(?9, metadata), \
         updated_at = ?10 WHERE id = ?1",
    )
    .bind(id.as_str())
    .bind(account.state.as_str())
    .bind(&account.tenant)
    .bind(&account.imap_user)
    .bind(&account.smtp_user)
    .bind(&account.from_address)
    .bind(identity_json(&account))
    .bind(account.diagnosis.as_ref().map(Value::to_string))
    .bind((!keeps_metadata).then(|| account.metadata.to_string()))
    .bind(now.0)
    .execute(&mut **change)
    .await
    .map_err(failed)?;
    granted_anew(change, before, grant, now).await
}

/// What may become of mending.
pub(super) enum Mending {
    Mended(Box<Account>),
    WrongPerson,
    AccountGone,
}

/// The person has agreed anew for this account and no other.
pub(super) async fn mend(
    change: &mut Change<'_>,
    id: &AccountId,
    account: NewAccount,
    grant: &NewGrant,
    now: UnixTime,
) -> Result<Mending, Error> {
    let before = match find(change, id).await? {
        Some(before)
            if before.site == account.site
                && before.application == account.application
                && before.flow == Flow::Delegated
                && before.state != AccountState::Disabled =>
        {
            before
        }
        _ => return Ok(Mending::AccountGone),
    };
    let key = account.identity_key();
    if before
        .identity
        .as_ref()
        .is_some_and(|identity| identity.key() != key)
    {
        return Ok(Mending::WrongPerson);
    }
    let same = NewAccount {
        imap_user: before.imap_user.clone(),
        ..account.clone()
    };
    if let Some(other) = find_same(change, &same).await?
        && other != *id
    {
        return Err(Error::Conflict { account: other });
    }
    sqlx::query(
        "UPDATE accounts SET state = ?2, tenant = coalesce(?3, tenant), identity = ?4, identity_key = ?5, \
         diagnosis = ?6, next_attempt_at = NULL, updated_at = ?7 WHERE id = ?1",
    )
    .bind(id.as_str())
    .bind(account.state.as_str())
    .bind(&account.tenant)
    .bind(identity_json(&account))
    .bind(key)
    .bind(account.diagnosis.as_ref().map(Value::to_string))
    .bind(now.0)
    .execute(&mut **change)
    .await
    .map_err(failed)?;
    let account = granted_anew(change, before, grant, now).await?;
    Ok(Mending::Mended(Box::new(account)))
}

/// Tells of the account's change of state, if it is one, and makes or voids the person's way back.
pub(super) async fn tell(
    change: &mut Change<'_>,
    before: Option<AccountState>,
    account: &Account,
    now: UnixTime,
) -> Result<(), Error> {
    if before == Some(account.state) {
        return Ok(());
    }
    if before == Some(AccountState::ReauthRequired) {
        reauth_link::void(change, &account.id).await?;
    }
    if account.state.is_barred() {
        access_token::drop_of(change, &account.id).await?;
    }
    let Some(kind) = kind(before, account.state) else {
        return Ok(());
    };
    let told = NewEvent {
        site: Some(account.site.clone()),
        kind,
        account: Some(account.id.clone()),
        connect_session: None,
        data: data(before, account),
    };
    let event = event::add(change, told, now).await?;
    if account.state == AccountState::ReauthRequired && account.flow == Flow::Delegated {
        reauth_link::make(change, &account.id, &event, now).await?;
    }
    Ok(())
}

/// Deletes the account with all that is its own, and tells of it.
pub(super) async fn delete(
    change: &mut Change<'_>,
    account: &Account,
    now: UnixTime,
) -> Result<(), Error> {
    sqlx::query("DELETE FROM accounts WHERE id = ?1")
        .bind(account.id.as_str())
        .execute(&mut **change)
        .await
        .map_err(failed)?;
    let mut data = data(Some(account.state), account);
    if let Some(data) = data.as_object_mut() {
        data.insert("state".to_owned(), Value::Null);
    }
    let told = NewEvent {
        site: Some(account.site.clone()),
        kind: EventKind::AccountDeleted,
        account: Some(account.id.clone()),
        connect_session: None,
        data,
    };
    event::add(change, told, now).await?;
    Ok(())
}

/// Mail hosts compare user names without regard to case.
pub(super) fn mailbox_key(imap_user: &str) -> String {
    imap_user.to_lowercase()
}

/// Stores the new grant; what was kept of the former one is void.
async fn granted_anew(
    change: &mut Change<'_>,
    before: Account,
    grant: &NewGrant,
    now: UnixTime,
) -> Result<Account, Error> {
    grant::put(change, &before.id, grant, now).await?;
    access_token::drop_of(change, &before.id).await?;
    let account = find_written(change, &before.id).await?;
    tell(change, Some(before.state), &account, now).await?;
    Ok(account)
}

fn kind(before: Option<AccountState>, now: AccountState) -> Option<EventKind> {
    match (before, now) {
        (None, AccountState::Connected) => Some(EventKind::AccountConnected),
        (Some(AccountState::Disabled), AccountState::Connected) => Some(EventKind::AccountEnabled),
        (Some(_), AccountState::Connected) => Some(EventKind::AccountRecovered),
        (_, AccountState::Degraded) => Some(EventKind::AccountDegraded),
        (_, AccountState::ReauthRequired) => Some(EventKind::AccountReauthRequired),
        (_, AccountState::Disabled) => Some(EventKind::AccountDisabled),
        (_, AccountState::PendingConsent) => None,
    }
}

/// Enough to understand the event when the account is gone.
fn data(before: Option<AccountState>, account: &Account) -> Value {
    let mut data = json!({
        "application": account.application,
        "flow": account.flow,
        "imap_user": account.imap_user,
        "state": account.state,
        "previous_state": before,
    });
    if let (Some(diagnosis), Some(data)) = (&account.diagnosis, data.as_object_mut()) {
        data.insert("diagnosis".to_owned(), diagnosis.clone());
    }
    data
}

fn identity_json(account: &NewAccount) -> Option<String> {
    account
        .identity
        .as_ref()
        .and_then(|identity| serde_json::to_string(identity).ok())
}
