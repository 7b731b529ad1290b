use super::*;

#[tokio::test]
async fn greeting_and_extensions_are_exchanges() {
    let house = House::new().await;
    let mut client = house.unread().await;
    let greeting = client.line().await;
    let (words, session) = greeting.trim_end().rsplit_once(' ').unwrap();
    assert_eq!(
        words,
        "220 SANDBOX.PROD.OUTLOOK.TEST Microsoft ESMTP MAIL Service ready at Fri, 15 Jan 2027 08:00:00 +0000"
    );
    assert_eq!(session.len(), 18, "{session}");
    assert_eq!(
        client.say("EHLO client.test").await,
        "250-SANDBOX.PROD.OUTLOOK.TEST Hello [127.0.0.1]\r\n250-SIZE 157286400\r\n250-PIPELINING\r\n250-DSN\r\n\
         250-ENHANCEDSTATUSCODES\r\n250-STARTTLS\r\n250-8BITMIME\r\n250-BINARYMIME\r\n250-CHUNKING\r\n250 SMTPUTF8\r\n"
    );
    assert_eq!(
        client.say("HELO client.test").await,
        "250 SANDBOX.PROD.OUTLOOK.TEST Hello [127.0.0.1]\r\n"
    );
    assert_eq!(
        client.say("QUIT").await + &client.rest().await,
        "221 2.0.0 Service closing transmission channel\r\n"
    );
}

#[tokio::test]
async fn auth_comes_after_starttls() {
    let house = House::new().await;
    let mut client = house.plain().await;
    assert_eq!(
        client.refused("AUTH XOAUTH2").await,
        "503 5.5.2 Send hello first"
    );
    assert_eq!(
        client.refused("STARTTLS").await,
        "503 5.5.2 Send hello first"
    );
    client.say("EHLO client.test").await;
    let auth = format!("AUTH XOAUTH2 {}", xoauth2(ADA, "good"));
    assert_eq!(
        client.refused(&auth).await,
        "504 5.7.4 Unrecognized authentication type"
    );
    assert_eq!(
        client.refused("MAIL FROM:<ada@tarnbrook.test>").await,
        "451 5.7.3 STARTTLS is required to send mail"
    );
    assert_eq!(
        client.refused("RCPT TO:<ada@tarnbrook.test>").await,
        "530 5.7.57 Client not authenticated to send mail."
    );
    assert_eq!(
        client.say("STARTTLS").await,
        "220 2.0.0 SMTP server ready\r\n"
    );
    let mut client = Client::new(house.encrypt(client.stream).await);
    assert_eq!(
        client.refused(&auth).await,
        "503 5.5.2 Send hello first",
        "what was said in the clear is forgotten"
    );
    let extensions = client.say("EHLO client.test").await;
    assert!(
        extensions.contains("\r\n250-AUTH LOGIN XOAUTH2\r\n") && !extensions.contains("STARTTLS"),
        "{extensions}"
    );
    assert_eq!(
        client.refused("STARTTLS").await,
        "503 5.5.2 Only one STARTTLS command can be issued per session"
    );
    assert_eq!(
        client.refused("MAIL FROM:<ada@tarnbrook.test>").await,
        "530 5.7.57 Client not authenticated to send mail."
    );
    assert_eq!(
        client.say(&auth).await,
        "235 2.7.0 Authentication successful\r\n"
    );
    assert_eq!(
        client.refused(&auth).await,
        "503 5.5.2 Already authenticated"
    );
}

#[tokio::test]
async fn xoauth2_with_and_without_initial_response() {
    let house = House::new().await;
    let mut client = house.connect().await;
    let answer = client
        .say(&format!("AUTH XOAUTH2 {}", xoauth2(ADA, "bad")))
        .await;
    assert!(
        answer.starts_with(&format!("535 5.7.3 Authentication unsuccessful{BRACKETS}")),
        "{answer}"
    );
    assert_eq!(client.say("auth xoauth2").await, "334 \r\n");
    assert_eq!(
        client.refused(&xoauth2(ADA, "bad")).await,
        "535 5.7.3 Authentication unsuccessful"
    );
    client.say("AUTH XOAUTH2").await;
    assert_eq!(
        client.refused("*").await,
        "501 5.7.0 Authentication cancelled"
    );
    client.say("AUTH XOAUTH2").await;
    assert_eq!(
        client.refused("not base64").await,
        "501 5.5.2 Cannot Decode response"
    );
    assert_eq!(
        client.refused("AUTH XOAUTH2 =").await,
        "535 5.7.3 Authentication unsuccessful"
    );
    let form = STANDARD.encode("user=ada@tarnbrook.test^Aauth=Bearer good^A^A");
    assert_eq!(
        client.refused(&format!("AUTH XOAUTH2 {form}")).await,
        "535 5.7.3 Authentication unsuccessful"
    );
    for mechanism in ["PLAIN AGEAYg==", "OAUTHBEARER bixhPWEB", "NTLM", "X"] {
        assert_eq!(
            client.refused(&format!("AUTH {mechanism}")).await,
            "504 5.7.4 Unrecognized authentication type"
        );
    }
    client.say("AUTH XOAUTH2").await;
    assert_eq!(
        client.say(&xoauth2(ADA, "good")).await,
        "235 2.7.0 Authentication successful\r\n"
    );
}

#[tokio::test]
async fn a_token_may_be_long() {
    let house = House::new().await;
    let mut client = house.connect().await;
    let long = xoauth2(ADA, &"x".repeat(64 << 10));
    assert_eq!(
        client.refused(&format!("AUTH XOAUTH2 {long}")).await,
        "535 5.7.3 Authentication unsuccessful"
    );
    client.say("AUTH XOAUTH2").await;
    assert_eq!(
        client.refused(&long).await,
        "535 5.7.3 Authentication unsuccessful"
    );
}

#[tokio::test]
async fn every_refusal_in_its_words() {
    let house = House::new().await;
    for (token, words) in [
        (
            "tenant",
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information.",
        ),
        (
            "mailbox",
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information.",
        ),
    ] {
        let mut client = house.connect().await;
        let auth = format!("AUTH XOAUTH2 {}", xoauth2(ADA, token));
        assert_eq!(client.refused(&auth).await, words);
    }
    for (password, words) in [
        (
            "wrong",
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
        ),
        (
            "policy",
            "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator.",
        ),
        (
            "retired",
            "550 5.7.30 Basic authentication is not supported for Client Submission.",
        ),
    ] {
        let mut client = house.connect().await;
        assert_eq!(client.say("AUTH LOGIN").await, "334 VXNlcm5hbWU6\r\n");
        assert_eq!(
            client.say(&STANDARD.encode(ADA)).await,
            "334 UGFzc3dvcmQ6\r\n"
        );
        assert_eq!(client.refused(&STANDARD.encode(password)).await, words);
    }
    let mut client = house.connect().await;
    client
        .say(&format!("AUTH LOGIN {}", STANDARD.encode(ADA)))
        .await;
    assert_eq!(
        client.say(&STANDARD.encode("right")).await,
        "235 2.7.0 Authentication successful\r\n"
    );
}
