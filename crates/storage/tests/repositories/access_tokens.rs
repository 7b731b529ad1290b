use std::sync::Arc;

use mailgrant_core::token::AccessToken;
use mailgrant_storage::{Account, AccountState, Storage, StoredAccessToken, Transition};

use crate::support::{NOW, connected, dead, grant, later, new_account, returned, to};

const SHARED: &str = "application\ncontoso\ntenant\nclient\nhttps://outlook.office365.com/.default";

fn token(text: &str, generation: Option<i64>, lifetime: i64) -> StoredAccessToken {
    StoredAccessToken {
        token: AccessToken::new(text).unwrap(),
        generation,
        obtained_at: NOW,
        expires_at: later(lifetime),
    }
}

fn key(account: &Account) -> String {
    format!("account\n{}", account.id)
}

async fn found(storage: &dyn Storage, key: &str) -> Option<String> {
    let found = storage.access_tokens().lookup(key).await.unwrap();
    found.map(|found| found.token.expose().to_owned())
}

pub async fn a_token_opens_again(storage: Arc<dyn Storage>) {
    let tokens = storage.access_tokens();
    assert_eq!(tokens.lookup(SHARED).await.unwrap(), None);
    let stored = token("ey.shared", None, 3600);
    assert!(tokens.put(SHARED, stored.clone()).await.unwrap());
    assert_eq!(tokens.lookup(SHARED).await.unwrap(), Some(stored));
    let account = connected(&*storage, "ada").await;
    let stored = token("ey.hers", Some(1), 3600);
    assert!(tokens.put(&key(&account), stored.clone()).await.unwrap());
    assert_eq!(tokens.lookup(&key(&account)).await.unwrap(), Some(stored));
    assert!(tokens.remove(SHARED).await.unwrap());
    assert!(!tokens.remove(SHARED).await.unwrap());
    assert_eq!(found(&*storage, SHARED).await, None);
    assert_eq!(found(&*storage, &key(&account)).await.unwrap(), "ey.hers");
}

pub async fn an_older_token_does_not_replace_a_newer(storage: Arc<dyn Storage>) {
    let tokens = storage.access_tokens();
    assert!(
        tokens
            .put(SHARED, token("second", None, 7200))
            .await
            .unwrap()
    );
    assert!(
        !tokens
            .put(SHARED, token("first", None, 3600))
            .await
            .unwrap()
    );
    assert_eq!(found(&*storage, SHARED).await.unwrap(), "second");
    assert!(
        tokens
            .put(SHARED, token("third", None, 7200))
            .await
            .unwrap()
    );
    assert_eq!(found(&*storage, SHARED).await.unwrap(), "third");

    // What came with a later generation is newer, however short its life.
    let account = connected(&*storage, "ada").await;
    let key = key(&account);
    assert!(
        tokens
            .put(&key, token("long", Some(1), 86_400))
            .await
            .unwrap()
    );
    storage
        .grants()
        .replace(&account.id, 1, grant("next"), NOW)
        .await
        .unwrap();
    assert!(
        tokens
            .put(&key, token("short", Some(2), 600))
            .await
            .unwrap()
    );
    assert_eq!(found(&*storage, &key).await.unwrap(), "short");

    // Of many at once the one that lives longest stays.
    let putting: Vec<_> = (0..50)
        .map(|number| {
            let storage = Arc::clone(&storage);
            tokio::spawn(async move {
                let text = format!("number-{number}");
                let new = token(&text, None, 10_000 + (number * 37) % 50);
                storage.access_tokens().put(SHARED, new).await.unwrap();
            })
        })
        .collect();
    for put in putting {
        put.await.unwrap();
    }
    let kept = tokens.lookup(SHARED).await.unwrap().unwrap();
    assert_eq!(kept.expires_at, later(10_049));
}

pub async fn a_replaced_grants_token_is_not_stored(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    let tokens = storage.access_tokens();
    let key = key(&account);
    assert!(tokens.put(&key, token("old", Some(1), 3600)).await.unwrap());
    let session = returned(&*storage, "again").await;
    storage
        .connect_sessions()
        .complete(
            &session.id,
            new_account("default", "ada"),
            grant("new"),
            NOW,
        )
        .await
        .unwrap();
    assert_eq!(found(&*storage, &key).await, None, "it went with its grant");
    let late = tokens
        .put(&key, token("late", Some(1), 7200))
        .await
        .unwrap();
    assert!(!late, "a refresh that was under way");
    assert!(tokens.put(&key, token("new", Some(2), 3600)).await.unwrap());
    storage.grants().revoke(&account.id).await.unwrap();
    assert_eq!(found(&*storage, &key).await, None);
    assert!(
        !tokens
            .put(&key, token("late", Some(2), 3600))
            .await
            .unwrap()
    );
}

pub async fn a_token_goes_with_its_account(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    let tokens = storage.access_tokens();
    let key = key(&account);
    assert!(
        tokens
            .put(&key, token("hers", Some(1), 3600))
            .await
            .unwrap()
    );
    assert!(
        tokens
            .put(SHARED, token("shared", None, 3600))
            .await
            .unwrap()
    );
    storage
        .accounts()
        .remove("default", &account.id, NOW)
        .await
        .unwrap();
    assert_eq!(found(&*storage, &key).await, None);
    assert_eq!(found(&*storage, SHARED).await.unwrap(), "shared");
    assert!(!tokens.put(&key, token("late", None, 3600)).await.unwrap());
    assert_eq!(found(&*storage, &key).await, None);
}

pub async fn a_barred_account_keeps_no_token(storage: Arc<dyn Storage>) {
    let tokens = storage.access_tokens();
    tokens
        .put(SHARED, token("shared", None, 3600))
        .await
        .unwrap();
    for barred in [dead(), to(AccountState::Disabled)] {
        let account = connected(&*storage, barred.to.as_str()).await;
        let key = key(&account);
        let put = |text| tokens.put(&key, token(text, Some(1), 3600));
        let go = async |transition: Transition| {
            let done = storage.accounts().transition(&account.id, transition, NOW);
            assert!(done.await.unwrap().is_some());
        };
        assert!(put("hers").await.unwrap());
        go(to(AccountState::Degraded)).await;
        assert_eq!(found(&*storage, &key).await.unwrap(), "hers");
        go(barred).await;
        assert_eq!(found(&*storage, &key).await, None);
        assert!(!put("late").await.unwrap(), "a refresh that was under way");
        let back = Transition {
            from: AccountState::ALL,
            ..Transition::recovered()
        };
        go(back).await;
        assert_eq!(found(&*storage, &key).await, None);
        assert!(put("new").await.unwrap());
    }
    assert_eq!(found(&*storage, SHARED).await.unwrap(), "shared");
}

pub async fn what_ended_is_forgotten(storage: Arc<dyn Storage>) {
    let tokens = storage.access_tokens();
    tokens.put("short", token("a", None, 60)).await.unwrap();
    tokens.put("long", token("b", None, 3600)).await.unwrap();
    assert_eq!(tokens.forget_before(later(60)).await.unwrap(), 0);
    assert_eq!(tokens.forget_before(later(61)).await.unwrap(), 1);
    assert_eq!(found(&*storage, "short").await, None);
    assert_eq!(found(&*storage, "long").await.unwrap(), "b");
}
