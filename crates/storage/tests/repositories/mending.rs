//! Connect sessions that mend one account.

use std::sync::Arc;

use mailgrant_storage::{
    Account, AccountState, AccountUpdate, Completion, ConnectStatus, Error, NewAccount, Storage,
    Transition,
};
use serde_json::json;

use crate::support::{
    NOW, connected, dead, grant, identity, kinds, later, new_account, returned_mending, to,
};

async fn mended(storage: &dyn Storage, account: &Account, new: NewAccount) -> Completion {
    let token = format!("token {}", kinds(storage).await.len());
    let session = returned_mending(storage, &token, Some(&account.id)).await;
    assert_eq!(session.mends.as_ref(), Some(&account.id));
    storage
        .connect_sessions()
        .complete(&session.id, new, grant("new"), later(9))
        .await
        .unwrap()
}

async fn now(storage: &dyn Storage, account: &Account) -> Option<Account> {
    storage
        .accounts()
        .lookup_any_site(&account.id)
        .await
        .unwrap()
}

async fn token(storage: &dyn Storage, account: &Account) -> String {
    let grant = storage.grants().lookup(&account.id).await.unwrap().unwrap();
    grant.refresh_token.expose().to_owned()
}

pub async fn the_same_person_mends_that_account_and_no_other(storage: Arc<dyn Storage>) {
    let own = connected(&*storage, "ada").await;
    let shared = NewAccount {
        imap_user: "info@example.com".to_owned(),
        metadata: json!({"customer": 7}),
        ..new_account("default", "ada")
    };
    let shared = storage
        .accounts()
        .add(shared, Some(grant("old")), NOW)
        .await
        .unwrap();
    let renamed = AccountUpdate {
        from_address: Some("support@example.com".to_owned()),
        ..AccountUpdate::default()
    };
    storage
        .accounts()
        .update("default", &shared.id, renamed, NOW)
        .await
        .unwrap();
    storage
        .accounts()
        .transition(&shared.id, dead(), NOW)
        .await
        .unwrap();

    // The sign-in is the person's own; what it says about names is not what the account goes by.
    let new = NewAccount {
        tenant: Some("tenant".to_owned()),
        metadata: json!({"other": true}),
        ..new_account("default", "ada")
    };
    let Completion::Connected(done) = mended(&*storage, &shared, new).await else {
        panic!("the same person")
    };
    assert!(done.reconnected);
    let after = now(&*storage, &shared).await.unwrap();
    assert_eq!(done.account, after);
    assert_eq!(
        (after.id, after.state, after.diagnosis),
        (shared.id.clone(), AccountState::Connected, None)
    );
    assert_eq!(
        (
            after.imap_user.as_str(),
            after.from_address.as_str(),
            after.metadata
        ),
        (
            "info@example.com",
            "support@example.com",
            json!({"customer": 7})
        )
    );
    assert_eq!(after.tenant.as_deref(), Some("tenant"));
    assert_eq!(after.grant.unwrap().obtained_at, later(9));
    assert_eq!(token(&*storage, &shared).await, "new");
    assert_eq!(
        now(&*storage, &own).await.unwrap(),
        own,
        "the other is as it was"
    );
    assert_eq!(token(&*storage, &own).await, "first-token");
    assert_eq!(
        kinds(&*storage).await[2..],
        [
            "account.reauth_required",
            "account.recovered",
            "connect_session.completed"
        ]
    );
}

pub async fn somebody_else_mends_nothing(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    storage
        .accounts()
        .transition(&account.id, dead(), NOW)
        .await
        .unwrap();
    let before = now(&*storage, &account).await;
    let told = kinds(&*storage).await;
    let link = storage.accounts().reauth_link(&account.id).await.unwrap();

    let mut other_tenant = identity("ada");
    other_tenant.tenant_id = Some("another tenant".to_owned());
    let others = [Some(identity("eve")), Some(other_tenant), None];
    for (number, identity) in others.into_iter().enumerate() {
        // The same mailbox, to which somebody else has access too.
        let new = NewAccount {
            identity,
            ..new_account("default", "ada")
        };
        let token = format!("try {number}");
        let session = returned_mending(&*storage, &token, Some(&account.id)).await;
        let refused = storage
            .connect_sessions()
            .complete(&session.id, new, grant("theirs"), NOW)
            .await
            .unwrap();
        let Completion::WrongPerson(found) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(found.status, ConnectStatus::Pending, "the caller ends it");
    }
    assert_eq!(now(&*storage, &account).await, before);
    assert_eq!(token(&*storage, &account).await, "first-token");
    assert_eq!(kinds(&*storage).await, told);
    let kept = storage.accounts().reauth_link(&account.id).await.unwrap();
    assert!(kept.is_some() && kept == link, "the way back stays open");
    let filter = mailgrant_storage::AccountFilter::default();
    let all = storage.accounts().list(&filter, None, 10).await.unwrap();
    assert_eq!(all.items.len(), 1, "and nobody else is connected");
}

