//! What is told of which change.

use std::sync::Arc;

use mailgrant_storage::{
    AccountState, Completion, Error, EventKind, Flow, NewAccount, Storage, Transition,
};
use serde_json::{Value, json};

use crate::support::{
    NOW, alarm, connected, dead, grant, kinds, later, new_account, ran_out, returned, session, to,
    told,
};

pub async fn each_change_of_state_is_told_once(storage: Arc<dyn Storage>) {
    use AccountState::{Connected, Degraded, Disabled, PendingConsent, ReauthRequired};

    let waiting = NewAccount {
        state: PendingConsent,
        ..new_account("default", "ada")
    };
    let account = storage
        .accounts()
        .add(waiting, Some(grant("token")), NOW)
        .await
        .unwrap();
    assert!(
        kinds(&*storage).await.is_empty(),
        "nothing is connected yet"
    );

    let mut expected = Vec::new();
    for (number, (state, event)) in [
        (Connected, Some("account.recovered")),
        (Connected, None),
        (Degraded, Some("account.degraded")),
        (Degraded, None),
        (Connected, Some("account.recovered")),
        (ReauthRequired, Some("account.reauth_required")),
        (ReauthRequired, None),
        (Connected, Some("account.recovered")),
        (Disabled, Some("account.disabled")),
        (Disabled, None),
        (Connected, Some("account.enabled")),
        (Degraded, Some("account.degraded")),
        (ReauthRequired, Some("account.reauth_required")),
        (Disabled, Some("account.disabled")),
    ]
    .into_iter()
    .enumerate()
    {
        let transition = Transition {
            from: AccountState::ALL,
            diagnosis: Some(json!({"code": format!("number {number}")})),
            ..to(state)
        };
        let done = storage
            .accounts()
            .transition(&account.id, transition, later(1))
            .await
            .unwrap();
        assert!(done.is_some());
        expected.extend(event);
        assert_eq!(kinds(&*storage).await, expected, "after number {number}");
    }

    let events = told(&*storage, "default").await;
    let degraded = &events[1];
    assert_eq!(
        (degraded.account.as_ref(), degraded.site.as_deref()),
        (Some(&account.id), Some("default"))
    );
    assert_eq!(degraded.occurred_at, later(1));
    assert_eq!(
        degraded.data,
        json!({"application": "contoso", "flow": "delegated", "imap_user": "ada@example.com", "state": "degraded",
            "previous_state": "connected", "diagnosis": {"code": "number 2"}})
    );
}

pub async fn a_change_that_does_not_happen_is_not_told(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    let again = storage
        .accounts()
        .add(new_account("default", "ada"), Some(grant("x")), NOW)
        .await;
    assert!(matches!(again, Err(Error::Conflict { .. })));
    let replaced = Transition {
        generation: Some(7),
        ..dead()
    };
    storage
        .accounts()
        .transition(&account.id, replaced, NOW)
        .await
        .unwrap();
    let early = session(&*storage, "token").await;
    storage
        .connect_sessions()
        .complete(&early.id, new_account("default", "eve"), grant("x"), NOW)
        .await
        .unwrap();
    assert_eq!(kinds(&*storage).await, ["account.connected"]);
}

pub async fn a_dead_grant_is_told_once_among_fifty(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    let asking: Vec<_> = (0..50)
        .map(|number| {
            let (storage, id) = (Arc::clone(&storage), account.id.clone());
            tokio::spawn(async move {
                let died = Transition {
                    diagnosis: Some(json!({"code": "grant_dead", "seen_by": number})),
                    ..dead()
                };
                let before = storage.accounts().transition(&id, died, NOW).await.unwrap();
                let link = storage.accounts().reauth_link(&id).await.unwrap();
                (before.unwrap(), link.unwrap().expose().to_owned())
            })
        })
        .collect();
    let mut links = Vec::new();
    let mut first = 0;
    for asked in asking {
        let (before, link) = asked.await.unwrap();
        first += usize::from(before == AccountState::Connected);
        links.push(link);
    }
    links.dedup();
    assert_eq!((first, links.len()), (1, 1));
    let events = told(&*storage, "default").await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].kind, EventKind::AccountReauthRequired);
    assert_eq!(events[1].reauth_link.as_ref().unwrap().expose(), links[0]);
}

pub async fn a_passing_fault_does_not_hide_a_dead_grant(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    let accounts = storage.accounts();
    accounts.transition(&account.id, dead(), NOW).await.unwrap();
    let late = accounts
        .transition(&account.id, to(AccountState::Degraded), NOW)
        .await
        .unwrap();
    assert_eq!(late, None, "another replica's request that timed out");
    accounts.transition(&account.id, dead(), NOW).await.unwrap();
    assert_eq!(
        kinds(&*storage).await,
        ["account.connected", "account.reauth_required"]
    );
}

