//! A person signs in once; mail is read without them.

use mailgrant_tests::{
    authority::Format,
    needs,
    stack::{Options, Stack},
};

#[tokio::test]
async fn from_click_to_mail_where_dovecot_validates_the_token() {
    needs!("node", "dovecot");
    click_to_mail(Options::default()).await;
}

#[tokio::test]
async fn from_click_to_mail_where_dovecot_asks_the_authority() {
    needs!("node", "dovecot");
    click_to_mail(Options {
        format: Format::Opaque,
        ..Options::default()
    })
    .await;
}

#[tokio::test]
async fn from_click_to_mail_over_starttls() {
    needs!("node", "dovecot");
    click_to_mail(Options {
        tls: "starttls",
        ..Options::default()
    })
    .await;
}

async fn click_to_mail(options: Options) {
    let stack = Stack::start(options).await.unwrap();
    let account = stack.gateway.connect("alice@corp.test").await;

    let shown = stack
        .gateway
        .get(&format!("/v1/accounts/{account}"))
        .await
        .body;
    assert_eq!(shown["state"], "connected");
    assert_eq!(shown["imap_user"], "alice@corp.test");

    let mailboxes = stack
        .gateway
        .get(&format!("/v1/accounts/{account}/mailboxes"))
        .await
        .body;
    let names: Vec<_> = mailboxes["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mailbox| mailbox["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"INBOX") && names.contains(&"Übersicht & Pläne"),
        "{names:?}"
    );

    let answer = stack
        .gateway
        .get(&format!("/v1/accounts/{account}/emails"))
        .await;
    let emails = answer.body["items"].as_array();
    assert_eq!(
        emails.map(Vec::len),
        Some(0),
        "nothing was delivered yet: {}",
        answer.text
    );
}
