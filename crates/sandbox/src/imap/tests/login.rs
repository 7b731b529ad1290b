use super::*;

#[tokio::test]
async fn greeting_and_capabilities_are_exchanges() {
    let house = House::new().await;
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, house.server.port()))
        .await
        .unwrap();
    let mut client = Client::new(house.encrypt(Box::new(stream)).await);
    let greeting = client.line().await;
    let host = greeting
        .strip_prefix("* OK The Microsoft Exchange IMAP4 service is ready. [")
        .and_then(|rest| rest.strip_suffix("]\r\n"))
        .unwrap();
    let units: Vec<u16> = STANDARD
        .decode(host)
        .unwrap()
        .chunks(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    assert_eq!(
        String::from_utf16(&units).unwrap(),
        "SANDBOX.PROD.OUTLOOK.TEST"
    );
    assert_eq!(
        client.say("a CAPABILITY").await,
        "* CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+\r\n\
         a OK CAPABILITY completed.\r\n"
    );
    client
        .ok(&format!("b AUTHENTICATE XOAUTH2 {}", xoauth2(ADA, "good")))
        .await;
    let after = client.ok("c CAPABILITY").await;
    for capability in [
        "MOVE",
        "SPECIAL-USE",
        "CLIENTACCESSRULES",
        "UIDPLUS",
        "IDLE",
    ] {
        assert!(after.contains(&format!(" {capability} ")), "{after}");
    }
    assert_eq!(
        client.say("d LOGOUT").await + &client.rest().await,
        "* BYE Microsoft Exchange Server IMAP4 server signing off.\r\nd OK LOGOUT completed.\r\n"
    );
}

#[tokio::test]
async fn xoauth2_with_and_without_initial_response() {
    let house = House::new().await;
    let mut client = house.connect().await;
    assert_eq!(
        client
            .say(&format!("a AUTHENTICATE XOAUTH2 {}", xoauth2(ADA, "bad")))
            .await,
        "a NO AUTHENTICATE failed.\r\n"
    );
    client.send("b authenticate xoauth2\r\n").await;
    assert_eq!(client.line().await, "+ \r\n");
    client.send(format!("{}\r\n", xoauth2(ADA, "bad"))).await;
    assert_eq!(client.line().await, "b NO AUTHENTICATE failed.\r\n");
    client.send("c AUTHENTICATE XOAUTH2\r\n").await;
    client.line().await;
    client.send("*\r\n").await;
    assert_eq!(
        client.line().await,
        "c BAD The AUTHENTICATE exchange was canceled.\r\n"
    );
    client.send("d AUTHENTICATE XOAUTH2\r\n").await;
    client.line().await;
    client.send("not base64\r\n").await;
    assert_eq!(client.line().await, "d NO AUTHENTICATE failed.\r\n");
    client.send("e AUTHENTICATE XOAUTH2\r\n").await;
    client.line().await;
    client.send(format!("{}\r\n", xoauth2(ADA, "good"))).await;
    assert_eq!(client.line().await, "e OK AUTHENTICATE completed.\r\n");
    assert_eq!(
        client
            .say(&format!("f AUTHENTICATE XOAUTH2 {}", xoauth2(ADA, "good")))
            .await,
        "f BAD Command received in Invalid state.\r\n"
    );
}

#[tokio::test]
async fn passwords_are_refused() {
    let house = House::new().await;
    let mut client = house.connect().await;
    assert_eq!(
        client.say("a LOGIN ada@tarnbrook.test secret").await,
        "a NO LOGIN failed.\r\n"
    );
    assert_eq!(
        client.say("b AUTHENTICATE PLAIN AGEAYg==").await,
        "b NO AUTHENTICATE failed.\r\n"
    );
    assert_eq!(
        client.say("c AUTHENTICATE OAUTHBEARER bixhPWEB").await,
        "c NO AUTHENTICATE failed.\r\n"
    );
    assert_eq!(
        client.say("d SELECT INBOX").await,
        "d BAD Command received in Invalid state.\r\n"
    );
    assert_eq!(
        client.say("e IDLE").await,
        "e BAD Command received in Invalid state.\r\n"
    );
    assert_eq!(
        client.say("f FROBNICATE").await,
        "f BAD Command Error. 12\r\n"
    );
}

#[tokio::test]
async fn a_token_for_someone_else_connects_to_nothing() {
    let house = House::new().await;
    for command in ["LIST \"\" *", "SELECT INBOX", "NAMESPACE", "IDLE"] {
        let mut client = house.connect().await;
        client
            .ok(&format!(
                "a AUTHENTICATE XOAUTH2 {}",
                xoauth2(ADA, "stranger")
            ))
            .await;
        client.ok("b CAPABILITY").await;
        client.ok("c NOOP").await;
        client.send(format!("d {command}\r\n")).await;
        assert_eq!(
            client.rest().await,
            "d BAD User is authenticated but not connected.\r\n* BYE Connection closed. 14\r\n"
        );
    }
}

#[tokio::test]
async fn the_session_ends_with_the_token() {
    let house = House::new().await;
    let mut waiting = house.login().await;
    let mut idling = house.login().await;
    idling.ok("s SELECT INBOX").await;
    idling.send("i IDLE\r\n").await;
    idling.line().await;
    house.clock.advance(Duration::from_secs(3600));
    for client in [&mut waiting, &mut idling] {
        assert_eq!(
            client.rest().await,
            "* BYE Session invalidated - AccessTokenExpired\r\n"
        );
    }
}

#[tokio::test]
async fn starttls_encrypts_and_forgets() {
    let house = House::new().await;
    let mut client = house.connect_in_the_clear().await;
    assert!(
        client
            .line()
            .await
            .starts_with("* OK The Microsoft Exchange")
    );
    let before = client.ok("a CAPABILITY").await;
    assert!(
        before.contains(" LOGINDISABLED STARTTLS ") && !before.contains("AUTH="),
        "{before}"
    );
    assert_eq!(
        client
            .say(&format!("b AUTHENTICATE XOAUTH2 {}", xoauth2(ADA, "good")))
            .await,
        "b NO AUTHENTICATE failed.\r\n"
    );
    assert_eq!(
        client.say("c STARTTLS").await,
        "c OK Begin TLS negotiation now.\r\n"
    );
    let mut client = Client::new(house.encrypt(client.stream).await);
    let after = client.ok("d CAPABILITY").await;
    assert!(
        after.contains("AUTH=XOAUTH2") && !after.contains("STARTTLS"),
        "{after}"
    );
    client
        .ok(&format!("e AUTHENTICATE XOAUTH2 {}", xoauth2(ADA, "good")))
        .await;
    assert_eq!(
        client.say("f STARTTLS").await,
        "f BAD Command received in Invalid state.\r\n"
    );
}

#[tokio::test]
async fn commands_sent_ahead_of_tls_are_not_taken_for_encrypted() {
    let house = House::new().await;
    let mut client = house.connect_in_the_clear().await;
    client.line().await;
    client.send("a STARTTLS\r\nb CAPABILITY\r\n").await;
    assert_eq!(client.rest().await, "a OK Begin TLS negotiation now.\r\n");
}

#[tokio::test]
async fn stopping_says_bye() {
    let house = House::new().await;
    let mut client = house.login().await;
    let House { server, .. } = house;
    let (rest, ()) = tokio::join!(client.rest(), server.stop());
    assert_eq!(rest, "* BYE Server Unavailable. 15\r\n");
}
