//! Parts, bodies and attachments.

use mailgrant_mail::message::{self, Email, Facts, HtmlForm};

use crate::{read, read_bytes, wire};

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
