//! UID SEARCH.

use mailgrant_core::time::UnixTime;
use proptest::prelude::*;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use super::script::{INBOX, LOGIN, inbox, login, play, session, session_on, steps};
use crate::imap::{Error, Limits, Query};

/// 2026-06-15T12:00:00Z
const NOON: UnixTime = UnixTime(1_781_524_800);

#[tokio::test]
async fn the_query_becomes_search_keys() {
    let (mut session, played) = inbox(
        r#"
        C: UID SEARCH FROM "o'brien \"x\" \\" SUBJECT "a b" TEXT "" SEEN KEYWORD $Forwarded UNFLAGGED UNKEYWORD Junk
        S: * SEARCH 5 3 9
        S: * SEARCH 3 0
        S: * SEARCH
        S: TAG OK done
        C: UID SEARCH ALL
        S: * SEARCH 
        S: TAG OK done
        "#,
    )
    .await;
    let query = Query {
        from: Some(r#"o'brien "x" \"#.into()),
        subject: Some("a b".into()),
        text: Some(String::new()),
        keyword: vec!["$seen".into(), "$Forwarded".into()],
        not_keyword: vec!["\\Flagged".into(), "Junk".into()],
        ..Query::default()
    };
    assert_eq!(session.search(&query).await.unwrap(), [9, 5, 3]);
    assert_eq!(session.search(&Query::default()).await.unwrap(), [0u32; 0]);
    played.await.unwrap();
}

#[tokio::test]
async fn text_beyond_ascii_goes_as_a_literal() {
    let query = Query {
        subject: Some("Entwürfe".into()),
        text: Some("日本".into()),
        not_keyword: vec!["$seen".into()],
        ..Query::default()
    };
    let (mut at_once, played) = inbox(
        "C: UID SEARCH CHARSET UTF-8 SUBJECT {9+}\nc: Entwürfe TEXT {6+}\nc: 日本 UNSEEN\nS: * SEARCH 4\nS: TAG OK x",
    )
    .await;
    assert_eq!(at_once.search(&query).await.unwrap(), [4]);
    played.await.unwrap();

    let login_without = LOGIN.replace(" LITERAL+", "");
    let (synchronising, played) = login(&format!(
        "{login_without}\n{INBOX}
        C: UID SEARCH CHARSET UTF-8 SUBJECT {{9}}
        S: * 4 EXISTS
        S: + Ready for additional command text.
        c: Entwürfe TEXT {{6}}
        S: +
        c: 日本 UNSEEN
        S: * SEARCH 4
        S: TAG OK x"
    ))
    .await;
    let mut synchronising = synchronising.unwrap();
    synchronising.examine("INBOX").await.unwrap();
    assert_eq!(synchronising.search(&query).await.unwrap(), [4]);
    assert_eq!(synchronising.selected().unwrap().exists, 4);
    played.await.unwrap();
}

#[tokio::test]
async fn dates_are_exact_although_imap_knows_days_only() {
    let (mut session, played) = inbox(
        r#"
        C: UID SEARCH FROM "a" SINCE 14-Jun-2026
        S: * SEARCH 1 2 3 4 9
        S: TAG OK done
        C: UID SEARCH FROM "a" SINCE 14-Jun-2026 SINCE 14-Jun-2026 BEFORE 17-Jun-2026
        S: * SEARCH 1 2 3 4
        S: TAG OK done
        C: UID FETCH 1:4 (UID INTERNALDATE)
        S: * 1 FETCH (UID 1 INTERNALDATE "15-Jun-2026 11:59:59 +0000")
        S: * 2 FETCH (UID 2 INTERNALDATE "15-Jun-2026 12:00:00 +0000")
        S: * 3 FETCH (UID 3 INTERNALDATE "15-Jun-2026 23:59:00 +1200")
        S: * 4 FETCH (UID 4 INTERNALDATE "unreadable")
        S: TAG OK done
        C: UID SEARCH BEFORE 17-Jun-2026
        S: * SEARCH 1 2 3 4
        S: TAG OK done
        C: UID SEARCH BEFORE 17-Jun-2026 SINCE 14-Jun-2026 BEFORE 17-Jun-2026
        S: * SEARCH 2 3
        S: TAG OK done
        C: UID FETCH 2:3 (UID INTERNALDATE)
        S: * 2 FETCH (UID 2 INTERNALDATE "15-Jun-2026 12:00:00 +0000")
        S: * 3 FETCH (UID 3 INTERNALDATE "15-Jun-2026 23:59:00 +1200")
        S: TAG OK done
        "#,
    )
    .await;
    let since = Query {
        from: Some("a".into()),
        since: Some(NOON),
        ..Query::default()
    };
    assert_eq!(session.search(&since).await.unwrap(), [9, 4, 2]);
    let before = Query {
        before: Some(NOON),
        ..Query::default()
    };
    assert_eq!(session.search(&before).await.unwrap(), [4, 3, 1]);
    played.await.unwrap();
}

#[tokio::test]
async fn a_large_mailbox_is_searched_in_stretches() {
    let script = INBOX.replace("3 EXISTS", "45000 EXISTS");
    let (mut session, played) = session(&format!(
        "{script}
        C: UID SEARCH 25001:45000 UNSEEN
        S: * SEARCH 70000 70001
        S: TAG OK x
        C: UID SEARCH 5001:25000 UNSEEN
        S: * SEARCH 70000 100
        S: TAG OK x
        C: UID SEARCH 1:5000 UNSEEN
        S: * SEARCH 1
        S: TAG OK x"
    ))
    .await;
    session.examine("INBOX").await.unwrap();
    let query = Query {
        not_keyword: vec!["$seen".into()],
        ..Query::default()
    };
    assert_eq!(
        session.search(&query).await.unwrap(),
        [70001, 70000, 100, 1]
    );
    played.await.unwrap();
}

#[tokio::test]
async fn nothing_is_sent_of_what_would_break_the_line() {
    let (mut session, played) = inbox("C: NOOP\nS: TAG OK x").await;
    let texts = [
        "x\r\nA9 DELETE INBOX",
        "x\ny",
        "x\ry",
        "x\0y",
        &"x".repeat(1001),
    ];
    let mut refused: Vec<Query> = Vec::new();
    for text in texts.map(|text| Some(text.to_owned())) {
        refused.push(Query {
            from: text.clone(),
            ..Query::default()
        });
        refused.push(Query {
            subject: text.clone(),
            ..Query::default()
        });
        refused.push(Query {
            text,
            ..Query::default()
        });
    }
    refused.push(Query {
        keyword: vec!["a b".into()],
        ..Query::default()
    });
    refused.push(Query {
        not_keyword: vec!["a\r\n".into()],
        ..Query::default()
    });
    refused.push(Query {
        since: Some(UnixTime(i64::MAX)),
        ..Query::default()
    });
    refused.push(Query {
        before: Some(UnixTime(i64::MIN)),
        ..Query::default()
    });
    for query in refused {
        let error = session.search(&query).await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput { .. }), "{query:?}");
    }
    session.noop().await.unwrap();
    played.await.unwrap();
}

