//! curl, mbsync and mutt.

use std::process::Command;

use mailgrant_tests::{client::Client, needs};
use serde_json::Value;

use super::{assert_printed, sandbox};

#[tokio::test]
async fn curl_gets_a_token_and_reads_and_sends_mail() {
    needs!("curl", "jq");
    let (sandbox, _dir) = sandbox();
    let printed = Client::run(&sandbox, "curl.sh", &[]).unwrap();
    let all = |start: &str| -> Vec<_> {
        let lines = printed.lines();
        lines
            .filter_map(|line| line.trim_end().strip_prefix(start))
            .collect()
    };
    let [first, second] = all("* STATUS INBOX (MESSAGES ")[..] else {
        panic!("two statuses:\n{printed}")
    };
    assert_eq!(first, second);
    let before: u32 = first.split(' ').next().unwrap().parse().unwrap();
    // What was sent is found as the newest message, and POP3 counts it too.
    let newest = (before + 1).to_string();
    assert_eq!(all("* SEARCH "), [&newest], "{printed}");
    assert_printed(&printed, &[&format!("{newest} ")]);
    let subjects = all("Subject: ");
    assert_eq!(subjects.len(), 2, "by IMAP and by POP3: {printed}");
    assert_eq!(subjects[0], subjects[1]);
    assert_eq!(all("curl: (67) Login denied").len(), 3, "{printed}");
    assert_eq!(all("curl ended with 67").len(), 3, "{printed}");

    for (kind, expected) in [
        ("imap_login", &[true, true, true, true, false][..]),
        ("smtp_login", &[true, false]),
        ("pop3_login", &[true, true, false]),
    ] {
        let logins = sandbox.requests_of(kind).await.unwrap();
        let outcomes: Vec<_> = logins
            .iter()
            .map(|login| login["outcome"] == "ok")
            .collect();
        assert_eq!(outcomes, expected, "{logins:?}");
    }
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

#[tokio::test]
async fn mutt_searches_and_saves() {
    needs!("mutt", "curl", "jq");
    let (sandbox, _dir) = sandbox();
    let printed = Client::run(&sandbox, "mutt.sh", &[]).unwrap();
    assert_printed(
        &printed,
        &[
            "found 2 letters:",
            "Subject: Internship next summer",
            "Subject: Re: Internship next summer",
        ],
    );
    let logins = sandbox.requests_of("imap_login").await.unwrap();
    let [login] = &logins[..] else {
        panic!("one login, not {logins:?}")
    };
    assert_eq!(login["user"], "support@tarnbrook.test");
    assert_eq!(login["outcome"], "ok");
}
