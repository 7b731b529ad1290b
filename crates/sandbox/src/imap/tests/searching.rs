use super::*;
use crate::mailstore::Flags;

#[tokio::test]
async fn search_table() {
    let house = House::new().await;
    let mailbox = house.store.mailbox(ADA).unwrap();
    let day = 86_400;
    let messages: [(&[u8], Flags, i64); 4] = [
        (
            b"From: =?utf-8?q?J=C3=BCrgen_Wei=C3=9F?= <jw@x.test>\r\nTo: ada@tarnbrook.test\r\nSubject: =?iso-8859-1?Q?Gr=FC=DFe?= aus Ulm\r\nDate: Mon, 16 Nov 2026 23:30:00 -0800\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nDas K=E4tzchen schl=E4ft=\r\n tief.\r\n",
            Flags::SEEN,
            0,
        ),
        (
            b"From: bruno@tarnbrook.test\r\nCc: Chiara <chiara@tarnbrook.test>\r\nSubject: Re: lunch\r\nX-Label: blue\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nplain ramen\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+5pel5pys6KqePC9iPg==\r\n--b--\r\n",
            Flags::FLAGGED,
            -day,
        ),
        (b"From: robot@ci.test\r\nSubject: build\r\nX-Label:\r\n\r\n0123456789012345678901234567890123456789012345678901234567890123456789\r\n", Flags::DELETED, -2 * day),
        (b"no header at all", Flags::ANSWERED, -30 * day),
    ];
    for (message, flags, offset) in messages {
        mailbox
            .append("INBOX", message, flags, UnixTime(NOW.0 + offset))
            .unwrap();
    }
    let mut client = house.login().await;
    client.ok("s SELECT INBOX").await;
    for (criteria, expected) in [
        ("ALL", "1 2 3 4"),
        ("2:3", "2 3"),
        ("*", "4"),
        ("UID 3:*", "3 4"),
        ("9", ""),
        ("SEEN", "1"),
        ("UNSEEN UNDELETED", "2 4"),
        ("OR FLAGGED ANSWERED", "2 4"),
        ("NOT (OR SEEN DELETED)", "2 4"),
        ("KEYWORD $MDNSent", ""),
        ("UNKEYWORD whatever", "1 2 3 4"),
        ("NEW", ""),
        ("OLD", "1 2 3 4"),
        ("FROM bruno", "2"),
        ("FROM TARNBROOK.test", "2"),
        ("TO ada", "1"),
        ("CC chiara", "2"),
        ("BCC x", ""),
        ("SUBJECT LUNCH", "2"),
        ("HEADER X-Label \"\"", "2 3"),
        ("HEADER x-label blu", "2"),
        ("BODY ramen", "2"),
        ("BODY bruno", ""),
        ("TEXT bruno", "2"),
        ("TEXT ramen", "2"),
        ("BODY \"header at\"", ""),
        ("TEXT \"subject: build\"", "3"),
        ("SINCE 17-Nov-2026", "1 2"),
        ("BEFORE 17-Nov-2026", "3 4"),
        ("ON 18-Nov-2026", "1"),
        ("SENTON 16-Nov-2026", "1"),
        ("SENTSINCE 17-Nov-2026", ""),
        ("SENTBEFORE 1-Jan-2030", "1"),
        ("SMALLER 17", "4"),
        ("LARGER 16 SMALLER 140", "3"),
        ("CHARSET UTF-8 SEEN", "1"),
        ("CHARSET US-ASCII FLAGGED BODY ramen FROM bruno 1:3", "2"),
    ] {
        let space = if expected.is_empty() { "" } else { " " };
        assert_eq!(
            client.say(&format!("a SEARCH {criteria}")).await,
            format!("* SEARCH{space}{expected}\r\na OK SEARCH completed.\r\n"),
            "{criteria}"
        );
    }
    for (key, text, expected) in [
        ("SUBJECT", "grüße AUS", " 1"),
        ("FROM", "jürgen weiß", " 1"),
        ("BODY", "Kätzchen schläft tief", " 1"),
        ("TEXT", "日本", " 2"),
    ] {
        client
            .send(format!(
                "a UID SEARCH CHARSET UTF-8 {key} {{{}+}}\r\n{text}\r\n",
                text.len()
            ))
            .await;
        assert_eq!(
            client.answer("a").await,
            format!("* SEARCH{expected}\r\na OK SEARCH completed.\r\n"),
            "{text}"
        );
    }
    assert!(
        client
            .say("b SEARCH CHARSET KOI8-R ALL")
            .await
            .starts_with("b NO [BADCHARSET (US-ASCII UTF-8)]")
    );
    client.send(b"c SEARCH SUBJECT {2+}\r\n\xff\xfe\r\n").await;
    assert_eq!(client.line().await, "c BAD Command Argument Error. 11\r\n");
}
