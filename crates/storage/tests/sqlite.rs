//! What concerns the SQLite file itself: keys, secrecy, damage, a full disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mailgrant_core::authorization::Nonce;
use mailgrant_core::pkce::CodeVerifier;
use mailgrant_core::scope::Scopes;
use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::RefreshToken;
use mailgrant_storage::{
    Account, AccountState, Error, Flow, MasterKey, MasterKeySource, NewAccount, NewApiKey,
    NewAttempt, NewConnectSession, NewGrant, SecretHash, Storage, SystemRandom, open,
    rotate_master,
};
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};

const NOW: UnixTime = UnixTime(1_790_000_000);
const CANARY: &str = "canary-7f3a9c";

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    async fn open(&self) -> Result<Arc<dyn Storage>, Error> {
        self.open_with(MasterKeySource::File(self.path("master.key")))
            .await
    }

    async fn open_with(&self, master: MasterKeySource) -> Result<Arc<dyn Storage>, Error> {
        let url = format!("sqlite:{}", self.path("mailgrant.db").display());
        open(&url, master, Arc::new(SystemRandom), NOW).await
    }

    /// A connection beside the storage, for what only an intruder or a fault would do.
    async fn intruder(&self) -> SqliteConnection {
        SqliteConnectOptions::new()
            .filename(self.path("mailgrant.db"))
            .connect()
            .await
            .unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path("mailgrant.db")).unwrap()
    }
}

fn grant(token: &str) -> NewGrant {
    NewGrant {
        refresh_token: RefreshToken::new(token).unwrap(),
        scopes: Scopes::parse("offline_access").unwrap(),
    }
}

async fn add_account(storage: &dyn Storage, user: &str, token: &str) -> Result<Account, Error> {
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

async fn token_of(storage: &dyn Storage, account: &Account) -> Result<String, Error> {
    Ok(storage
        .grants()
        .lookup(&account.id)
        .await?
        .unwrap()
        .refresh_token
        .expose()
        .to_owned())
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle.as_bytes())
}

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
async fn no_secret_is_in_the_files_or_in_debug_output() {
    let home = Home::new();
    let storage = home.open().await.unwrap();
    let secret = |name: &str| format!("{CANARY}-{name}-0123456789012345678901234567890123456789");

    let account = add_account(&*storage, "ada@example.com", &secret("refresh"))
        .await
        .unwrap();
    storage
        .grants()
        .replace(&account.id, 1, grant(&secret("rotated")), NOW)
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
        client_token: SecretHash::of(&secret("client-token")),
        expires_at: UnixTime(NOW.0 + 600),
    };
    storage.connect_sessions().add(session, NOW).await.unwrap();
    let attempt = NewAttempt {
        state: SecretHash::of(&secret("state")),
        browser: SecretHash::of(&secret("cookie")),
        nonce: Nonce::parse(&secret("nonce")).unwrap(),
        code_verifier: CodeVerifier::parse(&secret("verifier")).unwrap(),
    };
    let mut shown = format!("{attempt:?}");
    storage
        .connect_sessions()
        .begin(&SecretHash::of(&secret("client-token")), attempt, NOW)
        .await
        .unwrap();
    let new_key = NewApiKey {
        site: "default".to_owned(),
        label: String::new(),
        scopes: Default::default(),
    };
    let (key, api_secret) = storage.api_keys().add(new_key, NOW).await.unwrap();
    let grant = storage.grants().lookup(&account.id).await.unwrap().unwrap();
    shown += &format!("{account:?}{grant:?}{key:?}{api_secret:?}");

    let master = std::fs::read_to_string(home.path("master.key")).unwrap();
    let master_bytes = MasterKey::parse(&master, "test").unwrap();
    shown += &format!("{master_bytes:?}");
    let mut files = 0;
    for name in ["mailgrant.db", "mailgrant.db-wal"] {
        let bytes = std::fs::read(home.path(name)).unwrap();
        files += usize::from(!bytes.is_empty());
        assert!(!contains(&bytes, CANARY), "{name}");
        assert!(!contains(&bytes, api_secret.expose()), "{name}");
        assert!(!contains(&bytes, master.trim()), "{name}");
    }
    assert_eq!(files, 2, "both were looked at");
    for secret in [CANARY, api_secret.expose(), master.trim()] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_nothing_changes() {
    let home = Home::new();
    home.open().await.unwrap().close().await;
    let before = home.bytes();
    let right = std::fs::read_to_string(home.path("master.key")).unwrap();
    let id = MasterKey::parse(&right, "test").unwrap().id();

    let other = MasterKey::generate(&SystemRandom);
    let error = home
        .open_with(MasterKeySource::Given(vec![other.clone()]))
        .await
        .err()
        .unwrap();
    let text = error.to_string();
    assert!(matches!(error, Error::MasterKeyMissing { .. }), "{text}");
    assert!(text.contains(&id) && text.contains(&other.id()), "{text}");
    assert_eq!(home.bytes(), before);

    std::fs::remove_file(home.path("master.key")).unwrap();
    let text = home.open().await.err().unwrap().to_string();
    assert!(
        text.contains(&id) && text.contains("master.key does not exist"),
        "{text}"
    );
    assert!(
        !home.path("master.key").exists(),
        "no new key in place of a lost one"
    );
    assert_eq!(home.bytes(), before);

    let value = |text: &str| MasterKeySource::Value {
        origin: "MAILGRANT_MASTER_KEY".to_owned(),
        value: Secret::new(text),
    };
    let text = home
        .open_with(value("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        text.contains(&id) && text.contains("MAILGRANT_MASTER_KEY holds key 630dcd2966c43366"),
        "{text}"
    );
    let text = home
        .open_with(value("hunter2"))
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        text.contains("MAILGRANT_MASTER_KEY: a master key is 32 bytes"),
        "{text}"
    );
    assert_eq!(home.bytes(), before);
    home.open_with(value(&right)).await.unwrap().close().await;

    let given = MasterKey::parse(&right, "test").unwrap();
    assert!(
        home.open_with(MasterKeySource::Given(vec![other, given]))
            .await
            .is_ok(),
        "any of several"
    );
}

