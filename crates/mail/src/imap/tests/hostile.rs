//! What no honest server sends. Each test runs on a worker with the usual 2 MiB stack.

use tokio::io::AsyncWriteExt as _;

use super::script::{inbox, session_on};
use crate::imap::guard::GuardLimit;
use crate::imap::{Error, Limits};

/// The error of a command that is answered with `answer`.
async fn answer(answer: impl AsRef<[u8]> + Send + 'static) -> Error {
    let (mut session, mut server) = session_on(Limits::default()).await;
    let writer = tokio::spawn(async move {
        // The client hangs up in the middle.
        let _ = server.write_all(answer.as_ref()).await;
        let _ = server.flush().await;
    });
    let error = session.noop().await.unwrap_err();
    assert!(!session.is_usable());
    drop(session);
    writer.await.unwrap();
    error
}

fn nested(depth: usize) -> String {
    format!("* 1 FETCH (BODYSTRUCTURE {}\r\n", "(".repeat(depth))
}

#[tokio::test]
async fn nesting_never_reaches_the_parser() {
    for depth in [16, 425, 100_000, 3_000_000] {
        let error = answer(nested(depth)).await;
        assert!(
            matches!(error, Error::Limit(GuardLimit::Depth { limit: 16 })),
            "{error:?}"
        );
    }
}

/// The deepest that may pass does not overflow, with the frames of a debug build.
#[tokio::test]
async fn the_deepest_nesting_allowed_is_survived() {
    let leaf = "\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1";
    let depth = 14;
    let line = format!(
        "* 1 FETCH (BODYSTRUCTURE {}({leaf}){})\r\nM0005 OK x\r\n",
        "(".repeat(depth),
        " \"mixed\")".repeat(depth)
    );
    let (mut session, mut server) = session_on(Limits::default()).await;
    server.write_all(line.as_bytes()).await.unwrap();
    session.noop().await.unwrap();
}

/// Ways of hiding nesting from a guard that takes quotes and literals at their word.
#[tokio::test]
async fn nesting_cannot_be_hidden() {
    let deep = "(".repeat(5000);
    for (start, end) in [
        ("* OK {9000}\r\n* 1 FETCH (BODYSTRUCTURE ", ""),
        ("* 1 FETCH (X a{9000}\r\n BODYSTRUCTURE ", ""),
        ("* 1 FETCH (X ({9000}\r\n) BODYSTRUCTURE ", ""),
        ("* 1 FETCH (X (\") BODYSTRUCTURE ", "\""),
        (
            "* 1 FETCH (X \"\\x (\" BODY[] {9000}\r\n) BODYSTRUCTURE ",
            "",
        ),
        ("* 1 FETCH (X (BODY[] {9000}\r\n) BODYSTRUCTURE ", ""),
        ("* NO [BADCHARSET ({50}\r\n* 1 FETCH (BODY[] {9000}\r\n", ""),
        ("* 1 FETCH (FLAGS () X \n BODYSTRUCTURE ", ""),
        ("A1 OK x {9000}\r\n* 1 FETCH (BODYSTRUCTURE ", ""),
    ] {
        let error = answer(format!("{start}{deep}{end}\r\n")).await;
        assert!(matches!(error, Error::Limit(_)), "{start}: {error:?}");
    }
}

#[tokio::test]
async fn a_literal_of_500_megabytes_is_refused_at_its_announcement() {
    let before = peak_memory();
    let error = answer("* 1 FETCH (BODY[] {500000000}\r\n").await;
    assert!(
        matches!(
            error,
            Error::Limit(GuardLimit::Literal {
                announced: 500_000_000,
                ..
            })
        ),
        "{error:?}"
    );
    let grown = peak_memory() - before;
    assert!(grown < 32 << 20, "{grown} octets more");
}

