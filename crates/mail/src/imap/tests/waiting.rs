//! IDLE, deadlines and dropped futures.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, sleep};

use super::script::{inbox, session, session_on};
use crate::imap::{Error, Idled, Limits, Query};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn idle_ends_at_a_change() {
    let (mut session, played) = inbox(
        "
        C: IDLE
        S: + idling
        S: * OK Still here
        S: * 4 EXISTS
        c: DONE
        S: * 1 RECENT
        S: TAG OK IDLE completed
        C: NOOP
        S: TAG OK x
        ",
    )
    .await;
    assert_eq!(session.idle(MINUTE).await.unwrap(), Idled::Changed);
    assert_eq!(session.selected().unwrap().exists, 4);
    session.noop().await.unwrap();
    played.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn idle_ends_in_time() {
    let (mut session, _) =
        inbox("C: IDLE\nS: + idling\nc: DONE\nS: TAG OK x\nC: NOOP\nS: TAG OK x\nH").await;
    let begun = Instant::now();
    assert_eq!(session.idle(20 * MINUTE).await.unwrap(), Idled::TimedOut);
    assert_eq!(begun.elapsed().as_secs(), 1200);
    session.noop().await.unwrap();
}

#[tokio::test]
async fn idle_tells_an_end_from_a_wait() {
    for (end, is_bye) in [
        ("S: * BYE Session invalidated - AccessTokenExpired\nX", true),
        ("X", false),
    ] {
        let (mut session, _) = inbox(&format!("C: IDLE\nS: + idling\n{end}")).await;
        match session.idle(MINUTE).await.unwrap_err() {
            Error::Bye { text } => assert!(is_bye && text.contains("AccessTokenExpired")),
            Error::Closed { .. } => assert!(!is_bye),
            other => panic!("{other:?}"),
        }
        assert!(!session.is_usable());
    }
    for refusal in [
        "S: TAG NO no",
        "S: TAG BAD no",
        "S: + idling\nS: TAG OK too early",
    ] {
        let (mut session, _) = inbox(&format!("C: IDLE\n{refusal}")).await;
        assert!(session.idle(MINUTE).await.is_err(), "{refusal}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_command() {
    let (mut session, _) = session("C: LIST …\nS: * LIST () NIL a\nH").await;
    let begun = Instant::now();
    let error = session.mailboxes().await.unwrap_err();
    assert!(matches!(&error, Error::Timeout { during } if during == "LIST"));
    assert_eq!(begun.elapsed().as_secs(), 60);
    assert!(!session.is_usable());
}

/// A drip keeps a command alive, but not for ever.
#[tokio::test(start_paused = true)]
async fn a_drip_ends_at_the_deadline() {
    let (mut session, mut server) = session_on(Limits::default()).await;
    tokio::spawn(async move {
        server.write_all(b"* OK ").await.unwrap();
        loop {
            sleep(Duration::from_secs(50)).await;
            if server.write_all(b"x").await.is_err() {
                return;
            }
        }
    });
    let begun = Instant::now();
    assert!(matches!(
        session.noop().await.unwrap_err(),
        Error::Timeout { .. }
    ));
    assert_eq!(begun.elapsed().as_secs(), 180);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_waited_for() {
    let (mut session, mut server) = session_on(Limits::default()).await;
    tokio::spawn(async move {
        for byte in b"M0005 OK x\r\n" {
            sleep(Duration::from_secs(10)).await;
            server.write_all(&[*byte]).await.unwrap();
        }
        std::future::pending::<()>().await;
    });
    session.noop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_is_left_in_time() {
    // The pipe holds 64 KiB, and the command has more.
    let (mut session, mut server) = session_on(Limits::default()).await;
    let script = super::script::steps(super::script::INBOX);
    let (opened, ()) = tokio::join!(
        session.examine("INBOX"),
        super::script::play(&mut server, script)
    );
    opened.unwrap();
    let keyword = vec!["x".repeat(100); 1000];
    let query = Query {
        keyword,
        ..Query::default()
    };
    assert!(matches!(
        session.search(&query).await,
        Err(Error::Timeout { .. })
    ));
    assert!(!session.is_usable());
    drop(server);
}

#[tokio::test]
async fn a_dropped_future_spends_the_session() {
    let (mut session, _) = session("C: LIST …\nS: * LIST () NIL a\nH").await;
    tokio::select! {
        biased;
        result = session.mailboxes() => panic!("{result:?}"),
        () = std::future::ready(()) => {}
    }
    assert!(!session.is_usable());
    assert!(matches!(
        session.noop().await.unwrap_err(),
        Error::Closed { hint: Some(_), .. }
    ));
}
