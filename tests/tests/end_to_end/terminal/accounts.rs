//! `mailgrant accounts`.

use mailgrant_tests::terminal::{ADA, SUPPORT, Terminal};
use serde_json::{Value, json};

#[tokio::test]
async fn accounts_are_listed_shown_and_removed() {
    let terminal = Terminal::start().unwrap();
    let own = terminal.log_in(0, &["--label", "laptop"]).await.unwrap();
    let shared = terminal.log_in(1, &["--mailbox", SUPPORT]).await.unwrap();

    let listed = String::from_utf8(terminal.run(&["accounts"]).stdout).unwrap();
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 2, "{listed}");
    assert!(
        lines[0].starts_with(&own) && lines[0].ends_with(ADA),
        "{listed}"
    );
    assert!(
        lines[1].starts_with(&shared) && lines[1].ends_with(SUPPORT),
        "{listed}"
    );
    assert!(
        lines[0].contains("connected  delegated  terminal"),
        "{listed}"
    );
    let of_none = terminal.run(&["accounts", "list", "--site", "other"]);
    assert!(of_none.status.success() && of_none.stdout.is_empty());

    let shown = String::from_utf8(terminal.run(&["accounts", "show", ADA]).stdout).unwrap();
    for row in [
        format!("id             {own}"),
        "state          connected".to_owned(),
        "metadata       {\"label\":\"laptop\"}".to_owned(),
        "credential     none".to_owned(),
    ] {
        assert!(shown.lines().any(|line| line == row), "{row:?}:\n{shown}");
    }
    assert!(shown.contains("signed in      20"), "{shown}");

    assert_eq!(terminal.line(&["accounts", "remove", &own]), own);
    let err = terminal.refused(&["accounts", "show", ADA], 1);
    assert!(err.contains("mailgrant login"), "{err}");
    assert!(
        terminal
            .refused(&["token", "--account", &own], 1)
            .contains(&own)
    );
}

#[tokio::test]
async fn a_dead_account_says_how_it_is_mended() {
    let terminal = Terminal::start().unwrap();
    let id = terminal.log_in(0, &[]).await.unwrap();
    let person = json!({"user": ADA});
    terminal.sandbox.control("revoke", &person).await.unwrap();
    terminal.refused(&["token", "--account", &id, "--min-lifetime", "7200"], 5);

    let shown = String::from_utf8(terminal.run(&["accounts", "show", &id]).stdout).unwrap();
    assert!(shown.contains("state          reauth_required"), "{shown}");
    assert!(
        shown.contains("mailgrant login --application terminal"),
        "{shown}"
    );
    assert!(shown.contains("AADSTS50173"), "{shown}");
    let view: Value =
        serde_json::from_str(&terminal.line(&["--json", "accounts", "show", &id])).unwrap();
    let link = view["reauth_url"].as_str().unwrap();
    assert!(link.contains("/reauth/"), "{link}");
}

#[tokio::test]
async fn mailboxes_of_an_application_are_opened_then_added() {
    let terminal = Terminal::start().unwrap();
    let add =
        |more: &[&'static str]| [&["accounts", "add", "--application", "robot"], more].concat();
    let id = terminal.line(&add(&["--label", "archive", SUPPORT]));
    let shown = terminal.line(&["accounts", "show", &id, "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["flow"], "app_only");
    assert_eq!(shown["metadata"], json!({"label": "archive"}));

    // Again it is a check, and one that does not open spoils no other.
    let output = terminal.run(&add(&["--json", SUPPORT, "nobody@tarnbrook.test", ADA]));
    assert_eq!(output.status.code(), Some(5));
    let told: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    assert_eq!(
        told[0],
        json!({"address": SUPPORT, "account_id": id, "added": false})
    );
    assert_eq!(
        told[1]["problem"]["diagnosis"]["code"], "mailbox_closed",
        "{told:#?}"
    );
    assert_eq!(told[2]["added"], true, "{told:#?}");

    // What was connected and is open no longer is no success.
    let switch = json!({"Identity": SUPPORT, "ImapEnabled": false});
    let control = "cmdlets/Set-CASMailbox";
    terminal.sandbox.control(control, &switch).await.unwrap();
    let said = terminal.refused(&add(&[SUPPORT]), 5);
    assert!(said.contains("Set-CASMailbox"), "{said}");

    let said = terminal.refused(
        &["accounts", "add", "--application", "terminal", SUPPORT],
        3,
    );
    assert!(
        said.contains("client_secret_file") && said.contains("mailgrant setup"),
        "{said}"
    );
}
