use super::*;

#[tokio::test]
async fn nothing_sent_ahead_of_tls_is_taken_for_encrypted() {
    let house = House::new().await;
    let mut client = house.plain().await;
    client.line().await;
    client.send("STLS\r\nAUTH XOAUTH2\r\n").await;
    assert_eq!(client.rest().await, "+OK Begin TLS negotiation.\r\n");
}

#[tokio::test]
async fn an_endless_line_is_cut() {
    let house = House::with(Limits {
        response: 1_000,
        ..Limits::default()
    })
    .await;
    let cut = "-ERR Protocol error. Connection is closed. 10\r\n";
    let mut client = house.connect().await;
    client.send(vec![b'x'; 300]).await;
    assert_eq!(client.rest().await, cut);
    let mut client = house.connect().await;
    client.say("AUTH XOAUTH2").await;
    client.send(vec![b'x'; 1_001]).await;
    assert_eq!(client.rest().await, cut);
}

#[tokio::test]
async fn guessing_is_cut_short() {
    let house = House::new().await;
    let mut client = house.connect().await;
    for _ in 0..9 {
        client.say("FROB").await;
    }
    client.send("PASS x\r\n").await;
    assert_eq!(
        client.rest().await,
        "-ERR Logon failure: unknown user name or bad password.\r\n-ERR Protocol error. Connection is closed. 10\r\n"
    );
}

#[tokio::test]
async fn crowds_have_limits() {
    let house = House::with(Limits {
        connections: 1,
        ..Limits::default()
    })
    .await;
    let mut first = house.plain().await;
    first.line().await;
    let mut second = house.plain().await;
    assert_eq!(
        second.rest().await,
        "-ERR Connection refused: too many connections.\r\n"
    );
}

#[tokio::test]
async fn silence_has_limits() {
    let house = House::with(Limits {
        login_timeout: Duration::from_millis(200),
        ..Limits::default()
    })
    .await;
    let mut client = house.plain().await;
    client.line().await;
    assert_eq!(client.rest().await, "-ERR Connection is closed. 13\r\n");
}

#[tokio::test]
async fn octets_of_every_kind_are_no_command() {
    let house = House::new().await;
    let mut client = house.login().await;
    for line in [
        &b"\x16\x03\x01\r\n"[..],
        b"\xff\xfe\n",
        b"RETR \0\r\n",
        b"\r\n",
        b"RETR 1\rQUIT\r\n",
    ] {
        client.send(line).await;
        assert_eq!(client.line().await, "-ERR Protocol error. 14\r\n");
    }
    assert_eq!(client.say("STAT").await, "+OK 0 0\r\n");
}
