//! From nothing to a mailbox, as the visitor of the demonstration, and what then works on its account.

use std::path::Path;

use serde_json::Value;

use crate::person::Person;
use crate::process::{Server, mailgrant, stderr, stdout};

#[tokio::test]
async fn a_visitor_connects_reads_and_disconnects() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let site = server.text("site").to_owned();
    let mut visitor = Person::new();
    let account = connect(&server, &mut visitor).await;

    let shown = visitor.get(&format!("{site}/api/account")).await.json();
    assert_eq!(shown["id"], account.as_str());
    assert_eq!(shown["state"], "connected");
    let mailboxes = visitor.get(&format!("{site}/api/mailboxes")).await.json();
    assert!(
        mailboxes["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|mailbox| mailbox["role"] == "inbox"),
        "{mailboxes}"
    );

    let page = visitor
        .get(&format!("{site}/api/emails?mailbox=INBOX&limit=5"))
        .await
        .json();
    let emails = page["items"].as_array().unwrap();
    assert_eq!(emails.len(), 5);
    let id = emails[0]["id"].as_str().unwrap();
    let email = visitor.get(&format!("{site}/api/emails/{id}")).await.json();
    assert_eq!(email["subject"], emails[0]["subject"]);
    let raw = visitor.get(&format!("{site}/api/emails/{id}/raw")).await;
    assert!(
        raw.body.contains("\r\nFrom: ") || raw.body.starts_with("From: "),
        "{}",
        raw.body
    );
    let missing = visitor.get(&format!("{site}/api/emails/nonsense")).await;
    assert!(
        (400..500).contains(&missing.status) && missing.json()["code"].is_string(),
        "the gateway's own problem"
    );

    let stranger = Person::new().get(&format!("{site}/api/emails/{id}")).await;
    assert_eq!(stranger.json()["code"], "not_connected");

    assert_eq!(
        visitor.post(&format!("{site}/api/disconnect")).await.status,
        204
    );
    assert_eq!(
        visitor.get(&format!("{site}/api/account")).await.body,
        "null"
    );
    assert_eq!(
        visitor.get(&format!("{site}/api/emails")).await.json()["code"],
        "not_connected"
    );
}

#[tokio::test]
async fn tokens_are_printed_in_every_form_beside_the_running_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let account = connect(&server, &mut Person::new()).await;
    let config = folder.path().join("demo/gateway/mailgrant.toml");
    let token = |words: &[&str]| {
        let output = mailgrant()
            .args(["token", "--config"])
            .arg(&config)
            .args(words)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output).trim().to_owned()
    };

    let whole: Value = serde_json::from_str(&token(&["--account", &account])).unwrap();
    assert_eq!(whole["user"], server.ready["users"][0]["address"]);
    assert!(whole["expires_at"].as_str().unwrap().ends_with('Z'));
    let bare = token(&["--account", &account, "--format", "access-token"]);
    assert_eq!(bare.split('.').count(), 3, "a JWT and nothing else");
    // "user=" in base64
    assert!(token(&["--account", &account, "--format", "xoauth2"]).starts_with("dXNlcj"));
    let app_only = token(&[
        "--application",
        "app_only",
        "--mailbox",
        "support@tarnbrook.test",
        "--format",
        "oauthbearer",
    ]);
    // "n,a=supp" in base64
    assert!(app_only.starts_with("bixhPXN1cH"), "{app_only}");

    // Each of them stored the refresh token it was given: the gateway goes on with the last one.
    let url = format!(
        "{}/v1/accounts/{account}/access-token",
        server.text("gateway")
    );
    let http = mailgrant_oauth::http_client(None, &mailgrant_oauth::Policy::default()).unwrap();
    let answer = http
        .post(url)
        .bearer_auth(server.text("api_key"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_revoked_grant_needs_the_person() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let account = connect(&server, &mut Person::new()).await;
    let http = mailgrant_oauth::http_client(None, &mailgrant_oauth::Policy::default()).unwrap();
    let revocation = http
        .post(format!("{}/revoke", server.text("control")))
        .header("X-Sandbox-Control", "1")
        .json(&serde_json::json!({"user": server.ready["users"][0]["address"]}));
    let answer = revocation.send().await.unwrap();
    assert!(
        answer.status().is_success(),
        "{}",
        answer.text().await.unwrap()
    );

    let config = folder.path().join("demo/gateway/mailgrant.toml");
    let output = mailgrant()
        // The token that is kept is good for less, so another is asked for.
        .args([
            "token",
            "--min-lifetime",
            "7200",
            "--account",
            &account,
            "--config",
        ])
        .arg(&config)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("mailgrant login --application"),
        "{}",
        stderr(&output)
    );
    assert!(output.stdout.is_empty());
}

fn start(folder: &Path) -> Server {
    let mut command = mailgrant();
    command
        .args(["demo", "--no-open", "--dir"])
        .arg(folder.join("demo"));
    Server::start(command, folder)
}

/// The whole way of the widget; gives the account's identifier.
async fn connect(server: &Server, visitor: &mut Person) -> String {
    let site = server.text("site");
    let session = visitor
        .post(&format!("{site}/api/connect-session"))
        .await
        .json();
    let mut page = visitor
        .follow_link(
            session["connect_url"].as_str().unwrap(),
            &format!("{site}/"),
        )
        .await;
    let user = &server.ready["users"][0];
    for _ in 0..4 {
        if !page.url.as_str().starts_with(server.text("authority")) {
            break;
        }
        page = if page.has("password") {
            let (address, password) = (
                user["address"].as_str().unwrap(),
                user["password"].as_str().unwrap(),
            );
            visitor
                .submit(&page, &[("login", address), ("password", password)])
                .await
        } else {
            visitor.submit(&page, &[("decision", "accept")]).await
        };
    }
    let path = format!(
        "{site}/api/connect-session/{}",
        session["id"].as_str().unwrap()
    );
    let session = visitor.get(&path).await.json();
    assert_eq!(
        session["status"],
        "connected",
        "{session:#}\n{} {}\n{}",
        page.url,
        page.body,
        server.log()
    );
    session["account_id"].as_str().unwrap().to_owned()
}
