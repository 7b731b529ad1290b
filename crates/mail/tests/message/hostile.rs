//! Messages made to break readers, arbitrary bytes and mutated real messages: always an Email, never a panic.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use mailgrant_mail::message::{self, Email, Facts, HtmlForm};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The stack of a tokio worker.
const STACK: usize = 2 * 1024 * 1024;

fn on_a_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap()
}

fn read(raw: String) -> Email {
    on_a_small_stack(move || message::email(raw.as_bytes(), Facts::default(), HtmlForm::Sanitised))
}

#[test]
fn a_hundred_thousand_multiparts_inside_one_another() {
    let raw: String = (0..100_000)
        .map(|depth| {
            format!("Content-Type: multipart/mixed; boundary=b{depth}x\r\n\r\n--b{depth}x\r\n")
        })
        .collect();
    let email = read(raw);
    assert!(email.is_truncated);
    assert!(
        email.text_body.contains("boundary=b65x"),
        "what is too deep is shown as text"
    );
}

#[test]
fn a_hundred_thousand_messages_inside_one_another() {
    let email = read("Content-Type: message/rfc822\r\n\r\n".repeat(100_000));
    assert_eq!((email.attachments.len(), email.is_truncated), (1, false));
}

#[test]
fn a_hundred_thousand_parts() {
    let email = read(format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\nContent-Type: image/png\r\n\r\nx\r\n".repeat(100_000)
    ));
    assert!(email.is_truncated);
    assert_eq!(
        email.attachments.len(),
        1_999,
        "the limit, less the multipart itself"
    );
}

/// Each of these boundaries is missing: a reader that searches the rest of the message for each takes hours.
#[test]
fn a_hundred_thousand_boundaries_that_never_come() {
    let inner: String = (0..100_000)
        .map(|number| {
            format!("--b\r\nContent-Type: multipart/mixed; boundary=never{number}\r\n\r\nx\r\n")
        })
        .collect();
    assert!(
        read(format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n{inner}"
        ))
        .is_truncated
    );
}

#[test]
fn headers_without_end() {
    let email = read(format!(
        "Subject: s\r\n{}\r\nx",
        "X-Field: y\r\n".repeat(100_000)
    ));
    assert_eq!(
        (email.subject.as_deref(), email.text_body.as_str()),
        (Some("s"), "x")
    );
    for piece in [
        "a@b, ",
        "(",
        "\"",
        "<",
        "=?utf-8?q?",
        "=?bb?q?a",
        "=?utf-8?B?YQ==?= ",
        ":;",
        "\\",
        "\u{e9}",
        "a\r\n ",
    ] {
        let value = piece.repeat(1_000_000 / piece.len());
        for name in [
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "References",
            "Content-Type",
            "Content-ID",
        ] {
            let email = read(format!("{name}: {value}\r\nCc: c@example.com\r\n\r\nx"));
            assert_eq!(email.cc.len(), 1, "{name}: {piece}");
        }
    }
    read(format!(
        "Content-Type: a/b{}\r\n\r\nx",
        "; a*0*=b".repeat(100_000)
    ));
}

#[test]
fn html_that_takes_long_elsewhere() {
    let fonts: String = (0..1_000)
        .map(|number| format!("<font size={number}>"))
        .collect();
    let attributes: String = (0..100_000).map(|number| format!(" a{number}")).collect();
    for html in [
        "<div>".repeat(200_000),
        "<div><table><td></div>".repeat(50_000),
        format!("<p>{fonts}</p>{}", "<p>x</p>".repeat(50_000)),
        format!("<p{attributes}>"),
        "&nbsp;".repeat(200_000),
        "\u{a3}".repeat(500_000),
        "<br>".repeat(200_000),
        "<a href=\"".repeat(100_000),
        "<!--".repeat(200_000),
        "<svg><style>".repeat(50_000),
        "<table><b>x".repeat(40_000),
        "<select><option>".repeat(40_000),
    ] {
        let email = read(format!(
            "Content-Type: text/html; charset=utf-8\r\n\r\n{html}"
        ));
        assert!(email.html_body.is_some());
    }
}

#[test]
fn bodies_are_cut_at_their_limit() {
    let email = read(format!(
        "Content-Type: text/plain; charset=utf-8\r\n\r\n{}",
        "\u{20ac}".repeat(3_000_000)
    ));
    assert!(email.is_truncated);
    assert!(email.text_body.len() <= 4 * 1024 * 1024);
    assert!(
        email
            .text_body
            .trim_end_matches('\u{20ac}')
            .chars()
            .all(|character| character == '\u{fffd}')
    );
}

#[test]
fn html_that_is_cut_ends_with_a_whole_tag() {
    let fonts: String = (0..100)
        .map(|number| format!("<font size={number}>").repeat(3))
        .collect();
    for html in [
        format!("<p>{fonts}</p>{}", "<p>x</p>".repeat(2_000)),
        "&lt; x ".repeat(700_000),
    ] {
        let email = read(format!("Content-Type: text/html\r\n\r\n{html}"));
        let html = email.html_body.unwrap();
        assert!(email.is_truncated);
        assert!(html.len() <= 4 * 1024 * 1024);
        assert!(html.ends_with("</pre>") || !html.contains('<'));
    }
}

