//! A raw client for line protocols: sends bytes, reads lines, knows no grammar.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::support::{Browser, World};

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

/// An SMTP connection that has switched to TLS and said EHLO again.
pub async fn smtp(world: &World) -> Line {
    let mut line = Line::plain(world.running.description().smtp.port).await;
    line.read().await;
    line.smtp("EHLO client.test").await;
    assert_eq!(line.smtp("STARTTLS").await, "220 2.0.0 SMTP server ready");
    let mut line = line.into_tls(world).await;
    line.smtp("EHLO client.test").await;
    line
}

/// An SMTP connection with the reply to its login.
pub async fn smtp_login(world: &World, user: &str, token: &str) -> (Line, String) {
    let mut line = smtp(world).await;
    let answer = line
        .smtp(&format!("AUTH XOAUTH2 {}", xoauth2(user, token)))
        .await;
    (line, answer)
}

/// A POP3 connection with the answer to its login.
pub async fn pop3_login(world: &World, user: &str, token: &str) -> (Line, String) {
    let mut line = Line::tls(world, world.running.description().pop3.port).await;
    line.read().await;
    assert_eq!(line.ask("AUTH XOAUTH2").await, "+ ");
    let answer = line.ask(&xoauth2(user, token)).await;
    (line, answer)
}

impl Line {
    /// Sends a line and reads the reply; its last line.
    pub async fn smtp(&mut self, line: &str) -> String {
        self.send(line).await;
        loop {
            let reply = self.read().await;
            if reply.as_bytes().get(3) != Some(&b'-') {
                return reply;
            }
        }
    }

    /// Hands in a message; the last reply.
    pub async fn hand_in(&mut self, from: &str, to: &[&str], message: &str) -> String {
        let reply = self.begin(from, to).await;
        if !reply.starts_with("354") {
            return reply;
        }
        self.smtp(&format!("{message}\r\n.")).await
    }

    /// As far as the message.
    pub async fn begin(&mut self, from: &str, to: &[&str]) -> String {
        let reply = self.smtp(&format!("MAIL FROM:<{from}>")).await;
        if !reply.starts_with("250") {
            return reply;
        }
        for to in to {
            self.smtp(&format!("RCPT TO:<{to}>")).await;
        }
        self.smtp("DATA").await
    }
}

/// A token of a person for these scopes.
pub async fn token_of(world: &World, address: &str, scope: &str) -> String {
    let url = world.authorize_url(&[("scope", scope)]);
    let answer = Browser::new(world).connect(&url, address).await;
    let code = answer.parameter("code").expect("a code");
    let tokens = world.redeem(&code, &[]).await.ok();
    tokens["access_token"].as_str().unwrap().to_owned()
}

/// What SMTP wants of a person's token.
pub const SMTP_SEND: &str = "openid https://outlook.office.com/SMTP.Send";
