//! Greeting and AUTHENTICATE.

use std::time::Duration;

use mailgrant_core::sasl::Mechanism;
use mailgrant_core::token::AccessToken;

use super::script::{CANARY, host, login, play, session, steps, token};
use crate::imap::{Connection, Error, Limits};

/// `user=user@contoso.example^Aauth=Bearer canary-7f3a-token^A^A`
const XOAUTH2: &str =
    "dXNlcj11c2VyQGNvbnRvc28uZXhhbXBsZQFhdXRoPUJlYXJlciBjYW5hcnktN2YzYS10b2tlbgEB";

/// `n,a=user@contoso.example,^Ahost=localhost^Aport=993^Aauth=Bearer canary-7f3a-token^A^A`
const OAUTHBEARER: &str = "bixhPXVzZXJAY29udG9zby5leGFtcGxlLAFob3N0PWxvY2FsaG9zdAFwb3J0PTk5MwFhdXRoPUJlYXJlciBjYW5hcnktN2YzYS10b2tlbgEB";

/// `{"status":"401","schemes":"bearer","scope":"mail"}`
const CHALLENGE: &str = "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJtYWlsIn0=";

fn offering(capabilities: &str, rest: &str) -> String {
    format!(
        "S: * OK ready\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1 {capabilities}\nS: TAG OK done\n{rest}"
    )
}

const AFTER: &str = "
    S: TAG OK [CAPABILITY IMAP4rev1 X] Logged in
    C: CAPABILITY
    S: * CAPABILITY IMAP4rev1 IDLE
    S: TAG OK done
";

const REFUSAL: &str = "S: TAG NO [AUTHENTICATIONFAILED] Authentication failed.";

#[tokio::test]
async fn all_four_variants_log_in() {
    for (offered, lines) in [
        (
            "AUTH=XOAUTH2 SASL-IR",
            format!("C: AUTHENTICATE XOAUTH2 {XOAUTH2}"),
        ),
        (
            "AUTH=XOAUTH2",
            format!("C: AUTHENTICATE XOAUTH2\nS: + \nc: {XOAUTH2}"),
        ),
        (
            "AUTH=OAUTHBEARER SASL-IR",
            format!("C: AUTHENTICATE OAUTHBEARER {OAUTHBEARER}"),
        ),
        (
            "AUTH=OAUTHBEARER",
            format!("C: AUTHENTICATE OAUTHBEARER\nS: +\nc: {OAUTHBEARER}"),
        ),
        // What async-imap's own authenticate hangs on or fails at.
        (
            "AUTH=XOAUTH2",
            format!(
                "C: AUTHENTICATE XOAUTH2\nS: * CAPABILITY IMAP4rev1\nS: + go ahead\nc: {XOAUTH2}\nS: * 1 EXISTS"
            ),
        ),
    ] {
        let (session, played) = login(&offering(offered, &format!("{lines}\n{AFTER}"))).await;
        let session = session.expect(offered);
        assert_eq!(session.capabilities(), ["IMAP4REV1", "IDLE"]);
        assert!(session.is_usable());
        played.await.unwrap();
    }
}

