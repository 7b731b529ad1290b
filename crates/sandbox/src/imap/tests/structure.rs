use super::*;

const NESTED: &[u8] = b"From: \"Finch, Ada\" <ada@tarnbrook.test>\r\n\
To: team: bruno@tarnbrook.test;, =?utf-8?q?J=C3=BCrgen?= <j@x.test>\r\n\
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
Date: Wed, 18 Nov 2026 12:06:40 +0100\r\n\
Message-ID: <1@tarnbrook.test>\r\n\
MIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=\"out er\"\r\n\
\r\n\
preamble\r\n\
--out er\r\n\
Content-Type: multipart/alternative; boundary=inner\r\n\
\r\n\
--inner\r\n\
Content-Type: text/plain; charset=utf-8\r\n\
Content-Transfer-Encoding: 8bit\r\n\
\r\n\
one\r\ntwo\r\n\
--inner\r\n\
Content-Type: text/html\r\n\
\r\n\
<p>\r\n\
--inner--\r\n\
--out er\r\n\
Content-Type: message/rfc822\r\n\
Content-Disposition: attachment; filename=\"fwd \\\"x\\\".eml\"\r\n\
\r\n\
Subject: inside\r\n\
From: c@x.test\r\n\
Content-Type: multipart/mixed; boundary=deep\r\n\
\r\n\
--deep\r\n\
\r\n\
deep text\r\n\
--deep--\r\n\
--out er\r\n\
Content-Type: image/png; name=x.png\r\n\
Content-ID: <x@y>\r\n\
Content-Transfer-Encoding: base64\r\n\
\r\n\
AAAA\r\n\
--out er--\r\n\
epilogue\r\n";

#[tokio::test]
async fn envelope_and_structure_of_nested_parts() {
    let house = House::new().await;
    let mut client = house.selected(&[NESTED]).await;
    assert_eq!(
        client
            .say("a FETCH 1 (UID INTERNALDATE RFC822.SIZE ENVELOPE)")
            .await,
        format!(
            "* 1 FETCH (UID 1 INTERNALDATE \"18-Nov-2026 11:06:40 +0000\" RFC822.SIZE {} ENVELOPE (\
             \"Wed, 18 Nov 2026 12:06:40 +0100\" \"=?utf-8?q?Gr=C3=BC=C3=9Fe?=\" \
             ((\"Finch, Ada\" NIL \"ada\" \"tarnbrook.test\")) \
             ((\"Finch, Ada\" NIL \"ada\" \"tarnbrook.test\")) \
             ((\"Finch, Ada\" NIL \"ada\" \"tarnbrook.test\")) \
             ((NIL NIL \"team\" NIL)(NIL NIL \"bruno\" \"tarnbrook.test\")(NIL NIL NIL NIL)(\"=?utf-8?q?J=C3=BCrgen?=\" NIL \"j\" \"x.test\")) \
             NIL NIL NIL \"<1@tarnbrook.test>\"))\r\na OK FETCH completed.\r\n",
            NESTED.len()
        )
    );
    assert_eq!(
        client.say("b FETCH 1 BODYSTRUCTURE").await,
        "* 1 FETCH (BODYSTRUCTURE (\
         ((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"8bit\" 8 1 NIL NIL NIL NIL)\
         (\"text\" \"html\" NIL NIL NIL \"7bit\" 3 0 NIL NIL NIL NIL) \
         \"alternative\" (\"boundary\" \"inner\") NIL NIL NIL)\
         (\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 110 \
         (NIL \"inside\" ((NIL NIL \"c\" \"x.test\")) ((NIL NIL \"c\" \"x.test\")) ((NIL NIL \"c\" \"x.test\")) NIL NIL NIL NIL NIL) \
         ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 9 0 NIL NIL NIL NIL) \"mixed\" (\"boundary\" \"deep\") NIL NIL NIL) \
         7 NIL (\"attachment\" (\"filename\" \"fwd \\\"x\\\".eml\")) NIL NIL)\
         (\"image\" \"png\" (\"name\" \"x.png\") \"<x@y>\" NIL \"base64\" 4 NIL NIL NIL NIL) \
         \"mixed\" (\"boundary\" \"out er\") NIL NIL NIL))\r\nb OK FETCH completed.\r\n"
    );
    let short = client.ok("c FETCH 1 FULL").await;
    assert!(
        short.contains(" BODY (((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"8bit\" 8 1)"),
        "{short}"
    );
}

