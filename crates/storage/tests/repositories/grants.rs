use std::sync::Arc;

use mailgrant_storage::{AccountState, Flow, NewAccount, Replacement, Storage};

use crate::support::{NOW, connected, grant, later, new_account, to};

pub async fn a_grant_opens_again(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    let found = storage.grants().lookup(&account.id).await.unwrap().unwrap();
    assert_eq!(found.account, account.id);
    assert_eq!(found.refresh_token, grant("first-token").refresh_token);
    assert_eq!(found.scopes, grant("first-token").scopes);
    assert_eq!(
        (found.obtained_at, found.refreshed_at, found.generation),
        (NOW, NOW, 1)
    );
}

pub async fn replacing_needs_the_generation(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    let stored = storage
        .grants()
        .replace(&account.id, 1, grant("second"), later(9))
        .await
        .unwrap();
    assert_eq!(stored, Replacement::Stored { generation: 2 });
    let stale = storage
        .grants()
        .replace(&account.id, 1, grant("third"), later(10))
        .await
        .unwrap();
    assert_eq!(stale, Replacement::Superseded);
    let found = storage.grants().lookup(&account.id).await.unwrap().unwrap();
    assert_eq!(found.refresh_token.expose(), "second");
    assert_eq!(
        (found.obtained_at, found.refreshed_at, found.generation),
        (NOW, later(9), 2)
    );
}

pub async fn one_of_a_hundred_replacements_wins_each_generation(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    for generation in 1..=5 {
        let racers: Vec<_> = (0..100)
            .map(|racer| {
                let (storage, id) = (Arc::clone(&storage), account.id.clone());
                tokio::spawn(async move {
                    let token = format!("token-{generation}-{racer}");
                    let outcome = storage
                        .grants()
                        .replace(&id, generation, grant(&token), NOW)
                        .await
                        .unwrap();
                    (outcome
                        == Replacement::Stored {
                            generation: generation + 1,
                        })
                    .then_some(token)
                })
            })
            .collect();
        let mut winners = Vec::new();
        for racer in racers {
            winners.extend(racer.await.unwrap());
        }
        assert_eq!(winners.len(), 1, "generation {generation}");
        let found = storage.grants().lookup(&account.id).await.unwrap().unwrap();
        assert_eq!(found.refresh_token.expose(), winners[0]);
        assert_eq!(found.generation, generation + 1);
    }
}

pub async fn revoking_forgets_the_token(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    assert!(storage.grants().revoke(&account.id).await.unwrap());
    assert!(!storage.grants().revoke(&account.id).await.unwrap());
    assert_eq!(storage.grants().lookup(&account.id).await.unwrap(), None);
    let late = storage
        .grants()
        .replace(&account.id, 1, grant("late"), NOW)
        .await
        .unwrap();
    assert_eq!(
        late,
        Replacement::Superseded,
        "a refresh under way does not bring it back"
    );
}

pub async fn what_has_not_been_refreshed_for_long_is_found(storage: Arc<dyn Storage>) {
    let mut old = Vec::new();
    for person in ["ada", "bob", "eve"] {
        old.push(connected(&*storage, person).await);
    }
    let fresh = connected(&*storage, "fresh").await;
    storage
        .grants()
        .replace(&fresh.id, 1, grant("next"), later(100))
        .await
        .unwrap();
    let dying = connected(&*storage, "dying").await;
    let off = connected(&*storage, "off").await;
    for (account, state) in [
        (&dying, AccountState::ReauthRequired),
        (&off, AccountState::Disabled),
        (&old[1], AccountState::Degraded),
    ] {
        storage
            .accounts()
            .transition(&account.id, to(state), NOW)
            .await
            .unwrap();
    }
    let app_only = NewAccount {
        flow: Flow::AppOnly,
        ..new_account("default", "robot")
    };
    storage.accounts().add(app_only, None, NOW).await.unwrap();

    let mut expected: Vec<_> = old.iter().map(|account| account.id.clone()).collect();
    expected.sort();
    let mut seen = Vec::new();
    loop {
        let found = storage
            .grants()
            .stale(later(50), seen.last(), 2)
            .await
            .unwrap();
        assert!(found.len() <= 2);
        if found.is_empty() {
            break;
        }
        assert!(
            found
                .iter()
                .all(|account| account.grant.unwrap().refreshed_at == NOW)
        );
        seen.extend(found.into_iter().map(|account| account.id));
    }
    assert_eq!(seen, expected);
    assert!(
        storage
            .grants()
            .stale(NOW, None, 10)
            .await
            .unwrap()
            .is_empty(),
        "not older than itself"
    );
}
