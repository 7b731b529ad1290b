//! `mailgrant token`: forms, exit codes, and how often the authority is asked.

use std::{fs, process::Output};

use mailgrant_tests::terminal::{ADA, BRUNO, SUPPORT, Terminal};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn every_form_ends_with_one_line_end_and_one_request_serves_them_all() {
    let terminal = Terminal::start().unwrap();
    let id = terminal.log_in(0, &[]).await.unwrap();
    let before = terminal.sandbox.requests_of("token").await.unwrap().len();

    let whole: Value = serde_json::from_str(&terminal.line(&["token", "--account", &id])).unwrap();
    assert_eq!(whole["user"], ADA);
    assert!(whole["expires_at"].as_str().unwrap().ends_with('Z'));
    let token = |format: &str, more: &[&str]| {
        let words = ["token", "--account", ADA, "--format", format];
        terminal.line(&[&words, more].concat())
    };
    // Every minute, from mutt and cron: the one that is kept.
    for _ in 0..5 {
        assert_eq!(token("access-token", &[]), whole["access_token"]);
    }
    assert_eq!(token("xoauth2", &[]), whole["xoauth2"]);
    // "user=bru" in base64
    assert!(token("xoauth2", &["--mailbox", BRUNO]).starts_with("dXNlcj1icn"));
    assert_eq!(token("oauthbearer", &[]), whole["oauthbearer"]);
    let smtp = token("oauthbearer", &["--protocol", "smtp"]);
    assert_ne!(smtp, whole["oauthbearer"], "another port");

    // A gateway beside it serves the same one.
    let gateway = terminal.gateway().unwrap();
    let path = format!("/v1/accounts/{id}/access-token");
    let served = gateway.post(&path, &json!({})).await;
    assert_eq!(served.body["access_token"], whole["access_token"]);
    let asked = terminal.sandbox.requests_of("token").await.unwrap().len() - before;
    assert!(asked <= 1, "{asked} requests to the authority");
}

#[tokio::test]
async fn a_token_that_is_good_for_too_short_a_time_is_replaced() {
    let terminal = Terminal::start().unwrap();
    let id = terminal.log_in(0, &[]).await.unwrap();
    let first = terminal.line(&["token", "--account", &id, "--format", "access-token"]);
    // The sandbox's tokens are good for an hour: nobody gets two.
    let err = terminal.refused(&["token", "--account", &id, "--min-lifetime", "7200"], 1);
    assert!(err.contains("--min-lifetime 7200"), "{err}");
    let second = terminal.line(&["token", "--account", &id, "--format", "access-token"]);
    assert_ne!(first, second, "a newer one was asked for");
}

#[tokio::test]
async fn an_application_needs_no_account() {
    let terminal = Terminal::start().unwrap();
    let words = ["token", "--application", "robot", "--mailbox", SUPPORT];
    let whole: Value = serde_json::from_str(&terminal.line(&words)).unwrap();
    assert_eq!(whole["user"], SUPPORT);
    let bare = [
        "token",
        "--application",
        "robot",
        "--format",
        "access-token",
    ];
    assert_eq!(terminal.line(&bare), whole["access_token"]);
    let tokens = terminal.sandbox.requests_of("token").await.unwrap();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    terminal.refused(&[&bare[..], &["--min-lifetime", "7200"]].concat(), 1);
    assert_ne!(terminal.line(&bare), whole["access_token"], "a newer one");
}

#[tokio::test]
async fn the_exit_code_says_whose_turn_it_is() {
    let terminal = Terminal::start().unwrap();
    let own = terminal.log_in(0, &[]).await.unwrap();

    // 1 otherwise, 2 the command line, 3 the settings.
    assert!(
        terminal
            .refused(&["token", "--account", BRUNO], 1)
            .contains(BRUNO)
    );
    terminal.refused(&["token"], 2);
    terminal.refused(
        &["token", "--application", "robot", "--format", "xoauth2"],
        2,
    );
    let err = terminal.refused(&["token", "--application", "robt"], 3);
    assert!(err.contains("terminal, desk, robot"), "{err}");
    // Nobody was asked for POP.
    let err = terminal.refused(&["token", "--account", &own, "--protocol", "pop3"], 3);
    assert!(err.contains("POP.AccessAsUser.All"), "{err}");
    fs::write(terminal.home.join("app_only"), "not~the~secret").unwrap();
    let err = terminal.refused(&["token", "--application", "robot"], 3);
    assert!(err.contains("AADSTS7000215"), "{err}");

    // 4: it may pass by itself.
    let down = json!({"authority": {"status": 503, "path": "/token"}});
    terminal.sandbox.control("faults", &down).await.unwrap();
    let renewing = ["token", "--account", &own, "--min-lifetime", "7200"];
    assert!(terminal.refused(&renewing, 4).contains("503"));

    // 5: the person.
    terminal
        .sandbox
        .control("faults", &json!({}))
        .await
        .unwrap();
    terminal
        .sandbox
        .control("revoke", &json!({"user": ADA}))
        .await
        .unwrap();
    terminal.refused(&renewing, 5);
    let again = terminal.refused(&["token", "--account", &own], 5);
    assert!(
        again.contains("mailgrant login --application terminal"),
        "{again}"
    );
}