#[tokio::test]
async fn sections() {
    let house = House::new().await;
    let mut client = house.selected(&[NESTED]).await;
    for (section, expected) in [
        ("1.1", Some("one\r\ntwo")),
        ("1.2", Some("<p>")),
        (
            "1.1.MIME",
            Some(
                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
            ),
        ),
        (
            "2.HEADER",
            Some(
                "Subject: inside\r\nFrom: c@x.test\r\nContent-Type: multipart/mixed; boundary=deep\r\n\r\n",
            ),
        ),
        ("2.HEADER.FIELDS (SUBJECT)", Some("Subject: inside\r\n\r\n")),
        (
            "2.HEADER.FIELDS.NOT (SUBJECT content-type)",
            Some("From: c@x.test\r\n\r\n"),
        ),
        ("2.TEXT", Some("--deep\r\n\r\ndeep text\r\n--deep--")),
        ("2.1", Some("deep text")),
        ("3", Some("AAAA")),
        (
            "HEADER.FIELDS (subject \"DATE\" X-None)",
            Some(
                "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nDate: Wed, 18 Nov 2026 12:06:40 +0100\r\n\r\n",
            ),
        ),
        ("4", None),
        ("1.3", None),
        ("3.1", None),
        ("1.HEADER", None),
        ("2.1.1", None),
    ] {
        let answer = client.ok(&format!("a FETCH 1 BODY.PEEK[{section}]")).await;
        let value = match expected {
            Some(text) => format!("{{{}}}\r\n{text}", text.len()),
            None => "NIL".to_owned(),
        };
        let name = section.replace('"', "");
        assert_eq!(
            answer,
            format!("* 1 FETCH (BODY[{name}] {value})\r\na OK FETCH completed.\r\n"),
            "{section}"
        );
    }
    let plain = b"Subject: x\r\n\r\njust text\r\n";
    house
        .store
        .mailbox(ADA)
        .unwrap()
        .deliver(plain, NOW)
        .unwrap();
    client.ok("n NOOP").await;
    for (section, expected) in [
        ("1", "just text\r\n"),
        ("TEXT", "just text\r\n"),
        ("1.MIME", "Subject: x\r\n\r\n"),
        ("HEADER", "Subject: x\r\n\r\n"),
    ] {
        let answer = client.ok(&format!("b FETCH 2 BODY.PEEK[{section}]")).await;
        assert!(
            answer.contains(&format!("{{{}}}\r\n{expected})", expected.len())),
            "{section} {answer}"
        );
    }
    assert!(
        client
            .ok("c FETCH 2 RFC822.TEXT")
            .await
            .contains("RFC822.TEXT {11}\r\njust text\r\n FLAGS (\\Seen))")
    );
}

#[tokio::test]
async fn windows_put_together_are_the_message() {
    let house = House::new().await;
    let mut message = b"Subject: long\r\n\r\n".to_vec();
    for number in 0..2_000 {
        message.extend_from_slice(format!("line {number} \u{fc}\r\n").as_bytes());
    }
    let mut client = house.selected(&[&message]).await;
    for section in ["", "TEXT", "1"] {
        let skip = if section.is_empty() { 0 } else { 17 };
        let mut whole = Vec::new();
        loop {
            client
                .send(format!(
                    "a UID FETCH 1 BODY.PEEK[{section}]<{}.4099>\r\n",
                    whole.len()
                ))
                .await;
            let answer = client.octets("a").await;
            let line = answer.iter().position(|byte| *byte == b'\n').unwrap() + 1;
            let head = std::str::from_utf8(&answer[..line]).unwrap();
            assert!(
                head.starts_with(&format!(
                    "* 1 FETCH (UID 1 BODY[{section}]<{}> ",
                    whole.len()
                )),
                "{head}"
            );
            let length = literal(&answer[..line]).unwrap();
            if length == 0 {
                break;
            }
            whole.extend_from_slice(&answer[line..line + length]);
        }
        assert_eq!(whole, message[skip..], "{section}");
    }
    let beyond = client.ok("b FETCH 1 BODY.PEEK[]<4294967295.1>").await;
    assert!(beyond.contains("BODY[]<4294967295> {0}\r\n)"), "{beyond}");
}