#[tokio::test]
async fn no_key_at_all_is_refused_for_a_new_database_too() {
    let home = Home::new();
    let error = home
        .open_with(MasterKeySource::Given(Vec::new()))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, Error::MasterKeyMissing { .. }), "{error}");
    assert!(!home.path("mailgrant.db").exists());
}

#[tokio::test]
async fn rotation_leaves_one_key_that_opens_everything() {
    let home = Home::new();
    let storage = home.open().await.unwrap();
    let account = add_account(&*storage, "ada@example.com", "token")
        .await
        .unwrap();
    let old = std::fs::read_to_string(home.path("master.key")).unwrap();
    for _ in 0..2 {
        rotate_master(&*storage, &home.path("master.key"), &SystemRandom)
            .await
            .unwrap();
        assert_eq!(
            token_of(&*storage, &account).await.unwrap(),
            "token",
            "while it runs"
        );
    }
    storage.close().await;
    assert!(!home.path("master.key.next").exists());
    assert_ne!(
        std::fs::read_to_string(home.path("master.key")).unwrap(),
        old
    );
    let storage = home.open().await.unwrap();
    assert_eq!(token_of(&*storage, &account).await.unwrap(), "token");
    storage.close().await;
    let old = MasterKey::parse(&old, "test").unwrap();
    let error = home
        .open_with(MasterKeySource::Given(vec![old]))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, Error::MasterKeyMissing { .. }), "{error}");
}

#[tokio::test]
async fn a_rotation_killed_at_any_step_opens_and_can_be_finished() {
    let home = Home::new();
    let key_file = home.path("master.key");
    let storage = home.open().await.unwrap();
    let account = add_account(&*storage, "ada@example.com", "token")
        .await
        .unwrap();

    // Killed after the new file was written:
    let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let next = MasterKey::parse(text, "test").unwrap();
    std::fs::copy(&key_file, home.path("master.key.next")).unwrap(); // takes the mode along
    std::fs::write(home.path("master.key.next"), text).unwrap();
    storage.close().await;
    let storage = home.open().await.unwrap();
    assert_eq!(token_of(&*storage, &account).await.unwrap(), "token");
    assert!(
        home.path("master.key.next").exists(),
        "not in use yet: stays for the rotation to go on"
    );

    // Killed after the data keys were wrapped anew:
    storage.rewrap(&next).await.unwrap();
    storage.close().await;
    let storage = home.open().await.unwrap();
    assert_eq!(token_of(&*storage, &account).await.unwrap(), "token");
    assert!(
        !home.path("master.key.next").exists(),
        "the start completed it"
    );
    let now_in_file =
        MasterKey::parse(&std::fs::read_to_string(&key_file).unwrap(), "test").unwrap();
    assert_eq!(now_in_file.id(), next.id());
}

#[tokio::test]
async fn a_value_moved_to_another_row_does_not_open() {
    let home = Home::new();
    let storage = home.open().await.unwrap();
    let ada = add_account(&*storage, "ada@example.com", "hers")
        .await
        .unwrap();
    let eve = add_account(&*storage, "eve@example.com", "eves")
        .await
        .unwrap();
    let mut intruder = home.intruder().await;
    sqlx::query(
        "UPDATE grants SET sealed_refresh_token = \
         (SELECT sealed_refresh_token FROM grants WHERE account_id = ?1) WHERE account_id = ?2",
    )
    .bind(ada.id.as_str())
    .bind(eve.id.as_str())
    .execute(&mut intruder)
    .await
    .unwrap();
    let error = token_of(&*storage, &eve).await.unwrap_err();
    assert!(matches!(error, Error::Sealed { .. }), "{error}");
    assert!(!error.is_unavailable());
    assert_eq!(token_of(&*storage, &ada).await.unwrap(), "hers");
}

#[tokio::test]
async fn a_locked_database_is_unavailable() {
    let home = Home::new();
    let storage = home.open().await.unwrap();
    let mut intruder = home.intruder().await;
    sqlx::query(AssertSqlSafe("BEGIN IMMEDIATE"))
        .execute(&mut intruder)
        .await
        .unwrap();
    let error = add_account(&*storage, "ada@example.com", "token")
        .await
        .unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    sqlx::query("ROLLBACK")
        .execute(&mut intruder)
        .await
        .unwrap();
    add_account(&*storage, "ada@example.com", "token")
        .await
        .unwrap();
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