#[tokio::test]
async fn what_the_person_was_not_asked_for_is_named_with_what_to_type() {
    let terminal = Terminal::start().unwrap();
    let settings = fs::read_to_string(terminal.config()).unwrap();
    let send = "https://outlook.office.com/SMTP.Send";
    let reading = settings.replace(&format!(", \"{send}\""), "");
    assert_ne!(reading, settings);
    fs::write(terminal.config(), reading).unwrap();
    let id = terminal.log_in(0, &[]).await.unwrap();
    let words = ["token", "--account", &id, "--protocol", "smtp"];
    // The operator's turn, then the person's.
    let err = terminal.refused(&words, 3);
    assert!(err.contains("scopes = [") && err.contains(send), "{err}");
    fs::write(terminal.config(), settings).unwrap();
    let err = terminal.refused(&words, 5);
    assert!(err.contains(send), "{err}");
    assert!(
        err.contains("mailgrant login --application terminal"),
        "{err}"
    );
    assert_eq!(terminal.log_in(0, &[]).await.unwrap(), id);
    terminal.line(&words);
}

#[tokio::test]
async fn a_passing_fault_is_waited_for() {
    let terminal = Terminal::start().unwrap();
    let words = [
        "token",
        "--application",
        "robot",
        "--format",
        "access-token",
    ];
    let down = |times: u32| json!({"authority": {"status": 503, "path": "/token", "times": times}});
    terminal
        .sandbox
        .control("faults", &down(100))
        .await
        .unwrap();
    let err = terminal.refused(&words, 4);
    assert!(err.contains("503"), "{err}");

    terminal
        .sandbox
        .control("faults", &down(100))
        .await
        .unwrap();
    let mut waiting = terminal
        .start_command(&[&words[..], &["--wait", "60"]].concat())
        .unwrap();
    waiting
        .wait_for(|_, err| err.contains("trying again").then_some(()))
        .unwrap();
    terminal
        .sandbox
        .control("faults", &json!({}))
        .await
        .unwrap();
    let (status, out, err) = waiting.ended().unwrap();
    assert!(status.success(), "{err}");
    assert_eq!(out.matches('\n').count(), 1, "{out}");
}

#[tokio::test]
async fn a_running_gateway_is_asked_with_a_key_and_no_settings() {
    let terminal = Terminal::start().unwrap();
    let id = terminal.log_in(1, &["--mailbox", SUPPORT]).await.unwrap();
    let gateway = terminal.gateway().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let key_file = elsewhere.path().join("key");
    fs::write(&key_file, format!("{}\n", gateway.key)).unwrap();
    let ask = |key: Option<&str>, words: &[&str]| -> Output {
        let mut command = terminal.command(&["token", "--gateway", &gateway.url]);
        command.current_dir(elsewhere.path()).args(words);
        match key {
            Some(key) => command.env("MAILGRANT_API_KEY", key),
            None => command.env_remove("MAILGRANT_API_KEY"),
        };
        command.output().unwrap()
    };
    let file = key_file.display().to_string();
    let by_file = ask(None, &["--account", SUPPORT, "--api-key-file", &file]);
    assert!(by_file.status.success(), "{by_file:?}");
    let whole: Value = serde_json::from_slice(&by_file.stdout).unwrap();
    assert_eq!(whole["user"], SUPPORT);
    let smtp = ask(
        Some(&gateway.key),
        &["--account", &id, "--protocol", "smtp"],
    );
    let smtp: Value = serde_json::from_slice(&smtp.stdout).unwrap();
    assert_eq!(smtp["user"], BRUNO, "whoever sends is the person");
    assert_eq!(smtp["access_token"], whole["access_token"]);

    let code = |output: Output| (output.status.code(), output.stdout.is_empty());
    assert_eq!(code(ask(None, &["--account", &id])), (Some(3), true));
    assert_eq!(
        code(ask(Some("mgk_wrong"), &["--account", &id])),
        (Some(3), true)
    );
    let reader = gateway.create_key(&["--scope", "mail:read"]).unwrap();
    assert_eq!(
        code(ask(Some(&reader), &["--account", &id])),
        (Some(3), true)
    );
    assert_eq!(
        code(ask(Some(&gateway.key), &["--account", ADA])),
        (Some(1), true)
    );
    let path = format!("/v1/accounts/{id}");
    let switch = gateway
        .request(Method::PATCH, &path)
        .json(&json!({"disabled": true}));
    assert!(switch.send().await.unwrap().status().is_success());
    assert_eq!(
        code(ask(Some(&gateway.key), &["--account", &id])),
        (Some(5), true)
    );
    drop(gateway);
    let url = format!("http://localhost:{}", mailgrant_tests::port::free_port());
    let words = [
        "token",
        "--account",
        &id,
        "--gateway",
        &url,
        "--api-key-file",
        &file,
    ];
    assert!(terminal.refused(&words, 4).contains("cannot be reached"));
}
