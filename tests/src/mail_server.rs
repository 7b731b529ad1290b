//! A mail server that answers properly until it is told not to.
//!
//! Only for what a real server cannot be made to do: it takes any token, holds three messages, and for a chosen command
//! misbehaves in a chosen way.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::Result;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::pki::Pki;

/// What happens instead of the proper answer.
#[derive(Clone, Debug)]
pub enum Misbehaviour {
    /// `TAG NO text`, after the data that a proper answer begins with.
    No(&'static str),
    Bad(&'static str),
    /// `* BYE text`, then the end of the connection.
    Bye(&'static str),
    /// Half of a proper answer, then the end of the connection.
    Cut,
    /// An untagged BODYSTRUCTURE nested so deep, which nobody asked for.
    DeepStructure(usize),
    /// The announcement of a literal of so many bytes, then silence.
    HugeLiteral(u64),
    /// Bytes that are no IMAP.
    Garbage,
    /// A line that does not end; stops at so many bytes.
    EndlessLine(usize),
    /// Silence.
    Hang,
    /// A proper answer, one byte at a time, each after so many milliseconds.
    Drip(u64),
}

pub struct MailServer {
    pub port: u16,
    misbehaviours: Misbehaviours,
    connections: Arc<AtomicUsize>,
    lines: Lines,
    accepting: JoinHandle<()>,
}

type Lines = Arc<Mutex<Vec<String>>>;
type Misbehaviours = Arc<Mutex<HashMap<String, Misbehaviour>>>;

impl MailServer {
    pub async fn start(pki: &Pki) -> Result<Self> {
        let certificates =
            CertificateDer::pem_file_iter(&pki.certificate)?.collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_file(&pki.key)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(certificates, key)?;
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let misbehaviours = Misbehaviours::default();
        let connections = Arc::new(AtomicUsize::new(0));
        let (told, counted) = (Arc::clone(&misbehaviours), Arc::clone(&connections));
        let lines = Lines::default();
        let heard = Arc::clone(&lines);
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, told) = (acceptor.clone(), Arc::clone(&told));
                let heard = Arc::clone(&heard);
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    // A client that goes away is what these tests are about.
                    let _ = serve(acceptor, socket, told, heard).await;
                });
            }
        });
        Ok(Self {
            port,
            misbehaviours,
            connections,
            lines,
            accepting,
        })
    }

    /// From now on `command` (`LIST`, `EXAMINE`, `FETCH`, `SEARCH`, `STATUS`, `AUTHENTICATE`, …) ends so.
    pub fn misbehave(&self, command: &str, how: Misbehaviour) {
        self.misbehaviours
            .lock()
            .unwrap()
            .insert(command.to_owned(), how);
    }

    /// From now on everything is answered properly again.
    pub fn behave(&self) {
        self.misbehaviours.lock().unwrap().clear();
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Every line that came over the wire, tags and all.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(
    acceptor: TlsAcceptor,
    socket: TcpStream,
    told: Misbehaviours,
    heard: Lines,
) -> Result<()> {
    let mut stream = BufReader::new(acceptor.accept(socket).await?);
    send(&mut stream, b"* OK ready\r\n").await?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        heard.lock().unwrap().push(line.clone());
        let mut words = line.split_whitespace();
        let (Some(tag), Some(verb)) = (words.next(), words.next()) else {
            return Ok(());
        };
        let verb = match verb.to_ascii_uppercase().as_str() {
            "UID" => words.next().unwrap_or_default().to_ascii_uppercase(),
            verb => verb.to_owned(),
        };
        let answer = proper(tag, &verb, &line);
        let how = told.lock().unwrap().get(&verb).cloned();
        match how {
            None => send(&mut stream, answer.as_bytes()).await?,
            Some(how) => {
                if misbehave(&mut stream, tag, &answer, how).await? {
                    return Ok(());
                }
            }
        }
        if verb == "LOGOUT" {
            return Ok(());
        }
    }
}

