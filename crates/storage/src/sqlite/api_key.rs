//! API keys in SQLite.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use mailgrant_core::time::UnixTime;
use sqlx::QueryBuilder;

use super::Sqlite;
use super::error::{failed, malformed};
use crate::api_key::{ApiKey, ApiKeyRepository, ApiKeySecret, ApiScope, NewApiKey};
use crate::error::Error;
use crate::hash::SecretHash;
use crate::id::ApiKeyId;
use crate::page::Page;

macro_rules! columns {
    () => {
        "id, site, label, hint, scopes, created_at, last_used_at, revoked_at"
    };
}

#[async_trait]
impl ApiKeyRepository for Sqlite {
    async fn add(&self, key: NewApiKey, now: UnixTime) -> Result<(ApiKey, ApiKeySecret), Error> {
        let secret = ApiKeySecret::generate(&*self.random);
        let mut change = self.write().await?;
        let row: ApiKeyRow = sqlx::query_as(concat!(
            "INSERT INTO api_keys (id, site, label, secret_hash, hint, scopes, created_at, last_used_at, revoked_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, NULL) RETURNING ",
            columns!()
        ))
        .bind(ApiKeyId::generate(now, &*self.random).as_str())
        .bind(&key.site)
        .bind(&key.label)
        .bind(secret.hash().as_bytes())
        .bind(secret.hint())
        .bind(key.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "))
        .bind(now.0)
        .fetch_one(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await?;
        Ok((row.try_into()?, secret))
    }

    async fn find_by_secret(&self, secret: &SecretHash) -> Result<Option<ApiKey>, Error> {
        let row: Option<ApiKeyRow> = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM api_keys WHERE secret_hash = ?1 AND revoked_at IS NULL"
        ))
        .bind(secret.as_bytes())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        row.map(ApiKey::try_from).transpose()
    }

    async fn touch(&self, key: &ApiKey, now: UnixTime) -> Result<(), Error> {
        if key
            .last_used_at
            .is_some_and(|last| now < last + TOUCH_INTERVAL)
        {
            return Ok(());
        }
        let mut change = self.write().await?;
        sqlx::query(
            "UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at <= ?3)",
        )
        .bind(key.id.as_str())
        .bind(now.0)
        .bind((now - TOUCH_INTERVAL).0)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await
    }

    async fn list(
        &self,
        site: Option<&str>,
        after: Option<&ApiKeyId>,
        limit: u32,
    ) -> Result<Page<ApiKey, ApiKeyId>, Error> {
        let mut query =
            QueryBuilder::new(concat!("SELECT ", columns!(), " FROM api_keys WHERE id > "));
        query.push_bind(after.map_or("", ApiKeyId::as_str));
        if let Some(site) = site {
            query.push(" AND site = ").push_bind(site);
        }
        query
            .push(" ORDER BY id LIMIT ")
            .push_bind(i64::from(limit) + 1);
        let rows: Vec<ApiKeyRow> = query
            .build_query_as()
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        let keys = rows
            .into_iter()
            .map(ApiKey::try_from)
            .collect::<Result<_, _>>()?;
        Ok(Page::of(keys, limit, |key: &ApiKey| key.id.clone()))
    }

    async fn revoke(&self, id: &ApiKeyId, now: UnixTime) -> Result<Option<ApiKey>, Error> {
        let mut change = self.write().await?;
        let row: Option<ApiKeyRow> = sqlx::query_as(concat!(
            "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1 RETURNING ",
            columns!()
        ))
        .bind(id.as_str())
        .bind(now.0)
        .fetch_optional(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await?;
        row.map(ApiKey::try_from).transpose()
    }
}

#[derive(sqlx::FromRow)]
struct ApiKeyRow {
    id: String,
    site: String,
    label: String,
    hint: String,
    scopes: String,
    created_at: i64,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl TryFrom<ApiKeyRow> for ApiKey {
    type Error = Error;

    fn try_from(row: ApiKeyRow) -> Result<Self, Error> {
        let scopes: Result<BTreeSet<ApiScope>, _> =
            row.scopes.split_whitespace().map(str::parse).collect();
        Ok(Self {
            scopes: scopes.map_err(|_| malformed("api_keys.scopes", &row.id))?,
            id: ApiKeyId::try_from(row.id.clone()).map_err(|_| malformed("api_keys.id", row.id))?,
            site: row.site,
            label: row.label,
            hint: row.hint,
            created_at: UnixTime(row.created_at),
            last_used_at: row.last_used_at.map(UnixTime),
            revoked_at: row.revoked_at.map(UnixTime),
        })
    }
}

const TOUCH_INTERVAL: Duration = Duration::from_secs(600);
