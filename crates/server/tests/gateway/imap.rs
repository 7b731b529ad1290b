//! A mail server of a few commands: enough to log in, list and read one message.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// What the server has, refuses and has seen.
#[derive(Default)]
pub(crate) struct State {
    /// `AUTHENTICATE` is answered with NO.
    pub(crate) refuses: bool,
    /// Only this SASL initial response (base64) is let in.
    pub(crate) takes_only: Option<String>,
    /// `EXAMINE` and `LIST` are answered with Exchange's words for a login without a mailbox.
    pub(crate) not_connected: bool,
    /// The answer to the next `AUTHENTICATE`, in place of its own.
    pub(crate) says: Option<String>,
    /// UIDVALIDITY of INBOX.
    pub(crate) uid_validity: u32,
    /// The message with UID 7.
    pub(crate) message: Vec<u8>,
    /// The connection is cut instead of sending octets from here on.
    pub(crate) cut_at: Option<usize>,
    /// So many connections are cut at their next `EXAMINE` or `FETCH`.
    pub(crate) cuts: u32,
    /// Nobody is served: the line is closed at once.
    pub(crate) is_down: bool,
    /// Connections so far.
    pub(crate) connections: u32,
    /// The SASL initial responses, base64.
    pub(crate) logins: Vec<String>,
}

pub(crate) struct Imap {
    pub(crate) port: u16,
    pub(crate) ca_pem: String,
    pub(crate) state: Arc<Mutex<State>>,
}

impl Imap {
    pub(crate) async fn start() -> Self {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            uid_validity: 14,
            message: b"Subject: Lunch\r\n\r\nAt one?\r\n".to_vec(),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, state) = (acceptor.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(tcp).await {
                        let _ = serve(stream, &state).await;
                    }
                });
            }
        });
        Self {
            port,
            ca_pem: cert.pem(),
            state,
        }
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }
}

async fn serve(
    stream: impl AsyncReadExt + AsyncWriteExt + Unpin,
    state: &Mutex<State>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    {
        let mut state = state.lock().unwrap();
        state.connections += 1;
        if state.is_down {
            return Ok(());
        }
    }
    stream.write_all(b"* OK ready\r\n").await?;
    stream.flush().await?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let (tag, command) = line
            .trim_end()
            .split_once(' ')
            .unwrap_or((line.trim_end(), ""));
        let Some(answer) = answer(tag, command, state) else {
            return Ok(());
        };
        stream.write_all(&answer).await?;
        stream.flush().await?;
    }
}

/// The octets to answer with; `None` cuts the connection.
fn answer(tag: &str, command: &str, state: &Mutex<State>) -> Option<Vec<u8>> {
    let mut state = state.lock().unwrap();
    let upper = command.to_ascii_uppercase();
    let ok = |untagged: &str| format!("{untagged}{tag} OK done\r\n").into_bytes();
    Some(match upper.split(' ').next().unwrap_or_default() {
        "CAPABILITY" => ok("* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\n"),
        "AUTHENTICATE" => {
            let login = command.rsplit(' ').next().unwrap_or_default().to_owned();
            let is_taken = state.takes_only.as_ref().is_none_or(|only| *only == login);
            state.logins.push(login);
            if let Some(text) = state.says.take() {
                format!("{tag} {text}\r\n").into_bytes()
            } else if state.refuses || !is_taken {
                format!("{tag} NO AUTHENTICATE failed.\r\n").into_bytes()
            } else {
                ok("* CAPABILITY IMAP4rev1\r\n")
            }
        }
        "EXAMINE" | "UID" | "FETCH" if state.cuts > 0 => {
            state.cuts -= 1;
            return None;
        }
        "EXAMINE" | "LIST" if state.not_connected => {
            format!("{tag} BAD User is authenticated but not connected.\r\n").into_bytes()
        }
        "LIST" => ok(
            "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Items\"\r\n",
        ),
        "EXAMINE" if upper.contains("INBOX") => ok(&format!(
            "* 1 EXISTS\r\n* OK [UIDVALIDITY {}] ok\r\n* OK [UIDNEXT 8] ok\r\n",
            state.uid_validity
        )),
        "EXAMINE" => format!("{tag} NO there is no such mailbox\r\n").into_bytes(),
        "UID" | "FETCH" => return fetch(tag, &upper, &state),
        "LOGOUT" => ok("* BYE see you\r\n"),
        _ => ok(""),
    })
}

/// Answers for UID 7 and nothing else; a window when a body is asked for.
fn fetch(tag: &str, command: &str, state: &State) -> Option<Vec<u8>> {
    let done = format!("{tag} OK done\r\n");
    let is_sequence = command.starts_with("FETCH");
    if !is_sequence && command.split(' ').nth(2) != Some("7") {
        return Some(done.into_bytes());
    }
    let flags = format!(
        "UID 7 FLAGS (\\Seen) INTERNALDATE \"22-Nov-2026 10:00:00 +0000\" RFC822.SIZE {}",
        state.message.len()
    );
    let mut answer = Vec::new();
    match command
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
    {
        None => answer.extend(format!("* 1 FETCH ({flags})\r\n").into_bytes()),
        Some((window, _)) => {
            let (from, length) = window.split_once('.')?;
            let (from, length): (usize, usize) = (from.parse().ok()?, length.parse().ok()?);
            let end = (from + length).min(state.message.len());
            if state.cut_at.is_some_and(|cut| end > cut) {
                return None;
            }
            let octets = state.message.get(from..end).unwrap_or_default();
            answer.extend(
                format!("* 1 FETCH ({flags} BODY[]<{from}> {{{}}}\r\n", octets.len()).into_bytes(),
            );
            answer.extend(octets);
            answer.extend(b")\r\n");
        }
    }
    answer.extend(done.into_bytes());
    Some(answer)
}
