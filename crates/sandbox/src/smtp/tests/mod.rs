//! Transcripts: what is sent, octet by octet, and what comes back.

mod hostile;
mod limits;
mod login;
mod sending;

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::SystemRandom;
use crate::net::test_tls;

const NOW: UnixTime = UnixTime(1_800_000_000);
const ADA: &str = "ada@tarnbrook.test";
const BRACKETS: &str = " [SANDBOX.PROD.OUTLOOK.TEST 2027-01-15T08:00:00.000Z ";

/// Knows some tokens and a password, and keeps what it was sent.
#[derive(Default)]
struct Office {
    limits: Mutex<Submission>,
    sent: Mutex<Vec<(Envelope, Vec<u8>)>>,
    refused: Mutex<Vec<String>>,
}

impl PostOffice for Office {
    fn log_in(&self, user: &str, proof: Proof<'_>, _now: UnixTime) -> Result<Login, LoginRefusal> {
        match proof {
            Proof::Token("good") | Proof::Password("right") => Ok(Login {
                mailbox: user.to_owned(),
                client_id: None,
                app_only: false,
                connected: true,
            }),
            Proof::Token("tenant") => Err(LoginRefusal::DisabledForTenant),
            Proof::Token("mailbox") => Err(LoginRefusal::DisabledForMailbox),
            Proof::Token(_) => Err(LoginRefusal::Credentials),
            Proof::Password("policy") => Err(LoginRefusal::Policy),
            Proof::Password("retired") => Err(LoginRefusal::PasswordsRetired),
            Proof::Password(_) => Err(LoginRefusal::PasswordsDisabled),
        }
    }

    fn knows(&self, recipient: &str) -> bool {
        !recipient.starts_with("nobody@")
    }

    fn send(
        &self,
        _login: &Login,
        envelope: &Envelope,
        message: &[u8],
        _now: UnixTime,
    ) -> Result<String, SendRefusal> {
        if envelope.mail_from.starts_with("stranger@") {
            return Err(SendRefusal::MailFrom);
        }
        let mut sent = self.sent.lock().unwrap();
        sent.push((envelope.clone(), message.to_vec()));
        Ok(format!("<{}@x>", sent.len()))
    }

    fn refused(&self, _login: &Login, _envelope: &Envelope, why: &str, _now: UnixTime) {
        self.refused.lock().unwrap().push(why.to_owned());
    }

    fn limits(&self, _mailbox: Option<&str>) -> Submission {
        self.limits.lock().unwrap().clone()
    }
}

struct House {
    server: Server,
    office: Arc<Office>,
    faults: Faults,
    clock: Clock,
    roots: RootCertStore,
}

impl House {
    async fn new() -> House {
        House::with(Limits::default()).await
    }

    async fn with(limits: Limits) -> House {
        let (tls, roots) = test_tls::certificate();
        let (office, faults) = (Arc::new(Office::default()), Faults::default());
        let clock = Clock::fixed(NOW);
        let settings = Settings {
            limits,
            tls_port: Some(0),
            faults: faults.clone(),
            ..Settings::default()
        };
        let server = serve(
            settings,
            tls,
            office.clone(),
            clock.clone(),
            Arc::new(SystemRandom),
        )
        .await
        .unwrap();
        House {
            server,
            office,
            faults,
            clock,
            roots,
        }
    }

    fn limit(&self, change: impl FnOnce(&mut Submission)) {
        change(&mut self.office.limits.lock().unwrap());
    }

    fn sent(&self) -> Vec<(Envelope, Vec<u8>)> {
        self.office.sent.lock().unwrap().clone()
    }

    /// A connection in the clear that has read the greeting.
    async fn plain(&self) -> Client {
        let mut client = self.unread().await;
        client.line().await;
        client
    }

    async fn unread(&self) -> Client {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server.port()))
            .await
            .unwrap();
        Client::new(Box::new(stream))
    }

    /// A connection with TLS from the first byte that has said EHLO.
    async fn connect(&self) -> Client {
        let port = self.server.tls_port().unwrap();
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .unwrap();
        let mut client = Client::new(self.encrypt(Box::new(stream)).await);
        client.line().await;
        client.say("EHLO client.test").await;
        client
    }

    async fn encrypt(&self, stream: Box<dyn Stream>) -> Box<dyn Stream> {
        test_tls::encrypt(&self.roots, stream).await.unwrap()
    }

    async fn login(&self) -> Client {
        let mut client = self.connect().await;
        let answer = client
            .say(&format!("AUTH XOAUTH2 {}", xoauth2(ADA, "good")))
            .await;
        assert_eq!(answer, "235 2.7.0 Authentication successful\r\n");
        client
    }

    /// A client that may send its message now.
    async fn in_data(&self) -> Client {
        let mut client = self.login().await;
        client.envelope().await;
        let answer = client.say("DATA").await;
        assert_eq!(answer, "354 Start mail input; end with <CRLF>.<CRLF>\r\n");
        client
    }
}

struct Client {
    stream: Box<dyn Stream>,
    input: Vec<u8>,
}

impl Client {
    fn new(stream: Box<dyn Stream>) -> Client {
        Client {
            stream,
            input: Vec::new(),
        }
    }

    async fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.stream.write_all(octets.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Sends a line and returns the reply.
    async fn say(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n")).await;
        self.reply().await
    }

    /// The reply without what follows the host name in brackets.
    async fn refused(&mut self, line: &str) -> String {
        let answer = self.say(line).await;
        match answer.rsplit_once(" [") {
            Some((words, _)) => words.to_owned(),
            None => answer,
        }
    }

    async fn envelope(&mut self) {
        let answer = self.say("MAIL FROM:<ada@tarnbrook.test>").await;
        assert_eq!(answer, "250 2.1.0 Sender OK\r\n");
        let answer = self.say("RCPT TO:<far@away.test>").await;
        assert_eq!(answer, "250 2.1.5 Recipient OK\r\n");
    }

    /// One reply, all of its lines.
    async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let line = self.line().await;
            reply.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                return reply;
            }
        }
    }

    async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
                return String::from_utf8(self.input.drain(..=end).collect()).unwrap();
            }
            let before = String::from_utf8_lossy(&self.input).into_owned();
            assert!(self.fill().await, "closed after {before:?}");
        }
    }

    /// All that comes until the connection is closed.
    async fn rest(&mut self) -> String {
        while self.fill().await {}
        String::from_utf8_lossy(&std::mem::take(&mut self.input)).into_owned()
    }

    async fn fill(&mut self) -> bool {
        let read = tokio::time::timeout(
            Duration::from_secs(20),
            self.stream.read_buf(&mut self.input),
        );
        // A server that goes away without close_notify is gone all the same.
        matches!(read.await.expect("an answer within 20 s"), Ok(length) if length > 0)
    }
}

fn xoauth2(user: &str, token: &str) -> String {
    STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"))
}
