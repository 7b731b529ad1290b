//! Small messages and what the Email object says of each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

use mailgrant_core::time::UnixTime;
use mailgrant_mail::message::{self, Email, EmailAddress, Facts, HtmlForm};
use serde_json::json;

/// A message as it is on the wire: CRLF, the indentation of the test taken off.
fn wire(text: &str) -> Vec<u8> {
    let lines = text
        .trim_start_matches('\n')
        .lines()
        .map(|line| line.strip_prefix("        ").unwrap_or(line));
    lines
        .flat_map(|line| [line.as_bytes(), b"\r\n"].concat())
        .collect()
}

fn read(text: &str) -> Email {
    read_bytes(&wire(text))
}

fn read_bytes(raw: &[u8]) -> Email {
    message::email(raw, Facts::default(), HtmlForm::Raw)
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

fn parts(email: &Email) -> Vec<(&str, &str, Option<&str>)> {
    email
        .attachments
        .iter()
        .map(|part| {
            (
                part.part_id.as_str(),
                part.content_type.as_str(),
                part.name.as_deref(),
            )
        })
        .collect()
}

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

#[test]
fn transfer_encodings() {
    for (encoding, body, text, is_problem) in [
        ("7bit", &b"a=3Db"[..], "a=3Db", false),
        ("8bit", b"\xc3\xa9", "\u{e9}", false),
        (
            "quoted-printable",
            b"caf=C3=A9 =3D =\r\nsoft",
            "caf\u{e9} = soft",
            false,
        ),
        (
            "Quoted-Printable",
            b"trailing  \r\nblanks",
            "trailing\nblanks",
            false,
        ),
        ("quoted-printable", b"100% =zz == =", "100% =zz == ", false),
        ("quoted-printable", b"cut=", "cut", false),
        ("base64", b"w6kK\r\nYQ==", "\u{e9}\na", false),
        ("BASE64 ", b"YWI", "ab", false),
        ("base64", b"YQ==\r\nYg==", "ab", false),
        ("base64", b"Y!W*I=", "ab", true),
        (
            "x-uuencode",
            b"begin 644 f\r\n#86)C\r\n`\r\nend\r\n",
            "abc",
            false,
        ),
        ("x-uuencode", b"no uuencode", "no uuencode", true),
        ("x-unknown", b"as it is", "as it is", false),
    ] {
        let head = format!(
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        );
        let email = read_bytes(&[head.as_bytes(), body].concat());
        assert_eq!(
            (email.text_body.as_str(), email.is_encoding_problem),
            (text, is_problem),
            "{encoding}"
        );
    }
}

#[test]
fn alternatives_are_text_and_html() {
    let email = read(
        "
        Content-Type: multipart/alternative; boundary=a

        --a
        Content-Type: text/plain

        plain
        --a
        Content-Type: text/html

        <p>rich</p>
        --a
        Content-Type: text/calendar; method=REQUEST

        BEGIN:VCALENDAR
        --a--
        ",
    );
    assert_eq!(email.text_body, "plain");
    assert_eq!(email.html_body.as_deref(), Some("<p>rich</p>"));
    assert_eq!(parts(&email), [("3", "text/calendar", None)]);
    assert_eq!(email.preview, "plain");
}

#[test]
fn text_is_made_from_html_only_where_there_is_none() {
    let email = read("Content-Type: text/html\n\n<style>p{}</style><p>Hello</p><p>world");
    assert_eq!(email.text_body, "Hello\n\nworld\n");
    assert_eq!(
        email.html_body.as_deref(),
        Some("<style>p{}</style><p>Hello</p><p>world\n")
    );
    assert_eq!(email.preview, "Hello world");

    let email = read("Content-Type: text/plain\n\n<p>no html</p>");
    assert_eq!(
        (email.text_body.as_str(), email.html_body),
        ("<p>no html</p>\n", None)
    );
}

#[test]
fn text_parts_are_joined_in_order() {
    let email = read(
        "
        Content-Type: multipart/mixed; boundary=m

        preamble
        --m
        Content-Type: multipart/alternative; boundary=\"m a\"

        --m a
        Content-Type: text/plain

        one
        --m a
        Content-Type: text/html

        <b>one</b>
        --m a--
        --m
        Content-Type: text/plain

        the list's <footer>
        --m--
        epilogue
        ",
    );
    assert_eq!(email.text_body, "one\nthe list's <footer>");
    assert_eq!(
        email.html_body.as_deref(),
        Some("<b>one</b>\n<pre style=\"white-space: pre-wrap\">the list's &lt;footer&gt;</pre>")
    );
    assert!(email.attachments.is_empty());
    assert!(!email.has_attachment);
}

#[test]
fn related_images_belong_to_the_html() {
    let related = "
        Content-Type: multipart/related; boundary=r

        --r
        Content-Type: text/html

        <img src=\"cid:i@x\">
        --r
        Content-Type: image/png; name=i.png
        Content-ID: <i@x>

        png
        --r
        Content-Type: text/plain; name=notes.txt

        a file, for it is not the first part
        --r--
        ";
    let email = read(related);
    assert_eq!(
        parts(&email),
        [
            ("2", "image/png", Some("i.png")),
            ("3", "text/plain", Some("notes.txt"))
        ]
    );
    assert!(email.has_attachment, "the notes");
    assert_eq!(email.text_body, "");
    let only_image = related
        .split("        --r\n        Content-Type: text/plain")
        .next()
        .unwrap();
    let email = read(only_image);
    assert_eq!(email.attachments.len(), 1);
    assert!(!email.has_attachment, "an image that the HTML shows");
}

#[test]
fn attachments_have_part_numbers_of_imap() {
    let raw = wire(
        "
        Content-Type: multipart/mixed; boundary=outer

        --outer
        Content-Type: multipart/related; boundary=inner

        --inner
        Content-Type: text/html

        <p>x
        --inner
        Content-Type: image/gif
        Content-Transfer-Encoding: base64

        R0lG
        --inner--
        --outer
        Content-Type: message/rfc822

        Subject: forwarded
        Content-Type: multipart/mixed; boundary=nested

        --nested

        its text
        --nested--
        --outer
        Content-Type: application/ms-tnef; name=winmail.dat

        tnef
        --outer
        Content-Type: application/pkcs7-signature; name=smime.p7s
        Content-Disposition: INLINE; filename=smime.p7s

        p7s
        --outer--
        ",
    );
    let email = read_bytes(&raw);
    assert_eq!(
        parts(&email),
        [
            ("1.2", "image/gif", None),
            ("2", "message/rfc822", None),
            ("3", "application/ms-tnef", Some("winmail.dat")),
            ("4", "application/pkcs7-signature", Some("smime.p7s")),
        ]
    );
    assert_eq!(email.attachments[3].disposition.as_deref(), Some("inline"));
    for attachment in &email.attachments {
        let content = message::attachment(&raw, &attachment.part_id).unwrap();
        assert_eq!(content.bytes.len() as u64, attachment.size);
        assert_eq!(content.content_type, attachment.content_type);
        assert_eq!(content.name, attachment.name);
    }
    assert_eq!(message::attachment(&raw, "1.2").unwrap().bytes, b"GIF");
    assert_eq!(message::attachment(&raw, "1.1").unwrap().bytes, b"<p>x");
    let forwarded = message::attachment(&raw, "2").unwrap().bytes;
    assert_eq!(read_bytes(&forwarded).subject.as_deref(), Some("forwarded"));
    for unknown in ["", "0", "1", "5", "2.1", "01", "1.2.1", "x"] {
        assert_eq!(message::attachment(&raw, unknown), None, "{unknown}");
    }
}

#[test]
fn a_message_that_is_one_file() {
    let raw =
        b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n";
    let email = read_bytes(raw);
    assert_eq!(parts(&email), [("1", "application/pdf", None)]);
    assert_eq!((email.text_body.as_str(), email.has_attachment), ("", true));
    assert_eq!(message::attachment(raw, "1").unwrap().bytes, b"%PDF");
}

#[test]
fn names_of_attachments() {
    for (field, name) in [
        (
            "Content-Disposition: attachment; filename=a.txt",
            Some("a.txt"),
        ),
        (
            "Content-Disposition: attachment; filename=\"a b.txt\"",
            Some("a b.txt"),
        ),
        (
            "Content-Disposition: attachment; filename*=utf-8'en'%e2%82%ac%20rates.txt",
            Some("\u{20ac} rates.txt"),
        ),
        (
            "Content-Disposition: attachment; filename*0=\"long\"; filename*1=\"name.txt\"",
            Some("longname.txt"),
        ),
        (
            "Content-Disposition: attachment; filename*0*=utf-8''%e2%82; filename*1*=%ac.txt",
            Some("\u{20ac}.txt"),
        ),
        (
            "Content-Disposition: attachment; filename=\"=?utf-8?B?4oKsLnR4dA==?=\"",
            Some("\u{20ac}.txt"),
        ),
        (
            "Content-Disposition: attachment; filename==?utf-8?q?=E2=82=AC.txt?=",
            Some("\u{20ac}.txt"),
        ),
        (
            "Content-Disposition: attachment; filename=\"=?utf-8?B?4oI=?= =?utf-8?B?rC50eHQ=?=\"",
            Some("\u{20ac}.txt"),
        ),
        (
            "Content-Disposition: attachment; filename=\"\u{20ac}.txt\"",
            Some("\u{20ac}.txt"),
        ),
        (
            "Content-Type: text/x; name=from-type.txt",
            Some("from-type.txt"),
        ),
        (
            "Content-Disposition: attachment; filename=\"a\0b\u{7}.txt\"",
            Some("ab.txt"),
        ),
        ("Content-Disposition: attachment; filename=\"\"", None),
        ("Content-Disposition: attachment", None),
    ] {
        let content_type = if field.starts_with("Content-Type") {
            ""
        } else {
            "Content-Type: text/x\r\n"
        };
        let email = read_bytes(format!("{content_type}{field}\r\n\r\nx").as_bytes());
        assert_eq!(email.attachments[0].name.as_deref(), name, "{field}");
    }
}

#[test]
fn malformed_structure_gives_what_can_be_read() {
    for (what, text, body, attachments) in [
        ("nothing", "", "", 0),
        ("no header", "\nonly text", "only text\n", 0),
        (
            "no empty line",
            "Subject: s\nno field\nmore",
            "no field\nmore\n",
            0,
        ),
        (
            "an mbox line",
            "From someone Mon Nov\nSubject: s\n\nx",
            "x\n",
            0,
        ),
        (
            "no close",
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx",
            "x\n",
            0,
        ),
        (
            "no boundary in the body",
            "Content-Type: multipart/mixed; boundary=b\n\nx",
            "x\n",
            0,
        ),
        (
            "no boundary in the header",
            "Content-Type: multipart/mixed\n\nx",
            "x\n",
            0,
        ),
        (
            "an empty boundary",
            "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx",
            "--\n\nx\n",
            0,
        ),
        (
            "no parts",
            "Content-Type: multipart/mixed; boundary=b\n\n--b--\nx",
            "",
            0,
        ),
        ("no type", "Content-Type: ;;;\n\nx", "x\n", 0),
        ("half a type", "Content-Type: text\n\nx", "x\n", 0),
        (
            "an inner part left open",
            "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\nx\n--o\n\ny\n--o--",
            "x\ny",
            0,
        ),
        (
            "a boundary that begins with another",
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\nx\n--bb--\n--b\n\ny\n--b--",
            "x\ny",
            0,
        ),
        (
            "blanks after the boundary",
            "Content-Type: multipart/mixed; boundary=b\n\n--b \t\n\nx\n--b--  ",
            "x",
            0,
        ),
        (
            "dashes in the text",
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--\n--bc\nx --b\n--b--",
            "--\n--bc\nx --b",
            0,
        ),
        (
            "a header without its body",
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png\n--b\n\nx\n--b--",
            "x",
            1,
        ),
        (
            "a digest",
            "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: a\n\nx\n--b--",
            "",
            1,
        ),
    ] {
        let email = read(text);
        assert_eq!(
            (email.text_body.as_str(), email.attachments.len()),
            (body, attachments),
            "{what}"
        );
    }
}

#[test]
fn html_is_sanitised_unless_the_raw_form_is_asked_for() {
    let raw = b"Content-Type: text/html\r\n\r\n<p onclick=x()>a<script>b</script><img src=https://x.example/>";
    let html = |form| {
        message::email(raw, Facts::default(), form)
            .html_body
            .unwrap()
    };
    assert_eq!(
        html(HtmlForm::Sanitised),
        "<p>a<img data-mailgrant-src=\"https://x.example/\"></p>"
    );
    assert_eq!(
        html(HtmlForm::Raw),
        "<p onclick=x()>a<script>b</script><img src=https://x.example/>"
    );
}

#[test]
fn a_summary_is_made_of_the_beginning() {
    let text = format!(
        "Subject: s\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/plain; charset=utf-8\n\n{}\n--m\n\
         Content-Type: image/png\nContent-Disposition: attachment\n\nx\n--m--",
        "\u{20ac}uro ".repeat(10_000)
    );
    let raw = wire(&text);
    for length in 16_380..16_384 {
        let summary = message::summary(&raw[..length], false, Facts::default());
        assert_eq!(summary.subject.as_deref(), Some("s"));
        assert!(summary.preview.starts_with("\u{20ac}uro \u{20ac}uro"));
        assert!(!summary.preview.contains('\u{fffd}'));
        assert!(
            summary.has_attachment,
            "likely, for it is multipart/mixed and goes on"
        );
    }
    let short = wire("Content-Type: text/plain; charset=utf-8\n\nabc \u{20ac}");
    let cut = message::summary(&short[..short.len() - 3], false, Facts::default());
    assert_eq!((cut.preview.as_str(), cut.has_attachment), ("abc", false));
    let base64 = b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+SGVsbG8sIDxiPndvcmxk";
    assert_eq!(
        message::summary(base64, false, Facts::default()).preview,
        "Hello, world"
    );
    let file = b"Content-Type: application/zip\r\n\r\nPK";
    assert!(message::summary(file, false, Facts::default()).has_attachment);
}