/// The sum counts, not each.
#[tokio::test]
async fn many_literals_in_one_response_are_refused() {
    let limits = Limits {
        max_literal: 10_000,
        ..Limits::default()
    };
    let (mut session, mut server) = session_on(limits).await;
    let part = format!("BODY[] {{4000}}\r\n{} ", "x".repeat(4000));
    let line = format!("* 1 FETCH ({part}{part}{part}");
    tokio::spawn(async move {
        let _ = server.write_all(line.as_bytes()).await;
    });
    let error = session.noop().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Limit(GuardLimit::Literal {
                announced: 12_000,
                ..
            })
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_line_without_end_is_refused() {
    let before = peak_memory();
    for start in ["* OK ", "* SEARCH ", "* 1 FETCH (FLAGS (", "A1 NO ", "+ "] {
        let error = answer(format!("{start}7{}", " 7".repeat(4 << 20))).await;
        assert!(
            matches!(error, Error::Limit(GuardLimit::Line { .. })),
            "{start}: {error:?}"
        );
    }
    let grown = peak_memory() - before;
    assert!(grown < 128 << 20, "{grown} octets more");
}

#[tokio::test]
async fn garbage_is_an_error() {
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n"[..],
        b"\0\0\0\0",
        b"\xff\xfe\xfd\r\n",
        b"<html><body>Bad Gateway</body></html>\r\n",
        b"* \r\n",
        b"*\r\n",
        b"\r\n",
        b"* 99999999999 EXISTS\r\n",
        b"* -1 FETCH (UID 1)\r\n",
        b"* 1 FETCH\r\n",
        b"* ESEARCH (TAG \"A\") UID ALL 1:3\r\n",
        b"* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n",
        b"* CAPABILITY IMAP4rev2\r\n",
        b"M0005 MAYBE x\r\n",
        b"M0005\r\n",
    ] {
        let error = answer(garbage).await;
        assert!(
            matches!(error, Error::Protocol { .. } | Error::Limit(_)),
            "{garbage:?}: {error:?}"
        );
    }
}

/// imap-proto unwraps the NIL, and cuts a text inside a character.
#[tokio::test]
async fn a_panic_of_the_parser_ends_the_connection_only() {
    for line in ["* 1 FETCH (INTERNALDATE NIL)\r\n", "* OK [READ-ONLY]é\r\n"] {
        let error = answer(line).await;
        assert!(matches!(error, Error::Protocol { .. }), "{line}: {error:?}");
    }
}

#[tokio::test]
async fn errors_do_not_quote_mail() {
    let error = answer("* 1 FETCH (BODY[] {6}\r\nsecret nonsense\r\n").await;
    assert!(
        !format!("{error} {error:?}").contains("secret"),
        "{error:?}"
    );
}

#[tokio::test]
async fn texts_are_cut_and_cleaned() {
    let error = answer(format!(
        "M0005 NO {}\x07{}\r\n",
        "a".repeat(400),
        "b".repeat(400)
    ))
    .await;
    let text = error.text().unwrap();
    assert_eq!(text.len(), 500);
    assert!(!text.contains('\x07'));
}

/// A flood of what nobody asked for is read and forgotten.
#[tokio::test]
async fn a_flood_leaves_nothing_behind() {
    let before = peak_memory();
    let (mut session, mut server) = session_on(Limits::default()).await;
    let writer = tokio::spawn(async move {
        for n in 1..30_000 {
            let line = format!(
                "* {n} FETCH (UID {n} FLAGS (\\Seen) BODY[]<0> {{1000}}\r\n{:1000})\r\n",
                ""
            );
            server.write_all(line.as_bytes()).await.unwrap();
        }
        server.write_all(b"M0005 OK x\r\n").await.unwrap();
    });
    session.noop().await.unwrap();
    writer.await.unwrap();
    let grown = peak_memory() - before;
    assert!(grown < 16 << 20, "{grown} octets more");
}

#[tokio::test]
async fn too_many_mailboxes_are_refused() {
    let (mut session, mut server) = session_on(Limits::default()).await;
    tokio::spawn(async move {
        for n in 0..60_000 {
            let _ = server
                .write_all(format!("* LIST () \"/\" {n}\r\n").as_bytes())
                .await;
        }
    });
    assert!(matches!(
        session.mailboxes().await.unwrap_err(),
        Error::Protocol { .. }
    ));
}

#[tokio::test]
async fn numbers_at_their_ends_do_no_harm() {
    let (mut session, _) = inbox(
        "
        C: NOOP
        S: * 4294967295 EXISTS
        S: * 0 EXPUNGE
        S: * 4294967295 EXPUNGE
        S: * VANISHED 0:4294967295
        S: * 0 EXPUNGE
        S: * 0 FETCH (UID 1)
        S: TAG OK x
        C: UID FETCH 4294967295 (UID FLAGS INTERNALDATE RFC822.SIZE)
        S: * 4294967295 FETCH (UID 4294967295 RFC822.SIZE 4294967295)
        S: * 0 EXPUNGE
        S: TAG OK x
        ",
    )
    .await;
    session.noop().await.unwrap();
    assert_eq!(session.selected().unwrap().exists, 0);
    let summary = session.describe(u32::MAX).await.unwrap().unwrap();
    assert_eq!(summary.size, u64::from(u32::MAX));
}

/// High-water mark of this process (each test has its own under nextest).
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line
        .and_then(|l| l.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0);
    kib * 1024
}
