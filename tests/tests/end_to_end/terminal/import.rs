//! `mailgrant login --import`: refresh tokens that another program obtained.

use std::fs;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mailgrant_tests::terminal::{ADA, Terminal};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::login::nothing_is_kept;

#[tokio::test]
async fn a_refresh_token_from_elsewhere_is_taken_over() {
    let terminal = Terminal::start().unwrap();
    let refresh_token = obtained_elsewhere(&terminal).await;
    fs::write(terminal.home.join("token"), format!("{refresh_token}\n")).unwrap();
    let words = ["login", "--application", "terminal", "--import", "token"];
    let id = terminal.line(&words);
    let shown: Value =
        serde_json::from_str(&terminal.line(&["--json", "accounts", "show", ADA])).unwrap();
    assert_eq!(shown["id"], *id);
    assert_eq!(shown["identity"]["preferred_username"], ADA);

    // By standard input it is the same account again, and no log tells the secret.
    let input = fs::File::open(terminal.home.join("token")).unwrap();
    let again = terminal
        .command(&["login", "--application", "terminal", "--import", "-"])
        .env("MAILGRANT_LOG", "trace")
        .stdin(input)
        .output()
        .unwrap();
    let err = String::from_utf8(again.stderr).unwrap();
    assert!(again.status.success(), "{err}");
    assert_eq!(again.stdout, format!("{id}\n").as_bytes());
    assert!(!err.contains(&refresh_token));
    let token = terminal.line(&["token", "--account", &id, "--format", "access-token"]);
    assert!(!err.contains(&token), "nor the access token");
}

#[tokio::test]
async fn a_token_with_less_than_the_settings_ask_is_taken_over() {
    let terminal = Terminal::start().unwrap();
    // For reading only; who it is was not asked then, and is now.
    fs::write(terminal.home.join("token"), for_reading(&terminal).await).unwrap();
    let words = ["login", "--application", "terminal", "--import", "token"];
    let id = terminal.line(&words);
    assert_eq!(shown(&terminal, &id)["identity"]["preferred_username"], ADA);
    reads_and_does_not_send(&terminal, &id).await;
    assert_eq!(terminal.log_in(0, &[]).await.unwrap(), id);
}

#[tokio::test]
async fn whose_a_token_is_may_be_found_out_later() {
    let terminal = Terminal::start().unwrap();
    // The settings do not ask who signs in, so nobody knows.
    let settings = fs::read_to_string(terminal.config()).unwrap();
    let silent = settings.replace(r#""openid", "profile", "email", "#, "");
    assert_ne!(silent, settings);
    fs::write(terminal.config(), silent).unwrap();
    fs::write(terminal.home.join("token"), for_reading(&terminal).await).unwrap();
    let words = ["login", "--application", "terminal", "--import", "token"];
    let nameless = terminal.refused(&words, 3);
    assert!(nameless.contains("kept, sealed"), "{nameless}");
    let id = terminal.line(&[&words[..], &["--mailbox", ADA]].concat());
    assert_eq!(shown(&terminal, &id)["identity"], json!(null));
    reads_and_does_not_send(&terminal, &id).await;

    // Somebody else who comes is somebody else; its owner is recognised by what they prove.
    fs::write(terminal.config(), settings).unwrap();
    let bruno = terminal.log_in(1, &[]).await.unwrap();
    assert_ne!(bruno, id);
    assert_eq!(terminal.log_in(0, &[]).await.unwrap(), id);
    assert_eq!(shown(&terminal, &id)["identity"]["preferred_username"], ADA);
    assert_eq!(
        terminal
            .run(&["accounts"])
            .stdout
            .split(|byte| *byte == b'\n')
            .count(),
        3
    );
}

#[tokio::test]
async fn a_refresh_token_that_is_none_is_refused() {
    let terminal = Terminal::start().unwrap();
    fs::write(terminal.home.join("token"), "never~issued~by~anybody").unwrap();
    let words = ["login", "--application", "terminal", "--import", "token"];
    let err = terminal.refused(&words, 5);
    assert!(err.contains("does not take the refresh token"), "{err}");
    assert!(!err.contains("never~issued"), "{err}");
    let words = ["login", "--application", "terminal", "--import", "nowhere"];
    assert!(terminal.refused(&words, 3).contains("nowhere"));
    nothing_is_kept(&terminal);
}

fn shown(terminal: &Terminal, id: &str) -> Value {
    serde_json::from_str(&terminal.line(&["--json", "accounts", "show", id])).unwrap()
}

/// The account is renewed with what was granted, and no more, and its mailbox is read.
async fn reads_and_does_not_send(terminal: &Terminal, id: &str) {
    let bare = terminal.line(&["token", "--account", id, "--format", "access-token"]);
    let claims = URL_SAFE_NO_PAD.decode(bare.split('.').nth(1).unwrap());
    let claims: Value = serde_json::from_slice(&claims.unwrap()).unwrap();
    assert_eq!(claims["scp"], "IMAP.AccessAsUser.All");
    let gateway = terminal.gateway().unwrap();
    let emails = gateway.get(&format!("/v1/accounts/{id}/emails")).await;
    assert_eq!(emails.status, StatusCode::OK, "{}", emails.text);
}

/// A refresh token that was granted for reading, without a word of who it is.
async fn for_reading(terminal: &Terminal) -> String {
    let scope = "offline_access https://outlook.office.com/IMAP.AccessAsUser.All";
    obtained_with(terminal, scope).await
}

/// A refresh token of the same application, as another program would have it.
pub(super) async fn obtained_elsewhere(terminal: &Terminal) -> String {
    let scope = "openid profile email offline_access https://outlook.office.com/IMAP.AccessAsUser.All \
                 https://outlook.office.com/SMTP.Send";
    obtained_with(terminal, scope).await
}

async fn obtained_with(terminal: &Terminal, scope: &str) -> String {
    let sandbox = &terminal.sandbox;
    let base = format!(
        "{}/{}/oauth2/v2.0",
        sandbox.text("/authority"),
        sandbox.text("/tenant")
    );
    let client_id = sandbox.application("device")["client_id"].as_str().unwrap();
    let http = reqwest::Client::new();
    let ask = async |path: &str, form: &[(&str, &str)]| -> Value {
        let request = http.post(format!("{base}/{path}")).form(form);
        request.send().await.unwrap().json().await.unwrap()
    };
    let codes = ask("devicecode", &[("client_id", client_id), ("scope", scope)]).await;
    let text = |key: &str| codes[key].as_str().unwrap();
    terminal
        .approve(text("verification_uri"), text("user_code"), 0)
        .await
        .unwrap();
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", client_id),
        ("device_code", text("device_code")),
    ];
    let answer = ask("token", &form).await;
    answer["refresh_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}
