//! A gateway that cannot work says so: it does not start, or answers 503. One that is told to stop, stops.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use mailgrant_tests::{
    needs,
    process::{PATIENCE, mailgrant},
    stack::{Options, Stack},
};
use reqwest::StatusCode;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn a_database_is_not_opened_without_its_own_master_key() {
    needs!("node", "dovecot");
    let mut stack = Stack::start(Options::default()).await.unwrap();
    let account = stack.gateway.connect("alice@corp.test").await;
    stack.gateway.server.stop().unwrap();
    let folder = stack.dir.path().join("gateway");
    let key = folder.join("master.key");
    let mode = fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "only its owner may read it");
    let own = fs::read_to_string(&key).unwrap();
    let own_id = key_id(&own);
    let before = databases(&folder);

    // Gone, another one, no key at all, and the right one where everybody can read it.
    let other = STANDARD.encode([7; 32]);
    fs::remove_file(&key).unwrap();
    assert_refused(&stack.gateway.configuration, &[&own_id]).await;
    assert!(
        !key.exists(),
        "no new key in place of the one that is needed"
    );
    write_key(&key, &other, 0o600);
    assert_refused(&stack.gateway.configuration, &[&own_id]).await;
    write_key(&key, "hunter2", 0o600);
    let told = assert_refused(&stack.gateway.configuration, &["master.key", "32 bytes"]).await;
    assert!(!told.contains("hunter2"), "{told}");
    write_key(&key, &own, 0o644);
    assert_refused(&stack.gateway.configuration, &["chmod 600"]).await;
    assert_eq!(databases(&folder), before, "nothing was overwritten");

    // With the key back, the sealed grant opens and serves.
    write_key(&key, &own, 0o600);
    stack.gateway.restart().unwrap();
    let path = format!("/v1/accounts/{account}/access-token");
    let token = stack.gateway.post(&path, &json!({})).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.text);
}

#[tokio::test]
async fn settings_that_cannot_work_stop_the_start_and_name_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mailgrant.toml");
    let mail = "https://outlook.office.com/IMAP.AccessAsUser.All";
    let cases = [
        ("public_url =", "pubic_url =", vec!["pubic_url"]),
        ("[storage]", "[storrage]", vec!["storrage"]),
        (
            mail,
            "https://graph.microsoft.com/IMAP.AccessAsUser.All",
            vec!["application[0].scopes", mail],
        ),
        (
            mail,
            "IMAP.AccessAsUser.All",
            vec!["application[0].scopes", mail],
        ),
        (
            "file = \"secret\"",
            "file = \"nowhere\"",
            vec!["client_secret_file", "nowhere"],
        ),
        (
            "provider = \"microsoft365\"",
            "provider = \"microsoft\"",
            vec!["application[0].provider", "microsoft365"],
        ),
        (
            "http://localhost:8099",
            "http://mail.example.com",
            vec!["server.public_url", "https"],
        ),
    ];
    fs::write(folder.path().join("secret"), "s3cr3t-value").unwrap();
    for (right, wrong, named) in cases {
        let sound = settings(mail);
        assert!(sound.contains(right), "{right}");
        fs::write(&file, sound.replace(right, wrong)).unwrap();
        let told = assert_refused(&file, &named).await;
        assert!(!told.contains("s3cr3t-value"), "{told}");
        assert!(!folder.path().join("mailgrant.db").exists(), "{wrong}");
        assert!(!folder.path().join("master.key").exists(), "{wrong}");
    }
}

#[tokio::test]
async fn a_database_that_is_gone_is_said_and_nothing_is_acknowledged_meanwhile() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let account = stack.gateway.connect("alice@corp.test").await;
    let database = stack.dir.path().join("gateway/mailgrant.db");
    let aside = database.with_extension("aside");
    assert_eq!(stack.gateway.get("/readyz").await.status, StatusCode::OK);

    fs::rename(&database, &aside).unwrap();
    let body = json!({"application": "corp", "user_label": "lost"});
    for answer in [
        stack.gateway.get("/readyz").await,
        stack.gateway.post("/v1/connect-sessions", &body).await,
        stack
            .gateway
            .delete(&format!("/v1/accounts/{account}"))
            .await,
    ] {
        let status = answer.status;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.code(), "storage_unavailable", "{}", answer.text);
    }
    assert_eq!(stack.gateway.get("/healthz").await.status, StatusCode::OK);
    assert!(!database.exists(), "no new database in its place");

    fs::rename(&aside, &database).unwrap();
    assert_eq!(stack.gateway.get("/readyz").await.status, StatusCode::OK);
    let shown = stack.gateway.get(&format!("/v1/accounts/{account}")).await;
    assert_eq!(shown.body["state"], "connected", "{}", shown.text);
}

#[tokio::test]
async fn a_stop_ends_a_long_poll_with_an_answer() {
    needs!("node", "dovecot");
    let mut stack = Stack::start(Options::default()).await.unwrap();
    let session = stack.gateway.connect_session("alice@corp.test").await;
    let token = session["client_token"].as_str().unwrap();

    // On one connection: when the first request is answered, the gateway is at the second.
    let address = stack.gateway.url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let requests = format!(
        "GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n\
         GET /connect/{token}/status?wait=60 HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    );
    connection.write_all(requests.as_bytes()).await.unwrap();
    let mut first = [0; 64 * 1024];
    let length = connection.read(&mut first).await.unwrap();
    assert!(first[..length].starts_with(b"HTTP/1.1 200"));

    stack.gateway.server.stop_in_time().unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("\"status\":\"pending\""), "{answer}");
}

fn settings(scope: &str) -> String {
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
public_url = "http://localhost:8099"
[storage]
url = "sqlite:mailgrant.db"
[master_key]
file = "master.key"
[[application]]
id = "contoso"
provider = "microsoft365"
tenant = "contoso.onmicrosoft.com"
client_id = "11111111-2222-3333-4444-555555555555"
client_secret_file = "secret"
scopes = ["openid", "offline_access", "{scope}"]
"#
    )
}

/// Starts the gateway, which has to end by itself, with the exit code for wrong settings and a message that names all of
/// `named`. Gives what it printed.
async fn assert_refused(configuration: &Path, named: &[&str]) -> String {
    let mut command = tokio::process::Command::from(mailgrant());
    let run = command
        .args(["serve", "--config"])
        .arg(configuration)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, run)
        .await
        .expect("it ends at once")
        .unwrap();
    let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(3), "{printed}");
    for name in named {
        assert!(printed.contains(name), "{name} is not named: {printed}");
    }
    printed
}

/// The first 8 bytes of the key's SHA-256, in hexadecimal.
fn key_id(text: &str) -> String {
    let key = STANDARD.decode(text.trim()).unwrap();
    let digest = Sha256::digest(key);
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn write_key(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Digests of the database's files. Whoever looks into it leaves an index and an empty journal behind.
fn databases(folder: &Path) -> BTreeMap<PathBuf, [u8; 32]> {
    let files = fs::read_dir(folder).unwrap();
    files
        .map(|file| file.unwrap().path())
        .filter(|path| path.to_string_lossy().contains(".db"))
        .filter(|path| path.extension().unwrap() != "db-shm")
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .filter(|(_, bytes)| !bytes.is_empty())
        .map(|(path, bytes)| (path, Sha256::digest(bytes).into()))
        .collect()
}
