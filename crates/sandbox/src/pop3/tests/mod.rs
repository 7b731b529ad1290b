//! Transcripts: what is sent, octet by octet, and what comes back.

mod hostile;
mod login;
mod reading;

use std::net::Ipv4Addr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::net::test_tls;

const NOW: UnixTime = UnixTime(1_800_000_000);
const ADA: &str = "ada@tarnbrook.test";

/// Knows three tokens.
struct Tokens;

impl Authenticator for Tokens {
    fn authenticate(
        &self,
        user: &str,
        token: &str,
        now: UnixTime,
    ) -> Result<MailboxAccess, Refusal> {
        match token {
            "good" => Ok(MailboxAccess {
                mailbox: user.to_owned(),
                expires_at: now + Duration::from_secs(3600),
            }),
            "stranger" => Err(Refusal::NotConnected),
            _ => Err(Refusal::Authentication),
        }
    }
}

struct House {
    server: Server,
    store: Arc<MailStore>,
    clock: Clock,
    faults: Faults,
    roots: RootCertStore,
    _directory: tempfile::TempDir,
}

impl House {
    async fn new() -> House {
        House::with(Limits::default()).await
    }

    async fn with(limits: Limits) -> House {
        let directory = tempfile::tempdir().unwrap();
        let (tls, roots) = test_tls::certificate();
        let store = Arc::new(MailStore::open(directory.path(), NOW).unwrap());
        let (clock, faults) = (Clock::fixed(NOW), Faults::default());
        let settings = Settings {
            limits,
            faults: faults.clone(),
            ..Settings::default()
        };
        let server = serve(
            settings,
            tls,
            store.clone(),
            Arc::new(Tokens),
            clock.clone(),
        )
        .await
        .unwrap();
        House {
            server,
            store,
            clock,
            faults,
            roots,
            _directory: directory,
        }
    }

    /// A connection in the clear. The greeting is not read.
    async fn plain(&self) -> Client {
        let port = self.server.starttls_port();
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .unwrap();
        Client::new(Box::new(stream))
    }

    /// A connection with TLS that has read the greeting.
    async fn connect(&self) -> Client {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server.port()))
            .await
            .unwrap();
        let mut client = Client::new(self.encrypt(Box::new(stream)).await);
        client.line().await;
        client
    }

    async fn encrypt(&self, stream: Box<dyn Stream>) -> Box<dyn Stream> {
        test_tls::encrypt(&self.roots, stream).await.unwrap()
    }

    async fn login(&self) -> Client {
        let mut client = self.connect().await;
        let answer = client.log_in(ADA, "good").await;
        assert_eq!(answer, "+OK User successfully authenticated.\r\n");
        client
    }

    /// A mailbox with these messages in its inbox, and a client that has opened it.
    async fn with_mail(&self, messages: &[&[u8]]) -> Client {
        let mailbox = self.store.mailbox(ADA).unwrap();
        for message in messages {
            mailbox.deliver(message, NOW).unwrap();
        }
        self.login().await
    }

    fn uids(&self) -> Vec<u32> {
        let inbox = self.store.mailbox(ADA).unwrap().folder("INBOX").unwrap();
        inbox.entries().iter().map(|entry| entry.uid).collect()
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

    /// Sends a line and returns one.
    async fn say(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n")).await;
        self.line().await
    }

    /// Sends a line and returns all up to and with the dot.
    async fn say_all(&mut self, line: &str) -> String {
        let mut answer = self.say(line).await;
        assert!(answer.starts_with("+OK"), "{line}: {answer}");
        while !answer.ends_with("\r\n.\r\n") {
            answer.push_str(&self.line().await);
        }
        answer
    }

    async fn log_in(&mut self, user: &str, token: &str) -> String {
        assert_eq!(self.say("AUTH XOAUTH2").await, "+ \r\n");
        self.say(&xoauth2(user, token)).await
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
