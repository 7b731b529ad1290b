//! A server that plays a transcript.
//!
//! ```text
//! S: * OK ready           sent as it stands, TAG replaced by the tag of the last command
//! C: LIST "" "*"          a command, its tag cut off; a final … stands for any rest
//! c: AQ==                 a line without a tag
//! X                       the server closes
//! H                       the server says nothing any more
//! ```

use mailgrant_core::provider::{MailHost, Tls};
use mailgrant_core::token::AccessToken;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::task::JoinHandle;

use crate::imap::{Connection, Error, Limits, Session};

pub(super) const LOGIN: &str = "
    S: * OK The Microsoft Exchange IMAP4 service is ready.
    C: CAPABILITY
    S: * CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID IDLE NAMESPACE LITERAL+
    S: TAG OK CAPABILITY completed.
    C: AUTHENTICATE XOAUTH2 …
    S: TAG OK AUTHENTICATE completed.
    C: CAPABILITY
    S: * CAPABILITY IMAP4 IMAP4rev1 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+
    S: TAG OK CAPABILITY completed.
";

pub(super) const INBOX: &str = "
    C: EXAMINE \"INBOX\"
    S: * 3 EXISTS
    S: * OK [UIDVALIDITY 17] UIDs valid
    S: * OK [UIDNEXT 40] next
    S: TAG OK [READ-ONLY] done
";

/// The server's task: await it to know that the whole transcript was played.
pub(super) type Played = JoinHandle<()>;

/// A session of which the given transcript is what follows the login.
pub(super) async fn session(transcript: &str) -> (Session, Played) {
    session_with(Limits::default(), transcript).await
}

pub(super) async fn session_with(limits: Limits, transcript: &str) -> (Session, Played) {
    let (result, played) = login_with(limits, &format!("{LOGIN}\n{transcript}")).await;
    (result.expect("login"), played)
}

/// A session with INBOX open: three messages, UIDVALIDITY 17, UIDNEXT 40.
pub(super) async fn inbox(transcript: &str) -> (Session, Played) {
    let (mut session, played) = session(&format!("{INBOX}\n{transcript}")).await;
    session.examine("INBOX").await.expect("examine");
    (session, played)
}

/// Logs in to a server that plays the given transcript from its greeting on.
pub(super) async fn login(transcript: &str) -> (Result<Session, Error>, Played) {
    login_with(Limits::default(), transcript).await
}

pub(super) async fn login_with(
    limits: Limits,
    transcript: &str,
) -> (Result<Session, Error>, Played) {
    let (client, server) = tokio::io::duplex(1 << 20);
    let played = tokio::spawn(play(server, steps(transcript)));
    let result = async {
        let connection = Connection::greet(Box::new(client), &host(), limits).await?;
        connection
            .authenticate("user@contoso.example", &token())
            .await
    };
    (result.await, played)
}

/// A session on a stream whose other end the test writes itself, after the login.
pub(super) async fn session_on(limits: Limits) -> (Session, tokio::io::DuplexStream) {
    let (client, server) = tokio::io::duplex(1 << 16);
    let prelude = tokio::spawn(async move {
        let mut server = BufReader::new(server);
        play_on(&mut server, steps(LOGIN)).await;
        server.into_inner()
    });
    let connection = Connection::greet(Box::new(client), &host(), limits)
        .await
        .expect("greeting");
    let session = connection
        .authenticate("user@contoso.example", &token())
        .await
        .expect("login");
    (session, prelude.await.expect("prelude"))
}

pub(super) fn host() -> MailHost {
    MailHost::new("localhost", 993, Tls::Implicit).expect("host")
}

pub(super) fn token() -> AccessToken {
    AccessToken::new(CANARY).expect("token")
}

/// Must never be seen anywhere but in the SASL response.
pub(super) const CANARY: &str = "canary-7f3a-token";

#[derive(Debug, Clone)]
pub(super) enum Step {
    Send(String),
    Command(String),
    Line(String),
    Close,
    Hang,
}

pub(super) fn steps(transcript: &str) -> Vec<Step> {
    transcript
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.is_empty())
        .map(|line| {
            match line
                .split_once(": ")
                .unwrap_or((line.trim_end_matches(':'), ""))
            {
                ("S", text) => Step::Send(format!("{text}\r\n")),
                ("C", text) => Step::Command(text.to_owned()),
                ("c", text) => Step::Line(text.to_owned()),
                ("X", _) => Step::Close,
                ("H", _) => Step::Hang,
                other => panic!("no step: {other:?}"),
            }
        })
        .collect()
}

pub(super) async fn play(stream: impl AsyncRead + AsyncWrite + Unpin, steps: Vec<Step>) {
    play_on(&mut BufReader::new(stream), steps).await;
}

async fn play_on(stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>, steps: Vec<Step>) {
    let mut tag = String::new();
    for step in steps {
        match step {
            // The client may be gone when it has seen enough.
            Step::Send(text) => {
                let _ = stream.write_all(text.replace("TAG", &tag).as_bytes()).await;
            }
            Step::Command(expected) => {
                let line = read_line(stream).await;
                let (given, command) = line.split_once(' ').expect("a tagged line");
                given.clone_into(&mut tag);
                check(command, &expected);
            }
            Step::Line(expected) => check(&read_line(stream).await, &expected),
            Step::Close => return,
            Step::Hang => std::future::pending().await,
        }
    }
}

async fn read_line(stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>) -> String {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await.expect("read");
    let line = String::from_utf8(line).expect("UTF-8");
    line.strip_suffix("\r\n")
        .unwrap_or_else(|| panic!("the client ended: {line:?}"))
        .to_owned()
}

fn check(line: &str, expected: &str) {
    match expected.strip_suffix('…') {
        Some(start) => assert!(line.starts_with(start), "{line:?} does not start {start:?}"),
        None => assert_eq!(line, expected),
    }
}
