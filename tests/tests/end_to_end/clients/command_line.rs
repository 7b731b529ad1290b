//! curl and mbsync.

use std::process::Command;

use mailgrant_tests::{client::Client, needs};
use serde_json::Value;

use super::{assert_printed, sandbox};

#[tokio::test]
async fn curl_gets_a_token_and_reads_mail() {
    needs!("curl", "jq");
    let (sandbox, _dir) = sandbox();
    let printed = Client::run(&sandbox, "curl.sh", &[]).unwrap();
    let statuses: Vec<_> = printed
        .lines()
        .filter(|line| line.starts_with("* STATUS INBOX (MESSAGES "))
        .collect();
    assert_eq!(statuses.len(), 2, "{printed}");
    assert_eq!(statuses[0], statuses[1]);
    assert_printed(
        &printed,
        &["Subject: ", "curl: (67) Login denied", "curl ended with 67"],
    );

    let logins = sandbox.requests_of("imap_login").await.unwrap();
    let outcomes: Vec<_> = logins
        .iter()
        .map(|login| login["outcome"] == "ok")
        .collect();
    assert_eq!(outcomes, [true, true, true, false], "{logins:?}");
}

#[tokio::test]
async fn the_line_that_the_sandbox_prints_for_a_start_gives_a_token() {
    needs!("curl");
    let (mut sandbox, _dir) = sandbox();
    let line = sandbox
        .server
        .wait_for("the line to paste", |printed| {
            let (_, after) = printed.split_once("A token, for a start:\n")?;
            after.split_once("\n\n").map(|(line, _)| line.to_owned())
        })
        .unwrap();
    assert!(line.trim_start().starts_with("curl --cacert "), "{line}");
    let output = Command::new("bash").args(["-c", &line]).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{line}: {error} {output:?}"));
    assert_eq!(answer["token_type"], "Bearer", "{answer}");

    let tokens = sandbox.requests_of("token").await.unwrap();
    assert_eq!(
        tokens[0]["client_id"],
        sandbox.application("app_only")["client_id"]
    );
}

#[tokio::test]
async fn mbsync_copies_a_mailbox_into_a_maildir() {
    needs!("mbsync", "curl", "jq");
    let (sandbox, _dir) = sandbox();
    let printed = Client::run(&sandbox, "mbsync.sh", &[]).unwrap();
    let count = |folder: &str| {
        let line = printed
            .lines()
            .find_map(|line| line.strip_prefix(&format!("mail/{folder}/: ")));
        let line = line.unwrap_or_else(|| panic!("no {folder}:\n{printed}"));
        line.split(' ').next().unwrap().parse::<u32>().unwrap()
    };
    assert!(count("INBOX") > 10 && count("Sent Items") > 0, "{printed}");
    assert!(count("K&APw-che &- Garten") > 0, "{printed}");

    // A second run finds nothing new: UIDs and UIDVALIDITY have stayed.
    let again = Client::run(&sandbox, "mbsync.sh", &[]).unwrap();
    let folders = |printed: &str| {
        printed
            .lines()
            .filter(|line| line.starts_with("mail/"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(folders(&again), folders(&printed));
}
