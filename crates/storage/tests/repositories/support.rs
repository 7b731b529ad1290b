//! Storages to test, and things to put into them.

use std::sync::Arc;

use mailgrant_core::authorization::Nonce;
use mailgrant_core::pkce::CodeVerifier;
use mailgrant_core::scope::Scopes;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::RefreshToken;
use mailgrant_storage::{
    Account, AccountFilter, AccountId, AccountState, ConnectSession, Event, EventKind, Flow,
    Identity, MasterKeySource, NewAccount, NewAttempt, NewConnectSession, NewEvent, NewGrant,
    SecretHash, Storage, SystemRandom, Transition, open,
};
use serde_json::{Value, json};

pub const NOW: UnixTime = UnixTime(1_790_000_000);

pub fn later(seconds: i64) -> UnixTime {
    UnixTime(NOW.0 + seconds)
}

pub fn hash(text: &str) -> SecretHash {
    SecretHash::of(text)
}

/// How many accounts there are, of a hundred at most.
pub async fn account_count(storage: &dyn Storage) -> usize {
    let accounts = storage.accounts();
    let page = accounts.list(&AccountFilter::default(), None, 100).await;
    page.unwrap().items.len()
}

/// A SQLite database in a directory that goes with the second value.
pub async fn sqlite() -> (Arc<dyn Storage>, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", home.path().join("mailgrant.db").display());
    let master = MasterKeySource::File(home.path().join("master.key"));
    (
        open(&url, master, Arc::new(SystemRandom), NOW)
            .await
            .unwrap(),
        home,
    )
}

pub fn identity(person: &str) -> Identity {
    Identity {
        issuer: "https://login.example/tenant/v2.0".to_owned(),
        subject: format!("subject-{person}"),
        tenant_id: Some("tenant".to_owned()),
        object_id: Some(format!("object-{person}")),
        email: Some(format!("{person}@example.com")),
        preferred_username: None,
        name: Some(person.to_owned()),
    }
}

pub fn new_account(site: &str, person: &str) -> NewAccount {
    NewAccount {
        site: site.to_owned(),
        application: "contoso".to_owned(),
        flow: Flow::Delegated,
        tenant: None,
        state: AccountState::Connected,
        imap_user: format!("{person}@example.com"),
        smtp_user: format!("{person}@example.com"),
        from_address: format!("{person}@example.com"),
        identity: Some(identity(person)),
        diagnosis: None,
        metadata: json!({}),
    }
}

pub fn grant(token: &str) -> NewGrant {
    NewGrant {
        refresh_token: RefreshToken::new(token).unwrap(),
        scopes: Scopes::parse("offline_access https://outlook.office.com/IMAP.AccessAsUser.All")
            .unwrap(),
    }
}

pub async fn connected(storage: &dyn Storage, person: &str) -> Account {
    storage
        .accounts()
        .add(
            new_account("default", person),
            Some(grant("first-token")),
            NOW,
        )
        .await
        .unwrap()
}

/// The state a delegated account is in when its grant was refused for good.
pub fn dead() -> Transition {
    Transition {
        to: AccountState::ReauthRequired,
        diagnosis: Some(json!({"code": "grant_dead"})),
        ..Transition::recovered()
    }
}

pub fn to(state: AccountState) -> Transition {
    Transition {
        to: state,
        ..Transition::recovered()
    }
}

/// All that happened to the site, and to the gateway as a whole.
pub async fn told(storage: &dyn Storage, site: &str) -> Vec<Event> {
    let page = storage
        .events()
        .list(site, None, 1000)
        .await
        .unwrap()
        .unwrap();
    assert!(!page.more && !page.gap);
    page.events
}

pub async fn kinds(storage: &dyn Storage) -> Vec<&'static str> {
    let events = told(storage, "default").await;
    events.iter().map(|event| event.kind.as_str()).collect()
}

pub fn alarm(number: usize, site: Option<&str>) -> NewEvent {
    NewEvent {
        site: site.map(str::to_owned),
        kind: EventKind::CredentialExpiring,
        account: None,
        connect_session: None,
        data: json!({"number": number}),
    }
}

pub async fn session(storage: &dyn Storage, token: &str) -> ConnectSession {
    session_mending(storage, token, None).await
}

pub async fn session_mending(
    storage: &dyn Storage,
    token: &str,
    mends: Option<&AccountId>,
) -> ConnectSession {
    let session = NewConnectSession {
        site: "default".to_owned(),
        application: "contoso".to_owned(),
        origin: "https://app.example.com".to_owned(),
        user_label: Some("Ada".to_owned()),
        login_hint: Some("ada@example.com".to_owned()),
        mailbox: None,
        mends: mends.cloned(),
        return_url: None,
        metadata: json!({"customer": 7}),
        client_token: hash(token),
        expires_at: later(600),
    };
    storage.connect_sessions().add(session, NOW).await.unwrap()
}

/// What a sweep writes down of a session.
pub fn ran_out(session: &ConnectSession) -> Value {
    json!({"code": "not_returned", "sent_at": session.sent_at.map(|at| at.0)})
}

pub fn attempt(state: &str) -> NewAttempt {
    NewAttempt {
        state: hash(state),
        browser: hash("cookie"),
        nonce: Nonce::from_random([1; 32]),
        code_verifier: CodeVerifier::from_random([2; 32]),
    }
}

/// A session whose browser has come back.
pub async fn returned(storage: &dyn Storage, token: &str) -> ConnectSession {
    returned_mending(storage, token, None).await
}

pub async fn returned_mending(
    storage: &dyn Storage,
    token: &str,
    mends: Option<&AccountId>,
) -> ConnectSession {
    let session = session_mending(storage, token, mends).await;
    let state = format!("state of {token}");
    storage
        .connect_sessions()
        .begin(&hash(token), attempt(&state), NOW)
        .await
        .unwrap();
    storage
        .connect_sessions()
        .consume_state(&hash(&state), NOW)
        .await
        .unwrap();
    session
}
