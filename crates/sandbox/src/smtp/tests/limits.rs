use super::*;

const BUSY: &str = "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. [Hostname=SANDBOX.PROD.OUTLOOK.TEST]\r\n";

#[tokio::test]
async fn three_messages_of_a_mailbox_at_once() {
    let house = House::new().await;
    let mut under_way = Vec::new();
    for _ in 0..3 {
        under_way.push(house.in_data().await);
    }
    let mut fourth = house.in_data().await;
    assert_eq!(fourth.say(".").await, BUSY);
    assert_eq!(house.office.refused.lock().unwrap().len(), 1);
    let mut first = under_way.remove(0);
    assert!(first.say(".").await.starts_with("250 2.0.0 OK"));
    fourth.envelope().await;
    fourth.say("DATA").await;
    assert!(fourth.say(".").await.starts_with("250 2.0.0 OK"));
}

#[tokio::test]
async fn a_lost_connection_gives_its_place_back() {
    let house = House::new().await;
    house.limit(|limits| limits.concurrent = 1);
    let lost = house.in_data().await;
    drop(lost);
    loop {
        let mut client = house.in_data().await;
        if client.say(".").await != BUSY {
            break;
        }
    }
    assert_eq!(house.sent().len(), 1);
}

#[tokio::test]
async fn recipients_of_a_message_and_of_a_day() {
    let house = House::new().await;
    house.limit(|limits| {
        limits.recipients_per_message = 2;
        limits.recipients_per_day = 3;
    });
    let mut client = house.login().await;
    client.envelope().await;
    client.say("RCPT TO:<b@away.test>").await;
    assert_eq!(
        client.refused("RCPT TO:<c@away.test>").await,
        "452 4.5.3 Too many recipients"
    );
    client.say("DATA").await;
    assert!(client.say(".").await.starts_with("250 2.0.0 OK"));
    client.envelope().await;
    client.say("RCPT TO:<b@away.test>").await;
    client.say("DATA").await;
    let refusal = client.say(".").await;
    assert!(
        refusal.starts_with(
            "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; "
        ),
        "{refusal}"
    );
    house.clock.advance(Duration::from_secs(24 * 60 * 60));
    client.envelope().await;
    client.say("DATA").await;
    assert!(client.say(".").await.starts_with("250 2.0.0 OK"));
}

#[tokio::test]
async fn too_much_in_a_minute_waits_for_the_clock() {
    let house = House::new().await;
    house.limit(|limits| limits.messages_per_minute = 1);
    let mut client = house.in_data().await;
    client.say(".").await;
    client.envelope().await;
    client.say("DATA").await;
    client.send(".\r\n").await;
    let early = tokio::time::timeout(Duration::from_millis(300), client.reply()).await;
    assert!(early.is_err(), "{early:?}");
    assert_eq!(house.sent().len(), 1);
    house.clock.advance(Duration::from_secs(60));
    assert!(client.reply().await.starts_with("250 2.0.0 OK <2@x>"));
}

#[tokio::test]
async fn a_message_has_a_size() {
    let house = House::new().await;
    house.limit(|limits| limits.message_bytes = 100);
    let mut client = house.login().await;
    assert!(client.say("EHLO x").await.contains("\r\n250-SIZE 100\r\n"));
    assert_eq!(
        client
            .refused("MAIL FROM:<ada@tarnbrook.test> SIZE=101")
            .await,
        "552 5.3.4 Message size exceeds fixed maximum message size"
    );
    client.envelope().await;
    client.say("DATA").await;
    client.send(vec![b'x'; 1_000]).await;
    assert_eq!(
        client.refused("\r\n.").await,
        "552 5.3.4 Message size exceeds fixed maximum message size"
    );
    client.envelope().await;
    client
        .send(["BDAT 101\r\n".as_bytes(), &[b'x'; 101]].concat())
        .await;
    assert!(client.reply().await.starts_with("552 5.3.4 "));
    client.envelope().await;
    client.say("DATA").await;
    client.send(vec![b'x'; 98]).await;
    assert!(client.say("\r\n.").await.starts_with("250 2.0.0 OK"));
    assert_eq!(house.sent()[0].1.len(), 100);
}
