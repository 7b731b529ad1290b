//! A raw client for line protocols: sends bytes, reads lines, knows no grammar.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::support::World;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub struct Line(BufReader<Box<dyn Stream>>);

impl Line {
    /// Connects with TLS from the first byte. The greeting is not read.
    pub async fn tls(world: &World, port: u16) -> Self {
        Self::plain(port).await.into_tls(world).await
    }

    /// Connects without TLS. The greeting is not read.
    pub async fn plain(port: u16) -> Self {
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        Self(BufReader::new(Box::new(tcp)))
    }

    /// Goes on in TLS, as after `STARTTLS`.
    pub async fn into_tls(self, world: &World) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        let ca = world.running.description().ca_file;
        roots
            .add(CertificateDer::from_pem_file(&ca).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let tls = TlsConnector::from(Arc::new(config))
            .connect(name, self.0.into_inner())
            .await
            .unwrap();
        Self(BufReader::new(Box::new(tls)))
    }

    /// The next line without its end; empty at the end of the stream.
    pub async fn read(&mut self) -> String {
        let mut text = String::new();
        self.0.read_line(&mut text).await.unwrap();
        text.trim_end_matches(['\r', '\n']).to_owned()
    }

    pub async fn send(&mut self, line: &str) {
        let bytes = format!("{line}\r\n");
        self.0.get_mut().write_all(bytes.as_bytes()).await.unwrap();
        self.0.get_mut().flush().await.unwrap();
    }

    /// Sends a line and reads one.
    pub async fn ask(&mut self, line: &str) -> String {
        self.send(line).await;
        self.read().await
    }

    /// Reads until a line begins so, or the stream ends; the last line read.
    pub async fn until(&mut self, start: &str) -> String {
        loop {
            let line = self.read().await;
            if line.starts_with(start) || line.is_empty() {
                return line;
            }
        }
    }
}

/// The SASL response of `XOAUTH2`.
pub fn xoauth2(user: &str, token: &str) -> String {
    STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"))
}

/// An IMAP connection with the tagged answer to its login.
pub async fn imap_login(world: &World, user: &str, token: &str) -> (Line, String) {
    let mut line = Line::tls(world, world.running.description().imap.port).await;
    line.read().await;
    line.send(&format!("t AUTHENTICATE XOAUTH2 {}", xoauth2(user, token)))
        .await;
    let answer = line.until("t ").await;
    (line, answer)
}
