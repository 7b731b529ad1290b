//! A token of the authority at the door of IMAP.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::*;

pub struct Line(BufReader<TlsStream<TcpStream>>);

impl Line {
    pub async fn open(world: &World) -> Self {
        let description = world.running.description();
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(&description.ca_file).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tcp = TcpStream::connect(("127.0.0.1", description.imap.port))
            .await
            .unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let tls = TlsConnector::from(Arc::new(config))
            .connect(name, tcp)
            .await
            .unwrap();
        let mut line = Self(BufReader::new(tls));
        line.read().await;
        line
    }

    async fn read(&mut self) -> String {
        let mut text = String::new();
        self.0.read_line(&mut text).await.unwrap();
        text
    }

    /// The tagged answer to a command.
    pub async fn command(&mut self, command: &str) -> String {
        self.0
            .get_mut()
            .write_all(format!("t {command}\r\n").as_bytes())
            .await
            .unwrap();
        loop {
            let line = self.read().await;
            if line.starts_with("t ") || line.is_empty() {
                return line;
            }
        }
    }

    pub async fn log_in(&mut self, user: &str, token: &str) -> String {
        let response = STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"));
        self.command(&format!("AUTHENTICATE XOAUTH2 {response}"))
            .await
    }
}

#[actix_web::test]
async fn a_persons_token_opens_their_mailbox() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let token = tokens["access_token"].as_str().unwrap();
    let mut line = Line::open(&world).await;
    assert_eq!(
        line.log_in(ADA, token).await,
        "t OK AUTHENTICATE completed.\r\n"
    );
    assert!(line.command("LIST \"\" \"*\"").await.starts_with("t OK"));
    let mut line = Line::open(&world).await;
    assert_eq!(
        line.log_in(BRUNO, token).await,
        "t NO AUTHENTICATE failed.\r\n"
    );
    let log = world.running.requests().entries();
    let refused = log
        .iter()
        .rev()
        .find(|entry| entry.kind == "imap_login")
        .unwrap();
    assert_eq!(refused.user.as_deref(), Some(BRUNO));
    assert!(
        refused.detail.as_ref().unwrap().contains("no full access"),
        "{refused:?}"
    );
}

#[actix_web::test]
async fn without_a_mailbox_permission_nothing_is_behind_the_login() {
    let world = World::start().await;
    let tokens = world
        .client_credentials(APP_ONLY, "https://outlook.office365.com/.default")
        .await
        .ok();
    let token = tokens["access_token"].as_str().unwrap();
    let mut line = Line::open(&world).await;
    assert!(line.log_in(SHARED, token).await.starts_with("t OK"));
    assert!(line.command("LIST \"\" \"*\"").await.starts_with("t OK"));
    let mut line = Line::open(&world).await;
    assert!(line.log_in(ADA, token).await.starts_with("t OK"));
    assert_eq!(
        line.command("LIST \"\" \"*\"").await,
        "t BAD User is authenticated but not connected.\r\n"
    );
}

#[actix_web::test]
async fn faults_reach_imap() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let token = tokens["access_token"].as_str().unwrap();
    world
        .control("/faults", json!({"imap": {"refuse_login": true}}))
        .await
        .ok();
    assert!(
        Line::open(&world)
            .await
            .log_in(ADA, token)
            .await
            .starts_with("t NO")
    );
    world
        .control("/faults", json!({"imap": {"not_connected": true}}))
        .await
        .ok();
    let mut line = Line::open(&world).await;
    assert!(line.log_in(ADA, token).await.starts_with("t OK"));
    assert!(line.command("LIST \"\" \"*\"").await.starts_with("t BAD"));
}