#[tokio::test]
async fn all_four_variants_keep_the_challenge_of_a_refusal() {
    for (offered, mechanism, lines, abort) in [
        (
            "AUTH=XOAUTH2 SASL-IR",
            Mechanism::Xoauth2,
            "C: AUTHENTICATE XOAUTH2 …".to_owned(),
            "",
        ),
        (
            "AUTH=XOAUTH2",
            Mechanism::Xoauth2,
            format!("C: AUTHENTICATE XOAUTH2\nS: + \nc: {XOAUTH2}"),
            "",
        ),
        (
            "AUTH=OAUTHBEARER SASL-IR",
            Mechanism::OauthBearer,
            "C: AUTHENTICATE OAUTHBEARER …".to_owned(),
            "AQ==",
        ),
        (
            "AUTH=OAUTHBEARER",
            Mechanism::OauthBearer,
            format!("C: AUTHENTICATE OAUTHBEARER\nS: + \nc: {OAUTHBEARER}"),
            "AQ==",
        ),
    ] {
        let rest = format!("{lines}\nS: + {CHALLENGE}\nc: {abort}\n{REFUSAL}");
        let (result, played) = login(&offering(offered, &rest)).await;
        let error = result.unwrap_err();
        let Error::Authentication {
            mechanism: used,
            challenge: Some(challenge),
            text,
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(*used, mechanism);
        assert_eq!(
            (challenge.status.as_str(), challenge.scope.as_deref()),
            ("401", Some("mail"))
        );
        assert_eq!(text, "[AUTHENTICATIONFAILED] Authentication failed.");
        assert!(error.is_authentication() && !error.is_transient());
        played.await.unwrap();
    }
}

#[tokio::test]
async fn exchange_refuses_without_a_challenge() {
    let rest = "C: AUTHENTICATE XOAUTH2 …\nS: TAG NO AUTHENTICATE failed.";
    let (result, _) = login(&offering("AUTH=XOAUTH2 SASL-IR", rest)).await;
    let error = result.unwrap_err();
    assert!(matches!(
        &error,
        Error::Authentication {
            challenge: None,
            ..
        }
    ));
    assert_eq!(
        error.to_string(),
        "the mail server did not accept the access token (XOAUTH2): AUTHENTICATE failed."
    );
}

#[tokio::test]
async fn an_outage_or_throttling_is_not_a_bad_token() {
    for answer in [
        "NO [UNAVAILABLE] Temporary authentication failure. [host:time]",
        "NO Request is throttled. Suggested Backoff Time: 299609 milliseconds",
        "BAD Request is throttled. Suggested Backoff Time: 299609 milliseconds",
        "NO [LIMIT] too many connections",
    ] {
        let rest = format!("C: AUTHENTICATE XOAUTH2 …\nS: TAG {answer}");
        let (result, _) = login(&offering("AUTH=XOAUTH2 SASL-IR", &rest)).await;
        let error = result.unwrap_err();
        assert!(
            !error.is_authentication() && error.is_transient(),
            "{error:?}"
        );
        let backoff = answer
            .contains("throttled")
            .then_some(Duration::from_millis(299_609));
        assert_eq!(error.backoff(), backoff);
    }
}

#[tokio::test]
async fn a_challenge_that_is_no_json_is_answered_all_the_same() {
    for challenge in ["", "bm90IGpzb24=", "%%%", "[UIDNEXT 1] x"] {
        let rest = format!("C: AUTHENTICATE XOAUTH2 …\nS: + {challenge}\nc: \n{REFUSAL}");
        let (result, _) = login(&offering("AUTH=XOAUTH2 SASL-IR", &rest)).await;
        let error = result.unwrap_err();
        assert!(
            matches!(
                &error,
                Error::Authentication {
                    challenge: None,
                    ..
                }
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn endless_challenges_end() {
    let round = "S: + e30=\nc: \n".repeat(4);
    let rest = format!("C: AUTHENTICATE XOAUTH2 …\n{round}S: + e30=\nH");
    let (result, _) = login(&offering("AUTH=XOAUTH2 SASL-IR", &rest)).await;
    assert!(matches!(result.unwrap_err(), Error::Protocol { .. }));
}

#[tokio::test]
async fn ok_after_a_refusal_is_not_believed() {
    let rest = format!("C: AUTHENTICATE XOAUTH2 …\nS: + {CHALLENGE}\nc: \nS: TAG OK welcome");
    let (result, _) = login(&offering("AUTH=XOAUTH2 SASL-IR", &rest)).await;
    assert!(matches!(result.unwrap_err(), Error::Protocol { .. }));
}

#[tokio::test]
async fn bye_during_the_login_keeps_its_text() {
    let rest = "C: AUTHENTICATE XOAUTH2 …\nS: * BYE Connection closed. 14\nH";
    let (result, _) = login(&offering("AUTH=XOAUTH2 SASL-IR", rest)).await;
    let error = result.unwrap_err();
    assert!(matches!(&error, Error::Bye { text } if text == "Connection closed. 14"));
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_silent_close_hints_at_a_long_token() {
    for (octets, hint) in [(40, "hung up instead"), (7000, "may be too long")] {
        let (client, server) = tokio::io::duplex(1 << 20);
        let script = offering("AUTH=XOAUTH2 SASL-IR", "C: AUTHENTICATE XOAUTH2 …\nX");
        tokio::spawn(play(server, steps(&script)));
        let connection = Connection::greet(Box::new(client), &host(), Limits::default())
            .await
            .unwrap();
        let long = AccessToken::new("t".repeat(octets)).unwrap();
        let error = connection
            .authenticate("u@x.example", &long)
            .await
            .unwrap_err();
        assert!(matches!(&error, Error::Closed { .. }), "{error:?}");
        assert!(error.to_string().contains(hint), "{error}");
        assert!(error.is_transient());
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_left_in_time() {
    for script in [
        "H".to_owned(),
        "S: * OK ready\nC: CAPABILITY\nH".to_owned(),
        offering("AUTH=XOAUTH2", "C: AUTHENTICATE XOAUTH2\nH"),
        offering("AUTH=XOAUTH2 SASL-IR", "C: AUTHENTICATE XOAUTH2 …\nH"),
        offering(
            "AUTH=XOAUTH2 SASL-IR",
            "C: AUTHENTICATE XOAUTH2 …\nS: TAG OK x\nC: CAPABILITY\nH",
        ),
    ] {
        let begun = tokio::time::Instant::now();
        let (result, _) = login(&script).await;
        assert!(matches!(result.unwrap_err(), Error::Timeout { .. }));
        assert!(begun.elapsed() <= Duration::from_secs(61), "{script}");
    }
}

#[tokio::test]
async fn greetings_that_are_none() {
    for (greeting, expected) in [
        (
            "S: * BYE Server Unavailable. 15",
            "closed the connection: Server Unavailable. 15",
        ),
        ("S: * PREAUTH welcome back", "PREAUTH"),
        ("S: * NO go away", "it greets with: go away"),
        ("S: A1 OK hello", "unknown tag A1"),
        ("S: + hello", "no IMAP greeting"),
        (
            "S: HTTP/1.1 400 Bad Request",
            "broke the protocol during the greeting",
        ),
        (
            "S: 220 smtp.example ESMTP",
            "broke the protocol during the greeting",
        ),
        ("X", "ended during the greeting"),
    ] {
        let (result, _) = login(greeting).await;
        let text = result.unwrap_err().to_string();
        assert!(text.contains(expected), "{greeting}: {text}");
    }
}

#[tokio::test]
async fn the_capabilities_of_the_greeting_are_used() {
    let script = format!(
        "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] Dovecot ready.\nC: AUTHENTICATE XOAUTH2 …\n{AFTER}"
    );
    let (session, played) = login(&script).await;
    session.unwrap();
    played.await.unwrap();
}

#[tokio::test]
async fn without_a_mechanism_it_says_what_there_is() {
    let (result, _) = login(&offering("AUTH=PLAIN LOGINDISABLED", "")).await;
    let error = result.unwrap_err();
    assert!(matches!(&error, Error::NoMechanism { offered } if offered.len() == 3));
    assert!(
        error
            .to_string()
            .contains("IMAP4REV1 AUTH=PLAIN LOGINDISABLED")
    );
}

#[tokio::test]
async fn refusals_of_capability_are_errors() {
    for answer in [
        "S: TAG NO later",
        "S: TAG BAD what",
        "S: TAG OK nothing said",
        "X",
    ] {
        let (result, _) = login(&format!("S: * OK hi\nC: CAPABILITY\n{answer}")).await;
        assert!(result.is_err(), "{answer}");
    }
}

#[tokio::test]
async fn a_user_that_would_break_the_line_is_refused_before_it_is_sent() {
    let (client, server) = tokio::io::duplex(1 << 16);
    let played = tokio::spawn(play(server, steps(&offering("AUTH=XOAUTH2 SASL-IR", ""))));
    let connection = Connection::greet(Box::new(client), &host(), Limits::default())
        .await
        .unwrap();
    let error = connection
        .authenticate("a\r\nA1 LOGOUT", &token())
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        Error::InvalidInput {
            what: "the mail user",
            ..
        }
    ));
    played.await.unwrap();
}

#[tokio::test]
async fn the_token_is_never_shown() {
    let echo = format!("C: AUTHENTICATE XOAUTH2 …\nS: TAG NO bad token {CANARY} {XOAUTH2}");
    let (result, _) = login(&offering("AUTH=XOAUTH2 SASL-IR", &echo)).await;
    let error = result.unwrap_err();
    assert!(error.text().unwrap().contains("(token)"));
    let (session, _) = session("").await;
    for shown in [format!("{error} {error:?}"), format!("{session:?}")] {
        assert!(
            !shown.contains(CANARY) && !shown.contains(XOAUTH2),
            "{shown}"
        );
    }
}
