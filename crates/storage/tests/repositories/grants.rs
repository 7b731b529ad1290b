use std::sync::Arc;

use mailgrant_storage::{Replacement, Storage};

use crate::support::{NOW, connected, grant, later};

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