/// What holds for every message.
fn check(raw: &[u8], cut: usize) {
    let sanitised = message::email(raw, Facts::default(), HtmlForm::Sanitised);
    assert!(sanitised.preview.chars().count() <= 256);
    assert!(!sanitised.text_body.contains('\r'));
    for attachment in &sanitised.attachments {
        let content =
            message::attachment(raw, &attachment.part_id).expect("every listed part can be had");
        assert_eq!(content.bytes.len() as u64, attachment.size);
        assert_eq!(
            (content.name, content.content_type),
            (attachment.name.clone(), attachment.content_type.clone())
        );
    }
    if let Some(html) = &sanitised.html_body {
        for forbidden in [
            "<script",
            "<style",
            "<iframe",
            "<form",
            "<meta",
            "<base",
            "<svg",
            "<img src=\"http",
        ] {
            assert!(!html.contains(forbidden), "{forbidden} in {html}");
        }
    }
    let json = serde_json::to_value(&sanitised).unwrap();
    assert_eq!(serde_json::from_value::<Email>(json).unwrap(), sanitised);

    let unsanitised = message::email(raw, Facts::default(), HtmlForm::Raw);
    assert_eq!(
        unsanitised.html_body.is_some(),
        sanitised.html_body.is_some()
    );
    let summary = message::summary(raw, true, Facts::default());
    assert_eq!(
        (&summary.subject, &summary.from),
        (&sanitised.subject, &sanitised.from)
    );
    assert_eq!(
        (&summary.preview, summary.has_attachment),
        (&sanitised.preview, sanitised.has_attachment)
    );
    let head = &raw[..cut.min(raw.len())];
    assert!(
        message::summary(head, false, Facts::default())
            .preview
            .chars()
            .count()
            <= 256
    );
}

/// Pieces of which messages, and attacks on their readers, are made.
const PIECES: [&str; 64] = [
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    " ",
    "\t",
    ":",
    ";",
    ",",
    "=",
    "\"",
    "<",
    ">",
    "(",
    ")",
    "\\",
    "@",
    "'",
    "%",
    "*",
    "?",
    "=?",
    "?=",
    "=?utf-8?q?",
    "=?utf-8?B?",
    "=?iso-2022-jp?b?GyRC",
    "4oI=",
    "=E2=82",
    "From: ",
    "To: ",
    "Subject: ",
    "Date: ",
    "Message-ID: ",
    "References: ",
    "Reply-To: ",
    "Content-Type: ",
    "Content-Disposition: attachment; ",
    "Content-Transfer-Encoding: ",
    "Content-ID: <c@d>",
    "base64",
    "quoted-printable",
    "x-uuencode",
    "begin 644 a\r\n",
    "multipart/mixed; boundary=b",
    "multipart/alternative; boundary=\"b c\"",
    "multipart/related; boundary=b",
    "multipart/digest; boundary=",
    "message/rfc822",
    "text/html; charset=utf-16",
    "text/html",
    "text/plain; charset=",
    "image/png; name*0*=utf-8''%e2%82; name*1*=%ac",
    "filename*=",
    "filename=",
    "--b\r\n",
    "--b--\r\n",
    "--b c\r\n",
    "20 Nov 2026 12:00:00 +0100",
    "<script>",
    "<img src=http://x>",
    "<!--",
    "&#x26;",
    "\u{e9}",
    "\u{f0026}",
];

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
        1 => proptest::collection::vec(0x20_u8..0x7f, 0..12),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

#[derive(Debug, Clone)]
enum Mutation {
    Set(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    Insert(Index, &'static str),
}

impl Mutation {
    fn apply(&self, raw: &mut Vec<u8>) {
        if raw.is_empty() {
            return;
        }
        match self {
            Self::Set(at, byte) => *at.get_mut(raw.as_mut_slice()) = *byte,
            Self::Cut(at) => raw.truncate(at.index(raw.len())),
            Self::Remove(at, length) => {
                let start = at.index(raw.len());
                raw.drain(start..(start + length).min(raw.len()));
            }
            Self::Repeat(at, length, times) => {
                let start = at.index(raw.len());
                let piece = raw[start..(start + length).min(raw.len())].repeat(*times);
                raw.splice(start..start, piece);
            }
            Self::Insert(at, piece) => {
                let start = at.index(raw.len());
                raw.splice(start..start, piece.bytes());
            }
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        any::<Index>().prop_map(Mutation::Cut),
        (any::<Index>(), 1_usize..200).prop_map(|(at, length)| Mutation::Remove(at, length)),
        (any::<Index>(), 1_usize..200, 1_usize..20)
            .prop_map(|(at, length, times)| Mutation::Repeat(at, length, times)),
        (any::<Index>(), select(&PIECES[..])).prop_map(|(at, piece)| Mutation::Insert(at, piece)),
    ]
}

/// Real messages, which are kept beside the repository; empty where they are not.
static CORPUS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/corpus"
    ));
    let mut messages = Vec::new();
    collect(&folder, &mut messages);
    if messages.is_empty() {
        eprintln!("left out: there is no corpus at {}", folder.display());
    }
    messages
});

fn collect(folder: &Path, messages: &mut Vec<Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, messages);
        } else if let Ok(raw) = fs::read(&path)
            && raw.len() < 64 * 1024
        {
            messages.push(raw);
        }
    }
}

#[test]
fn real_messages_are_read() {
    for raw in CORPUS.iter() {
        check(raw, 1_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_read(raw in proptest::collection::vec(any::<u8>(), 0..2_000), cut in 0_usize..2_000) {
        check(&raw, cut);
    }

    #[test]
    fn pieces_of_messages_are_read(raw in pieces(), cut in 0_usize..500) {
        check(&raw, cut);
    }

    #[test]
    fn mutated_real_messages_are_read(
        message in any::<Index>(),
        mutations in proptest::collection::vec(mutation(), 1..12),
        cut in 0_usize..20_000,
    ) {
        if !CORPUS.is_empty() {
            let mut raw = message.get(CORPUS.as_slice()).clone();
            for mutation in &mutations {
                mutation.apply(&mut raw);
            }
            check(&raw, cut);
        }
    }
}
