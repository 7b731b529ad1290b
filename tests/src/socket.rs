//! The least that speaks IMAP: a TLS connection that sends commands and throws the answers away. What is measured
//! through it is the server.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Whom to trust; made once for all connections.
#[derive(Clone)]
pub struct Trust(TlsConnector);

impl Trust {
    pub fn new(ca: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(ca).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self(TlsConnector::from(Arc::new(config)))
    }
}

pub struct Socket {
    stream: BufReader<TlsStream<TcpStream>>,
    line: Vec<u8>,
    /// What was read, in octets.
    pub read: u64,
}

impl Socket {
    /// Connects and logs in by XOAUTH2.
    pub async fn login(trust: &Trust, port: u16, user: &str, token: &str, buffer: usize) -> Self {
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = trust.0.connect(name, tcp).await.unwrap();
        let mut socket = Self {
            stream: BufReader::with_capacity(buffer, stream),
            line: Vec::new(),
            read: 0,
        };
        let initial = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            format!("user={user}\x01auth=Bearer {token}\x01\x01"),
        );
        socket
            .command(&format!("AUTHENTICATE XOAUTH2 {initial}"))
            .await;
        socket
    }

    /// Sends a command and reads to its OK.
    pub async fn command(&mut self, command: &str) {
        self.send(format!("t {command}\r\n").as_bytes()).await;
        self.done().await;
    }

    /// Sends octets as they are.
    pub async fn send(&mut self, octets: &[u8]) {
        self.stream.get_mut().write_all(octets).await.unwrap();
        self.stream.get_mut().flush().await.unwrap();
    }

    /// Reads to the tagged OK, stepping over literals.
    pub async fn done(&mut self) {
        self.until(b"t ").await;
        assert!(
            self.line.starts_with(b"t OK"),
            "{}",
            String::from_utf8_lossy(&self.line)
        );
    }

    /// The last line that was read.
    pub fn last(&self) -> String {
        String::from_utf8_lossy(&self.line).into_owned()
    }

    /// Reads to a line that begins so.
    pub async fn until(&mut self, start: &[u8]) {
        loop {
            self.line.clear();
            let length = self.stream.read_until(b'\n', &mut self.line).await.unwrap();
            assert!(length > 0, "the server hung up");
            self.read += length as u64;
            if self.line.starts_with(start) {
                return;
            }
            if let Some(size) = literal(&self.line) {
                let mut body = vec![0; size];
                self.stream.read_exact(&mut body).await.unwrap();
                self.read += size as u64;
            }
        }
    }
}

fn literal(line: &[u8]) -> Option<usize> {
    let line = std::str::from_utf8(line)
        .ok()?
        .trim_end()
        .strip_suffix('}')?;
    line.rsplit_once('{')?.1.parse().ok()
}
