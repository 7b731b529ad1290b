//! Refresh tokens that another program obtained, at an authority that lets each be used once. Whatever happens in the
//! middle of an import, kill -9 included, the token is there afterwards.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use mailgrant_tests::{
    gateway::{Answer, Gateway},
    mail_server::{MailServer, Misbehaviour},
    pki::Pki,
    port::free_port,
    process::{PATIENCE, Server, mailgrant},
    rotating::{GIVEN, Rotating},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

const ADDRESS: &str = "alice@corp.test";

struct World {
    gateway: Gateway,
    authority: Rotating,
    mail: MailServer,
    home: PathBuf,
    _dir: TempDir,
}

impl World {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let pki = Pki::make(dir.path()).unwrap();
        let mail = MailServer::start(&pki).await.unwrap();
        let authority = Rotating::start().await.unwrap();
        let home = dir.path().join("gateway");
        fs::create_dir(&home).unwrap();
        let port = free_port();
        let settings = format!(
            r#"
[server]
listen = "127.0.0.1:{port}"
public_url = "http://localhost:{port}"
[storage]
url = "sqlite:mailgrant.db"
[master_key]
file = "master.key"
[[application]]
id = "corp"
provider = "corp"
client_id = "client"
[[provider]]
id = "corp"
authorization_endpoint = "{issuer}/authorize"
token_endpoint = "{issuer}/token"
scopes = ["offline_access", "mail"]
imap = {{ host = "localhost", port = {imap}, tls = "implicit" }}
tls_ca_file = "{ca}"
"#,
            issuer = authority.issuer,
            imap = mail.port,
            ca = pki.ca.display(),
        );
        Self {
            gateway: Gateway::start_from(&home, port, &settings).unwrap(),
            authority,
            mail,
            home,
            _dir: dir,
        }
    }

    /// Begins an import; its end is of no interest.
    fn begin(&self) -> JoinHandle<reqwest::Result<reqwest::Response>> {
        let request = self.gateway.request(Method::POST, "/v1/accounts");
        tokio::spawn(request.json(&wanted()).send())
    }

    async fn import(&self) -> Answer {
        self.gateway.post("/v1/accounts", &wanted()).await
    }

    fn kill_and_restart(&mut self) {
        self.gateway.server.kill();
        self.gateway.restart().unwrap();
    }

    async fn mail_is_asked(&self, command: &str) {
        let asked = async {
            while !self.mail.lines().iter().any(|line| line.contains(command)) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.expect(command);
    }

    async fn accounts(&self) -> Vec<Value> {
        let list = self.gateway.get("/v1/accounts").await.body;
        list["items"].as_array().unwrap().clone()
    }

    /// One account, which lives on the latest token of a grant that nobody has killed.
    async fn is_whole(&self) {
        let accounts = self.accounts().await;
        assert_eq!(accounts.len(), 1, "{accounts:#?}");
        assert_eq!(accounts[0]["state"], "connected");
        let id = accounts[0]["id"].as_str().unwrap();
        let before = self.authority.turn().expect("nobody showed an old token");
        let token = format!("/v1/accounts/{id}/access-token?min_lifetime=3600");
        let token = self.gateway.post(&token, &json!({})).await;
        assert_eq!(token.status, StatusCode::OK, "{}", token.text);
        assert!(self.authority.turn().expect("nor now") >= before);
        let emails = self.gateway.get(&format!("/v1/accounts/{id}/emails")).await;
        assert_eq!(emails.status, StatusCode::OK, "{}", emails.text);
    }

    fn command(&self) -> Command {
        let file = self.home.join("given");
        fs::write(&file, GIVEN).unwrap();
        let mut command = mailgrant();
        command
            .args(["login", "--application", "corp", "--mailbox", ADDRESS])
            .arg("--config")
            .arg(&self.gateway.configuration)
            .arg("--import")
            .arg(file);
        command
    }
}

