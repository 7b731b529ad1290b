//! Header fields, and the object as a whole.

use mailgrant_core::time::UnixTime;
use mailgrant_mail::message::{self, Email, EmailAddress, Facts, HtmlForm};
use serde_json::json;

use crate::{read_bytes, wire};

#[test]
fn the_object_has_the_names_of_jmap() {
    let raw = wire(
        "
        From: A <a@example.com>
        Sender: s@example.com
        To: b@example.com
        Cc: c@example.com
        Bcc: d@example.com
        Reply-To: e@example.com
        Subject: Hello
        Date: Fri, 20 Nov 2026 12:00:00 +0100
        Message-ID: <1@example.com>
        In-Reply-To: <0@example.com>
        References: <r@example.com> <0@example.com>
        Content-Type: multipart/mixed; boundary=m

        --m

        Text
        --m
        Content-Type: image/png; name=p.png
        Content-Disposition: attachment; filename=p.png
        Content-ID: <p@example.com>
        Content-Transfer-Encoding: base64

        AAEC
        --m--
        ",
    );
    let facts = Facts {
        id: "eml_1".to_owned(),
        mailbox: "INBOX".to_owned(),
        keywords: vec!["\\Seen".to_owned(), "$Forwarded".to_owned()],
        received_at: Some(UnixTime(1_795_172_400)),
        size: 1_234,
    };
    let email = message::email(&raw, facts.clone(), HtmlForm::Sanitised);
    let expected = json!({
        "id": "eml_1",
        "mailbox": "INBOX",
        "keywords": { "$seen": true, "$forwarded": true },
        "size": 1234,
        "receivedAt": "2026-11-20T11:00:00Z",
        "messageId": ["1@example.com"],
        "inReplyTo": ["0@example.com"],
        "references": ["r@example.com", "0@example.com"],
        "sender": [{ "name": null, "email": "s@example.com" }],
        "from": [{ "name": "A", "email": "a@example.com" }],
        "to": [{ "name": null, "email": "b@example.com" }],
        "cc": [{ "name": null, "email": "c@example.com" }],
        "bcc": [{ "name": null, "email": "d@example.com" }],
        "replyTo": [{ "name": null, "email": "e@example.com" }],
        "subject": "Hello",
        "sentAt": "2026-11-20T12:00:00+01:00",
        "hasAttachment": true,
        "preview": "Text",
        "textBody": "Text",
        "htmlBody": null,
        "attachments": [{
            "partId": "2",
            "name": "p.png",
            "type": "image/png",
            "size": 3,
            "disposition": "attachment",
            "cid": "p@example.com",
        }],
        "isTruncated": false,
        "isEncodingProblem": false,
    });
    assert_eq!(serde_json::to_value(&email).unwrap(), expected);

    let summary = serde_json::to_value(message::summary(&raw, true, facts)).unwrap();
    let mut expected = expected;
    for only_in_full in [
        "textBody",
        "htmlBody",
        "attachments",
        "isTruncated",
        "isEncodingProblem",
    ] {
        expected.as_object_mut().unwrap().remove(only_in_full);
    }
    assert_eq!(summary, expected);
}

#[test]
fn subjects() {
    for (field, subject) in [
        (&b"Subject: plain"[..], "plain"),
        (b"subject:no space", "no space"),
        (
            b"Subject : blank before the colon",
            "blank before the colon",
        ),
        (
            b"Subject: folded\r\n over two\r\n\tlines",
            "folded over two lines",
        ),
        (b"Subject: =?utf-8?B?w6k=?=", "\u{e9}"),
        (
            b"Subject: =?iso-8859-1?q?caf=E9_au?= lait",
            "caf\u{e9} au lait",
        ),
        (b"Subject: =?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (
            b"Subject: =?utf-8?q?a?=\r\n =?iso-8859-1?q?=E9?=",
            "a\u{e9}",
        ),
        (b"Subject: =?utf-8*en?q?language?=", "language"),
        // A character cut in two: RFC 2047 forbids it, and it is common.
        (
            b"Subject: =?utf-8?B?4oI=?=\r\n =?utf-8?B?rA==?=",
            "\u{20ac}",
        ),
        (b"Subject: =?utf-8?q?=E2=82?= =?UTF-8?q?=AC?=", "\u{20ac}"),
        (b"Subject: =?gb2312?B?xOO6ww==?=", "\u{4f60}\u{597d}"),
        (b"Subject: =?iso-2022-jp?B?GyRCJCIbKEI=?=", "\u{3042}"),
        (b"Subject: =?x-unknown?q?a=C3=A9?=", "a\u{e9}"),
        // No encoded words: kept as they are.
        (b"Subject: =?utf-8?x?a?=", "=?utf-8?x?a?="),
        (b"Subject: a =? b ?= c", "a =? b ?= c"),
        (b"Subject: =?utf-8?q?unfinished", "=?utf-8?q?unfinished"),
        (b"Subject: raw \xc3\xa9", "raw \u{e9}"),
        (b"Subject: raw \xe9", "raw \u{e9}"),
        (b"Subject: first\r\nSubject: last", "last"),
        (b"Subject:", ""),
        (b"Subject: nul\0 inside", "nul inside"),
    ] {
        assert_eq!(
            header(field).subject.as_deref(),
            Some(subject),
            "{}",
            field.escape_ascii()
        );
    }
    assert_eq!(header(b"X: y").subject, None);
}