proptest! {
    /// Whatever is searched for, one command goes out: every line is the command or a literal's rest.
    #[test]
    fn no_text_becomes_a_second_command(from in any::<String>(), subject in "[ -~é\u{1}\u{7f}]{0,30}", keyword in any::<String>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut session, mut server) = session_on(Limits::default()).await;
            let query = Query { from: Some(from), subject: Some(subject), keyword: vec![keyword], ..Query::default() };
            let (opened, ()) = tokio::join!(session.examine("INBOX"), play(&mut server, steps(INBOX)));
            opened.unwrap();
            let reader = tokio::spawn(one_command(server));
            let result = session.search(&query).await;
            drop(session);
            let line = reader.await.unwrap();
            match result {
                Err(Error::InvalidInput { .. }) => assert!(line.is_empty()),
                Err(Error::Closed { .. }) => assert!(line.starts_with(b"M")),
                other => panic!("{other:?}"),
            }
        });
    }
}

/// Reads one command as RFC 3501 says, hangs up, and sees to it that nothing follows.
async fn one_command(server: tokio::io::DuplexStream) -> Vec<u8> {
    let mut server = BufReader::new(server);
    let mut command = Vec::new();
    loop {
        let start = command.len();
        if server.read_until(b'\n', &mut command).await.unwrap() == 0 {
            return command;
        }
        let Some(size) = literal(&command[start..]) else {
            break;
        };
        let mut body = vec![0; size];
        server.read_exact(&mut body).await.unwrap();
    }
    server.shutdown().await.unwrap();
    let mut more = Vec::new();
    server.read_to_end(&mut more).await.unwrap();
    assert!(
        more.is_empty(),
        "{:?} after {:?}",
        String::from_utf8_lossy(&more),
        String::from_utf8_lossy(&command)
    );
    command
}

fn literal(line: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix("+}\r\n")?;
    text.rsplit_once('{')?.1.parse().ok()
}
