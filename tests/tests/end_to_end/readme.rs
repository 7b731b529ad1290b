//! The README's REST snippet, run as it stands but for the names.

use std::{fs, process::Command};

use mailgrant_tests::{
    gateway::SITE,
    needs,
    person::Person,
    process::root,
    stack::{Options, Stack},
};
use serde_json::{Value, json};

#[tokio::test]
async fn the_curl_lines_do_what_they_say() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let block = readme
        .split("```sh\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let block = block
        .replace("contoso.example", "corp.test")
        .replace("contoso", "corp")
        .replace("archive", "daemon")
        .replace("support@", "shared@")
        .replace("https://app.example.com", SITE)
        .replace("\\\n", "");
    let commands: Vec<_> = block
        .lines()
        .filter(|line| line.starts_with("curl "))
        .collect();
    let [create, look, list, add, events] = commands[..] else {
        panic!("five commands, not {commands:?}")
    };

    let session = run(create, &stack, &[]);
    stack
        .gateway
        .sign_in(&mut Person::default(), &session)
        .await;
    let id = session["id"].as_str().unwrap();
    let session = run(look, &stack, &[("SESSION", id)]);
    assert_eq!(session["status"], "connected", "{session}");
    let account = session["account_id"].as_str().unwrap();
    let emails = run(list, &stack, &[("ACCOUNT", account)]);
    assert_eq!(emails["items"], json!([]));
    let events = run(events, &stack, &[]);
    let kinds: Vec<_> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (&event["type"], &event["account_id"]))
        .collect();
    let account = json!(account);
    assert_eq!(
        kinds,
        [
            (&json!("account.connected"), &account),
            (&json!("connect_session.completed"), &account),
        ]
    );

    let added = run(add, &stack, &[]);
    let items = added["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{added:#}");
    assert_eq!(items[0]["account"]["state"], "connected", "{added:#}");
    assert_eq!(items[1]["problem"]["code"], "mailbox_access_refused");
}

fn run(command: &str, stack: &Stack, variables: &[(&str, &str)]) -> Value {
    let output = Command::new("bash")
        .args(["-c", command])
        .env("GATEWAY", &stack.gateway.url)
        .env("API_KEY", &stack.gateway.key)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "{command}: {error}\n{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    })
}
