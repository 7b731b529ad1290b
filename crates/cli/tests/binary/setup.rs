//! `mailgrant setup`: which application, which mailboxes, which form.

use serde_json::Value;

use crate::process::{Home, stderr, stdout};

const SETTINGS: &str = r#"
[server]
listen = "127.0.0.1:0"
public_url = "https://mail.example.com"

[[application]]
id = "contoso"
provider = "microsoft365"
tenant = "contoso.onmicrosoft.com"
client_id = "11111111-2222-3333-4444-555555555555"

[[application]]
id = "anybody"
provider = "microsoft365"
client_id = "11111111-2222-3333-4444-666666666666"

[[application]]
id = "gmail"
provider = "google"
client_id = "1234.apps.googleusercontent.com"
client_secret_file = "client-secret"
"#;

fn home() -> Home {
    let home = Home::new();
    home.write("mailgrant.toml", SETTINGS);
    home.write("client-secret", "any text");
    home
}

#[test]
fn the_steps_come_as_text_as_a_script_and_as_json() {
    let home = home();
    let words = [
        "setup",
        "--application",
        "contoso",
        "--mailbox",
        "orders@contoso.example",
    ];
    let text = home.run(&words);
    assert_eq!(text.status.code(), Some(0), "{}", stderr(&text));
    assert!(stdout(&text).contains(
        "App-only access of application contoso to 1 mailbox of contoso.onmicrosoft.com"
    ));
    let script = home.run(&[&words[..], &["--format", "ps1"]].concat());
    assert!(stdout(&script).starts_with("#Requires -Version 5.1\n"));
    for json in [&["--json"][..], &["--format", "json"]] {
        let output = home.run(&[&words[..], json].concat());
        let guide: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!(guide["flow"], "app_only");
        assert_eq!(guide["mailboxes"][0], "orders@contoso.example");
    }
    // Nothing is opened for it.
    assert!(!home.path("mailgrant.db").exists() && !home.path("master.key").exists());
}

#[test]
fn who_signs_in_follows_from_the_provider_unless_it_is_said() {
    let home = home();
    let flow = |words: &[&str]| -> Value {
        let output = home.run(&[&["setup", "--json", "--application"][..], words].concat());
        serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)))
    };
    let mailboxes = ["--mailbox", "a@contoso.example", "b@contoso.example"];
    let guide = flow(&[&["contoso"][..], &mailboxes].concat());
    assert_eq!(guide["flow"], "app_only");
    assert_eq!(guide["mailboxes"].as_array().unwrap().len(), 2);
    assert_eq!(flow(&["gmail"])["flow"], "delegated");
    assert_eq!(
        flow(&["contoso", "--flow", "delegated"])["flow"],
        "delegated"
    );
    // A tenant that is not the application's own only admits it.
    let admitted = flow(&[&["anybody", "--tenant", "fabrikam.example"][..], &mailboxes].concat());
    let steps: Vec<&str> = admitted["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|step| step["id"].as_str())
        .collect();
    assert!(
        !steps.contains(&"registration") && steps.contains(&"service-principal"),
        "{steps:?}"
    );
}

#[test]
fn what_cannot_be_set_up_is_said_with_its_exit_code() {
    let home = home();
    for (words, code, said) in [
        (
            &["--application", "fabrikam"][..],
            3,
            "there is: contoso, anybody, gmail",
        ),
        (&["--application", "contoso"], 2, "--mailbox"),
        (
            &["--application", "contoso", "--mailbox", "orders"],
            2,
            "not the address of a mailbox",
        ),
        (
            &["--application", "contoso", "--mailbox", "a@b.c\nd"],
            2,
            "not the address of a mailbox",
        ),
        (
            &["--application", "anybody", "--mailbox", "a@b.example"],
            2,
            "--tenant",
        ),
        (
            &[
                "--application",
                "contoso",
                "--mailbox",
                "a@b.example",
                "--tenant",
                "../x",
            ],
            2,
            "--tenant",
        ),
        (
            &["--application", "gmail", "--flow", "device"],
            2,
            "delegated",
        ),
        (&[], 2, "--application"),
    ] {
        let output = home.run(&[&["setup"][..], words].concat());
        assert_eq!(
            output.status.code(),
            Some(code),
            "{words:?}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(said),
            "{words:?}: {}",
            stderr(&output)
        );
        assert_eq!(stdout(&output), "", "{words:?}");
    }
}

#[test]
fn whoever_begins_is_told_what_to_do_without_a_credential() {
    let home = home();
    std::fs::remove_file(home.path("client-secret")).unwrap();
    let output = home.run(&["setup", "--application", "gmail"]);
    assert_eq!(output.status.code(), Some(3));
    let text = stderr(&output);
    assert!(
        text.contains("client_secret_file") && text.contains("a file with any text"),
        "{text}"
    );
    home.write("client-secret", "any text");
    let output = home.run(&[
        "setup",
        "--application",
        "gmail",
        "--flow",
        "app-only",
        "--mailbox",
        "a@b.example",
    ]);
    assert!(
        stdout(&output).contains("domain-wide delegation"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn an_application_that_is_not_registered_yet_needs_nothing_but_its_id() {
    let home = home();
    let zeros = "client_id = \"00000000-0000-0000-0000-000000000000\"";
    let mut settings = String::new();
    for provider in ["google", "fastmail", "outlook"] {
        settings +=
            &format!("[[application]]\nid = \"{provider}\"\nprovider = \"{provider}\"\n{zeros}\n");
    }
    home.write("mailgrant.toml", &settings);
    let steps = |words: &[&str]| {
        let output = home.run(&[&["setup", "--application"][..], words].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    assert!(steps(&["google"]).contains("client_secret_file"));
    assert!(steps(&["outlook"]).contains("client_secret_file"));
    let fastmail = steps(&["fastmail"]);
    assert!(
        fastmail.contains("A public client") && !fastmail.contains("client_secret_file"),
        "Fastmail takes no secret:\n{fastmail}"
    );

    home.write("mailgrant.toml", "");
    let nothing = home.run(&[
        "setup",
        "--application",
        "contoso",
        "--mailbox",
        "a@b.example",
    ]);
    assert_eq!(nothing.status.code(), Some(3));
    let told = stderr(&nothing);
    let (_, written) = told.split_once("\n\n").unwrap();
    home.write("mailgrant.toml", written);
    let guide = steps(&["contoso", "--mailbox", "a@b.example"]);
    assert!(
        guide.contains("mailgrant accounts add --application contoso a@b.example"),
        "{guide}"
    );
}