pub async fn a_reconnect_ends_a_death(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    storage
        .accounts()
        .transition(&account.id, dead(), NOW)
        .await
        .unwrap();
    let session = returned(&*storage, "token").await;
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
    // Connected already: only the session is news.
    let again = returned(&*storage, "again").await;
    storage
        .connect_sessions()
        .complete(
            &again.id,
            new_account("default", "ada"),
            grant("newer"),
            NOW,
        )
        .await
        .unwrap();
    // Without a session nothing is different.
    storage
        .accounts()
        .transition(&account.id, dead(), NOW)
        .await
        .unwrap();
    let terminal = storage
        .accounts()
        .connect(new_account("default", "ada"), grant("newest"), NOW)
        .await
        .unwrap();
    assert!(terminal.reconnected);
    assert_eq!(
        kinds(&*storage).await,
        [
            "account.connected",
            "account.reauth_required",
            "account.recovered",
            "connect_session.completed",
            "connect_session.completed",
            "account.reauth_required",
            "account.recovered",
        ]
    );
}

pub async fn sessions_tell_how_they_ended_once(storage: Arc<dyn Storage>) {
    let sessions = storage.connect_sessions();
    let cancelled = session(&*storage, "cancelled").await;
    for _ in 0..2 {
        sessions
            .give_up(
                &mailgrant_storage::SecretHash::of("cancelled"),
                json!({"code": "cancelled", "detail": "the person left"}),
                later(1),
            )
            .await
            .unwrap();
    }
    let failed = returned(&*storage, "failed").await;
    for _ in 0..2 {
        sessions
            .fail(&failed.id, json!({"code": "list_refused"}), later(2))
            .await
            .unwrap();
    }
    let done = returned(&*storage, "done").await;
    let Completion::Connected(completed) = sessions
        .complete(
            &done.id,
            new_account("default", "ada"),
            grant("x"),
            later(3),
        )
        .await
        .unwrap()
    else {
        panic!("it is connected")
    };
    let expired = session(&*storage, "expired").await;
    assert_eq!(
        sessions.expire(&ran_out, later(600)).await.unwrap().len(),
        1
    );
    assert_eq!(
        sessions.expire(&ran_out, later(601)).await.unwrap().len(),
        0
    );

    let events = told(&*storage, "default").await;
    let ended: Vec<_> = events
        .into_iter()
        .filter(|event| event.kind == EventKind::ConnectSessionCompleted)
        .map(|event| (event.connect_session.unwrap(), event.account, event.data))
        .collect();
    let data = |status: &str, account: Value, diagnosis: Value| json!({"application": "contoso", "status": status, "account_id": account, "diagnosis": diagnosis});
    let account = completed.account.id;
    assert_eq!(
        ended,
        [
            (
                cancelled.id,
                None,
                data("failed", json!(null), json!("cancelled"))
            ),
            (
                failed.id,
                None,
                data("failed", json!(null), json!("list_refused"))
            ),
            (
                done.id,
                Some(account.clone()),
                data("connected", json!(account), json!(null))
            ),
            (
                expired.id,
                None,
                data("expired", json!(null), json!("not_returned"))
            ),
        ]
    );
}

pub async fn a_deletion_is_told_once_and_the_events_stay(storage: Arc<dyn Storage>) {
    let account = connected(&*storage, "ada").await;
    storage
        .accounts()
        .transition(&account.id, dead(), NOW)
        .await
        .unwrap();
    storage
        .accounts()
        .remove("default", &account.id, NOW)
        .await
        .unwrap();
    let again = storage
        .accounts()
        .remove("default", &account.id, NOW)
        .await
        .unwrap();
    assert_eq!(again, None);
    let events = told(&*storage, "default").await;
    assert_eq!(events.len(), 3);
    assert_eq!(events[2].kind, EventKind::AccountDeleted);
    assert_eq!(
        events[2].data,
        json!({"application": "contoso", "flow": "delegated", "imap_user": "ada@example.com", "state": null,
            "previous_state": "reauth_required", "diagnosis": {"code": "grant_dead"}})
    );
    for event in &events {
        assert_eq!(event.account.as_ref(), Some(&account.id));
        assert_eq!(event.data["imap_user"], "ada@example.com");
        assert_eq!(event.reauth_link, None);
    }
    let app_only = NewAccount {
        flow: Flow::AppOnly,
        identity: None,
        ..new_account("default", "bob")
    };
    storage.accounts().add(app_only, None, NOW).await.unwrap();
    assert_eq!(kinds(&*storage).await.len(), 4, "and others follow");
}

pub async fn what_is_told_once_is_told_once_among_fifty(storage: Arc<dyn Storage>) {
    let telling: Vec<_> = (0..50)
        .map(|number| {
            let storage = Arc::clone(&storage);
            tokio::spawn(async move {
                let event = alarm(number, None);
                storage
                    .events()
                    .add_once(event, "contoso secret 2027-06-01 30", NOW)
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut added = 0;
    for told in telling {
        added += usize::from(told.await.unwrap());
    }
    assert_eq!(added, 1);
    let other = storage
        .events()
        .add_once(alarm(50, None), "contoso secret 2027-06-01 7", NOW);
    assert!(other.await.unwrap());
    assert_eq!(kinds(&*storage).await.len(), 2);
}
