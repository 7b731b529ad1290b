//! A mail server that refuses, lies, floods or falls silent: an error each time, never an empty list, and the process
//! lives on in bounded memory.

use std::{fs, time::Duration};

use mailgrant_tests::{
    authority::{Authority, Format},
    gateway::{Configuration, Gateway},
    mail_server::{MailServer, Misbehaviour},
    needs,
    pki::Pki,
    port::free_port,
};
use reqwest::{Method, StatusCode};
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn every_misbehaviour_is_an_error_and_the_next_request_is_served() {
    needs!("node");
    let world = World::start().await;
    let account = world.gateway.connect("alice@corp.test").await;
    let listed = world.get(&account, "emails").await;
    let first = listed.1["items"][0]["id"].as_str().unwrap().to_owned();
    let one = format!("emails/{first}");
    let raw = format!("emails/{first}/raw");

    let cases = [
        ("LIST", "mailboxes"),
        ("EXAMINE", "emails"),
        ("FETCH", "emails"),
        ("SEARCH", "emails?subject=Message"),
        ("FETCH", one.as_str()),
        ("FETCH", raw.as_str()),
    ];
    let misbehaviours = [
        Misbehaviour::No("[LIMIT] throttled"),
        Misbehaviour::Bad("User is authenticated but not connected."),
        Misbehaviour::Bye("Server Unavailable. 15"),
        Misbehaviour::Cut,
        Misbehaviour::HugeLiteral(500_000_000),
        Misbehaviour::DeepStructure(425),
        Misbehaviour::DeepStructure(100_000),
        Misbehaviour::Garbage,
        Misbehaviour::EndlessLine(32 << 20),
    ];
    for how in misbehaviours {
        for (command, path) in cases {
            world.mail.misbehave(command, how.clone());
            let (status, body) = world.get(&account, path).await;
            assert!(
                !status.is_success(),
                "{how:?} on {command} gave {status}: {body}"
            );
            assert!(
                body["code"].is_string() || body.is_null(),
                "{how:?} on {command}: {body}"
            );
            world.mail.behave();
            let (status, body) = world.get(&account, path).await;
            assert_eq!(status, StatusCode::OK, "after {how:?} on {command}: {body}");
        }
    }
    let peak = world.gateway.server.peak_memory().unwrap();
    println!(
        "peak resident memory of the gateway through all of it: {} MiB",
        peak / 1024
    );
    assert!(peak < 400 * 1024, "{peak} KiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_ends_at_the_deadline_and_other_accounts_do_not_notice() {
    needs!("node");
    let world = World::start().await;
    let account = world.gateway.connect("alice@corp.test").await;
    let other = world.gateway.connect("bob@corp.test").await;
    world.mail.misbehave("SEARCH", Misbehaviour::Hang);

    let silent = world.get(&account, "emails?subject=Message");
    let meanwhile = async {
        for _ in 0..20 {
            let (status, body) = world.get(&other, "emails").await;
            assert_eq!(status, StatusCode::OK, "{body}");
        }
    };
    let within = tokio::time::timeout(Duration::from_secs(120), async {
        tokio::join!(silent, meanwhile).0
    });
    let (status, body) = within
        .await
        .expect("the gateway's own deadline comes first");
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT, "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_is_slow_but_right() {
    needs!("node");
    let world = World::start().await;
    let account = world.gateway.connect("alice@corp.test").await;
    world.mail.misbehave("FETCH", Misbehaviour::Drip(1));
    let (status, body) = world.get(&account, "emails").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["items"].as_array().unwrap().len(), 3);
}

struct World {
    gateway: Gateway,
    mail: MailServer,
    _authority: Authority,
    _dir: TempDir,
}

impl World {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let pki = Pki::make(dir.path()).unwrap();
        let mail = MailServer::start(&pki).await.unwrap();
        let port = free_port();
        let redirect = Configuration::redirect_uri(port);
        let authority = Authority::start(
            dir.path(),
            &dir.path().join("keys"),
            &redirect,
            Format::Jwt,
            3600,
        )
        .await
        .unwrap();
        let folder = dir.path().join("gateway");
        fs::create_dir(&folder).unwrap();
        let gateway = Gateway::start(&Configuration {
            dir: folder,
            port,
            issuer: authority.issuer.clone(),
            client_id: "gateway".to_owned(),
            client_secret: authority.secret.clone(),
            scope: "mail.imap",
            imap_host: "localhost".to_owned(),
            imap_port: mail.port,
            tls: "implicit",
            ca: pki.ca.clone(),
            more: String::new(),
        })
        .unwrap();
        Self {
            gateway,
            mail,
            _authority: authority,
            _dir: dir,
        }
    }

    /// The status, and the body where all of it came; a body cut short counts as a failure of the server.
    async fn get(&self, account: &str, path: &str) -> (StatusCode, serde_json::Value) {
        let request = self
            .gateway
            .request(Method::GET, &format!("/v1/accounts/{account}/{path}"));
        let answer = request.send().await.unwrap();
        let status = answer.status();
        match answer.bytes().await {
            Ok(bytes) => (status, serde_json::from_slice(&bytes).unwrap_or_default()),
            Err(_) => (StatusCode::BAD_GATEWAY, serde_json::Value::Null),
        }
    }
}
