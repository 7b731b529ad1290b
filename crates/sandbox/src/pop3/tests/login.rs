use super::*;

const FAILED: &str = "-ERR Authentication failure: unknown user name or bad password.\r\n";
const STATE: &str = "-ERR Command is not valid in this state.\r\n";

#[tokio::test]
async fn greeting_and_capabilities_are_exchanges() {
    let house = House::new().await;
    let mut client = house.plain().await;
    let greeting = client.line().await;
    let host = greeting
        .strip_prefix("+OK The Microsoft Exchange POP3 service is ready. [")
        .and_then(|rest| rest.strip_suffix("]\r\n"))
        .unwrap();
    assert_eq!(host, net::hidden_host_name("SANDBOX.PROD.OUTLOOK.TEST"));
    assert_eq!(
        client.say_all("CAPA").await,
        "+OK\r\nTOP\r\nUIDL\r\nSTLS\r\n.\r\n"
    );
    for command in ["AUTH XOAUTH2", "USER ada@tarnbrook.test", "PASS x", "STAT"] {
        assert_eq!(client.say(command).await, STATE, "{command}");
    }
    assert_eq!(client.say("STLS").await, "+OK Begin TLS negotiation.\r\n");
    let mut client = Client::new(house.encrypt(client.stream).await);
    assert_eq!(
        client.say_all("CAPA").await,
        "+OK\r\nTOP\r\nUIDL\r\nSASL PLAIN XOAUTH2\r\nUSER\r\n.\r\n"
    );
    assert_eq!(client.say("STLS").await, STATE);
    assert_eq!(
        client.log_in(ADA, "good").await,
        "+OK User successfully authenticated.\r\n"
    );
    assert_eq!(client.say("AUTH XOAUTH2").await, STATE);
    assert_eq!(
        client.say("QUIT").await + &client.rest().await,
        "+OK Microsoft Exchange Server POP3 server signing off.\r\n"
    );
}

#[tokio::test]
async fn authentication_takes_two_lines() {
    let house = House::new().await;
    let mut client = house.connect().await;
    client
        .send(format!("AUTH XOAUTH2 {}\r\n", xoauth2(ADA, "good")))
        .await;
    assert_eq!(
        client.rest().await,
        "-ERR Protocol error. Connection is closed. 10\r\n"
    );
    let mut client = house.connect().await;
    client
        .send(format!("AUTH XOAUTH2 {}\r\n", "x".repeat(2_000)))
        .await;
    assert_eq!(
        client.rest().await,
        "-ERR Protocol error. Connection is closed. 10\r\n",
        "also where the line is longer than a command may be"
    );
    let mut client = house.connect().await;
    assert_eq!(client.log_in(ADA, "bad").await, FAILED);
    let long = "x".repeat(32 << 10);
    assert_eq!(client.log_in(ADA, &long).await, FAILED);
    client.say("AUTH XOAUTH2").await;
    assert_eq!(client.say("not base64").await, FAILED);
    client.say("AUTH XOAUTH2").await;
    assert_eq!(
        client.say("*").await,
        "-ERR The AUTH exchange was canceled.\r\n"
    );
    assert_eq!(
        client.log_in(ADA, "good").await,
        "+OK User successfully authenticated.\r\n"
    );
}

#[tokio::test]
async fn passwords_are_refused() {
    let house = House::new().await;
    let mut client = house.connect().await;
    assert_eq!(client.say("USER ada@tarnbrook.test").await, "+OK\r\n");
    assert_eq!(
        client.say("PASS correct horse").await,
        "-ERR Logon failure: unknown user name or bad password.\r\n"
    );
    assert_eq!(client.say("AUTH PLAIN").await, "+ \r\n");
    assert_eq!(client.say("AGEAYg==").await, FAILED);
    assert_eq!(
        client.say("AUTH OAUTHBEARER").await,
        "-ERR Unsupported authentication mechanism.\r\n"
    );
    assert_eq!(
        client.say_all("AUTH").await,
        "+OK\r\nPLAIN\r\nXOAUTH2\r\n.\r\n"
    );
    assert_eq!(client.say("STAT").await, STATE);
}

#[tokio::test]
async fn a_token_for_someone_else_connects_to_nothing() {
    let house = House::new().await;
    for command in ["STAT", "LIST", "RETR 1", "NOOP"] {
        let mut client = house.connect().await;
        assert_eq!(
            client.log_in(ADA, "stranger").await,
            "+OK User successfully authenticated.\r\n"
        );
        assert_eq!(
            client.say(command).await + &client.rest().await,
            "-ERR User is authenticated but not connected.\r\n"
        );
    }
}

#[tokio::test]
async fn when_the_token_ends_so_does_the_session() {
    let house = House::new().await;
    let mut client = house.with_mail(&[b"x\r\n"]).await;
    assert_eq!(client.say("DELE 1").await, "+OK\r\n");
    house.clock.advance(Duration::from_secs(3600));
    assert_eq!(
        client.say("QUIT").await + &client.rest().await,
        "-ERR Session invalidated - AccessTokenExpired\r\n"
    );
    assert_eq!(house.uids(), [1], "nothing was deleted");
}

#[tokio::test]
async fn it_says_what_it_was_told_to() {
    let house = House::new().await;
    let mut plan = crate::control::FaultPlan::default();
    plan.pop3.rules = serde_json::from_str(
        r#"[{"at": "AUTH", "reply": "-ERR [SYS/TEMP] Try again.", "times": 1},
            {"at": "STAT", "reply": "-ERR Server Unavailable. 15", "mailbox": "ada@tarnbrook.test", "close": true}]"#,
    )
    .unwrap();
    assert_eq!(plan.pop3.problem(), None);
    house.faults.set(plan);
    let mut client = house.connect().await;
    assert_eq!(
        client.say("AUTH XOAUTH2").await,
        "-ERR [SYS/TEMP] Try again.\r\n"
    );
    client.log_in(ADA, "good").await;
    assert_eq!(
        client.say("STAT").await + &client.rest().await,
        "-ERR Server Unavailable. 15\r\n"
    );
}