/// Gives whether the connection ends.
async fn misbehave<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    tag: &str,
    answer: &str,
    how: Misbehaviour,
) -> Result<bool> {
    let data = answer
        .rfind(&format!("{tag} OK"))
        .map_or("", |end| &answer[..end]);
    match how {
        Misbehaviour::No(text) => {
            send(stream, format!("{data}{tag} NO {text}\r\n").as_bytes()).await?
        }
        Misbehaviour::Bad(text) => send(stream, format!("{tag} BAD {text}\r\n").as_bytes()).await?,
        Misbehaviour::Bye(text) => {
            send(stream, format!("{data}* BYE {text}\r\n").as_bytes()).await?;
            return Ok(true);
        }
        Misbehaviour::Cut => {
            send(stream, &answer.as_bytes()[..data.len() / 2]).await?;
            return Ok(true);
        }
        Misbehaviour::DeepStructure(depth) => {
            let deep = format!(
                "* 1 FETCH (BODYSTRUCTURE {}{})\r\n",
                "(".repeat(depth),
                ")".repeat(depth)
            );
            send(stream, deep.as_bytes()).await?;
            send(stream, answer.as_bytes()).await?;
        }
        Misbehaviour::HugeLiteral(size) => {
            send(
                stream,
                format!("* 1 FETCH (UID 11 BODY[] {{{size}}}\r\n").as_bytes(),
            )
            .await?;
            hang().await;
        }
        Misbehaviour::Garbage => {
            let garbage: Vec<u8> = (0..4096_u32)
                .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
                .collect();
            send(stream, &garbage).await?;
            send(stream, b"\r\n").await?;
        }
        Misbehaviour::EndlessLine(bytes) => {
            let chunk = [b'x'; 65536];
            for _ in 0..bytes / chunk.len() {
                send(stream, &chunk).await?;
            }
            hang().await;
        }
        Misbehaviour::Hang => hang().await,
        Misbehaviour::Drip(milliseconds) => {
            for byte in answer.as_bytes() {
                send(stream, &[*byte]).await?;
                tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
            }
        }
    }
    Ok(false)
}

fn proper(tag: &str, verb: &str, line: &str) -> String {
    let upper = line.to_ascii_uppercase();
    match verb {
        "CAPABILITY" => format!("* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\n{tag} OK done\r\n"),
        "LIST" => format!(
            "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LIST (\\HasNoChildren) \"/\" Archive\r\n{tag} OK done\r\n"
        ),
        "EXAMINE" | "SELECT" => format!(
            "* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT 14] next\r\n{tag} OK [READ-ONLY] done\r\n"
        ),
        "STATUS" => format!(
            "* STATUS INBOX (MESSAGES 3 UNSEEN 1 UIDNEXT 14 UIDVALIDITY 7)\r\n{tag} OK done\r\n"
        ),
        "SEARCH" => format!("* SEARCH 11 12 13\r\n{tag} OK done\r\n"),
        "FETCH" => format!("{}{tag} OK done\r\n", messages(&upper)),
        _ => format!("{tag} OK done\r\n"),
    }
}

/// All three messages, whichever were asked for, with what any of our FETCHes asks.
fn messages(command: &str) -> String {
    let uid_fetch = command.contains(" UID FETCH ");
    let wanted: Option<u32> = uid_fetch
        .then(|| command.split_whitespace().nth(3))
        .flatten()
        .and_then(|set| set.parse().ok());
    (1..=3)
        .filter(|n| wanted.is_none_or(|uid| uid == n + 10))
        .map(|n| {
            let message = format!("From: sender@example.test\r\nSubject: Message {n}\r\n\r\nBody of {n}\r\n");
            let body = body_item(command, &message);
            format!(
                "* {n} FETCH (UID {} FLAGS (\\Seen) INTERNALDATE \"22-Nov-2026 10:00:00 +0000\" RFC822.SIZE {}{body})\r\n",
                n + 10,
                message.len()
            )
        })
        .collect()
}

fn body_item(command: &str, message: &str) -> String {
    let Some(at) = command.find("BODY.PEEK[]") else {
        return String::new();
    };
    let partial = command[at..]
        .strip_prefix("BODY.PEEK[]<")
        .and_then(|rest| rest.split_once('>'));
    let Some((offset, length)) = partial.and_then(|(window, _)| window.split_once('.')) else {
        return format!(" BODY[] {{{}}}\r\n{message}", message.len());
    };
    let offset: usize = offset.parse().unwrap_or(0);
    let length: usize = length.parse().unwrap_or(0);
    let from = offset.min(message.len());
    let to = from.saturating_add(length).min(message.len());
    format!(
        " BODY[]<{offset}> {{{}}}\r\n{}",
        to - from,
        &message[from..to]
    )
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<()> {
    stream.write_all(bytes).await?;
    Ok(stream.flush().await?)
}

/// Long enough for every deadline of the gateway.
async fn hang() {
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
}
