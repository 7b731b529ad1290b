//! Accounts in SQLite.

use async_trait::async_trait;
use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use sqlx::QueryBuilder;

use super::account_change::{self, mailbox_key};
use super::account_row::{AccountRow, account_id, columns, find, find_written};
use super::error::failed;
use super::{Sqlite, reauth_link};
use crate::account::{
    Account, AccountFilter, AccountRepository, AccountState, AccountUpdate, Connected, NewAccount,
    NewGrant, Transition,
};
use crate::error::Error;
use crate::hash::SecretHash;
use crate::id::AccountId;
use crate::page::Page;

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
        if let Some(imap_user) = &filter.imap_user {
            query
                .push(" AND mailbox_key = ")
                .push_bind(mailbox_key(imap_user));
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
        if let Some(existing) = account_change::find_same(&mut change, &account).await? {
            return Err(Error::Conflict { account: existing });
        }
        let account = account_change::insert(&mut change, account, grant.as_ref(), now).await?;
        change.commit().await?;
        Ok(account)
    }

    async fn connect(
        &self,
        account: NewAccount,
        grant: NewGrant,
        now: UnixTime,
    ) -> Result<Connected, Error> {
        let mut change = self.write().await?;
        let connected = account_change::connect(&mut change, account, &grant, now).await?;
        change.commit().await?;
        Ok(connected)
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
        change.commit().await?;
        row.map(Account::try_from).transpose()
    }

    async fn transition(
        &self,
        id: &AccountId,
        transition: Transition,
        now: UnixTime,
    ) -> Result<Option<AccountState>, Error> {
        let mut change = self.write().await?;
        if let Some(generation) = transition.generation {
            let current: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM grants WHERE account_id = ?1 AND generation = ?2)",
            )
            .bind(id.as_str())
            .bind(generation)
            .fetch_one(&mut *change)
            .await
            .map_err(failed)?;
            if !current {
                return Ok(None);
            }
        }
        let before = match find(&mut change, id).await? {
            Some(account) if transition.may_follow(account.state) => account.state,
            _ => return Ok(None),
        };
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
        let account = find_written(&mut change, id).await?;
        account_change::tell(&mut change, Some(before), &account, now).await?;
        change.commit().await?;
        Ok(Some(before))
    }

    async fn reauth_link(&self, id: &AccountId) -> Result<Option<Secret>, Error> {
        let sealed: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT sealed_token FROM reauth_links WHERE account_id = ?1")
                .bind(id.as_str())
                .fetch_optional(&self.readers)
                .await
                .map_err(failed)?;
        sealed
            .map(|sealed| reauth_link::open(&self.sealer, id.as_str(), &sealed))
            .transpose()
    }

    async fn find_by_reauth_link(&self, link: &SecretHash) -> Result<Option<Account>, Error> {
        let row: Option<AccountRow> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM accounts WHERE id = (SELECT account_id FROM reauth_links WHERE token_hash = ?1)"
        ))
        .bind(link.as_bytes())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        row.map(Account::try_from).transpose()
    }

    async fn remove(
        &self,
        site: &str,
        id: &AccountId,
        now: UnixTime,
    ) -> Result<Option<Account>, Error> {
        let mut change = self.write().await?;
        let account = find(&mut change, id)
            .await?
            .filter(|account| account.site == site);
        if let Some(account) = &account {
            account_change::delete(&mut change, account, now).await?;
            change.commit().await?;
        }
        Ok(account)
    }
}
