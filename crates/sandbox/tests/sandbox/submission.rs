//! Mail handed in by SMTP, and what becomes of it.

use std::sync::Arc;

use mailgrant_sandbox::directory::{MailboxPermission, MailboxRight};
use mailgrant_sandbox::mailstore::Mailbox;
use serde_json::{Value, json};

use crate::line::{SMTP_SEND, pop3_login, smtp_login, token_of};
use crate::support::*;

const MESSAGE: &str = "From: Ada <ada@quillmere.test>\r\nTo: bruno@quillmere.test\r\nBcc: support@quillmere.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHello.\r\n..dot\r\nbare\nLF";

#[actix_web::test]
async fn a_message_lies_in_the_outbox_in_inboxes_and_in_sent_items() {
    let world = open().await;
    let token = token_of(&world, ADA, SMTP_SEND).await;
    let (mut line, _) = smtp_login(&world, ADA, &token).await;
    let to = [
        BRUNO,
        "BRUNO.keller@quillmere.test",
        SHARED,
        "far@away.test",
    ];
    let answer = line.hand_in(ADA, &to, MESSAGE).await;
    assert!(answer.starts_with("250 2.0.0 OK <"), "{answer}");
    let refused = line.smtp("RCPT TO:<x>").await;
    assert!(refused.starts_with("501 5.1.3"), "{refused}");

    let submitted = MESSAGE.replace("\r\n..dot", "\r\n.dot") + "\r\n";
    let outbox = get(&world, "/outbox").await;
    let sent = &outbox["sent"][0];
    assert_eq!(sent["user"], ADA);
    assert_eq!(sent["client_id"], DELEGATED);
    assert_eq!(sent["recipients"], json!(to));
    assert_eq!(sent["subject"], "Grüße");
    assert_eq!(sent["size"], submitted.len());
    assert!(answer.contains(sent["message_id"].as_str().unwrap()));
    assert_eq!(raw(&world, 1).await, submitted);

    let mail = world.running.mail();
    for address in [BRUNO, SHARED] {
        let messages = content(&mail.mailbox(address).unwrap(), "INBOX");
        let [message] = &messages[..] else {
            panic!("{address}: {messages:?}");
        };
        assert!(
            message.starts_with("Return-Path: <ada@quillmere.test>\r\nReceived: from client.test ")
        );
        assert!(message.ends_with("\r\n\r\nHello.\r\n.dot\r\nbare\nLF\r\n"));
        assert!(
            message.contains("\r\nMessage-ID: <")
                && message.contains("\r\nDate: Fri, 15 Jan 2027 08:00:00 +0000\r\n")
        );
        assert!(!message.to_lowercase().contains("bcc"), "{message}");
    }
    let copies = content(&mail.mailbox(ADA).unwrap(), "Sent Items");
    assert_eq!(copies.len(), 1);
    assert!(
        copies[0].contains("\r\nBcc: support@quillmere.test\r\n")
            && !copies[0].contains("Received:")
    );

    let log = world.running.requests().entries();
    let entry = log.iter().find(|entry| entry.kind == "smtp_send").unwrap();
    assert_eq!(
        (entry.outcome.as_str(), entry.user.as_deref()),
        ("ok", Some(ADA))
    );
}

#[actix_web::test]
async fn the_outbox_outlives_a_restart_and_is_emptied_on_demand() {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let world = World::start_in(dir.clone(), mailgrant_sandbox::Clock::fixed(NOW)).await;
    allow(&world);
    let token = token_of(&world, ADA, SMTP_SEND).await;
    let (mut line, _) = smtp_login(&world, ADA, &token).await;
    for _ in 0..2 {
        let answer = line.hand_in(ADA, &["far@away.test"], MESSAGE).await;
        assert!(answer.starts_with("250 "), "{answer}");
    }
    let before = get(&world, "/outbox").await;
    world.running.stop().await;
    let world = World::start_in(dir, mailgrant_sandbox::Clock::fixed(NOW)).await;
    assert_eq!(get(&world, "/outbox").await, before);
    assert_eq!(get(&world, "/outbox/2").await, before["sent"][1]);
    assert_eq!(delete(&world, "/outbox/1").await, 204);
    assert_eq!(delete(&world, "/outbox/1").await, 404);
    assert_eq!(delete(&world, "/outbox").await, 204);
    assert_eq!(get(&world, "/outbox").await, json!({"sent": []}));
}

#[actix_web::test]
async fn send_as_and_unknown_recipients() {
    let world = open().await;
    world.running.directory().change(|tenant| {
        tenant.mailbox_permissions.push(MailboxPermission {
            mailbox: SHARED.to_owned(),
            trustee: BRUNO.to_owned(),
            rights: vec![MailboxRight::SendAs],
        });
    });
    let token = token_of(&world, BRUNO, SMTP_SEND).await;
    let (mut line, _) = smtp_login(&world, "bruno.keller@quillmere.test", &token).await;
    let message = format!("From: Support <{SHARED}>\r\n\r\nx");
    let answer = line.hand_in(SHARED, &[ADA], &message).await;
    assert!(answer.starts_with("250 "), "{answer}");
    let copies = content(&world.running.mail().mailbox(BRUNO).unwrap(), "Sent Items");
    assert_eq!(copies.len(), 1, "the copy is in the mailbox that logged in");
    line.smtp(&format!("MAIL FROM:<{BRUNO}>")).await;
    let answer = line.smtp("RCPT TO:<nobody@quillmere.test>").await;
    assert!(
        answer.starts_with("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient nobody@quillmere.test not found by SMTP address lookup ["),
        "{answer}"
    );
}

