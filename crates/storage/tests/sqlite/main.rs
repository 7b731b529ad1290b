//! What concerns the SQLite file itself: keys, secrecy, damage, a full disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod faults;
mod keys;
mod sealed;

use std::path::PathBuf;
use std::sync::Arc;

use mailgrant_core::scope::Scopes;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::RefreshToken;
use mailgrant_storage::{
    Account, AccountState, Error, Flow, MasterKeySource, NewAccount, NewGrant, Storage,
    SystemRandom, open,
};
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};

pub(crate) const NOW: UnixTime = UnixTime(1_790_000_000);

pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) async fn open(&self) -> Result<Arc<dyn Storage>, Error> {
        self.open_with(MasterKeySource::File(self.path("master.key")))
            .await
    }

    pub(crate) async fn open_with(
        &self,
        master: MasterKeySource,
    ) -> Result<Arc<dyn Storage>, Error> {
        let url = format!("sqlite:{}", self.path("mailgrant.db").display());
        open(&url, master, Arc::new(SystemRandom), NOW).await
    }

    /// A connection beside the storage, for what only an intruder or a fault would do.
    pub(crate) async fn intruder(&self) -> SqliteConnection {
        SqliteConnectOptions::new()
            .filename(self.path("mailgrant.db"))
            .connect()
            .await
            .unwrap()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path("mailgrant.db")).unwrap()
    }
}

pub(crate) fn grant(token: &str) -> NewGrant {
    NewGrant {
        refresh_token: RefreshToken::new(token).unwrap(),
        scopes: Scopes::parse("offline_access").unwrap(),
    }
}

pub(crate) async fn add_account(
    storage: &dyn Storage,
    user: &str,
    token: &str,
) -> Result<Account, Error> {
    let account = NewAccount {
        site: "default".to_owned(),
        application: "contoso".to_owned(),
        flow: Flow::Delegated,
        tenant: None,
        state: AccountState::Connected,
        imap_user: user.to_owned(),
        smtp_user: user.to_owned(),
        from_address: user.to_owned(),
        identity: None,
        diagnosis: None,
        metadata: json!({}),
    };
    storage
        .accounts()
        .add(account, Some(grant(token)), NOW)
        .await
}

pub(crate) async fn token_of(storage: &dyn Storage, account: &Account) -> Result<String, Error> {
    Ok(storage
        .grants()
        .lookup(&account.id)
        .await?
        .unwrap()
        .refresh_token
        .expose()
        .to_owned())
}
