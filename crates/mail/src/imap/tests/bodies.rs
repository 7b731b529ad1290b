//! Summaries and windows of bodies.

use mailgrant_core::time::UnixTime;

use super::script::{INBOX, inbox, session, session_with};
use crate::imap::{Error, Limits, Page, PagePosition, Summary};

const FIRST: &str = "C: FETCH 1:3 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.16384>)";

async fn first_page(lines: &str) -> Result<Page, Error> {
    let (mut session, _) = inbox(&format!("{FIRST}\n{lines}\nS: TAG OK done")).await;
    session.page(50, None).await
}

fn uids(items: &[Summary]) -> Vec<u32> {
    items.iter().map(|summary| summary.uid).collect()
}

#[tokio::test]
async fn a_page_is_newest_first_whatever_the_order_of_the_answer() {
    let page = first_page(
        "
        S: * 2 FETCH (UID 20 FLAGS (\\Seen $x) INTERNALDATE \"15-Jun-2026 14:00:00 +0200\" RFC822.SIZE 5 BODY[]<0> {5}
        S: ab
        S: ) BODY[]<0> NIL)
        ",
    )
    .await;
    assert!(page.is_err(), "the literal ends in the middle of a line");
    let page = first_page(
        "
        S: * 2 FETCH (UID 20 FLAGS (\\Seen $x) INTERNALDATE \"15-Jun-2026 14:00:00 +0200\" RFC822.SIZE 70000 BODY[]<0> {4}
        S: ab
        S:  X-NEW abc)
        S: * 1 FETCH (BODY[]<0> \"quoted\" RFC822.SIZE 6 UID 10)
        S: * 3 FETCH (UID 30 FLAGS () BODY[]<0> NIL INTERNALDATE \"soon\" RFC822.SIZE 99999999999)
        ",
    )
    .await
    .unwrap();
    assert_eq!(
        (uids(&page.items), page.next, page.missing),
        (vec![30, 20, 10], None, vec![])
    );
    let [newest, middle, oldest] = &page.items[..] else {
        panic!()
    };
    assert_eq!(
        (newest.size, newest.received_at, newest.head.len()),
        (0, None, 0)
    );
    assert_eq!(middle.flags, ["\\Seen", "$x"]);
    assert_eq!(
        (middle.size, middle.sequence, &middle.head[..]),
        (70_000, 2, &b"ab\r\n"[..])
    );
    assert_eq!(middle.received_at, Some(UnixTime(1_781_524_800)));
    assert!(middle.head_complete && oldest.flags.is_empty());
}

#[tokio::test]
async fn answers_in_parts_and_unasked_ones_are_sorted_out() {
    let page = first_page(
        "
        S: * 3 FETCH (FLAGS (\\Seen))
        S: * 9 FETCH (UID 90 BODY[]<0> \"not asked for\")
        S: * 3 FETCH (UID 30 RFC822.SIZE 1 BODY[]<0> \"c\")
        S: * 3 FETCH (FLAGS (\\Seen \\Flagged))
        S: * 2 FETCH (UID 20)
        S: * 2 FETCH (BODY[]<0> \"b\")
        S: * 1 FETCH (UID 10 BODY[]<0> \"a\")
        S: * 4 EXISTS
        ",
    )
    .await
    .unwrap();
    assert_eq!(uids(&page.items), [30, 20, 10]);
    assert_eq!(page.items[0].flags, ["\\Seen", "\\Flagged"]);
}

#[tokio::test]
async fn what_does_not_come_is_asked_for_again_and_then_named() {
    let (mut session, played) = inbox(&format!(
        "{FIRST}
        S: * 3 FETCH (UID 30 BODY[]<0> \"c\")
        S: * 1 FETCH (FLAGS ())
        S: TAG OK done
        C: FETCH 1:2 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.16384>)
        S: * 1 FETCH (UID 10 BODY[]<0> \"a\")
        S: TAG OK done"
    ))
    .await;
    let page = session.page(50, None).await.unwrap();
    assert_eq!(
        (uids(&page.items), page.next, page.missing),
        (vec![30, 10], None, vec![2])
    );
    played.await.unwrap();
}

#[tokio::test]
async fn nothing_at_all_is_an_empty_page_with_names() {
    let (mut session, played) =
        inbox(&format!("{FIRST}\nS: TAG OK done\n{FIRST}\nS: TAG OK done")).await;
    let page = session.page(50, None).await.unwrap();
    assert_eq!(
        (page.items.len(), page.next, page.missing),
        (0, None, vec![3, 2, 1])
    );
    played.await.unwrap();
}

#[tokio::test]
async fn an_empty_mailbox_is_an_empty_page() {
    let (mut session, _) = session(&INBOX.replace("3 EXISTS", "0 EXISTS")).await;
    session.examine("INBOX").await.unwrap();
    let page = session.page(50, None).await.unwrap();
    assert_eq!((page.items.len(), page.next), (0, None));
    assert!(matches!(
        session.page(0, None).await,
        Err(Error::InvalidInput { .. })
    ));
    let end = PagePosition {
        uid: 1,
        sequence: 0,
    };
    assert_eq!(session.page(1, Some(end)).await.unwrap().items.len(), 0);
}

#[tokio::test]
async fn uid_0_is_none() {
    let result = first_page("S: * 3 FETCH (UID 0 BODY[]<0> \"c\")\nS: * 2 FETCH (UID 2 BODY[]<0> \"c\")\nS: * 1 FETCH (UID 1 BODY[]<0> \"c\")").await;
    assert!(matches!(result, Err(Error::Protocol { .. })));
    let (mut session, _) = inbox("").await;
    assert!(matches!(
        session.describe(0).await,
        Err(Error::InvalidInput { .. })
    ));
    assert!(matches!(
        session.summaries(&[1, 0]).await,
        Err(Error::InvalidInput { .. })
    ));
    assert!(matches!(
        session.body_window(0, 0, 1).await,
        Err(Error::InvalidInput { .. })
    ));
}

#[tokio::test]
async fn a_head_is_cut_to_its_window() {
    let limits = Limits {
        head_window: 4,
        ..Limits::default()
    };
    let script = format!(
        "{INBOX}
        C: FETCH 1:3 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.4>)
        S: * 3 FETCH (UID 30 RFC822.SIZE 8 BODY[]<0> \"abcdefgh\")
        S: * 2 FETCH (UID 20 RFC822.SIZE 4 BODY[] \"abcd\")
        S: * 1 FETCH (UID 10 RFC822.SIZE 900 BODY[]<0> \"abc\")
        S: TAG OK x"
    );
    let (mut session, _) = session_with(limits, &script).await;
    session.examine("INBOX").await.unwrap();
    let page = session.page(50, None).await.unwrap();
    let heads: Vec<_> = page
        .items
        .iter()
        .map(|s| (&s.head[..], s.head_complete))
        .collect();
    // Sizes may be estimates: only a short answer shows the end.
    assert_eq!(
        heads,
        [(&b"abcd"[..], false), (b"abcd", false), (b"abc", true)]
    );
}

#[tokio::test]
async fn summaries_come_in_the_order_asked_for() {
    let (mut session, played) = inbox(
        "
        C: UID FETCH 5,7:8,10 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.16384>)
        S: * 1 FETCH (UID 5 BODY[]<0> \"e\")
        S: * 2 EXPUNGE
        S: * 1 FETCH (FLAGS (\\Seen))
        S: * 3 FETCH (FLAGS (\\Answered))
        S: * 2 FETCH (UID 10 BODY[]<0> \"j\")
        S: * 3 FETCH (UID 11 BODY[]<0> \"not asked for\")
        S: TAG OK x
        ",
    )
    .await;
    let summaries = session.summaries(&[10, 5, 8, 7, 10]).await.unwrap();
    assert_eq!(uids(&summaries), [10, 5]);
    assert_eq!(summaries[1].flags, ["\\Seen"]);
    assert_eq!(session.summaries(&[]).await.unwrap(), []);
    played.await.unwrap();
}

#[tokio::test]
async fn many_uids_go_in_lines_of_bearable_length() {
    let all: Vec<u32> = (1..=501).map(|n| n * 2).collect();
    let list = |numbers: &[u32]| {
        numbers
            .iter()
            .map(u32::to_string)
            .collect::<Vec<_>>()
            .join(",")
    };
    let (mut session, played) = inbox(&format!(
        "C: UID FETCH {} (…\nS: TAG OK x\nC: UID FETCH 1002 (…\nS: TAG OK x",
        list(&all[..500])
    ))
    .await;
    assert_eq!(session.summaries(&all).await.unwrap(), []);
    played.await.unwrap();
}

#[tokio::test]
async fn describe_tells_all_but_the_head() {
    let (mut session, played) = inbox(
        "
        C: UID FETCH 20 (UID FLAGS INTERNALDATE RFC822.SIZE)
        S: * 2 FETCH (UID 20 FLAGS (\\Seen) INTERNALDATE \"15-Jun-2026 12:00:00 +0000\" RFC822.SIZE 77)
        S: TAG OK x
        C: UID FETCH 21 (UID FLAGS INTERNALDATE RFC822.SIZE)
        S: * 2 FETCH (FLAGS ())
        S: TAG OK x
        ",
    )
    .await;
    let summary = session.describe(20).await.unwrap().unwrap();
    assert_eq!((summary.uid, summary.size, summary.head.len()), (20, 77, 0));
    assert!(!summary.head_complete);
    assert_eq!(session.describe(21).await.unwrap(), None);
    played.await.unwrap();
}

#[tokio::test]
async fn windows_of_a_body() {
    let (mut session, played) = inbox(
        "
        C: UID FETCH 20 (UID BODY.PEEK[]<0.4>)
        S: * 2 FETCH (UID 20 BODY[]<0> {4}
        S: ab
        S: )
        S: TAG OK x
        C: UID FETCH 20 (UID BODY.PEEK[]<4.4>)
        S: * 2 FETCH (BODY[]<4> \"efghij\" UID 20)
        S: TAG OK x
        C: UID FETCH 20 (UID BODY.PEEK[]<8.4>)
        S: * 2 FETCH (UID 20 BODY[]<8> \"\")
        S: TAG OK x
        C: UID FETCH 20 (UID BODY.PEEK[]<0.3>)
        S: * 2 FETCH (UID 20 BODY[] \"whole message\")
        S: TAG OK x
        C: UID FETCH 21 (UID BODY.PEEK[]<0.4>)
        S: * 2 FETCH (UID 20 BODY[]<0> \"another\")
        S: TAG OK x
        ",
    )
    .await;
    let mut window =
        async |uid, offset, length| session.body_window(uid, offset, length).await.unwrap();
    assert_eq!(window(20, 0, 4).await.unwrap(), "ab\r\n");
    assert_eq!(window(20, 4, 4).await.unwrap(), "efgh");
    assert_eq!(window(20, 8, 4).await.unwrap(), "");
    assert_eq!(window(20, 0, 3).await.unwrap(), "who");
    assert_eq!(window(21, 0, 4).await, None);
    played.await.unwrap();
}

#[tokio::test]
async fn another_window_than_asked_for_is_no_answer() {
    for answer in ["BODY[]<0> \"abcd\"", "BODY[] \"abcdefgh\"", "FLAGS ()"] {
        let script = format!("C: UID FETCH …\nS: * 2 FETCH (UID 20 {answer})\nS: TAG OK x");
        let (mut session, _) = inbox(&script).await;
        let error = session.body_window(20, 4, 4).await.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{answer}");
    }
    let (mut session, _) = inbox("").await;
    for (offset, length) in [
        (0, 0),
        (u64::from(u32::MAX) + 1, 1),
        (0, 33 << 20),
        (0, usize::MAX),
    ] {
        let error = session.body_window(20, offset, length).await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput { .. }));
    }
    assert!(session.is_usable());
}
