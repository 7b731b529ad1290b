//! Every command, and every way not to get an answer. async-imap's helpers call all of these a
//! success.

use super::script::{INBOX, LOGIN, login, session};
use crate::imap::{Error, Query, Session};

/// What a server may do in the middle of its answer.
const ENDS: [&str; 8] = [
    "S: TAG NO [LIMIT] throttled",
    "S: TAG BAD User is authenticated but not connected.",
    "S: * BYE Server Unavailable. 15\nX",
    "S: * BYE Session invalidated - AccessTokenExpired\nH",
    "X",
    "S: TAG BYE odd",
    "S: Z999 OK not yours",
    "S: + nobody asked",
];

fn check(end: &str, error: &Error) {
    let fits = match end {
        "S: TAG NO [LIMIT] throttled" => {
            matches!(error, Error::No { code: Some(code), text, .. } if code == "LIMIT" && text == "throttled")
                && error.is_transient()
        }
        "S: TAG BAD User is authenticated but not connected." => {
            matches!(error, Error::Bad { text, .. } if text == "User is authenticated but not connected.")
                && !error.is_transient()
        }
        "S: * BYE Server Unavailable. 15\nX" => {
            matches!(error, Error::Bye { text } if text == "Server Unavailable. 15")
        }
        "S: * BYE Session invalidated - AccessTokenExpired\nH" => {
            matches!(error, Error::Bye { text } if text.contains("AccessTokenExpired"))
        }
        "X" => matches!(error, Error::Closed { .. }),
        "S: TAG BYE odd" => matches!(error, Error::Bad { .. }),
        _ => matches!(error, Error::Protocol { .. }),
    };
    assert!(fits, "{end}: {error:?}");
}

/// Runs `act` against each end, after `some` of the answer has come.
async fn refuse<T: std::fmt::Debug>(
    before: &str,
    some: &str,
    mut act: impl AsyncFnMut(&mut Session) -> Result<T, Error>,
) {
    for end in ENDS {
        let (mut session, _) = session(&format!("{before}\n{some}\n{end}")).await;
        let error = act(&mut session).await.unwrap_err();
        check(end, &error);
        assert!(!session.is_usable());
        let error = session.noop().await.unwrap_err();
        assert!(error.to_string().contains("open a new one"), "{error}");
    }
}

const ROW: &str = "S: * 3 FETCH (UID 30 FLAGS () INTERNALDATE \"1-Jan-2026 00:00:00 +0000\" RFC822.SIZE 4 BODY[]<0> \"abcd\")";

#[tokio::test]
async fn list() {
    let some = "C: LIST …\nS: * LIST (\\HasNoChildren) \"/\" INBOX";
    refuse("", some, async |session| session.mailboxes().await).await;
}

#[tokio::test]
async fn status() {
    let some = "C: STATUS …\nS: * STATUS INBOX (MESSAGES 1)";
    refuse("", some, async |session| session.status("INBOX").await).await;
}

#[tokio::test]
async fn examine() {
    let some = "C: EXAMINE …\nS: * 1 EXISTS\nS: * OK [UIDVALIDITY 1] x";
    refuse("", some, async |session| session.examine("INBOX").await).await;
}

#[tokio::test]
async fn noop() {
    refuse("", "C: NOOP\nS: * 9 EXISTS", async |session| {
        session.noop().await
    })
    .await;
}

#[tokio::test]
async fn page() {
    refuse(INBOX, &format!("C: FETCH …\n{ROW}"), async |session| {
        session.examine("INBOX").await?;
        session.page(10, None).await
    })
    .await;
}

#[tokio::test]
async fn summaries() {
    refuse(INBOX, &format!("C: UID FETCH …\n{ROW}"), async |session| {
        session.examine("INBOX").await?;
        session.summaries(&[30, 31]).await
    })
    .await;
}

#[tokio::test]
async fn body_window() {
    refuse(INBOX, &format!("C: UID FETCH …\n{ROW}"), async |session| {
        session.examine("INBOX").await?;
        session.body_window(30, 0, 100).await
    })
    .await;
}

#[tokio::test]
async fn search() {
    refuse(INBOX, "C: UID SEARCH …\nS: * SEARCH 30", async |session| {
        session.examine("INBOX").await?;
        session.search(&Query::default()).await
    })
    .await;
}

#[tokio::test]
async fn a_literal_refused_instead_of_awaited() {
    // Without LITERAL+ the client waits for the continuation.
    let script = format!("{LOGIN}\n{INBOX}").replace(" LITERAL+", "");
    for end in [
        "S: TAG NO [BADCHARSET (US-ASCII)] no",
        "S: TAG BAD no",
        "S: TAG OK no",
        "S: * BYE no",
        "X",
    ] {
        let (session, played) = login(&format!(
            "{script}\nC: UID SEARCH CHARSET UTF-8 SUBJECT {{3}}\n{end}"
        ))
        .await;
        let mut session = session.unwrap();
        session.examine("INBOX").await.unwrap();
        let query = Query {
            subject: Some("\u{20ac}".into()),
            ..Query::default()
        };
        let error = session.search(&query).await.unwrap_err();
        if end.contains("BADCHARSET") {
            assert!(matches!(&error, Error::No { code: Some(code), .. } if code == "BADCHARSET"));
        }
        assert!(!session.is_usable());
        played.await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_input_leaves_the_session_usable() {
    let (mut session, played) = session("C: NOOP\nS: TAG OK x").await;
    for name in ["", "a\r\nb", "a\nb", "a\0b", &"x".repeat(3000)] {
        assert!(matches!(
            session.examine(name).await,
            Err(Error::InvalidInput { .. })
        ));
        assert!(matches!(
            session.status(name).await,
            Err(Error::InvalidInput { .. })
        ));
    }
    assert!(matches!(
        session.page(1, None).await,
        Err(Error::InvalidInput { .. })
    ));
    assert!(matches!(
        session.body_window(1, 0, 1).await,
        Err(Error::InvalidInput { .. })
    ));
    session.noop().await.unwrap();
    played.await.unwrap();
}
