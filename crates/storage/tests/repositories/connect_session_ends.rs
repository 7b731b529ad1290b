//! How connect sessions end without an account, and what is left of them.

use std::sync::Arc;

use mailgrant_storage::{Completion, ConnectPhase, ConnectStatus, Consumed, Outcome, Storage};
use serde_json::json;

use crate::support::{
    NOW, account_count, attempt, grant, hash, later, new_account, ran_out, returned, session,
};

pub async fn a_failed_session_cannot_be_completed(storage: Arc<dyn Storage>) {
    let session = returned(&*storage, "token").await;
    let ended = storage
        .connect_sessions()
        .fail(&session.id, json!({"code": "list_refused"}), NOW)
        .await
        .unwrap();
    assert!(matches!(ended, Outcome::Done(ref session) if session.status == ConnectStatus::Failed));
    let done = storage
        .connect_sessions()
        .complete(
            &session.id,
            new_account("default", "ada"),
            grant("secret"),
            NOW,
        )
        .await
        .unwrap();
    assert!(
        matches!(done, Completion::Refused(ref session) if session.diagnosis == Some(json!({"code": "list_refused"})))
    );
    assert_eq!(account_count(&*storage).await, 0);
}

pub async fn giving_up_is_possible_until_the_callback(storage: Arc<dyn Storage>) {
    let sessions = storage.connect_sessions();
    session(&*storage, "early").await;
    sessions
        .begin(&hash("early"), attempt("state"), NOW)
        .await
        .unwrap();
    let gone = sessions
        .give_up(&hash("early"), json!({"code": "cancelled"}), NOW)
        .await
        .unwrap();
    assert!(matches!(gone, Outcome::Done(ref session) if session.status == ConnectStatus::Failed));
    assert_eq!(
        sessions.consume_state(&hash("state"), NOW).await.unwrap(),
        Consumed::Unknown
    );

    returned(&*storage, "late").await;
    let kept = sessions
        .give_up(&hash("late"), json!({"code": "cancelled"}), NOW)
        .await
        .unwrap();
    assert!(
        matches!(kept, Outcome::Refused(ref session) if session.status == ConnectStatus::Pending)
    );
    assert_eq!(
        sessions
            .give_up(&hash("nonsense"), json!({}), NOW)
            .await
            .unwrap(),
        Outcome::Unknown
    );
}

pub async fn either_the_callback_or_giving_up_wins(storage: Arc<dyn Storage>) {
    for round in 0..30 {
        let (token, state) = (format!("token{round}"), format!("state{round}"));
        session(&*storage, &token).await;
        storage
            .connect_sessions()
            .begin(&hash(&token), attempt(&state), NOW)
            .await
            .unwrap();
        let callback = {
            let storage = Arc::clone(&storage);
            tokio::spawn(async move {
                storage
                    .connect_sessions()
                    .consume_state(&hash(&state), NOW)
                    .await
                    .unwrap()
            })
        };
        let cancel = {
            let storage = Arc::clone(&storage);
            tokio::spawn(async move {
                storage
                    .connect_sessions()
                    .give_up(&hash(&token), json!({}), NOW)
                    .await
                    .unwrap()
            })
        };
        let returned = matches!(callback.await.unwrap(), Consumed::Attempt(_));
        let cancelled = matches!(cancel.await.unwrap(), Outcome::Done(_));
        assert!(
            returned != cancelled,
            "round {round}: returned {returned}, cancelled {cancelled}"
        );
    }
}

pub async fn a_session_runs_out(storage: Arc<dyn Storage>) {
    let sessions = storage.connect_sessions();
    let made = session(&*storage, "token").await;
    sessions
        .begin(&hash("token"), attempt("state"), NOW)
        .await
        .unwrap();
    let late = later(600);
    assert!(matches!(
        sessions
            .begin(&hash("token"), attempt("x"), late)
            .await
            .unwrap(),
        Outcome::Refused(_)
    ));
    assert!(matches!(
        sessions
            .give_up(&hash("token"), json!({}), late)
            .await
            .unwrap(),
        Outcome::Refused(_)
    ));
    assert!(matches!(
        sessions.fail(&made.id, json!({}), late).await.unwrap(),
        Outcome::Refused(_)
    ));
    let consumed = sessions.consume_state(&hash("state"), late).await.unwrap();
    assert!(
        matches!(consumed, Consumed::Over(session) if session.status == ConnectStatus::Expired)
    );
    assert_eq!(
        sessions.consume_state(&hash("state"), NOW).await.unwrap(),
        Consumed::Unknown,
        "used up"
    );
}

pub async fn a_late_callback_has_time_to_complete(storage: Arc<dyn Storage>) {
    let sessions = storage.connect_sessions();
    session(&*storage, "token").await;
    sessions
        .begin(&hash("token"), attempt("state"), NOW)
        .await
        .unwrap();
    let Consumed::Attempt(attempt) = sessions
        .consume_state(&hash("state"), later(599))
        .await
        .unwrap()
    else {
        panic!("one second is left")
    };
    assert!(
        sessions
            .expire(&ran_out, later(660))
            .await
            .unwrap()
            .is_empty()
    );
    let done = sessions
        .complete(
            &attempt.session.id,
            new_account("default", "ada"),
            grant("secret"),
            later(700),
        )
        .await
        .unwrap();
    assert!(matches!(done, Completion::Connected(_)), "{done:?}");
}

