use std::sync::Arc;

use mailgrant_storage::{
    AccountState, Completion, ConnectPhase, ConnectStatus, Consumed, NewAccount, Outcome, Storage,
};
use serde_json::json;

use crate::support::{
    NOW, account_count, attempt, grant, hash, identity, later, new_account, returned, session,
};

pub async fn a_session_is_found_by_id_and_by_token(storage: Arc<dyn Storage>) {
    let sessions = storage.connect_sessions();
    let made = session(&*storage, "token").await;
    assert_eq!(
        (made.status, made.phase),
        (ConnectStatus::Pending, ConnectPhase::Created)
    );
    assert_eq!(made.metadata, json!({"customer": 7}));
    assert_eq!(
        sessions.lookup("default", &made.id, NOW).await.unwrap(),
        Some(made.clone())
    );
    assert_eq!(
        sessions
            .find_by_client_token(&hash("token"), NOW)
            .await
            .unwrap(),
        Some(made.clone())
    );
    assert_eq!(sessions.lookup("other", &made.id, NOW).await.unwrap(), None);
    assert_eq!(
        sessions
            .find_by_client_token(&hash("nonsense"), NOW)
            .await
            .unwrap(),
        None
    );
    let page = sessions.list("default", None, 10, NOW).await.unwrap();
    assert_eq!(page.items, [made]);
    assert!(
        sessions
            .list("other", None, 10, NOW)
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

pub async fn a_later_try_replaces_the_earlier_one(storage: Arc<dyn Storage>) {
    let sessions = storage.connect_sessions();
    session(&*storage, "token").await;
    for state in ["first", "second"] {
        let begun = sessions
            .begin(&hash("token"), attempt(state), NOW)
            .await
            .unwrap();
        assert!(matches!(begun, Outcome::Done(session) if session.phase == ConnectPhase::Started));
    }
    assert_eq!(
        sessions.consume_state(&hash("first"), NOW).await.unwrap(),
        Consumed::Unknown
    );
    let Consumed::Attempt(found) = sessions.consume_state(&hash("second"), NOW).await.unwrap()
    else {
        panic!("the second state is good")
    };
    assert_eq!(found.browser, hash("cookie"));
    assert_eq!(found.nonce, attempt("second").nonce);
    assert_eq!(found.code_verifier, attempt("second").code_verifier);
    assert_eq!(found.session.phase, ConnectPhase::Returned);
    let begun = sessions
        .begin(&hash("token"), attempt("third"), NOW)
        .await
        .unwrap();
    assert!(
        matches!(begun, Outcome::Refused(_)),
        "the callback decides now"
    );
    assert_eq!(
        sessions
            .begin(&hash("nonsense"), attempt("x"), NOW)
            .await
            .unwrap(),
        Outcome::Unknown
    );
}

pub async fn a_state_is_consumed_once_among_fifty(storage: Arc<dyn Storage>) {
    session(&*storage, "token").await;
    storage
        .connect_sessions()
        .begin(&hash("token"), attempt("state"), NOW)
        .await
        .unwrap();
    let racers: Vec<_> = (0..50)
        .map(|_| {
            let storage = Arc::clone(&storage);
            tokio::spawn(async move {
                storage
                    .connect_sessions()
                    .consume_state(&hash("state"), NOW)
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut winners = 0;
    for racer in racers {
        match racer.await.unwrap() {
            Consumed::Attempt(_) => winners += 1,
            other => assert_eq!(other, Consumed::Unknown),
        }
    }
    assert_eq!(winners, 1);
}

pub async fn completing_makes_account_and_grant(storage: Arc<dyn Storage>) {
    let session = returned(&*storage, "token").await;
    let done = storage
        .connect_sessions()
        .complete(
            &session.id,
            new_account("default", "ada"),
            grant("secret"),
            later(3),
        )
        .await
        .unwrap();
    let Completion::Connected(done) = done else {
        panic!("{done:?}")
    };
    assert!(!done.reconnected);
    assert_eq!(
        (done.session.status, done.session.phase),
        (ConnectStatus::Connected, ConnectPhase::Finished)
    );
    assert_eq!(done.session.account.as_ref(), Some(&done.account.id));
    assert_eq!(done.session.completed_at, Some(later(3)));
    let stored = storage
        .grants()
        .lookup(&done.account.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.refresh_token.expose(), "secret");
    let again = storage
        .connect_sessions()
        .complete(
            &session.id,
            new_account("default", "eve"),
            grant("other"),
            later(4),
        )
        .await
        .unwrap();
    assert!(matches!(again, Completion::Refused(found) if *found == done.session));
    assert_eq!(account_count(&*storage).await, 1);
}

pub async fn completing_needs_a_callback(storage: Arc<dyn Storage>) {
    let session = session(&*storage, "token").await;
    let early = storage
        .connect_sessions()
        .complete(
            &session.id,
            new_account("default", "ada"),
            grant("secret"),
            NOW,
        )
        .await
        .unwrap();
    assert!(matches!(early, Completion::Refused(_)));
    assert_eq!(account_count(&*storage).await, 0);
}

pub async fn reconnecting_is_the_same_account(storage: Arc<dyn Storage>) {
    let sessions = storage.connect_sessions();
    let mut first = new_account("default", "ada");
    first.metadata = json!({"customer": 7});
    let session = returned(&*storage, "one").await;
    let Completion::Connected(before) = sessions
        .complete(&session.id, first, grant("old"), NOW)
        .await
        .unwrap()
    else {
        panic!("the first connection is made")
    };
    let dead = mailgrant_storage::Transition {
        to: AccountState::ReauthRequired,
        diagnosis: Some(json!({})),
        ..mailgrant_storage::Transition::recovered()
    };
    storage
        .accounts()
        .transition(&before.account.id, dead, NOW)
        .await
        .unwrap();

    let session = returned(&*storage, "two").await;
    let mut second = new_account("default", "ada");
    second.imap_user = "Ada@example.com".to_owned();
    let done = sessions
        .complete(&session.id, second, grant("new"), later(9))
        .await
        .unwrap();
    let Completion::Connected(after) = done else {
        panic!("{done:?}")
    };
    assert!(after.reconnected);
    assert_eq!(after.account.id, before.account.id);
    assert_eq!(
        (after.account.state, after.account.diagnosis),
        (AccountState::Connected, None)
    );
    assert_eq!(
        after.account.metadata,
        json!({"customer": 7}),
        "empty metadata keeps what was there"
    );
    let grant = storage
        .grants()
        .lookup(&after.account.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            grant.refresh_token.expose(),
            grant.generation,
            grant.obtained_at
        ),
        ("new", 2, later(9))
    );
    assert_eq!(account_count(&*storage).await, 1);
}

pub async fn another_person_is_another_account(storage: Arc<dyn Storage>) {
    for (token, person, subject_only) in
        [("a", "ada", false), ("b", "eve", false), ("c", "ada", true)]
    {
        let session = returned(&*storage, token).await;
        let mut account = NewAccount {
            imap_user: "info@example.com".to_owned(),
            ..new_account("default", person)
        };
        if subject_only {
            account.identity = Some(mailgrant_storage::Identity {
                tenant_id: None,
                object_id: None,
                ..identity("ada")
            });
        }
        let done = storage
            .connect_sessions()
            .complete(&session.id, account, grant(token), NOW)
            .await
            .unwrap();
        assert!(
            matches!(done, Completion::Connected(done) if !done.reconnected),
            "{token}"
        );
    }
    assert_eq!(account_count(&*storage).await, 3);
}

pub async fn consent_is_awaited_and_granted(storage: Arc<dyn Storage>) {
    let sessions = storage.connect_sessions();
    let session = returned(&*storage, "token").await;
    let tomorrow = later(86_400);
    let waiting = sessions
        .await_consent(
            &session.id,
            hash("admin"),
            json!({"code": "consent"}),
            tomorrow,
            NOW,
        )
        .await
        .unwrap();
    let Outcome::Done(waiting) = waiting else {
        panic!("{waiting:?}")
    };
    assert_eq!(
        (waiting.status, waiting.phase),
        (ConnectStatus::AwaitingAdminConsent, ConnectPhase::Created)
    );
    assert_eq!(waiting.expires_at, tomorrow);
    assert_eq!(
        sessions
            .find_by_consent_state(&hash("admin"), NOW)
            .await
            .unwrap(),
        Some(waiting)
    );

    let pending = sessions
        .grant_consent(&hash("admin"), later(3600))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (pending.status, pending.diagnosis),
        (ConnectStatus::Pending, None)
    );
    assert_eq!(
        sessions
            .grant_consent(&hash("admin"), later(3600))
            .await
            .unwrap(),
        None,
        "the link is used up"
    );
    sessions
        .begin(&hash("token"), attempt("again"), later(3600))
        .await
        .unwrap();
    assert!(matches!(
        sessions
            .consume_state(&hash("again"), later(3600))
            .await
            .unwrap(),
        Consumed::Attempt(_)
    ));
}