#[actix_web::test]
async fn faults_reach_smtp_and_pop3() {
    let world = open().await;
    let token = token_of(&world, ADA, SMTP_SEND).await;
    for (plan, words) in [
        (
            json!({"smtp": {"rules": [{"at": "AUTH", "reply": "no number"}]}}),
            "smtp.rules.reply",
        ),
        (
            json!({"pop3": {"rules": [{"at": "AUTH", "reply": "535 x"}]}}),
            "pop3.rules.reply",
        ),
    ] {
        let refused = world.control("/faults", plan).await;
        assert_eq!(refused.status, 400);
        assert!(refused.body["error"].as_str().unwrap().contains(words));
    }
    let plan = json!({"smtp": {"refuse_login": true}, "pop3": {"refuse_login": true}});
    world.control("/faults", plan).await.ok();
    let (_, answer) = smtp_login(&world, ADA, &token).await;
    assert!(answer.starts_with("535 5.7.3 "), "{answer}");
    let plan = json!({"smtp": {"not_connected": true, "transport": {"latency_ms": 1}}});
    world.control("/faults", plan).await.ok();
    let (mut line, _) = smtp_login(&world, ADA, &token).await;
    let answer = line.hand_in(ADA, &[BRUNO], "x").await;
    assert!(
        answer.starts_with("430 4.2.0 STOREDRV; mailbox logon failure"),
        "{answer}"
    );
    assert_eq!(get(&world, "/outbox").await, json!({"sent": []}));
}

#[actix_web::test]
async fn a_persons_token_opens_the_inbox_by_pop3() {
    let world = World::start().await;
    let scope = "openid https://outlook.office.com/POP.AccessAsUser.All";
    let token = token_of(&world, ADA, scope).await;
    let mailbox = world.running.mail().mailbox(ADA).unwrap();
    mailbox.deliver(b"Subject: x\r\n\r\n.\r\n", NOW).unwrap();
    let (mut line, answer) = pop3_login(&world, ADA, &token).await;
    assert_eq!(answer, "+OK User successfully authenticated.");
    assert_eq!(line.ask("STAT").await, "+OK 1 17");
    let name = line.ask("UIDL 1").await;
    let (mut again, _) = pop3_login(&world, ADA, &token).await;
    assert_eq!(again.ask("UIDL 1").await, name);

    let refusal = "-ERR Authentication failure: unknown user name or bad password.";
    let imap_only = token_of(&world, ADA, SCOPE).await;
    for (user, token, why) in [
        (BRUNO, &token, "no full access"),
        (ADA, &imap_only, "no permission for this protocol"),
    ] {
        assert_eq!(pop3_login(&world, user, token).await.1, refusal);
        let log = world.running.requests().entries();
        let login = log.iter().rev().find(|entry| entry.kind == "pop3_login");
        let detail = login.unwrap().detail.clone().unwrap();
        assert!(detail.contains(why), "{detail}");
    }
    world.running.directory().change(|tenant| {
        let mailbox = tenant
            .mailboxes
            .iter_mut()
            .find(|known| known.address == ADA);
        mailbox.unwrap().switches.pop = false;
    });
    assert_eq!(pop3_login(&world, ADA, &token).await.1, refusal);
}

async fn open() -> World {
    let world = World::start().await;
    allow(&world);
    world
}

fn allow(world: &World) {
    let directory = world.running.directory();
    directory.change(|tenant| tenant.smtp_auth = true);
}

fn content(mailbox: &Mailbox, folder: &str) -> Vec<String> {
    let folder = mailbox.folder(folder).unwrap();
    let entries = folder.entries().iter();
    entries
        .map(|entry| String::from_utf8(mailbox.read(entry, 0, entry.size).unwrap()).unwrap())
        .collect()
}

async fn get(world: &World, path: &str) -> Value {
    let request = world.http.get(format!("{}/control{path}", world.base));
    let request = request.header("X-Sandbox-Control", "1");
    Reply::of(request.send().await.unwrap()).await.ok()
}

async fn raw(world: &World, id: u32) -> String {
    let url = format!("{}/control/outbox/{id}/raw", world.base);
    let request = world.http.get(url).header("X-Sandbox-Control", "1");
    request.send().await.unwrap().text().await.unwrap()
}

async fn delete(world: &World, path: &str) -> u16 {
    let request = world.http.delete(format!("{}/control{path}", world.base));
    let request = request.header("X-Sandbox-Control", "1");
    request.send().await.unwrap().status().as_u16()
}
