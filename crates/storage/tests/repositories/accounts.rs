use std::collections::BTreeSet;
use std::sync::Arc;

use mailgrant_storage::{
    AccountFilter, AccountState, AccountUpdate, Error, Flow, NewAccount, Storage, Transition,
};
use serde_json::json;

use crate::support::{NOW, connected, grant, later, new_account};

pub async fn what_was_added_is_found(storage: Arc<dyn Storage>) {
    let mut new = new_account("default", "ada");
    new.diagnosis = Some(json!({"code": "x"}));
    new.metadata = json!({"customer": 7});
    let added = storage
        .accounts()
        .add(new.clone(), None, NOW)
        .await
        .unwrap();
    assert_eq!(
        storage
            .accounts()
            .lookup("default", &added.id)
            .await
            .unwrap()
            .unwrap(),
        added
    );
    assert_eq!(
        storage
            .accounts()
            .lookup_any_site(&added.id)
            .await
            .unwrap()
            .unwrap(),
        added
    );
    assert_eq!(
        (added.identity, added.diagnosis, added.metadata),
        (new.identity, new.diagnosis, new.metadata)
    );
    assert_eq!((added.created_at, added.updated_at), (NOW, NOW));
}

pub async fn other_sites_see_nothing(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    let accounts = storage.accounts();
    assert_eq!(accounts.lookup("other", &account.id).await.unwrap(), None);
    assert_eq!(
        accounts
            .update("other", &account.id, AccountUpdate::default(), NOW)
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        accounts.remove("other", &account.id, NOW).await.unwrap(),
        None
    );
    let filter = AccountFilter {
        site: Some("other".to_owned()),
        ..Default::default()
    };
    assert!(
        accounts
            .list(&filter, None, 10)
            .await
            .unwrap()
            .items
            .is_empty()
    );
    assert_eq!(
        accounts.lookup("default", &account.id).await.unwrap(),
        Some(account)
    );
}

pub async fn the_same_mailbox_is_a_conflict(storage: Arc<dyn Storage>) {
    let first = connected(&*storage, "ada").await;
    let mut same = new_account("default", "ada");
    same.imap_user = "ADA@Example.com".to_owned();
    let error = storage
        .accounts()
        .add(same, Some(grant("second")), NOW)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Conflict { account } if *account == first.id),
        "{error}"
    );
    assert!(
        storage
            .accounts()
            .add(new_account("other", "ada"), None, NOW)
            .await
            .is_ok(),
        "another site's own"
    );
    let token = storage
        .grants()
        .lookup(&first.id)
        .await
        .unwrap()
        .unwrap()
        .refresh_token;
    assert_eq!(
        token.expose(),
        "first-token",
        "the conflict changed nothing"
    );
}

pub async fn connecting_again_is_the_same_account_with_a_new_grant(storage: Arc<dyn Storage>) {
    let accounts = storage.accounts();
    let first = accounts
        .connect(new_account("default", "ada"), grant("old"), NOW)
        .await
        .unwrap();
    assert!(!first.reconnected);
    let dead = Transition {
        to: AccountState::ReauthRequired,
        ..Transition::recovered()
    };
    let id = &first.account.id;
    accounts.transition(id, dead, NOW).await.unwrap();

    let second = accounts
        .connect(new_account("default", "ada"), grant("new"), later(9))
        .await
        .unwrap();
    assert!(second.reconnected);
    assert_eq!(&second.account.id, id);
    assert_eq!(second.account.state, AccountState::Connected);
    let kept = storage.grants().lookup(id).await.unwrap().unwrap();
    assert_eq!(
        (kept.refresh_token.expose(), kept.obtained_at),
        ("new", later(9))
    );

    let other = accounts
        .connect(new_account("other", "ada"), grant("third"), later(9))
        .await
        .unwrap();
    assert!(!other.reconnected, "of another site");
}

pub async fn shared_mailboxes_of_one_person_are_separate(storage: Arc<dyn Storage>) {
    let own = connected(&*storage, "ada").await;
    let shared = NewAccount {
        imap_user: "info@example.com".to_owned(),
        ..new_account("default", "ada")
    };
    let shared = storage.accounts().add(shared, None, NOW).await.unwrap();
    assert_ne!(own.id, shared.id);
    let app_only = NewAccount {
        flow: Flow::AppOnly,
        identity: None,
        ..new_account("default", "ada")
    };
    assert!(storage.accounts().add(app_only, None, NOW).await.is_ok());
}

