//! SQLite: one file, one writer at a time, any number of readers.

mod access_token;
mod account;
mod account_change;
mod account_row;
mod api_key;
mod attempt;
mod change;
mod connect_session;
mod error;
mod event;
mod grant;
mod hold;
mod import;
mod import_begin;
mod import_end;
mod import_row;
mod keys;
mod open;
mod reauth_link;
mod session_end;
mod session_row;

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use mailgrant_core::time::UnixTime;
use sqlx::sqlite::SqlitePool;
use tokio::sync::watch;

use self::change::Change;
use self::error::failed;
use self::open::{FileIdentity, Turn};
use crate::access_token::AccessTokenRepository;
use crate::account::AccountRepository;
use crate::api_key::ApiKeyRepository;
use crate::connect_session::ConnectSessionRepository;
use crate::error::Error;
use crate::event::EventRepository;
use crate::grant::GrantRepository;
use crate::import::ImportRepository;
use crate::master_key::{MasterKey, MasterKeySource};
use crate::random::Random;
use crate::seal::Sealer;
use crate::storage::Storage;

/// A database in a file.
pub(crate) struct Sqlite {
    /// One connection: SQLite has one writer anyway, and a queue is fairer than its busy timeout.
    writer: SqlitePool,
    readers: SqlitePool,
    /// How long a change waits for its turn.
    patience: Duration,
    file: FileIdentity,
    sealer: Sealer,
    masters: RwLock<Vec<MasterKey>>,
    random: Arc<dyn Random>,
    /// The moment of the last event that is known of.
    news: watch::Sender<i64>,
}

impl Sqlite {
    pub(crate) async fn open(
        url: &str,
        source: MasterKeySource,
        random: Arc<dyn Random>,
        now: UnixTime,
    ) -> Result<Self, Error> {
        let path = open::path(url)?;
        let _turn = Turn::take(&path).await;
        let needed = open::master_keys_needed(&path).await?;
        let masters = source.load(&needed, &*random)?;
        let (writer, readers) = open::pools(&path).await?;
        let file = FileIdentity::of(&path)?;
        hold::sweep(file.real());
        let mut change = change::turn(&writer, open::PATIENCE).await?;
        let rows = keys::load_or_create(&mut change, &masters, &*random, now).await?;
        change.commit().await.map_err(failed)?;
        let sealer = keys::sealer(&rows, &masters, &random)?;
        let in_use: BTreeSet<String> = rows.into_iter().map(|row| row.master_key_id).collect();
        source.settle(&in_use)?;
        let storage = Self {
            writer,
            readers,
            patience: open::PATIENCE,
            file,
            sealer,
            masters: RwLock::new(masters),
            random,
            news: watch::Sender::new(0),
        };
        let mut change = storage.write().await?;
        reauth_link::make_missing(&mut change, now).await?;
        change.commit().await?;
        Ok(storage)
    }

    /// A transaction that holds the one writer from its beginning, so what it reads cannot change
    /// under it.
    async fn write(&self) -> Result<Change<'_>, Error> {
        Change::begin(self).await
    }
}

#[async_trait]
impl Storage for Sqlite {
    fn accounts(&self) -> &dyn AccountRepository {
        self
    }

    fn grants(&self) -> &dyn GrantRepository {
        self
    }

    fn imports(&self) -> &dyn ImportRepository {
        self
    }

    fn connect_sessions(&self) -> &dyn ConnectSessionRepository {
        self
    }

    fn api_keys(&self) -> &dyn ApiKeyRepository {
        self
    }

    fn events(&self) -> &dyn EventRepository {
        self
    }

    fn access_tokens(&self) -> &dyn AccessTokenRepository {
        self
    }

    async fn ping(&self) -> Result<(), Error> {
        let mut change = self.write().await?;
        sqlx::query("UPDATE pings SET answered = answered + 1 WHERE id = 1")
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        change.commit().await
    }

    async fn rewrap(&self, new: &MasterKey) -> Result<(), Error> {
        let masters = self
            .masters
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut change = self.write().await?;
        keys::rewrap(&mut change, &masters, new, &*self.random).await?;
        change.commit().await?;
        self.masters
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(0, new.clone());
        Ok(())
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::account::{AccountFilter, AccountState, Flow, NewAccount};
    use crate::random::SystemRandom;

    const NOW: UnixTime = UnixTime(1_790_000_000);

    #[tokio::test]
    async fn a_full_database_is_unavailable_and_keeps_what_it_acknowledged() {
        let home = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", home.path().join("mailgrant.db").display());
        let source = MasterKeySource::File(home.path().join("master.key"));
        let storage = Sqlite::open(&url, source, Arc::new(SystemRandom), NOW)
            .await
            .unwrap();
        // Belongs to the connection, so only from in here.
        sqlx::query("PRAGMA max_page_count = 90")
            .execute(&storage.writer)
            .await
            .unwrap();

        let mut acknowledged = 0;
        let refused = loop {
            let account = NewAccount {
                site: "default".to_owned(),
                application: "contoso".to_owned(),
                flow: Flow::AppOnly,
                tenant: None,
                state: AccountState::Connected,
                imap_user: format!("{acknowledged}@example.com"),
                smtp_user: String::new(),
                from_address: String::new(),
                identity: None,
                diagnosis: None,
                metadata: json!({"filling": "x".repeat(4000)}),
            };
            match AccountRepository::add(&storage, account, None, NOW).await {
                Ok(_) => acknowledged += 1,
                Err(error) => break error,
            }
        };
        assert!(refused.is_unavailable(), "{refused}");
        let page = AccountRepository::list(&storage, &AccountFilter::default(), None, 1000)
            .await
            .unwrap();
        assert_eq!(page.items.len(), acknowledged);
        assert!(acknowledged > 5);

        sqlx::query("PRAGMA max_page_count = 1000000")
            .execute(&storage.writer)
            .await
            .unwrap();
        storage.ping().await.unwrap();
    }
}