fn imported() -> NewAccount {
    NewAccount {
        identity: None,
        ..new_account("default", "ada")
    }
}

pub async fn an_imported_account_takes_the_first_person_who_is_proven(storage: Arc<dyn Storage>) {
    let account = storage
        .accounts()
        .add(imported(), Some(grant("imported")), NOW)
        .await
        .unwrap();
    let first = mended(&*storage, &account, new_account("default", "ada")).await;
    assert!(matches!(first, Completion::Connected(_)), "{first:?}");
    let after = now(&*storage, &account).await.unwrap();
    assert_eq!(after.identity, Some(identity("ada")));
    let second = mended(&*storage, &account, new_account("default", "eve")).await;
    assert!(matches!(second, Completion::WrongPerson(_)), "{second:?}");
    // From now on it is the person's, by an ordinary session too.
    let again = storage
        .accounts()
        .connect(new_account("default", "ada"), grant("x"), NOW)
        .await
        .unwrap();
    assert_eq!((again.account.id, again.reconnected), (account.id, true));
}

pub async fn an_imported_account_takes_nobody_who_has_the_mailbox_already(
    storage: Arc<dyn Storage>,
) {
    let account = storage
        .accounts()
        .add(imported(), Some(grant("imported")), NOW)
        .await
        .unwrap();
    let existing = connected(&*storage, "ada").await;
    let session = returned_mending(&*storage, "token", Some(&account.id)).await;
    let error = storage
        .connect_sessions()
        .complete(&session.id, new_account("default", "ada"), grant("x"), NOW)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Conflict { account } if *account == existing.id),
        "{error}"
    );
    assert_eq!(token(&*storage, &account).await, "imported");
}

pub async fn what_is_gone_or_switched_off_is_not_mended(storage: Arc<dyn Storage>) {
    let off = connected(&*storage, "off").await;
    let session = returned_mending(&*storage, "off", Some(&off.id)).await;
    storage
        .accounts()
        .transition(&off.id, to(AccountState::Disabled), NOW)
        .await
        .unwrap();
    let refused = storage
        .connect_sessions()
        .complete(&session.id, new_account("default", "off"), grant("x"), NOW)
        .await
        .unwrap();
    assert!(matches!(refused, Completion::AccountGone(_)), "{refused:?}");
    assert_eq!(
        now(&*storage, &off).await.unwrap().state,
        AccountState::Disabled
    );
    assert_eq!(token(&*storage, &off).await, "first-token");

    let gone = connected(&*storage, "gone").await;
    let session = returned_mending(&*storage, "gone", Some(&gone.id)).await;
    storage
        .accounts()
        .remove("default", &gone.id, NOW)
        .await
        .unwrap();
    let refused = storage
        .connect_sessions()
        .complete(&session.id, new_account("default", "gone"), grant("x"), NOW)
        .await
        .unwrap();
    assert!(matches!(refused, Completion::AccountGone(_)), "{refused:?}");
    let filter = mailgrant_storage::AccountFilter::default();
    let all = storage.accounts().list(&filter, None, 10).await.unwrap();
    assert_eq!(all.items.len(), 1, "no account comes of it");
    let on = Transition {
        from: &[AccountState::Disabled],
        ..Transition::recovered()
    };
    storage
        .accounts()
        .transition(&off.id, on, NOW)
        .await
        .unwrap();
    let mended = mended(&*storage, &off, new_account("default", "off")).await;
    assert!(matches!(mended, Completion::Connected(_)), "{mended:?}");
}

pub async fn an_account_knows_the_page_it_was_connected_on(storage: Arc<dyn Storage>) {
    let session = returned_mending(&*storage, "a page's", None).await;
    let completed = storage
        .connect_sessions()
        .complete(&session.id, new_account("default", "ada"), grant("a"), NOW)
        .await
        .unwrap();
    let Completion::Connected(completed) = completed else {
        panic!("{completed:?}");
    };
    let account = completed.account;
    assert_eq!(account.origin.as_ref(), Some(&session.origin));
    assert_eq!(
        now(&*storage, &account).await.unwrap().origin,
        account.origin
    );

    // No page: what is known stays.
    storage
        .accounts()
        .connect(new_account("default", "ada"), grant("b"), NOW)
        .await
        .unwrap();
    mended(&*storage, &account, new_account("default", "ada")).await;
    let forgotten = storage.connect_sessions().forget_before(later(9999)).await;
    assert!(forgotten.unwrap() > 0);
    assert_eq!(
        now(&*storage, &account).await.unwrap().origin,
        account.origin
    );

    let imported = storage
        .accounts()
        .add(new_account("default", "eve"), None, NOW)
        .await
        .unwrap();
    assert_eq!(imported.origin, None);
}