pub async fn the_list_is_paged_in_order_and_filtered(storage: Arc<dyn Storage>) {
    let mut expected = BTreeSet::new();
    for number in 0..5 {
        let new = new_account("default", &format!("person{number}"));
        expected.insert(
            storage
                .accounts()
                .add(new, None, later(number))
                .await
                .unwrap()
                .id,
        );
    }
    let sick = NewAccount {
        state: AccountState::Degraded,
        ..new_account("other", "eve")
    };
    storage.accounts().add(sick, None, NOW).await.unwrap();

    let filter = AccountFilter {
        site: Some("default".to_owned()),
        ..Default::default()
    };
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = storage
            .accounts()
            .list(&filter, after.as_ref(), 2)
            .await
            .unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items.into_iter().map(|account| account.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(
        seen,
        expected.into_iter().collect::<Vec<_>>(),
        "each once, oldest first"
    );

    let degraded = AccountFilter {
        state: Some(AccountState::Degraded),
        ..Default::default()
    };
    assert_eq!(
        storage
            .accounts()
            .list(&degraded, None, 10)
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    let foreign = AccountFilter {
        application: Some("fabrikam".to_owned()),
        ..Default::default()
    };
    assert!(
        storage
            .accounts()
            .list(&foreign, None, 10)
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

pub async fn an_update_changes_only_what_it_names(storage: Arc<dyn Storage>) {
    let before = connected(&*storage, "ada").await;
    let update = AccountUpdate {
        from_address: Some("info@example.com".to_owned()),
        ..Default::default()
    };
    let after = storage
        .accounts()
        .update("default", &before.id, update, later(5))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(after.from_address, "info@example.com");
    assert_eq!(after.updated_at, later(5));
    let mut expected = before.clone();
    expected.from_address.clone_from(&after.from_address);
    expected.updated_at = after.updated_at;
    assert_eq!(after, expected);
    let metadata = AccountUpdate {
        metadata: Some(json!({"a": [1]})),
        ..Default::default()
    };
    let after = storage
        .accounts()
        .update("default", &before.id, metadata, later(6))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(after.metadata, json!({"a": [1]}));
}

pub async fn an_update_cannot_take_another_accounts_mailbox(storage: Arc<dyn Storage>) {
    let own = connected(&*storage, "ada").await;
    let shared = NewAccount {
        imap_user: "info@example.com".to_owned(),
        ..new_account("default", "ada")
    };
    let shared = storage.accounts().add(shared, None, NOW).await.unwrap();
    let update = AccountUpdate {
        imap_user: Some("Info@example.com".to_owned()),
        ..Default::default()
    };
    let error = storage
        .accounts()
        .update("default", &own.id, update, NOW)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Conflict { account } if *account == shared.id),
        "{error}"
    );
    let same = AccountUpdate {
        imap_user: Some("ADA@example.com".to_owned()),
        ..Default::default()
    };
    assert!(
        storage
            .accounts()
            .update("default", &own.id, same, NOW)
            .await
            .unwrap()
            .is_some()
    );
}

pub async fn a_disabled_account_stays_disabled(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    let disable = Transition {
        to: AccountState::Disabled,
        ..Transition::recovered()
    };
    let before = storage
        .accounts()
        .transition(&account.id, disable, NOW)
        .await
        .unwrap();
    assert_eq!(before, Some(AccountState::Connected));
    let recovered = storage
        .accounts()
        .transition(&account.id, Transition::recovered(), NOW)
        .await
        .unwrap();
    assert_eq!(recovered, None);
    let state = storage
        .accounts()
        .lookup_any_site(&account.id)
        .await
        .unwrap()
        .unwrap()
        .state;
    assert_eq!(state, AccountState::Disabled);
}

pub async fn a_refusal_of_a_replaced_token_changes_nothing(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    storage
        .grants()
        .replace(&account.id, 1, grant("second"), NOW)
        .await
        .unwrap();
    let refused = Transition {
        generation: Some(1),
        to: AccountState::ReauthRequired,
        diagnosis: Some(json!({"code": "grant_dead"})),
        next_attempt_at: Some(later(60)),
        ..Transition::recovered()
    };
    assert_eq!(
        storage
            .accounts()
            .transition(&account.id, refused.clone(), NOW)
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        storage
            .accounts()
            .lookup_any_site(&account.id)
            .await
            .unwrap()
            .unwrap(),
        account
    );

    let current = Transition {
        generation: Some(2),
        ..refused
    };
    assert!(
        storage
            .accounts()
            .transition(&account.id, current, NOW)
            .await
            .unwrap()
            .is_some()
    );
    let after = storage
        .accounts()
        .lookup_any_site(&account.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(after.state, AccountState::ReauthRequired);
    assert_eq!(after.diagnosis, Some(json!({"code": "grant_dead"})));
    assert_eq!(after.next_attempt_at, Some(later(60)));
}

pub async fn removing_takes_the_grant_along(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    assert_eq!(
        storage
            .accounts()
            .remove("default", &account.id, NOW)
            .await
            .unwrap()
            .unwrap()
            .id,
        account.id
    );
    assert_eq!(
        storage
            .accounts()
            .lookup_any_site(&account.id)
            .await
            .unwrap(),
        None
    );
    assert_eq!(storage.grants().lookup(&account.id).await.unwrap(), None);
    assert_eq!(
        storage
            .accounts()
            .remove("default", &account.id, NOW)
            .await
            .unwrap(),
        None
    );
}
