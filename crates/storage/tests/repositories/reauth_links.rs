//! The way back for a person whose grant has died.

use std::sync::Arc;

use mailgrant_storage::{
    AccountId, AccountState, Flow, NewAccount, SecretHash, Storage, Transition,
};

use crate::support::{NOW, connected, dead, grant, later, new_account, returned, to, told};

async fn link(storage: &dyn Storage, account: &AccountId) -> Option<String> {
    let link = storage.accounts().reauth_link(account).await.unwrap();
    link.map(|link| link.expose().to_owned())
}

async fn leads_to(storage: &dyn Storage, link: &str) -> Option<AccountId> {
    storage
        .accounts()
        .find_by_reauth_link(&SecretHash::of(link))
        .await
        .unwrap()
        .map(|account| account.id)
}

async fn change(storage: &dyn Storage, account: &AccountId, transition: Transition) {
    let done = storage
        .accounts()
        .transition(account, transition, later(1))
        .await;
    assert!(done.unwrap().is_some());
}

pub async fn a_dead_grant_has_one_way_back(storage: Arc<dyn Storage>) {
    let ada = connected(&*storage, "ada").await;
    let eve = connected(&*storage, "eve").await;
    assert_eq!(link(&*storage, &ada.id).await, None);
    change(&*storage, &ada.id, dead()).await;
    change(&*storage, &eve.id, dead()).await;
    let hers = link(&*storage, &ada.id).await.unwrap();
    assert!(hers.starts_with("mgr_") && hers.len() == 4 + 43);
    assert_eq!(leads_to(&*storage, &hers).await, Some(ada.id.clone()));
    assert_ne!(link(&*storage, &eve.id).await.unwrap(), hers);
    assert_eq!(leads_to(&*storage, "mgr_").await, None);
    change(&*storage, &ada.id, dead()).await;
    assert_eq!(
        link(&*storage, &ada.id).await.unwrap(),
        hers,
        "the same death"
    );
}

pub async fn the_link_is_void_when_the_state_is_left(storage: Arc<dyn Storage>) {
    for end in ["recovered", "disabled", "reconnected", "deleted"] {
        let account = connected(&*storage, end).await;
        change(&*storage, &account.id, dead()).await;
        let old = link(&*storage, &account.id).await.unwrap();
        match end {
            "recovered" => change(&*storage, &account.id, Transition::recovered()).await,
            "disabled" => change(&*storage, &account.id, to(AccountState::Disabled)).await,
            "reconnected" => {
                let session = returned(&*storage, end).await;
                storage
                    .connect_sessions()
                    .complete(&session.id, new_account("default", end), grant("x"), NOW)
                    .await
                    .unwrap();
            }
            _ => {
                storage
                    .accounts()
                    .remove("default", &account.id, NOW)
                    .await
                    .unwrap();
            }
        }
        assert_eq!(link(&*storage, &account.id).await, None, "{end}");
        assert_eq!(leads_to(&*storage, &old).await, None, "{end}");
    }
    let shown = told(&*storage, "default").await;
    assert!(shown.iter().all(|event| event.reauth_link.is_none()));
}

pub async fn another_death_makes_another_link(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    change(&*storage, &account.id, dead()).await;
    let first = link(&*storage, &account.id).await.unwrap();
    change(&*storage, &account.id, Transition::recovered()).await;
    change(&*storage, &account.id, dead()).await;
    let second = link(&*storage, &account.id).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(leads_to(&*storage, &first).await, None);
    let shown: Vec<_> = told(&*storage, "default")
        .await
        .into_iter()
        .map(|event| event.reauth_link.map(|link| link.expose().to_owned()))
        .collect();
    assert_eq!(
        shown,
        [None, None, None, Some(second)],
        "on its own event only"
    );
}

pub async fn an_application_needs_no_person(storage: Arc<dyn Storage>) {
    let app_only = NewAccount {
        flow: Flow::AppOnly,
        identity: None,
        ..new_account("default", "ada")
    };
    let account = storage.accounts().add(app_only, None, NOW).await.unwrap();
    change(&*storage, &account.id, dead()).await;
    assert_eq!(link(&*storage, &account.id).await, None);
}
