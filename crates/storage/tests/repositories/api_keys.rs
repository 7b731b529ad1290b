use std::sync::Arc;

use mailgrant_storage::{ApiScope, NewApiKey, SecretHash, Storage};

use crate::support::{NOW, later};

fn new_key(site: &str) -> NewApiKey {
    NewApiKey {
        site: site.to_owned(),
        label: "ci".to_owned(),
        scopes: ApiScope::ALL.iter().copied().collect(),
    }
}

pub async fn a_key_is_found_by_its_secret_only(storage: Arc<dyn Storage>) {
    let (key, secret) = storage
        .api_keys()
        .add(new_key("default"), NOW)
        .await
        .unwrap();
    let (_, other) = storage
        .api_keys()
        .add(new_key("default"), NOW)
        .await
        .unwrap();
    assert_ne!(secret, other);
    assert_eq!(secret.expose().len(), 4 + 43);
    assert!(secret.expose().starts_with(&key.hint) && key.hint.starts_with("mgk_"));
    assert_eq!(
        storage
            .api_keys()
            .find_by_secret(&secret.hash())
            .await
            .unwrap(),
        Some(key.clone())
    );
    assert_eq!(key.scopes.len(), ApiScope::ALL.len());
    for wrong in ["", "mgk_", key.id.as_str(), &secret.expose()[..46]] {
        assert_eq!(
            storage
                .api_keys()
                .find_by_secret(&SecretHash::of(wrong))
                .await
                .unwrap(),
            None,
            "{wrong}"
        );
    }
}

pub async fn a_revoked_key_is_not_found(storage: Arc<dyn Storage>) {
    let (key, secret) = storage
        .api_keys()
        .add(new_key("default"), NOW)
        .await
        .unwrap();
    let revoked = storage
        .api_keys()
        .revoke(&key.id, later(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(revoked.revoked_at, Some(later(1)));
    assert_eq!(
        storage
            .api_keys()
            .find_by_secret(&secret.hash())
            .await
            .unwrap(),
        None
    );
    let again = storage
        .api_keys()
        .revoke(&key.id, later(2))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again.revoked_at, Some(later(1)), "the first time counts");
}

pub async fn use_is_noted_coarsely(storage: Arc<dyn Storage>) {
    let (key, secret) = storage
        .api_keys()
        .add(new_key("default"), NOW)
        .await
        .unwrap();
    let used_at = [(1, 1), (300, 1), (600, 1), (601, 601), (602, 601)];
    for (seconds, noted) in used_at {
        let seen = storage
            .api_keys()
            .find_by_secret(&secret.hash())
            .await
            .unwrap()
            .unwrap();
        storage
            .api_keys()
            .touch(&seen, later(seconds))
            .await
            .unwrap();
        let seen = storage
            .api_keys()
            .find_by_secret(&secret.hash())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            seen.last_used_at,
            Some(later(noted)),
            "used after {seconds} s"
        );
    }
    storage.api_keys().touch(&key, later(700)).await.unwrap();
    let seen = storage
        .api_keys()
        .find_by_secret(&secret.hash())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        seen.last_used_at,
        Some(later(601)),
        "whoever holds an old copy writes no more often"
    );
}

pub async fn keys_are_listed_by_site(storage: Arc<dyn Storage>) {
    for (index, site) in ["default", "other", "default"].into_iter().enumerate() {
        storage
            .api_keys()
            .add(new_key(site), later(index.try_into().unwrap()))
            .await
            .unwrap();
    }
    let all = storage.api_keys().list(None, None, 10).await.unwrap();
    assert_eq!((all.items.len(), all.next), (3, None));
    let first = storage
        .api_keys()
        .list(Some("default"), None, 1)
        .await
        .unwrap();
    let second = storage
        .api_keys()
        .list(Some("default"), first.next.as_ref(), 1)
        .await
        .unwrap();
    assert_eq!((second.items.len(), &second.next), (1, &None));
    assert!(first.items[0].created_at < second.items[0].created_at);
}
