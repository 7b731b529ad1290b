//! What is sealed stays secret and in its place.

use mailgrant_core::authorization::Nonce;
use mailgrant_core::pkce::CodeVerifier;
use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::{AccessToken, RefreshToken};
use mailgrant_storage::{
    Account, AccountState, Begun, Error, ImportRequest, MasterKey, NewApiKey, NewAttempt,
    NewConnectSession, NewImport, SecretHash, Storage, StoredAccessToken, Transition,
};
use serde_json::json;

use crate::{Home, NOW, add_account, grant, token_of};

const CANARY: &str = "canary-7f3a9c";

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
    let token = access_token(&secret("access"));
    let key_of_token = format!("account\n{}", account.id);
    storage
        .access_tokens()
        .put(&key_of_token, token.clone())
        .await
        .unwrap();
    let import = NewImport {
        site: "default".to_owned(),
        application: "contoso".to_owned(),
        request: ImportRequest::default(),
        refresh_token: RefreshToken::new(secret("import")).unwrap(),
        expires_at: UnixTime(NOW.0 + 600),
    };
    shown += &format!("{import:?}");
    let imports = storage.imports();
    let begun = imports.begin(import, NOW).await.unwrap();
    let Begun::Begun(begun, _) = begun else {
        panic!("{begun:?}");
    };
    let next = RefreshToken::new(secret("successor")).unwrap();
    imports.replace(&begun.id, 1, &next).await.unwrap();
    shown += &format!("{begun:?}");
    let link = die(&*storage, &account).await;
    let events = storage.events().list("default", None, 100).await.unwrap();
    let events = events.unwrap().events;
    assert!(events.iter().any(|event| event.reauth_link.is_some()));
    shown += &format!("{token:?}{link:?}{events:?}");
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
        assert!(!contains(&bytes, link.expose()), "{name}");
    }
    assert_eq!(files, 2, "both were looked at");
    for secret in [CANARY, api_secret.expose(), master.trim(), link.expose()] {
        assert!(!shown.contains(secret), "{shown}");
    }
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
async fn an_access_token_that_was_tampered_with_is_refused_until_there_is_another() {
    let home = Home::new();
    let storage = home.open().await.unwrap();
    let tokens = storage.access_tokens();
    for key in ["application\ncontoso", "application\nfabrikam"] {
        let token = access_token(&format!("token-of-{}", &key[12..]));
        assert!(tokens.put(key, token).await.unwrap());
    }
    let mut intruder = home.intruder().await;
    sqlx::query(
        "UPDATE access_tokens SET sealed_token = \
         (SELECT sealed_token FROM access_tokens WHERE key = ?1) WHERE key = ?2",
    )
    .bind("application\ncontoso")
    .bind("application\nfabrikam")
    .execute(&mut intruder)
    .await
    .unwrap();
    let error = tokens.lookup("application\nfabrikam").await.unwrap_err();
    assert!(matches!(error, Error::Sealed { .. }), "{error}");
    assert!(!error.to_string().contains("token-of-"), "{error}");
    let found = tokens.lookup("application\ncontoso").await.unwrap();
    assert_eq!(found.unwrap().token.expose(), "token-of-contoso");

    let next = access_token("another");
    assert!(tokens.put("application\nfabrikam", next).await.unwrap());
    let found = tokens.lookup("application\nfabrikam").await.unwrap();
    assert_eq!(found.unwrap().token.expose(), "another");
}

#[tokio::test]
async fn a_link_moved_to_another_account_is_not_shown_and_hides_no_event() {
    let home = Home::new();
    let storage = home.open().await.unwrap();
    let ada = add_account(&*storage, "ada@example.com", "hers")
        .await
        .unwrap();
    let eve = add_account(&*storage, "eve@example.com", "eves")
        .await
        .unwrap();
    let hers = die(&*storage, &ada).await;
    die(&*storage, &eve).await;
    let mut intruder = home.intruder().await;
    sqlx::query(
        "UPDATE reauth_links SET sealed_token = \
         (SELECT sealed_token FROM reauth_links WHERE account_id = ?1) WHERE account_id = ?2",
    )
    .bind(ada.id.as_str())
    .bind(eve.id.as_str())
    .execute(&mut intruder)
    .await
    .unwrap();
    let error = storage.accounts().reauth_link(&eve.id).await.unwrap_err();
    assert!(matches!(error, Error::Sealed { .. }), "{error}");
    let events = storage.events().list("default", None, 100).await.unwrap();
    let shown: Vec<_> = events
        .unwrap()
        .events
        .into_iter()
        .map(|event| event.reauth_link)
        .collect();
    assert_eq!(shown, [None, None, Some(hers), None]);
}

fn access_token(text: &str) -> StoredAccessToken {
    StoredAccessToken {
        token: AccessToken::new(text).unwrap(),
        generation: None,
        obtained_at: NOW,
        expires_at: UnixTime(NOW.0 + 3600),
    }
}

/// The account's grant dies; returns the way back.
async fn die(storage: &dyn Storage, account: &Account) -> Secret {
    let dead = Transition {
        to: AccountState::ReauthRequired,
        ..Transition::recovered()
    };
    storage
        .accounts()
        .transition(&account.id, dead, NOW)
        .await
        .unwrap();
    let link = storage.accounts().reauth_link(&account.id).await.unwrap();
    link.unwrap()
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle.as_bytes())
}
