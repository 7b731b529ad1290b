//! Accounts in SQLite.

use async_trait::async_trait;
use mailgrant_core::time::UnixTime;
use serde_json::Value;
use sqlx::{QueryBuilder, SqliteConnection};

use super::error::{failed, malformed};
use super::{Sqlite, grant};
use crate::account::{
    Account, AccountFilter, AccountRepository, AccountState, AccountUpdate, Connected, NewAccount,
    NewGrant, Transition,
};
use crate::error::Error;
use crate::id::AccountId;
use crate::page::Page;
use crate::random::Random;

macro_rules! columns {
    () => {
        "id, site, application, flow, state, imap_user, smtp_user, from_address, identity, diagnosis, \
         next_attempt_at, metadata, created_at, updated_at"
    };
}

#[async_trait]
impl AccountRepository for Sqlite {
    async fn lookup(&self, site: &str, id: &AccountId) -> Result<Option<Account>, Error> {
        let row: Option<AccountRow> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM accounts WHERE id = ?1 AND site = ?2"
        ))
        .bind(id.as_str())
        .bind(site)
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        row.map(Account::try_from).transpose()
    }

    async fn lookup_any_site(&self, id: &AccountId) -> Result<Option<Account>, Error> {
        let row: Option<AccountRow> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM accounts WHERE id = ?1"
        ))
        .bind(id.as_str())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        row.map(Account::try_from).transpose()
    }

    async fn list(
        &self,
        filter: &AccountFilter,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Result<Page<Account, AccountId>, Error> {
        let mut query =
            QueryBuilder::new(concat!("SELECT ", columns!(), " FROM accounts WHERE id > "));
        query.push_bind(after.map_or("", AccountId::as_str));
        if let Some(site) = &filter.site {
            query.push(" AND site = ").push_bind(site);
        }
        if let Some(application) = &filter.application {
            query.push(" AND application = ").push_bind(application);
        }
        if let Some(state) = filter.state {
            query.push(" AND state = ").push_bind(state.as_str());
        }
        query
            .push(" ORDER BY id LIMIT ")
            .push_bind(i64::from(limit) + 1);
        let rows: Vec<AccountRow> = query
            .build_query_as()
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        let accounts = rows
            .into_iter()
            .map(Account::try_from)
            .collect::<Result<_, _>>()?;
        Ok(Page::of(accounts, limit, |account: &Account| {
            account.id.clone()
        }))
    }

    async fn add(
        &self,
        account: NewAccount,
        grant: Option<NewGrant>,
        now: UnixTime,
    ) -> Result<Account, Error> {
        let mut change = self.write().await?;
        if let Some(existing) = find_same(&mut change, &account).await? {
            return Err(Error::Conflict { account: existing });
        }
        let account = insert(&mut change, account, &*self.random, now).await?;
        if let Some(grant) = grant {
            grant::put(&mut change, &self.sealer, &account.id, &grant, now).await?;
        }
        change.commit().await.map_err(failed)?;
        Ok(account)
    }

    async fn connect(
        &self,
        account: NewAccount,
        grant: NewGrant,
        now: UnixTime,
    ) -> Result<Connected, Error> {
        let mut change = self.write().await?;
        let (account, reconnected) = put(&mut change, account, &*self.random, now).await?;
        grant::put(&mut change, &self.sealer, &account.id, &grant, now).await?;
        change.commit().await.map_err(failed)?;
        Ok(Connected {
            account,
            reconnected,
        })
    }

    async fn update(
        &self,
        site: &str,
        id: &AccountId,
        update: AccountUpdate,
        now: UnixTime,
    ) -> Result<Option<Account>, Error> {
        let mut change = self.write().await?;
        if let Some(imap_user) = &update.imap_user {
            let taken: Option<String> = sqlx::query_scalar(
                "SELECT other.id FROM accounts AS this JOIN accounts AS other \
                 ON other.site = this.site AND other.application = this.application AND other.flow = this.flow \
                 AND other.identity_key = this.identity_key AND other.id <> this.id \
                 WHERE this.id = ?1 AND this.site = ?2 AND other.mailbox_key = ?3",
            )
            .bind(id.as_str())
            .bind(site)
            .bind(mailbox_key(imap_user))
            .fetch_optional(&mut *change)
            .await
            .map_err(failed)?;
            if let Some(taken) = taken {
                return Err(Error::Conflict {
                    account: account_id(taken)?,
                });
            }
        }
        let row: Option<AccountRow> = sqlx::query_as(concat!(
            "UPDATE accounts SET imap_user = coalesce(?3, imap_user), mailbox_key = coalesce(?4, mailbox_key), \
             smtp_user = coalesce(?5, smtp_user), from_address = coalesce(?6, from_address), \
             metadata = coalesce(?7, metadata), updated_at = ?8 WHERE id = ?1 AND site = ?2 RETURNING ",
            columns!()
        ))
        .bind(id.as_str())
        .bind(site)
        .bind(&update.imap_user)
        .bind(update.imap_user.as_deref().map(mailbox_key))
        .bind(&update.smtp_user)
        .bind(&update.from_address)
        .bind(update.metadata.map(|value| value.to_string()))
        .bind(now.0)
        .fetch_optional(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await.map_err(failed)?;
        row.map(Account::try_from).transpose()
    }

    async fn transition(
        &self,
        id: &AccountId,
        transition: Transition,
        now: UnixTime,
    ) -> Result<Option<AccountState>, Error> {
        let mut change = self.write().await?;
        let before: Option<String> = sqlx::query_scalar(
            "SELECT state FROM accounts WHERE id = ?1 AND (?2 IS NULL OR EXISTS \
             (SELECT 1 FROM grants WHERE account_id = accounts.id AND generation = ?2))",
        )
        .bind(id.as_str())
        .bind(transition.generation)
        .fetch_optional(&mut *change)
        .await
        .map_err(failed)?;
        let Some(before) = before else {
            return Ok(None);
        };
        let before: AccountState = before
            .parse()
            .map_err(|_| malformed("accounts.state", id.as_str()))?;
        if !transition.from.contains(&before) {
            return Ok(None);
        }
        sqlx::query(
            "UPDATE accounts SET state = ?2, diagnosis = ?3, next_attempt_at = ?4, updated_at = ?5 WHERE id = ?1",
        )
        .bind(id.as_str())
        .bind(transition.to.as_str())
        .bind(transition.diagnosis.map(|value| value.to_string()))
        .bind(transition.next_attempt_at.map(|time| time.0))
        .bind(now.0)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await.map_err(failed)?;
        Ok(Some(before))
    }

    async fn remove(&self, site: &str, id: &AccountId) -> Result<Option<Account>, Error> {
        let mut change = self.write().await?;
        let row: Option<AccountRow> = sqlx::query_as(concat!(
            "DELETE FROM accounts WHERE id = ?1 AND site = ?2 RETURNING ",
            columns!()
        ))
        .bind(id.as_str())
        .bind(site)
        .fetch_optional(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await.map_err(failed)?;
        row.map(Account::try_from).transpose()
    }
}

/// Adds the account, or brings the one that the same person connected before up to date.
/// Returns whether it was there.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    account: NewAccount,
    random: &dyn Random,
    now: UnixTime,
) -> Result<(Account, bool), Error> {
    match find_same(connection, &account).await? {
        Some(id) => Ok((reconnect(connection, &id, account, now).await?, true)),
        None => Ok((insert(connection, account, random, now).await?, false)),
    }
}

async fn find_same(
    connection: &mut SqliteConnection,
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
    .fetch_optional(connection)
    .await
    .map_err(failed)?;
    id.map(account_id).transpose()
}

async fn insert(
    connection: &mut SqliteConnection,
    account: NewAccount,
    random: &dyn Random,
    now: UnixTime,
) -> Result<Account, Error> {
    let id = AccountId::generate(now, random);
    let row: AccountRow = sqlx::query_as(concat!(
        "INSERT INTO accounts (id, site, application, flow, state, imap_user, smtp_user, from_address, identity, \
         identity_key, mailbox_key, diagnosis, next_attempt_at, metadata, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, NULL, ?13, ?14, ?14) RETURNING ",
        columns!()
    ))
    .bind(id.as_str())
    .bind(&account.site)
    .bind(&account.application)
    .bind(account.flow.as_str())
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
    .fetch_one(connection)
    .await
    .map_err(failed)?;
    row.try_into()
}

async fn reconnect(
    connection: &mut SqliteConnection,
    id: &AccountId,
    account: NewAccount,
    now: UnixTime,
) -> Result<Account, Error> {
    let keeps_metadata = account
        .metadata
        .as_object()
        .is_none_or(serde_json::Map::is_empty);
    let row: AccountRow = sqlx::query_as(concat!(
        "UPDATE accounts SET state = ?2, imap_user = ?3, smtp_user = ?4, from_address = ?5, identity = ?6, \
         diagnosis = ?7, next_attempt_at = NULL, metadata = coalesce(?8, metadata), updated_at = ?9 \
         WHERE id = ?1 RETURNING ",
        columns!()
    ))
    .bind(id.as_str())
    .bind(account.state.as_str())
    .bind(&account.imap_user)
    .bind(&account.smtp_user)
    .bind(&account.from_address)
    .bind(identity_json(&account))
    .bind(account.diagnosis.as_ref().map(Value::to_string))
    .bind((!keeps_metadata).then(|| account.metadata.to_string()))
    .bind(now.0)
    .fetch_one(connection)
    .await
    .map_err(failed)?;
    row.try_into()
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    id: String,
    site: String,
    application: String,
    flow: String,
    state: String,
    imap_user: String,
    smtp_user: String,
    from_address: String,
    identity: Option<String>,
    diagnosis: Option<String>,
    next_attempt_at: Option<i64>,
    metadata: String,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<AccountRow> for Account {
    type Error = Error;

    fn try_from(row: AccountRow) -> Result<Self, Error> {
        let bad = |column| malformed(column, &row.id);
        let json = |text: &String| serde_json::from_str::<Value>(text);
        Ok(Self {
            flow: row.flow.parse().map_err(|_| bad("accounts.flow"))?,
            state: row.state.parse().map_err(|_| bad("accounts.state"))?,
            identity: row
                .identity
                .as_ref()
                .map(|text| serde_json::from_str(text))
                .transpose()
                .map_err(|_| bad("accounts.identity"))?,
            diagnosis: row
                .diagnosis
                .as_ref()
                .map(json)
                .transpose()
                .map_err(|_| bad("accounts.diagnosis"))?,
            metadata: json(&row.metadata).map_err(|_| bad("accounts.metadata"))?,
            next_attempt_at: row.next_attempt_at.map(UnixTime),
            created_at: UnixTime(row.created_at),
            updated_at: UnixTime(row.updated_at),
            id: account_id(row.id)?,
            site: row.site,
            application: row.application,
            imap_user: row.imap_user,
            smtp_user: row.smtp_user,
            from_address: row.from_address,
        })
    }
}

pub(super) fn account_id(text: String) -> Result<AccountId, Error> {
    AccountId::try_from(text.clone()).map_err(|_| malformed("accounts.id", text))
}

/// Mail hosts compare user names without regard to case.
fn mailbox_key(imap_user: &str) -> String {
    imap_user.to_lowercase()
}

fn identity_json(account: &NewAccount) -> Option<String> {
    account
        .identity
        .as_ref()
        .and_then(|identity| serde_json::to_string(identity).ok())
}