fn wanted() -> Value {
    json!({"application": "corp", "address": ADDRESS, "refresh_token": GIVEN, "metadata": {"row": 7}})
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_authority_acts_the_same_request_makes_the_account() {
    let mut world = World::start().await;
    world.authority.silence(true);
    let begun = world.begin();
    world.authority.request(1).await;
    world.kill_and_restart();
    assert!(begun.await.unwrap().is_err());
    world.authority.silence(false);
    let imported = world.import().await;
    assert!(imported.status.is_success(), "{}", imported.text);
    assert_eq!(imported.body["metadata"], json!({"row": 7}));
    world.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_mailbox_is_opened_the_next_token_is_used() {
    let mut world = World::start().await;
    world.mail.misbehave("LIST", Misbehaviour::Hang);
    let begun = world.begin();
    world.mail_is_asked("LIST").await;
    assert_eq!(world.authority.turn(), Some(1), "the given token is void");
    world.kill_and_restart();
    assert!(begun.await.unwrap().is_err());
    assert_eq!(world.accounts().await.len(), 0);
    world.mail.behave();
    let imported = world.import().await;
    assert!(imported.status.is_success(), "{}", imported.text);
    world.is_whole().await;
    let again = world.import().await;
    assert_eq!(
        (again.status, &again.body["id"]),
        (StatusCode::OK, &imported.body["id"])
    );
    let logs = world.gateway.logs();
    for secret in [
        GIVEN,
        "by-the-authority",
        "access-0",
        "access-1",
        "access-2",
    ] {
        assert!(!logs.contains(secret), "{secret} in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_the_gateway_finishes_by_itself() {
    let mut world = World::start().await;
    world.mail.misbehave("AUTHENTICATE", Misbehaviour::Hang);
    let begun = world.begin();
    world.mail_is_asked("AUTHENTICATE").await;
    world.gateway.server.kill();
    assert!(begun.await.unwrap().is_err());
    world.mail.behave();
    world.gateway.restart().unwrap();
    let path = "/v1/events?wait=30";
    let told = world.gateway.get(path).await.body;
    assert_eq!(told["items"][0]["type"], "account.connected", "{told:#}");
    world.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_an_import_is_there_in_the_end() {
    let mut world = World::start().await;
    // Between the authority's answer and the disk a token that may be used once cannot be saved by anybody; one that
    // stays good for a while, as at Entra, is.
    world.authority.forgive();
    for milliseconds in [3, 9, 16, 25, 40] {
        let begun = world.begin();
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        world.kill_and_restart();
        // Answered or not: nobody knows, and nobody needs to.
        let _ = begun.await;
        if !world.accounts().await.is_empty() {
            break;
        }
    }
    let imported = world.import().await;
    assert!(imported.status.is_success(), "{}", imported.text);
    world.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_killed_is_run_again_or_finished_by_the_gateway() {
    let world = World::start().await;
    world.mail.misbehave("LIST", Misbehaviour::Hang);
    let mut login = Server::start(&mut world.command(), world.home.join("login.log")).unwrap();
    world.mail_is_asked("LIST").await;
    login.kill();
    world.mail.behave();
    // The gateway may be first: then it is the same account.
    let output = world.command().output().unwrap();
    let (out, err) = (
        output.stdout,
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert_eq!(output.status.code(), Some(0), "{err}");
    let id = String::from_utf8(out).unwrap();
    assert_eq!(world.accounts().await[0]["id"], id.trim_end());
    world.is_whole().await;
    assert!(!err.contains("refresh-"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_command_and_a_dead_mail_server_say_that_the_token_is_kept() {
    let mut world = World::start().await;
    world.gateway.server.stop().unwrap();
    world.mail.misbehave("LIST", Misbehaviour::Hang);
    let mut login = Server::start(&mut world.command(), world.home.join("login.log")).unwrap();
    world.mail_is_asked("LIST").await;
    login.stop().unwrap();
    assert!(
        login.printed().contains("kept, sealed"),
        "{}",
        login.printed()
    );
    world
        .mail
        .misbehave("LIST", Misbehaviour::Bye("going down"));
    let output = world.command().output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{err}");
    assert!(err.contains("The refresh token is not lost"), "{err}");
    world.mail.behave();
    let output = world.command().output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    world.gateway.restart().unwrap();
    world.is_whole().await;
}