#[test]
fn addresses_of_every_kind() {
    let plain = |email: &str| vec![(None, email.to_owned())];
    let named = |name: &str, email: &str| vec![(Some(name.to_owned()), email.to_owned())];
    for (field, expected) in [
        ("a@example.com", plain("a@example.com")),
        ("<a@example.com>", plain("a@example.com")),
        ("Ann <a@example.com>", named("Ann", "a@example.com")),
        (
            "\"Doe, Ann\" <a@example.com>",
            named("Doe, Ann", "a@example.com"),
        ),
        (
            "\"Ann \\\"A\\\" Doe\" <a@example.com>",
            named("Ann \"A\" Doe", "a@example.com"),
        ),
        ("a@example.com (Ann Doe)", named("Ann Doe", "a@example.com")),
        (
            "=?utf-8?q?J=C3=BCrgen?= <j@example.com>",
            named("J\u{fc}rgen", "j@example.com"),
        ),
        (
            "\"=?utf-8?q?J=C3=BCrgen?=\" <j@example.com>",
            named("J\u{fc}rgen", "j@example.com"),
        ),
        (
            "=?utf-8?B?4oI=?= =?utf-8?B?rA==?= <e@example.com>",
            named("\u{20ac}", "e@example.com"),
        ),
        (
            "J\u{fc}rgen <j@b\u{fc}cher.example>",
            named("J\u{fc}rgen", "j@b\u{fc}cher.example"),
        ),
        (
            "a@example.com, b@example.com",
            [plain("a@example.com"), plain("b@example.com")].concat(),
        ),
        (
            "A <a@x.example>,\r\n B <b@x.example>",
            [named("A", "a@x.example"), named("B", "b@x.example")].concat(),
        ),
        (
            "Team: a@x.example, B <b@x.example>;",
            [plain("a@x.example"), named("B", "b@x.example")].concat(),
        ),
        ("undisclosed-recipients:;", vec![]),
        ("root", plain("root")),
        ("Mail Delivery System", named("Mail Delivery System", "")),
        ("Ann <a@example.com", named("Ann", "a@example.com")),
        ("", vec![]),
        (",,,", vec![]),
    ] {
        assert_eq!(addresses(field), expected, "{field}");
    }
}

#[test]
fn dates_keep_the_offset_of_the_sender() {
    for (date, expected) in [
        (
            "Fri, 20 Nov 2026 12:00:00 +0100",
            Some("2026-11-20T12:00:00+01:00"),
        ),
        (
            "20 Nov 2026 12:00:00 -0330",
            Some("2026-11-20T12:00:00-03:30"),
        ),
        ("Fri, 20 Nov 2026 12:00 +0000", Some("2026-11-20T12:00:00Z")),
        (
            "Fri, 20 Nov 2026 12:00:00 -0000",
            Some("2026-11-20T12:00:00Z"),
        ),
        (
            "Fri, 20 Nov 2026 12:00:00 GMT",
            Some("2026-11-20T12:00:00Z"),
        ),
        (
            "Fri, 20 Nov 2026 12:00:00 EST",
            Some("2026-11-20T12:00:00-05:00"),
        ),
        (
            "Fri, 20 Nov 2026 12:00:00 +0100 (CET)",
            Some("2026-11-20T12:00:00+01:00"),
        ),
        (
            "Fri, 20 Nov 26 12:00:00 +0100",
            Some("2026-11-20T12:00:00+01:00"),
        ),
        (
            "Thu, 31 Dec 1998 23:59:60 +0000",
            Some("1998-12-31T23:59:59Z"),
        ),
        ("Fri, 20 Nov 2026 25:00:00 +0100", None),
        ("Fri, 32 Nov 2026 12:00:00 +0100", None),
        ("Mon, 30 Feb 2026 12:00:00 +0100", None),
        ("yesterday", None),
        ("", None),
    ] {
        assert_eq!(
            header(format!("Date: {date}").as_bytes())
                .sent_at
                .as_deref(),
            expected,
            "{date}"
        );
    }
}

#[test]
fn message_ids_stand_without_brackets() {
    for (field, expected) in [
        ("<a@b> <c@d>", &["a@b", "c@d"][..]),
        ("<a@b>\r\n <c@d>", &["a@b", "c@d"]),
        ("<a@b><c@d>", &["a@b", "c@d"]),
        ("< a@b >", &["a@b"]),
        ("Your message of Monday <a@b>", &["a@b"]),
        ("a@b c@d", &["a@b", "c@d"]),
        ("<a@b", &["<a@b"]),
        ("none", &[]),
        ("<>", &[]),
    ] {
        assert_eq!(
            header(format!("References: {field}").as_bytes()).references,
            expected,
            "{field}"
        );
    }
}

fn header(field: &[u8]) -> Email {
    read_bytes(&[field, b"\r\n\r\n"].concat())
}

fn addresses(field: &str) -> Vec<(Option<String>, String)> {
    let email = header(format!("From: {field}").as_bytes());
    email
        .from
        .into_iter()
        .map(|EmailAddress { name, email }| (name, email))
        .collect()
}
