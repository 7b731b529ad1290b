//! Python: its standard library, and MSAL.

use mailgrant_tests::{client::Client, needs, sandbox::Sandbox};
use serde_json::json;

use super::{assert_printed, sandbox};

#[tokio::test]
async fn imaplib_reads_and_writes_with_tls_from_the_first_byte() {
    needs!("python3");
    let (sandbox, _dir) = sandbox();
    imaplib(&sandbox, &[]).await;
}

#[tokio::test]
async fn imaplib_reads_and_writes_after_starttls() {
    needs!("python3");
    let (sandbox, _dir) = sandbox();
    imaplib(&sandbox, &["starttls"]).await;
}

async fn imaplib(sandbox: &Sandbox, tls: &[&str]) {
    let printed = Client::run(sandbox, "imaplib_client.py", tls).unwrap();
    assert_printed(
        &printed,
        &[
            "greeting * OK The Microsoft Exchange IMAP4 service is ready.",
            "folder (\\HasNoChildren) \"/\" \"K&APw-che &- Garten\"",
            "folder (\\HasNoChildren \\Sent) \"/\" \"Sent Items\"",
            "Invoices Invoices (MESSAGES 1 UNSEEN 0)",
            "refused AUTHENTICATE failed.",
        ],
    );
    let flags = printed
        .lines()
        .find(|line| line.starts_with("flags "))
        .unwrap();
    assert!(
        flags.contains("\\Seen") && flags.contains("\\Flagged"),
        "{flags}"
    );

    let logins = sandbox.requests_of("imap_login").await.unwrap();
    let ada = "ada.finch@tarnbrook.test";
    assert_eq!(logins.len(), 2, "{logins:?}");
    assert_eq!(
        json!([logins[0]["user"], logins[0]["outcome"]]),
        json!([ada, "ok"])
    );
    assert_eq!(logins[1]["user"], ada);
    assert_ne!(logins[1]["outcome"], "ok");
}

#[tokio::test]
async fn msal_signs_a_person_in_and_an_application() {
    needs!("python3", "msal");
    let (sandbox, _dir) = sandbox();
    let mut client = Client::start(&sandbox, "msal_client.py", &[]).unwrap();
    let url = client.line("sign in at ").unwrap();
    let mut person = sandbox.person().unwrap();
    let page = person.open(&url, None).await;
    let page = sandbox.sign_in(&mut person, page, 0).await.unwrap();
    assert!(
        page.body.contains("Signed in"),
        "{} {}",
        page.url,
        page.body
    );

    let printed = client.finish().unwrap();
    assert_printed(
        &printed,
        &[
            "by code: ada.finch@tarnbrook.test identity_provider ",
            "account ada.finch@tarnbrook.test ",
            "refreshed: identity_provider True",
            "application: Bearer 3599",
            "refused: invalid_client [7000215] AADSTS7000215: Invalid client secret provided.",
        ],
    );
    let tokens = sandbox.requests_of("token").await.unwrap();
    let seen: Vec<_> = tokens
        .iter()
        .map(|entry| json!([entry["grant_type"], entry["outcome"]]))
        .collect();
    assert_eq!(
        json!(seen),
        json!([
            ["authorization_code", "ok"],
            ["refresh_token", "ok"],
            ["client_credentials", "ok"],
            ["client_credentials", "invalid_client"],
        ])
    );
}

#[tokio::test]
async fn smtplib_sends_after_starttls() {
    needs!("python3");
    let (sandbox, _dir) = sandbox();
    let printed = Client::run(&sandbox, "smtplib_client.py", &[]).unwrap();
    assert_printed(
        &printed,
        &[
            "offers 8bitmime auth ",
            "refused recipients {}",
            "as another: SMTPDataError 554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException",
            "with a bad token: SMTPAuthenticationError 535 5.7.3 Authentication unsuccessful",
        ],
    );
    let logins = sandbox.requests_of("smtp_login").await.unwrap();
    let outcomes: Vec<_> = logins
        .iter()
        .map(|login| login["outcome"] == "ok")
        .collect();
    assert_eq!(outcomes, [true, true, false], "{logins:?}");
}

#[tokio::test]
async fn poplib_reads_and_deletes_with_tls_from_the_first_byte() {
    needs!("python3");
    let (sandbox, _dir) = sandbox();
    poplib(&sandbox, &[]).await;
}

#[tokio::test]
async fn poplib_reads_and_deletes_after_stls() {
    needs!("python3");
    let (sandbox, _dir) = sandbox();
    poplib(&sandbox, &["starttls"]).await;
}

async fn poplib(sandbox: &Sandbox, tls: &[&str]) {
    let printed = Client::run(sandbox, "poplib_client.py", tls).unwrap();
    assert_printed(
        &printed,
        &[
            "greeting +OK The Microsoft Exchange POP3 service is ready.",
            "first Subject: ",
            "refused b'-ERR ",
        ],
    );
    let number = |start: &str| {
        let line = printed
            .lines()
            .find_map(|line| line.strip_prefix(start))
            .unwrap();
        line.split(' ').next().unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(number("left ") + 1, number("holds "), "{printed}");
    assert!(
        printed.contains(" False\n"),
        "the deleted one is gone: {printed}"
    );

    let logins = sandbox.requests_of("pop3_login").await.unwrap();
    let outcomes: Vec<_> = logins
        .iter()
        .map(|login| login["outcome"] == "ok")
        .collect();
    assert_eq!(outcomes, [true, true, false], "{logins:?}");
}
