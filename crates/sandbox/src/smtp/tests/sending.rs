use super::*;
use crate::control::{FaultPlan, ReplyRule};

#[tokio::test]
async fn a_message_comes_through_octet_by_octet() {
    let house = House::new().await;
    let mut client = house.in_data().await;
    client
        .send(b"Subject: x\r\n\r\n..dot\r\n.\n\xff\0bare\nLF\r\n.\r\n")
        .await;
    assert_eq!(
        client.reply().await,
        "250 2.0.0 OK <1@x> [Hostname=SANDBOX.PROD.OUTLOOK.TEST]\r\n"
    );
    let (envelope, message) = house.sent().remove(0);
    assert_eq!(message, b"Subject: x\r\n\r\n.dot\r\n\n\xff\0bare\nLF\r\n");
    assert_eq!(
        envelope,
        Envelope {
            mail_from: ADA.to_owned(),
            recipients: vec!["far@away.test".to_owned()],
            client: "client.test".to_owned()
        }
    );
    client.envelope().await;
    assert_eq!(
        client.say("RSET").await,
        "250 2.0.0 Resetting\r\n",
        "and the next may begin"
    );
    client.envelope().await;
    client.say("DATA").await;
    client.send(".\r\n").await;
    assert!(client.reply().await.starts_with("250 2.0.0 OK <2@x>"));
    assert_eq!(house.sent()[1].1, b"");
}

#[tokio::test]
async fn commands_may_come_in_one_piece() {
    let house = House::new().await;
    let mut client = house.login().await;
    client
        .send(
            "MAIL FROM:<ada@tarnbrook.test> SIZE=10\r\nRCPT TO:<a@away.test>\r\nRCPT TO:<nobody@tarnbrook.test>\r\n\
             RCPT TO:<b@away.test>\r\nDATA\r\n",
        )
        .await;
    for start in [
        "250 2.1.0",
        "250 2.1.5",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient nobody@tarnbrook.test not found",
        "250 2.1.5",
        "354 ",
    ] {
        let reply = client.reply().await;
        assert!(reply.starts_with(start), "{reply}");
    }
    client
        .send("x\r\n.\r\nNOOP\r\nVRFY x\r\nHELP\r\nEXPN x\r\nQUIT\r\n")
        .await;
    for start in [
        "250 2.0.0 OK <1@x>",
        "250 2.0.0 OK\r\n",
        "252 2.1.5 Cannot VRFY user\r\n",
        "214-This server",
        "502 5.3.3",
        "221 2.0.0",
    ] {
        let reply = client.reply().await;
        assert!(reply.starts_with(start), "{reply}");
    }
    assert_eq!(house.sent()[0].0.recipients, ["a@away.test", "b@away.test"]);
}

#[tokio::test]
async fn chunks_make_a_message() {
    let house = House::new().await;
    let mut client = house.login().await;
    client
        .say("MAIL FROM:<ada@tarnbrook.test> BODY=BINARYMIME")
        .await;
    client.say("RCPT TO:<far@away.test>").await;
    assert_eq!(
        client.refused("DATA").await,
        "503 5.5.2 Bad sequence of commands"
    );
    client
        .send(b"BDAT 8\r\n\r\n.\r\n\0\xff\nBDAT 3\r\na\r\nBDAT 0 LAST\r\nNOOP\r\n")
        .await;
    assert_eq!(
        client.reply().await,
        "250 2.6.0 CHUNK received OK, 8 octets\r\n"
    );
    assert_eq!(
        client.reply().await,
        "250 2.6.0 CHUNK received OK, 3 octets\r\n"
    );
    assert!(client.reply().await.starts_with("250 2.0.0 OK <1@x>"));
    assert_eq!(client.reply().await, "250 2.0.0 OK\r\n");
    assert_eq!(house.sent()[0].1, b"\r\n.\r\n\0\xff\na\r\n");

    client.send("BDAT 4 LAST\r\nQUIT").await;
    assert!(
        client
            .reply()
            .await
            .starts_with("503 5.5.2 Need mail command"),
        "and the four octets are no command"
    );
    client.envelope().await;
    client.send("BDAT 1\r\nx").await;
    client.reply().await;
    assert_eq!(
        client.refused("RCPT TO:<late@away.test>").await,
        "503 5.5.2 Bad sequence of commands"
    );
    assert_eq!(
        client.refused("DATA").await,
        "503 5.5.2 Bad sequence of commands"
    );
    client.say("RSET").await;
    client.envelope().await;
    client.send("BDAT 1 LAST\r\ny").await;
    client.reply().await;
    assert_eq!(house.sent()[1].1, b"y", "what came before RSET is gone");
}

#[tokio::test]
async fn commands_have_an_order() {
    let house = House::new().await;
    let mut client = house.login().await;
    assert_eq!(client.refused("DATA").await, "503 5.5.2 Need mail command");
    assert_eq!(
        client.refused("RCPT TO:<a@away.test>").await,
        "503 5.5.2 Need mail command"
    );
    client.say("MAIL FROM:<>").await;
    assert_eq!(client.refused("DATA").await, "503 5.5.2 Need rcpt command");
    assert_eq!(
        client.refused("MAIL FROM:<ada@tarnbrook.test>").await,
        "503 5.5.2 Sender already specified"
    );
    assert_eq!(
        client.refused("FROB").await,
        "500 5.3.3 Unrecognized command 'unknown'"
    );
    client.say("EHLO again.test").await;
    assert_eq!(
        client.refused("RCPT TO:<a@away.test>").await,
        "503 5.5.2 Need mail command"
    );
    client.say("MAIL FROM:<stranger@away.test>").await;
    client.say("RCPT TO:<a@away.test>").await;
    client.say("DATA").await;
    assert_eq!(
        client.say(".").await,
        "550 5.7.60 SMTP; Client does not have permissions to send as this sender [Hostname=SANDBOX.PROD.OUTLOOK.TEST]\r\n"
    );
}

#[tokio::test]
async fn it_says_what_it_was_told_to() {
    let house = House::new().await;
    let rule = |at: &str, reply: &str| ReplyRule {
        at: at.to_owned(),
        reply: reply.to_owned(),
        times: Some(1),
        ..ReplyRule::default()
    };
    let mut plan = FaultPlan::default();
    plan.smtp.rules = vec![
        rule("GREETING", "220 other.test at your service"),
        rule("AUTH", "454 4.7.0 Temporary authentication failure"),
        rule("MAIL", "451 4.7.500 Server busy. Please try again later."),
        rule(
            "MESSAGE",
            "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
        ),
        rule("NOOP", "421 4.3.2 Service not available"),
    ];
    house.faults.set(plan);
    let mut client = house.unread().await;
    assert_eq!(client.line().await, "220 other.test at your service\r\n");
    let mut client = house.connect().await;
    let auth = format!("AUTH XOAUTH2 {}", xoauth2(ADA, "good"));
    assert_eq!(
        client.say(&auth).await,
        "454 4.7.0 Temporary authentication failure\r\n"
    );
    assert!(client.say(&auth).await.starts_with("235"));
    assert_eq!(
        client.say("MAIL FROM:<ada@tarnbrook.test>").await,
        "451 4.7.500 Server busy. Please try again later.\r\n"
    );
    client.envelope().await;
    client.say("DATA").await;
    assert_eq!(
        client.say("x\r\n.").await,
        "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded\r\n"
    );
    assert!(house.sent().is_empty());
    assert_eq!(
        client.say("NOOP").await + &client.rest().await,
        "421 4.3.2 Service not available\r\n"
    );
}