pub async fn a_callback_that_was_never_finished_is_begun_again(storage: Arc<dyn Storage>) {
    let sessions = storage.connect_sessions();
    let made = returned(&*storage, "token").await;
    let begin = async |state: &str, seconds: i64| {
        let token = hash("token");
        let begun = sessions.begin(&token, attempt(state), later(seconds));
        begun.await.unwrap()
    };
    let phase = async |seconds: i64| {
        let read = sessions.lookup("default", &made.id, later(seconds)).await;
        read.unwrap().unwrap().phase
    };
    let at_work = begin("early", 119).await;
    assert!(matches!(at_work, Outcome::Refused(_)), "{at_work:?}");
    assert_eq!(phase(119).await, ConnectPhase::Returned);
    // Whoever was at work on it is gone: the link leads on again.
    assert_eq!(phase(120).await, ConnectPhase::Created);
    assert!(matches!(begin("again", 120).await, Outcome::Done(_)));
    let complete = async |seconds: i64| {
        let account = new_account("default", "ada");
        let done = sessions.complete(&made.id, account, grant("secret"), later(seconds));
        done.await.unwrap()
    };
    let late = complete(121).await;
    assert!(
        matches!(late, Completion::Refused(_)),
        "the first one wakes up: {late:?}"
    );
    let consumed = sessions
        .consume_state(&hash("again"), later(130))
        .await
        .unwrap();
    assert!(matches!(consumed, Consumed::Attempt(_)), "{consumed:?}");
    let done = complete(131).await;
    assert!(matches!(done, Completion::Connected(_)), "{done:?}");

    // Or the person gives up, and at the latest its time runs out.
    returned(&*storage, "other").await;
    let give_up = async |seconds: i64| {
        let token = hash("other");
        let given_up = sessions.give_up(&token, json!({}), later(seconds));
        given_up.await.unwrap()
    };
    assert!(matches!(give_up(60).await, Outcome::Refused(_)));
    assert!(matches!(give_up(120).await, Outcome::Done(_)));
    returned(&*storage, "third").await;
    let over = sessions.expire(&ran_out, later(600)).await.unwrap();
    assert_eq!(over.len(), 1);
}

pub async fn an_unswept_session_reads_as_expired(storage: Arc<dyn Storage>) {
    let made = session(&*storage, "token").await;
    let read = storage
        .connect_sessions()
        .lookup("default", &made.id, later(600))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (read.status, read.phase),
        (ConnectStatus::Expired, ConnectPhase::Finished)
    );
    assert_eq!(read.completed_at, Some(later(600)));
}

pub async fn the_sweep_ends_what_ran_out_once(storage: Arc<dyn Storage>) {
    let sessions = storage.connect_sessions();
    let made = session(&*storage, "token").await;
    sessions
        .begin(&hash("token"), attempt("state"), NOW)
        .await
        .unwrap();
    assert!(
        sessions
            .expire(&ran_out, later(599))
            .await
            .unwrap()
            .is_empty()
    );
    let ended = sessions.expire(&ran_out, later(601)).await.unwrap();
    assert_eq!(ended.len(), 1);
    assert_eq!(
        (&ended[0].id, ended[0].status),
        (&made.id, ConnectStatus::Expired)
    );
    // What was made of it while the attempt told when the browser was sent.
    let read = sessions.lookup("default", &made.id, later(602)).await;
    let read = read.unwrap().unwrap();
    assert_eq!(
        read.diagnosis,
        Some(json!({"code": "not_returned", "sent_at": NOW.0}))
    );
    assert_eq!(read.sent_at, None);
    assert!(
        sessions
            .expire(&ran_out, later(602))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        sessions.consume_state(&hash("state"), NOW).await.unwrap(),
        Consumed::Unknown
    );
}

pub async fn deleting_the_account_keeps_the_session(storage: Arc<dyn Storage>) {
    let session = returned(&*storage, "token").await;
    let sessions = storage.connect_sessions();
    let done = sessions
        .complete(&session.id, new_account("default", "ada"), grant("t"), NOW)
        .await
        .unwrap();
    let Completion::Connected(done) = done else {
        panic!("{done:?}")
    };
    storage
        .accounts()
        .remove("default", &done.account.id, NOW)
        .await
        .unwrap();
    let left = sessions
        .lookup("default", &session.id, NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (left.status, left.account),
        (ConnectStatus::Connected, None)
    );
}

pub async fn sessions_that_ended_long_ago_are_forgotten(storage: Arc<dyn Storage>) {
    let sessions = storage.connect_sessions();
    let ended = returned(&*storage, "ended").await;
    sessions
        .fail(&ended.id, json!({"code": "list_refused"}), later(10))
        .await
        .unwrap();
    let connected = returned(&*storage, "connected").await;
    sessions
        .complete(
            &connected.id,
            new_account("default", "ada"),
            grant("t"),
            later(20),
        )
        .await
        .unwrap();
    let open = returned(&*storage, "open").await;
    assert_eq!(sessions.forget_before(later(10)).await.unwrap(), 0);
    assert_eq!(sessions.forget_before(later(9999)).await.unwrap(), 2);
    for (id, left) in [(&ended.id, false), (&connected.id, false), (&open.id, true)] {
        let found = sessions.lookup("default", id, later(30)).await.unwrap();
        assert_eq!(found.is_some(), left);
    }
    assert_eq!(account_count(&*storage).await, 1, "its account stays");
}
