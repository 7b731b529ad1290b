use proptest::prelude::*;

use super::*;

#[tokio::test]
async fn nothing_sent_ahead_of_tls_is_taken_for_encrypted() {
    let house = House::new().await;
    let mut client = house.plain().await;
    client.say("EHLO client.test").await;
    client
        .send("STARTTLS\r\nMAIL FROM:<evil@away.test>\r\n")
        .await;
    assert_eq!(
        client.rest().await,
        "220 2.0.0 SMTP server ready\r\n",
        "and the connection is cut"
    );
}

#[tokio::test]
async fn no_second_message_is_smuggled_in() {
    let house = House::new().await;
    for end in [
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r\n.\r",
        "\r\n\0.\r\n",
    ] {
        let mut client = house.in_data().await;
        client
            .send(format!(
                "first{end}MAIL FROM:<evil@away.test>\r\nRCPT TO:<far@away.test>\r\nDATA\r\nsecond\r\n.\r\n"
            ))
            .await;
        assert!(client.reply().await.starts_with("250 2.0.0 OK"));
        assert_eq!(client.say("NOOP").await, "250 2.0.0 OK\r\n");
    }
    let sent = house.sent();
    assert_eq!(sent.len(), 6);
    for (envelope, message) in sent {
        assert_eq!(envelope.mail_from, ADA);
        assert!(message.starts_with(b"first") && message.ends_with(b"second\r\n"));
    }
}

#[tokio::test]
async fn an_endless_line_is_cut() {
    let house = House::with(Limits {
        line: 10_000,
        ..Limits::default()
    })
    .await;
    let mut client = house.connect().await;
    client.send(vec![b'x'; 20_000]).await;
    assert!(
        client
            .rest()
            .await
            .starts_with("500 5.5.2 Command line is too long")
    );
    let mut client = house.connect().await;
    client.say("AUTH XOAUTH2").await;
    client.send(vec![b'x'; 20_000]).await;
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_hundred_megabytes_stay_within_the_memory_of_all() {
    let house = House::with(Limits {
        memory: 1 << 20,
        ..Limits::default()
    })
    .await;
    let mut client = house.in_data().await;
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..100 {
        client.send(&piece).await;
    }
    let reply = client.say("\r\n.").await;
    assert!(
        reply.starts_with("452 4.3.1 Insufficient system resources"),
        "{reply}"
    );
    client.envelope().await;
    client.say("DATA").await;
    assert!(
        client.say("small\r\n.").await.starts_with("250 2.0.0 OK"),
        "what was held is free again"
    );
}

#[tokio::test]
async fn a_huge_chunk_is_not_waited_for() {
    let house = House::new().await;
    let mut client = house.connect().await;
    client.send("BDAT 9000000000 LAST\r\n").await;
    assert!(
        client
            .rest()
            .await
            .starts_with("530 5.7.57 Client not authenticated to send mail.")
    );
    let mut client = house.login().await;
    client.envelope().await;
    client.send("BDAT 9000000000 LAST\r\n").await;
    assert!(client.rest().await.starts_with("552 5.3.4 "));
}

#[tokio::test]
async fn guessing_is_cut_short() {
    let house = House::new().await;
    let mut client = house.connect().await;
    let mut tries = 0;
    let last = loop {
        let answer = client
            .say(&format!("AUTH XOAUTH2 {}", xoauth2(ADA, "bad")))
            .await;
        tries += 1;
        if answer.starts_with("535") && tries < 10 {
            continue;
        }
        break client.rest().await;
    };
    assert_eq!(tries, 10);
    assert!(
        last.starts_with("421 4.7.0 Too many errors on this connection"),
        "{last}"
    );
}

#[tokio::test]
async fn crowds_have_limits() {
    let house = House::with(Limits {
        connections: 1,
        ..Limits::default()
    })
    .await;
    let _first = house.plain().await;
    let mut second = house.unread().await;
    assert!(
        second
            .rest()
            .await
            .starts_with("421 4.3.2 The maximum number of concurrent server connections")
    );
}

#[tokio::test]
async fn silence_has_limits() {
    let house = House::with(Limits {
        login_timeout: Duration::from_millis(200),
        ..Limits::default()
    })
    .await;
    let mut client = house.unread().await;
    client.line().await;
    assert!(
        client
            .rest()
            .await
            .starts_with("421 4.4.1 Connection timed out")
    );
}

#[tokio::test]
async fn a_message_that_never_ends_has_a_limit_of_time() {
    let house = House::with(Limits {
        message_timeout: Duration::from_millis(200),
        ..Limits::default()
    })
    .await;
    let mut client = house.in_data().await;
    client.send("x\r\n").await;
    assert!(
        client
            .rest()
            .await
            .starts_with("421 4.4.1 Connection timed out")
    );
    assert!(house.sent().is_empty());
}

#[tokio::test]
async fn a_stop_ends_every_conversation() {
    let house = House::new().await;
    let mut idle = house.plain().await;
    let mut sending = house.in_data().await;
    sending.send("half").await;
    house.server.stop().await;
    for client in [&mut idle, &mut sending] {
        let last = client.rest().await;
        assert!(
            last.starts_with("421 4.3.2 Service not available"),
            "{last}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes, it is answered in lines that begin with a number, or the connection is closed.
    #[test]
    fn any_octets_are_answered_in_order(
        input in prop::collection::vec(prop_oneof![
            Just(b"EHLO x\r\n".to_vec()), Just(b"AUTH XOAUTH2\r\n".to_vec()), Just(b"DATA\r\n".to_vec()),
            Just(b"MAIL FROM:<ada@tarnbrook.test>\r\n".to_vec()), Just(b"RCPT TO:<a@b>\r\n".to_vec()),
            Just(b"BDAT 5\r\n".to_vec()), Just(b"\r\n.\r\n".to_vec()), Just(b"\n".to_vec()),
            prop::collection::vec(any::<u8>(), 0..40),
        ], 0..30)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let house = House::new().await;
            let mut client = house.login().await;
            // The server may close while there is still something to send.
            let _ = client.stream.write_all(&input.concat()).await;
            let _ = client.stream.flush().await;
            let _ = client.stream.shutdown().await;
            for line in client.rest().await.lines() {
                assert!(line.as_bytes()[..3].iter().all(u8::is_ascii_digit), "{line}");
            }
        });
    }
}
