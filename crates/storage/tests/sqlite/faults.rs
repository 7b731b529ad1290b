//! Starts, files, locks and what is no database.

use std::path::Path;
use std::sync::Arc;

use mailgrant_core::time::UnixTime;
use mailgrant_core::token::RefreshToken;
use mailgrant_storage::{
    Begun, Error, ImportRequest, MasterKey, MasterKeySource, NewImport, SystemRandom, open,
};
use sqlx::Connection as _;

use crate::{Home, NOW, add_account, token_of};

#[tokio::test]
async fn a_second_start_finds_everything() {
    let home = Home::new();
    let storage = home.open().await.unwrap();
    let account = add_account(&*storage, "ada@example.com", "token")
        .await
        .unwrap();
    storage.close().await;
    let storage = home.open().await.unwrap();
    assert_eq!(token_of(&*storage, &account).await.unwrap(), "token");
    storage.ping().await.unwrap();
}

#[tokio::test]
async fn two_processes_may_start_at_once() {
    let home = Arc::new(Home::new());
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let home = Arc::clone(&home);
            tokio::spawn(async move { home.open().await })
        })
        .collect();
    let mut storages = Vec::new();
    for start in starts {
        storages.push(start.await.unwrap().unwrap());
    }
    let account = add_account(&*storages[0], "ada@example.com", "token")
        .await
        .unwrap();
    for storage in &storages {
        assert_eq!(token_of(&**storage, &account).await.unwrap(), "token");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_token_is_held_by_one_whatever_name_the_database_was_opened_by() {
    let home = Home::new();
    let storage = home.open().await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("linked.db");
    std::os::unix::fs::symlink(home.path("mailgrant.db"), &link).unwrap();
    let master = MasterKeySource::File(home.path("master.key"));
    let url = format!("sqlite:{}", link.display());
    let linked = open(&url, master, Arc::new(SystemRandom), NOW)
        .await
        .unwrap();

    let import = NewImport {
        site: "default".to_owned(),
        application: "contoso".to_owned(),
        request: ImportRequest::default(),
        refresh_token: RefreshToken::new("given").unwrap(),
        expires_at: UnixTime(NOW.0 + 600),
    };
    let begun = storage.imports().begin(import.clone(), NOW).await.unwrap();
    assert!(matches!(begun, Begun::Begun(..)));
    let also = linked.imports().begin(import.clone(), NOW).await.unwrap();
    assert!(matches!(also, Begun::Held), "{also:?}");
    drop(begun);
    let then = linked.imports().begin(import, NOW).await.unwrap();
    assert!(matches!(then, Begun::Begun(..)), "{then:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = Home::new();
    let storage = home.open().await.unwrap();
    storage.ping().await.unwrap();
    for entry in std::fs::read_dir(home.0.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
}

#[tokio::test]
async fn a_database_deleted_under_way_is_unavailable() {
    let home = Home::new();
    let storage = home.open().await.unwrap();
    std::fs::rename(home.path("mailgrant.db"), home.path("elsewhere.db")).unwrap();
    assert!(storage.ping().await.unwrap_err().is_unavailable());
    std::fs::write(home.path("mailgrant.db"), "another file").unwrap();
    let error = add_account(&*storage, "ada@example.com", "token")
        .await
        .unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    assert!(error.to_string().contains("replaced"), "{error}");
}

#[tokio::test]
async fn what_is_no_database_is_left_alone() {
    let home = Home::new();
    std::fs::write(home.path("mailgrant.db"), "dear diary, ".repeat(1000)).unwrap();
    let before = home.bytes();
    let error = home.open().await.err().unwrap();
    assert!(!error.is_unavailable(), "{error}");
    assert_eq!(home.bytes(), before);
    assert!(!home.path("master.key").exists());
}

#[tokio::test]
async fn a_newer_database_is_refused_with_what_to_do() {
    let home = Home::new();
    home.open().await.unwrap().close().await;
    let mut intruder = home.intruder().await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'future', 1, x'00', 1)",
    )
    .execute(&mut intruder)
    .await
    .unwrap();
    intruder.close().await.unwrap();
    let error = home.open().await.err().unwrap();
    assert!(matches!(error, Error::Migration(_)), "{error}");
    assert!(error.to_string().contains("newer"), "{error}");
}

#[tokio::test]
async fn urls_that_name_no_file_are_refused() {
    for url in [
        "",
        "mailgrant.db",
        "mysql://x",
        "postgres://localhost/x",
        "sqlite::memory:",
        "sqlite:",
    ] {
        let source = MasterKeySource::Given(vec![MasterKey::generate(&SystemRandom)]);
        let error = open(url, source, Arc::new(SystemRandom), NOW)
            .await
            .err()
            .unwrap();
        assert!(matches!(error, Error::Url(_)), "{url}: {error}");
        assert!(error.to_string().starts_with("storage.url: "), "{error}");
    }
    assert!(!Path::new("mailgrant.db").exists());
}
