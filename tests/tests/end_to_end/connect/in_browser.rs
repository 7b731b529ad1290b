//! Connecting as people meet it: site, widget, sign-in window and the gateway's pages in Chromium.

use std::fs;

use mailgrant_tests::{
    browser, needs,
    office::{ADA, BRUNO, Office, PASSWORD, SUPPORT, Settings},
    port::free_port,
    process::{Server, mailgrant, root},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

#[test]
fn a_refusal_and_an_administrators_consent() {
    needs!("node", "chromium");
    let dir = tempfile::tempdir().unwrap();
    let ready = dir.path().join("ready.json");
    let mut command = mailgrant();
    command
        .args(["demo", "--no-open", "--dir"])
        .arg(dir.path().join("demo"))
        .arg("--ready-file")
        .arg(&ready);
    let mut demo = Server::start(&mut command, dir.path().join("demo.log")).unwrap();
    demo.wait_for("the demo's ready file", |_| ready.exists().then_some(()))
        .unwrap();

    let arguments = [ready.display().to_string(), shots()];
    let printed = browser::run("connect.mjs", &[&arguments[0], &arguments[1]]).unwrap();
    assert_eq!(printed.lines().count(), 2, "{printed}");
}

#[tokio::test]
async fn a_delegate_connects_a_shared_mailbox_by_the_widget() {
    needs!("node", "chromium");
    let site = format!("http://127.0.0.1:{}", free_port());
    let office = Office::start(Settings {
        site: site.clone(),
        ..Settings::default()
    })
    .unwrap();
    let body = json!({"application": "corp", "mailbox": SUPPORT, "login_hint": BRUNO});
    let made = office.gateway.post("/v1/connect-sessions", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let token = made.body["client_token"].as_str().unwrap();
    let arguments = [&site, &office.gateway.url, token, BRUNO, PASSWORD, &shots()];
    let printed = run("shared.mjs", &arguments).await;
    let seen: Value = serde_json::from_str(&printed).unwrap();
    let ends: Vec<&Value> = seen
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event[0] != "event")
        .collect();
    let session = office.gateway.session(&made.body).await;
    assert_eq!(session["status"], "connected", "{session:#}");
    let success =
        json!(["success", {"connectSession": made.body["id"], "accountId": session["account_id"]}]);
    assert_eq!(ends, [&success]);

    let path = format!("/v1/accounts/{}", session["account_id"].as_str().unwrap());
    let account = office.gateway.get(&path).await.body;
    assert_eq!(
        (&account["imap_user"], &account["smtp_user"]),
        (&SUPPORT.into(), &BRUNO.into())
    );
    let emails = office.gateway.get(&format!("{path}/emails?limit=1")).await;
    assert_eq!(emails.status, StatusCode::OK, "{}", emails.text);
    assert!(
        emails.body["items"][0]["to"].to_string().contains(SUPPORT),
        "{}",
        emails.text
    );
}

#[tokio::test]
async fn the_way_back_for_a_person_whose_grant_has_died() {
    needs!("node", "chromium");
    let office = Office::start(Settings::default()).unwrap();
    let (session, _) = office.connect(ADA, json!({})).await.unwrap();
    let path = format!("/v1/accounts/{}", session["account_id"].as_str().unwrap());
    let link = super::mending::dead(&office, ADA, &json!({"id": session["account_id"]})).await;
    let printed = run("reauth.mjs", &[&link, BRUNO, ADA, PASSWORD, &shots()]).await;
    assert_eq!(printed.lines().count(), 4, "{printed}");
    let account = office.gateway.get(&path).await.body;
    assert_eq!(account["state"], "connected", "{account:#}");
}

/// The screenshots stay, to be looked at.
fn shots() -> String {
    let shots = root().join("target/screenshots");
    fs::create_dir_all(&shots).unwrap();
    shots.display().to_string()
}

/// Beside the test's own requests, which go on meanwhile.
async fn run(script: &'static str, arguments: &[&str]) -> String {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let script = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        browser::run(script, &arguments)
    };
    tokio::task::spawn_blocking(script).await.unwrap().unwrap()
}
