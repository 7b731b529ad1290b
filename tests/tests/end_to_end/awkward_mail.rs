//! Mailboxes that were rebuilt and messages that are broken: said so, or served as they are.

use std::{fs, path::PathBuf};

use mailgrant_tests::{
    needs,
    stack::{Options, Stack},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn a_rebuilt_mailbox_voids_the_ids_and_cursors_from_before() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let mail = Mail::of(&stack).await;
    mail.change(&["create", "Projects"]);
    mail.append(
        "Projects",
        &[WITH_ATTACHMENT, WITH_ATTACHMENT, WITH_ATTACHMENT],
    );
    let first = mail.get("emails?mailbox=Projects&limit=1").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let id = first["items"][0]["id"].as_str().unwrap();
    let old = [
        format!("emails/{id}"),
        format!("emails/{id}/raw"),
        format!("emails/{id}/attachments/{}", mail.attachment(id).await),
        format!("emails?mailbox=Projects&limit=1&cursor={cursor}"),
    ];
    for path in &old {
        let answer = stack.gateway.get(&mail.path(path)).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    }

    mail.change(&["delete", "Projects"]);
    for path in &old {
        let gone = stack.gateway.get(&mail.path(path)).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND, "{path}: {}", gone.text);
    }
    mail.change(&["create", "Projects"]);
    mail.append(
        "Projects",
        &[WITH_ATTACHMENT, WITH_ATTACHMENT, WITH_ATTACHMENT],
    );
    for path in &old {
        let gone = stack.gateway.get(&mail.path(path)).await;
        assert_eq!(gone.status, StatusCode::GONE, "{path}: {}", gone.text);
        assert_eq!(gone.code(), "uidvalidity_changed");
        assert_eq!(gone.headers["content-type"], "application/problem+json");
    }
    let now = mail.get("emails?mailbox=Projects&limit=1").await;
    let now = now["items"][0]["id"].as_str().unwrap();
    assert_ne!(now, id);
    mail.get(&format!("emails/{now}")).await;
}

#[tokio::test]
async fn broken_messages_are_served_with_what_can_be_read_and_raw() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let mail = Mail::of(&stack).await;
    mail.append("INBOX", BROKEN);
    let listed = mail.get("emails").await;
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), BROKEN.len(), "none is left out: {listed:#}");
    for (item, sent) in items.iter().zip(BROKEN.iter().rev()) {
        let shown = String::from_utf8_lossy(sent);
        let id = item["id"].as_str().unwrap();
        let email = mail.get(&format!("emails/{id}")).await;
        assert_eq!(email["id"], *id);
        assert_eq!(email["size"], sent.len(), "{shown}");
        assert!(email["attachments"].is_array(), "{email:#}");
        for attachment in email["attachments"].as_array().unwrap() {
            let part = attachment["partId"].as_str().unwrap();
            let path = mail.path(&format!("emails/{id}/attachments/{part}"));
            let answer = stack.gateway.get(&path).await;
            assert_eq!(answer.status, StatusCode::OK, "{shown}: {}", answer.text);
        }
        let path = mail.path(&format!("emails/{id}/raw"));
        let raw = stack.gateway.request(Method::GET, &path);
        let raw = raw.send().await.unwrap().bytes().await.unwrap();
        assert_eq!(raw, *sent, "byte for byte: {shown}");
    }
    let odd = mail.get("emails?text=%C3%9C%22%5C%E2%80%A8").await;
    assert_eq!(odd["items"], json!([]), "and searched without a stumble");
    let subjects: Vec<_> = items.iter().map(|item| &item["subject"]).collect();
    assert!(
        subjects.contains(&&json!("Cut in the middle")),
        "{subjects:?}"
    );
    assert!(subjects.contains(&&json!("Lying")), "{subjects:?}");
}

/// Alice's mail, by the API and by another client of hers.
struct Mail<'a> {
    stack: &'a Stack,
    account: String,
    token: String,
}

impl<'a> Mail<'a> {
    async fn of(stack: &'a Stack) -> Self {
        let account = stack.gateway.connect(ALICE).await;
        let path = format!("/v1/accounts/{account}/access-token");
        let token = stack.gateway.post(&path, &json!({})).await.body;
        Self {
            stack,
            account,
            token: token["access_token"].as_str().unwrap().to_owned(),
        }
    }

    fn path(&self, below: &str) -> String {
        format!("/v1/accounts/{}/{below}", self.account)
    }

    async fn get(&self, below: &str) -> Value {
        let answer = self.stack.gateway.get(&self.path(below)).await;
        assert_eq!(answer.status, StatusCode::OK, "{below}: {}", answer.text);
        answer.body
    }

    async fn attachment(&self, id: &str) -> String {
        let email = self.get(&format!("emails/{id}")).await;
        let part = email["attachments"][0]["partId"].as_str();
        part.unwrap_or_else(|| panic!("{email:#}")).to_owned()
    }

    fn change(&self, what: &[&str]) {
        let dovecot = &self.stack.dovecot;
        dovecot.change(ALICE, &self.token, what).unwrap();
    }

    fn append(&self, mailbox: &str, messages: &[&[u8]]) {
        let paths: Vec<PathBuf> = (0..messages.len())
            .map(|number| self.stack.dir.path().join(format!("{number}.eml")))
            .collect();
        let mut what = vec!["append", mailbox];
        for (path, message) in paths.iter().zip(messages) {
            fs::write(path, message).unwrap();
            what.push(path.to_str().unwrap());
        }
        self.change(&what);
    }
}

const ALICE: &str = "alice@corp.test";
const WITH_ATTACHMENT: &[u8] = b"From: a@corp.test\r\nSubject: Plan\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n\
--b\r\nContent-Type: application/pdf; name=plan.pdf\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n";
const BROKEN: &[&[u8]] = &[
    b"Neither header nor body",
    b"\r\n\r\n",
    b"Subject: =?utf-8?q?=FF=FE?= =?nonsense?x?y?=\r\nDate: tomorrow\r\nFrom: <<<@>>, ,;:\"\r\n\r\n\xff\xfe\x80\r\n",
    b"Subject: Cut in the middle\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n\
--b\r\nContent-Type: application/zip; name=\"../../etc/passwd\"\r\nContent-Disposition: attachment\r\n\
Content-Transfer-Encoding: base64\r\n\r\nUEsDB!!!not base64",
    b"Subject: Lying\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\nContent-Type: text/html; charset=klingon\r\n\
Content-Transfer-Encoding: rot13\r\n\r\n<p onclick=alert(1)>no boundary\r\n",
];
