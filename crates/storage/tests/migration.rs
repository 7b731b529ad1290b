//! A database of an older version opens and keeps its data.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::Arc;

use mailgrant_core::scope::Scopes;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::RefreshToken;
use mailgrant_storage::{
    AccountState, ConnectStatus, EventKind, Flow, MasterKeySource, NewAccount, NewConnectSession,
    NewGrant, SecretHash, Storage, SystemRandom, Transition, open,
};
use serde_json::json;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

const NOW: UnixTime = UnixTime(1_790_000_000);

#[tokio::test]
async fn a_database_of_version_1_opens_and_keeps_its_data() {
    let home = tempfile::tempdir().unwrap();
    let new = opened(home.path(), "new.db").await;
    let account = NewAccount {
        site: "default".to_owned(),
        application: "contoso".to_owned(),
        flow: Flow::Delegated,
        tenant: None,
        state: AccountState::Connected,
        imap_user: "ada@example.com".to_owned(),
        smtp_user: "ada@example.com".to_owned(),
        from_address: "ada@example.com".to_owned(),
        identity: None,
        diagnosis: None,
        metadata: json!({"customer": 7}),
    };
    let other = NewAccount {
        imap_user: "eve@example.com".to_owned(),
        ..account.clone()
    };
    let alive = new
        .accounts()
        .add(account, Some(grant("hers")), NOW)
        .await
        .unwrap();
    let dead = new
        .accounts()
        .add(other, Some(grant("dead")), NOW)
        .await
        .unwrap();
    let died = Transition {
        to: AccountState::ReauthRequired,
        diagnosis: Some(json!({"code": "grant_dead"})),
        ..Transition::recovered()
    };
    new.accounts()
        .transition(&dead.id, died, NOW)
        .await
        .unwrap();
    let session = NewConnectSession {
        site: "default".to_owned(),
        application: "contoso".to_owned(),
        origin: "https://app.example.com".to_owned(),
        user_label: None,
        login_hint: None,
        mailbox: None,
        mends: None,
        return_url: None,
        metadata: json!({}),
        client_token: SecretHash::of("client token"),
        expires_at: UnixTime(NOW.0 + 600),
    };
    let session = new.connect_sessions().add(session, NOW).await.unwrap();
    new.close().await;

    let copied = as_version_1(home.path(), "new.db", "old.db").await;
    assert!(copied >= 6, "accounts, grants, session, data key: {copied}");

    let storage = opened(home.path(), "old.db").await;
    assert_eq!(
        storage.accounts().lookup_any_site(&alive.id).await.unwrap(),
        Some(alive.clone())
    );
    let kept = storage.grants().lookup(&alive.id).await.unwrap().unwrap();
    assert_eq!(kept.refresh_token.expose(), "hers");
    let kept = storage
        .connect_sessions()
        .lookup("default", &session.id, NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept, session);
    assert_eq!((kept.status, kept.mends), (ConnectStatus::Pending, None));

    // Whose grant died under the old version is given the way back, and told of, once.
    for _ in 0..2 {
        let storage = opened(home.path(), "old.db").await;
        let link = storage
            .accounts()
            .reauth_link(&dead.id)
            .await
            .unwrap()
            .unwrap();
        let found = storage
            .accounts()
            .find_by_reauth_link(&SecretHash::of(link.expose()))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.id, dead.id);
        let page = storage
            .events()
            .list("default", None, 10)
            .await
            .unwrap()
            .unwrap();
        let told: Vec<_> = page
            .events
            .iter()
            .map(|event| (event.kind, event.account.clone()))
            .collect();
        assert_eq!(
            told,
            [(EventKind::AccountReauthRequired, Some(dead.id.clone()))]
        );
        assert_eq!(
            storage.accounts().reauth_link(&alive.id).await.unwrap(),
            None
        );
        storage.close().await;
    }
}

async fn opened(home: &Path, name: &str) -> Arc<dyn Storage> {
    let url = format!("sqlite:{}", home.join(name).display());
    let master = MasterKeySource::File(home.join("master.key"));
    open(&url, master, Arc::new(SystemRandom), NOW)
        .await
        .unwrap()
}

/// Makes a file by the first migration alone and fills it with what the other holds; returns how many rows.
async fn as_version_1(home: &Path, from: &str, to: &str) -> u64 {
    let migrations = home.join("migrations");
    std::fs::create_dir(&migrations).unwrap();
    std::fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite/0001_initial.sql"),
        migrations.join("0001_initial.sql"),
    )
    .unwrap();
    let mut old = SqliteConnectOptions::new()
        .filename(home.join(to))
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    Migrator::new(migrations)
        .await
        .unwrap()
        .run(&mut old)
        .await
        .unwrap();
    let attach = format!("ATTACH '{}' AS new", home.join(from).display());
    sqlx::query(AssertSqlSafe(attach))
        .execute(&mut old)
        .await
        .unwrap();
    let mut copied = 0;
    for table in [
        "data_keys",
        "accounts",
        "grants",
        "connect_sessions",
        "api_keys",
    ] {
        let columns: Vec<String> =
            sqlx::query_scalar("SELECT name FROM pragma_table_info(?1, 'main')")
                .bind(table)
                .fetch_all(&mut old)
                .await
                .unwrap();
        let columns = columns.join(", ");
        let copy =
            format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}");
        copied += sqlx::query(AssertSqlSafe(copy))
            .execute(&mut old)
            .await
            .unwrap()
            .rows_affected();
    }
    old.close().await.unwrap();
    copied
}

fn grant(token: &str) -> NewGrant {
    NewGrant {
        refresh_token: RefreshToken::new(token).unwrap(),
        scopes: Scopes::parse("offline_access").unwrap(),
    }
}
