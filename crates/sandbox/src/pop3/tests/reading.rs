use super::*;

const HELLO: &[u8] = b"Subject: Hello\r\n\r\nHello, Ada.\r\n.\r\n..\r\n";
const TORN: &[u8] = b"\xc3\xbc no end";

#[tokio::test]
async fn messages_are_counted_listed_and_read() {
    let house = House::new().await;
    let mut client = house.with_mail(&[HELLO, TORN, b""]).await;
    assert_eq!(client.say("STAT").await, "+OK 3 47\r\n");
    assert_eq!(
        client.say_all("LIST").await,
        "+OK 3 47\r\n1 38\r\n2 9\r\n3 0\r\n.\r\n"
    );
    assert_eq!(client.say("LIST 2").await, "+OK 2 9\r\n");
    assert_eq!(
        client.say_all("RETR 1").await,
        "+OK\r\nSubject: Hello\r\n\r\nHello, Ada.\r\n..\r\n...\r\n.\r\n"
    );
    assert_eq!(client.say_all("RETR 2").await, "+OK\r\nü no end\r\n.\r\n");
    assert_eq!(client.say_all("RETR 3").await, "+OK\r\n.\r\n");
    assert_eq!(
        client.say_all("TOP 1 1").await,
        "+OK\r\nSubject: Hello\r\n\r\nHello, Ada.\r\n.\r\n"
    );
    for command in [
        "RETR 0",
        "RETR 4",
        "LIST 4294967295",
        "TOP 9 1",
        "UIDL 4",
        "DELE 4",
    ] {
        assert_eq!(
            client.say(command).await,
            "-ERR The specified message is out of range.\r\n",
            "{command}"
        );
    }
}

#[tokio::test]
async fn deletion_waits_for_quit() {
    let house = House::new().await;
    let mut client = house
        .with_mail(&[b"one\r\n", b"two\r\n", b"three\r\n"])
        .await;
    let names = client.say_all("UIDL").await;
    assert_eq!(client.say("DELE 2").await, "+OK\r\n");
    for command in ["DELE 2", "RETR 2", "LIST 2"] {
        assert!(client.say(command).await.starts_with("-ERR"), "{command}");
    }
    assert_eq!(client.say("STAT").await, "+OK 2 12\r\n");
    assert_eq!(
        client.say_all("LIST").await,
        "+OK 2 12\r\n1 5\r\n3 7\r\n.\r\n"
    );
    assert_eq!(client.say("RSET").await, "+OK\r\n");
    assert_eq!(client.say("STAT").await, "+OK 3 17\r\n");
    client.say("DELE 1").await;
    drop(client);
    let mut client = house.login().await;
    assert_eq!(
        client.say_all("UIDL").await,
        names,
        "nothing is gone without QUIT"
    );
    client.say("DELE 1").await;
    client.say("DELE 3").await;
    assert_eq!(house.uids(), [1, 2, 3]);
    assert!(client.say("QUIT").await.starts_with("+OK"));
    assert_eq!(house.uids(), [2]);
    let mut client = house.login().await;
    let name = names.lines().nth(2).unwrap().strip_prefix("2 ").unwrap();
    assert_eq!(client.say("UIDL 1").await, format!("+OK 1 {name}\r\n"));
}

#[tokio::test]
async fn a_large_message_comes_in_pieces() {
    let house = House::new().await;
    let line = format!(".{}\r\n", "x".repeat(76));
    let message = format!("A: b\r\n\r\n{}", line.repeat(20_000));
    let mut client = house.with_mail(&[message.as_bytes()]).await;
    let answer = client.say_all("RETR 1").await;
    assert_eq!(answer.len(), "+OK\r\n.\r\n".len() + message.len() + 20_000);
    assert_eq!(client.say("NOOP").await, "+OK\r\n");
}

#[tokio::test]
async fn commands_may_come_in_one_piece() {
    let house = House::new().await;
    let mut client = house.with_mail(&[b"one\r\n"]).await;
    client.send("STAT\r\nRETR 1\r\nQUIT\r\n").await;
    assert_eq!(
        client.rest().await,
        "+OK 1 5\r\n+OK\r\none\r\n.\r\n+OK Microsoft Exchange Server POP3 server signing off.\r\n"
    );
}
