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

#[actix_web::test]
async fn rules_are_completed_by_presets_and_checked() {
    let world = World::start().await;
    let rules = |rules| json!({"imap": {"rules": rules}});
    let plan = world
        .control("/faults", rules(json!([{"preset": "second_list_fails"}])))
        .await
        .ok();
    let rule = &plan["imap"]["rules"][0];
    assert_eq!((&rule["at"], &rule["after"]), (&json!("LIST"), &json!(1)));
    for (wrong, problem) in [
        (
            json!([{"at": "LIST"}]),
            "imap.rules[0].reply: say what happens",
        ),
        (
            json!([{"at": "FROB", "silent": true}]),
            "imap.rules[0].at: no such command",
        ),
        (
            json!([{"at": "LIST", "reply": "maybe"}]),
            "imap.rules[0].reply: begins with OK",
        ),
        (json!([{"preset": "no_such"}]), "unknown variant"),
    ] {
        let refused = world.control("/faults", rules(wrong)).await;
        assert_eq!(refused.status, 400);
        let error = refused.body["error"].as_str().unwrap();
        assert!(error.contains(problem), "{error}");
    }
    // What was in force before still is.
    let tokens = world.connected().await;
    let mut line = Line::open(&world).await;
    line.log_in(ADA, tokens["access_token"].as_str().unwrap())
        .await;
    assert!(line.command("LIST \"\" \"*\"").await.starts_with("t OK"));
    assert!(
        line.command("LIST \"\" \"*\"")
            .await
            .starts_with("t NO [SERVERBUG]")
    );
}

#[actix_web::test]
async fn sessions_are_shown_and_ended() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let token = tokens["access_token"].as_str().unwrap();
    let mut line = Line::open(&world).await;
    line.log_in(ADA, token).await;
    let open = world
        .http
        .get(format!("{}/control/imap/sessions", world.base))
        .header("X-Sandbox-Control", "1");
    assert_eq!(
        Reply::of(open.send().await.unwrap()).await.ok(),
        json!({"open": [{"mailbox": ADA, "sessions": 1}]})
    );
    let ended = world.control("/imap/end", json!({"mailbox": BRUNO})).await;
    assert_eq!(ended.ok(), json!({"ended": 0}));
    let ended = world.control("/imap/end", json!({"mailbox": ADA})).await;
    assert_eq!(ended.ok(), json!({"ended": 1}));
    assert_eq!(
        line.read().await,
        "* BYE Session invalidated - AccessTokenExpired\r\n"
    );
}

#[actix_web::test]
async fn a_switch_is_for_new_logins_and_a_licence_for_all() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let token = tokens["access_token"].as_str().unwrap();
    let switches = |change: fn(&mut mailgrant_sandbox::directory::MailboxSwitches)| {
        world.running.directory().change(|tenant| {
            let ada = tenant
                .mailboxes
                .iter_mut()
                .find(|mailbox| mailbox.address == ADA);
            change(&mut ada.unwrap().switches);
        });
    };
    let mut line = Line::open(&world).await;
    line.log_in(ADA, token).await;
    switches(|switches| switches.imap = false);
    assert!(line.command("SELECT INBOX").await.starts_with("t OK"));
    let mut refused = Line::open(&world).await;
    assert_eq!(
        refused.log_in(ADA, token).await,
        "t NO AUTHENTICATE failed.\r\n"
    );
    switches(|switches| switches.licensed = false);
    assert_eq!(line.read().await, "* BYE Connection closed. 14\r\n");
}
