//! imapflow.

use mailgrant_tests::{client::Client, needs, sandbox::Sandbox};

use super::{assert_printed, sandbox};

#[tokio::test]
async fn reads_writes_and_idles_with_tls_from_the_first_byte() {
    needs!("node");
    let (sandbox, _dir) = sandbox();
    works(&sandbox, &[]).await;
}

#[tokio::test]
async fn reads_writes_and_idles_after_starttls() {
    needs!("node");
    let (sandbox, _dir) = sandbox();
    works(&sandbox, &["starttls"]).await;
}

async fn works(sandbox: &Sandbox, tls: &[&str]) {
    let printed = Client::run(sandbox, "imapflow.mjs", tls).unwrap();
    assert_printed(
        &printed,
        &[
            "signed in, TLS true, ",
            "folder INBOX \\Inbox",
            "folder Sent Items \\Sent",
            "folder Drafts \\Drafts",
            "folder Junk Email \\Junk",
            "folder Deleted Items \\Trash",
            "folder Küche & Garten",
            "flags \\Flagged \\Seen",
            "moved to Orders/2026 uid 1",
            "Orders/2026: 1 message",
            "closed with the token: usable=false",
        ],
    );
    let rest = |start: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(start));
        line.unwrap_or_else(|| panic!("no {start:?}:\n{printed}"))
    };
    let exists: u32 = rest("INBOX: ").split(' ').next().unwrap().parse().unwrap();
    assert!(exists > 3, "{exists}");
    assert_eq!(
        rest("heard while idle: "),
        format!("{exists} -> {}", exists + 1)
    );
    let (found, appended) = rest("found uid ").split_once(", appended uid ").unwrap();
    assert_eq!(found, appended);
    let (downloaded, expected) = rest("downloaded ").split_once(" of ").unwrap();
    assert_eq!(format!("{downloaded} bytes"), expected);
    let refused = rest("refused: ");
    assert!(
        refused.starts_with("authenticationFailed=true"),
        "{refused}"
    );
    assert!(refused.ends_with("NO AUTHENTICATE failed."), "{refused}");

    let logins = sandbox.requests_of("imap_login").await.unwrap();
    let [good, bad] = &logins[..] else {
        panic!("two logins, not {logins:?}")
    };
    assert_eq!(good["outcome"], "ok");
    assert_ne!(bad["outcome"], "ok");
    assert!(bad["detail"].is_string(), "the log says why: {bad}");
}
