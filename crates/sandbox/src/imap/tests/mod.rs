//! Transcripts: what is sent, octet by octet, and what comes back.

mod changing;
mod faults;
mod hostile;
mod limits;
mod login;
mod reading;
mod searching;
mod structure;

use std::net::Ipv4Addr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::control::{FaultPlan, RequestLog};
use crate::net::test_tls;

const NOW: UnixTime = UnixTime(1_795_000_000);
const ADA: &str = "ada@tarnbrook.test";

/// Knows three tokens.
#[derive(Default)]
struct Tokens {
    limits: Mutex<ImapLimits>,
    /// A mailbox that was deleted.
    gone: watch::Sender<Option<String>>,
    changes: watch::Sender<u64>,
    log: RequestLog,
}

impl Authenticator for Tokens {
    fn authenticate(
        &self,
        user: &str,
        token: &str,
        now: UnixTime,
    ) -> Result<MailboxAccess, Refused> {
        let expires_at = now + Duration::from_secs(3600);
        let refused = |refusal| {
            Err(Refused {
                refusal,
                reason: "the token is not a good one".to_owned(),
            })
        };
        match token {
            "good" => Ok(MailboxAccess {
                mailbox: user.to_owned(),
                expires_at,
                holder: None,
            }),
            "stranger" => refused(Refusal::NotConnected),
            _ => refused(Refusal::Authentication),
        }
    }

    fn refuse_password(&self, user: &str) -> PasswordRefusal {
        match user.ends_with("@outlook.test") {
            true => PasswordRefusal::Disabled,
            false => PasswordRefusal::Failed,
        }
    }

    fn limits(&self, _mailbox: &str) -> ImapLimits {
        *self.limits.lock().unwrap()
    }

    fn may_stay(&self, access: &MailboxAccess) -> bool {
        Some(&access.mailbox) != self.gone.borrow().as_ref()
    }

    fn changes(&self) -> Option<watch::Receiver<u64>> {
        Some(self.changes.subscribe())
    }

    fn record(&self, entry: Entry) {
        self.log.record(entry);
    }
}

struct House {
    server: Server,
    store: Arc<MailStore>,
    clock: Clock,
    faults: Faults,
    sessions: Sessions,
    tokens: Arc<Tokens>,
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
        let clock = Clock::fixed(NOW);
        let settings = Settings {
            limits,
            ..Settings::default()
        };
        let (faults, sessions) = (settings.faults.clone(), settings.sessions.clone());
        let tokens = Arc::new(Tokens::default());
        let server = serve(settings, tls, store.clone(), tokens.clone(), clock.clone())
            .await
            .unwrap();
        House {
            server,
            store,
            clock,
            faults,
            sessions,
            tokens,
            roots,
            _directory: directory,
        }
    }

    /// A connection that has read the greeting.
    async fn connect(&self) -> Client {
        let mut client = self.connect_unread().await;
        client.line().await;
        client
    }

    async fn connect_unread(&self) -> Client {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server.port()))
            .await
            .unwrap();
        Client::new(self.encrypt(Box::new(stream)).await)
    }

    async fn connect_in_the_clear(&self) -> Client {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server.starttls_port()))
            .await
            .unwrap();
        Client::new(Box::new(stream))
    }

    async fn encrypt(&self, stream: Box<dyn Stream>) -> Box<dyn Stream> {
        self.try_encrypt(stream).await.unwrap()
    }

    async fn try_encrypt(&self, stream: Box<dyn Stream>) -> io::Result<Box<dyn Stream>> {
        test_tls::encrypt(&self.roots, stream).await
    }

    /// Puts these rules in force, as the control API does.
    fn told(&self, rules: serde_json::Value) {
        let mut plan: FaultPlan =
            serde_json::from_value(serde_json::json!({"imap": {"rules": rules}})).unwrap();
        plan.imap.complete().unwrap();
        self.faults.set(plan);
    }

    async fn login(&self) -> Client {
        let mut client = self.connect().await;
        let answer = client
            .say(&format!("a AUTHENTICATE XOAUTH2 {}", xoauth2(ADA, "good")))
            .await;
        assert_eq!(answer, "a OK AUTHENTICATE completed.\r\n");
        client
    }

    /// A mailbox with these messages in its inbox, and a client that has selected it.
    async fn selected(&self, messages: &[&[u8]]) -> Client {
        let mailbox = self.store.mailbox(ADA).unwrap();
        for message in messages {
            mailbox.deliver(message, NOW).unwrap();
        }
        let mut client = self.login().await;
        client.ok("s SELECT INBOX").await;
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

    /// Sends a line and returns all up to and with its tagged answer.
    async fn say(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n")).await;
        let tag = line.split(' ').next().unwrap();
        self.answer(tag).await
    }

    async fn ok(&mut self, line: &str) -> String {
        let answer = self.say(line).await;
        let tag = line.split(' ').next().unwrap();
        let last = answer.lines().last().unwrap();
        assert!(last.starts_with(&format!("{tag} OK")), "{line}: {answer}");
        answer
    }

    /// All up to and with the line that begins with the tag; literals are skipped over.
    async fn answer(&mut self, tag: &str) -> String {
        String::from_utf8_lossy(&self.octets(tag).await).into_owned()
    }

    async fn octets(&mut self, tag: &str) -> Vec<u8> {
        let mut answer = Vec::new();
        loop {
            let line = self.raw_line().await;
            let done = line.starts_with(format!("{tag} ").as_bytes());
            let literal = literal(&line);
            answer.extend(line);
            if done {
                return answer;
            }
            if let Some(length) = literal {
                while self.input.len() < length {
                    assert!(self.fill().await, "the connection was closed");
                }
                answer.extend(self.input.drain(..length));
            }
        }
    }

    /// One line.
    async fn line(&mut self) -> String {
        String::from_utf8(self.raw_line().await).unwrap()
    }

    async fn raw_line(&mut self) -> Vec<u8> {
        loop {
            if let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
                return self.input.drain(..=end).collect();
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

fn literal(line: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix("}\r\n")?;
    text.rsplit_once('{')?.1.parse().ok()
}

fn xoauth2(user: &str, token: &str) -> String {
    STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"))
}
