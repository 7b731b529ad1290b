//! Real messages, read by the gateway and by Python's `email` package, and what may differ.
//!
//! `corpus/read.py` is the second reader. Every difference between the two is either in [`ACCEPTED`], with the reason
//! why ours is right or neither is, or a defect.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Something the two readers do not agree on.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The message, as the corpus names it.
    pub file: String,
    /// The name of the property in the Email object; `attachments` also for their contents.
    pub field: &'static str,
    pub python: Value,
    pub ours: Value,
}

/// A difference that is no defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    pub file: &'static str,
    pub field: &'static str,
    pub reason: &'static str,
}

/// The folder of real messages beside the repository, when it is there.
pub fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    folder.is_dir().then_some(folder)
}

/// What Python reads: an object for each message below `folder`, its path in `file`.
pub fn python(folder: &Path) -> Result<Vec<Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/read.py");
    let output = Command::new("python3").arg(script).arg(folder).output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = std::str::from_utf8(&output.stdout)?.lines();
    lines
        .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()))
        .collect()
}

/// What differs between Python's reading and an Email object, whose HTML has to be the raw form.
///
/// `contents` are the octets of its attachments in their order.
pub fn compare(file: &str, python: &Value, email: &Value, contents: &[Vec<u8>]) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut check = |field, python: Value, ours: Value| {
        if python != ours {
            differences.push(Difference {
                file: file.to_owned(),
                field,
                python,
                ours,
            });
        }
    };
    check(
        "subject",
        folded(&python["subject"]),
        folded(&email["subject"]),
    );
    for field in ["from", "to", "cc", "bcc", "replyTo"] {
        check(field, addresses(&python[field]), addresses(&email[field]));
    }
    check("sentAt", python["sentAt"].clone(), email["sentAt"].clone());
    check(
        "messageId",
        python["messageId"].clone(),
        email["messageId"].clone(),
    );
    // Python makes no text of HTML.
    if !python["textBody"].is_null() {
        check(
            "textBody",
            python["textBody"].clone(),
            email["textBody"].clone(),
        );
    }
    // Text between HTML parts becomes HTML in ours.
    if python["hasMixedHtml"] == false {
        check(
            "htmlBody",
            python["htmlBody"].clone(),
            email["htmlBody"].clone(),
        );
    }
    let expected: Vec<Value> = list(&python["attachments"])
        .iter()
        .map(attachment_by_python)
        .collect();
    let ours: Vec<Value> = list(&email["attachments"])
        .iter()
        .enumerate()
        .map(|(at, attachment)| {
            let is_rewritten = python["attachments"][at]["isRewritten"] == true;
            attachment_of_ours(
                attachment,
                contents.get(at).map(Vec::as_slice).unwrap_or_default(),
                is_rewritten,
            )
        })
        .collect();
    check("attachments", Value::Array(expected), Value::Array(ours));
    differences
}

/// Splits differences: those that are not accepted, and entries of [`ACCEPTED`] for which there was none.
pub fn judge(differences: &[Difference]) -> (Vec<&Difference>, Vec<&'static Accepted>) {
    let accepts = |accepted: &Accepted, found: &Difference| {
        accepted.file == found.file && accepted.field == found.field
    };
    let defects = differences
        .iter()
        .filter(|found| !ACCEPTED.iter().any(|accepted| accepts(accepted, found)));
    let outdated = ACCEPTED
        .iter()
        .filter(|accepted| !differences.iter().any(|found| accepts(accepted, found)));
    (defects.collect(), outdated.collect())
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            field,
            python,
            ours,
        } = self;
        writeln!(
            formatter,
            "{file}: {field}\n  Python: {python:.1000}\n  ours:   {ours:.1000}"
        )
    }
}

/// Runs of blanks as one: folding of long header lines leaves them differently.
fn folded(text: &Value) -> Value {
    text.as_str().map_or(Value::Null, |text| {
        text.split_whitespace().collect::<Vec<_>>().join(" ").into()
    })
}

fn addresses(list_of: &Value) -> Value {
    list(list_of)
        .iter()
        .map(|address| serde_json::json!([folded(&address["name"]), address["email"]]))
        .collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn attachment_by_python(attachment: &Value) -> Value {
    let content = if attachment["isRewritten"] == true {
        attachment["sha256WithoutBlanks"].clone()
    } else {
        serde_json::json!([attachment["size"], attachment["sha256"]])
    };
    serde_json::json!([attachment["name"], attachment["type"], content])
}

fn attachment_of_ours(attachment: &Value, content: &[u8], is_rewritten: bool) -> Value {
    let content = if is_rewritten {
        let words: Vec<u8> = content
            .iter()
            .copied()
            .filter(|byte| !is_blank(*byte))
            .collect();
        hash(&words).into()
    } else {
        serde_json::json!([attachment["size"], hash(content)])
    };
    serde_json::json!([attachment["name"], attachment["type"], content])
}

/// The blanks of Python's `bytes.split`.
fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

fn hash(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

const COMMENT: &str =
    "the name stands in a comment, `a@b (Name)`, as before RFC 822; Python drops comments";
const NAME_ONLY: &str =
    "a phrase without an address; Python gives neither, ours keeps it readable as the name";
const MANGLED: &str = "two messages written over one another: the first line, `Fro :u…`, is no field to Python, which then \
                       takes the whole header for text; ours reads on, as most readers do";

const CUT_OFF: &str = "no closing boundary: the last line break would belong to it; Python takes it away, ours leaves it";

/// Where the two may differ.
pub const ACCEPTED: [Accepted; 24] = [
    accepted("cpython/msg_01.txt", "from", COMMENT),
    accepted("cpython/msg_03.txt", "from", COMMENT),
    accepted("cpython/msg_06.txt", "from", COMMENT),
    accepted("cpython/msg_20.txt", "from", COMMENT),
    accepted("cpython/msg_29.txt", "from", COMMENT),
    accepted("cpython/msg_44.txt", "from", COMMENT),
    accepted("mimekit/messages/bounce.txt", "from", COMMENT),
    accepted(
        "mimekit/messages/delivery-status-no-blank-line.txt",
        "to",
        NAME_ONLY,
    ),
    accepted("mimekit/messages/delivery-status.txt", "to", NAME_ONLY),
    accepted("notmuch/lkml/cur/1382298770.002930:2,", "to", NAME_ONLY),
    accepted("dovecot-malformed/019.eml", "subject", MANGLED),
    accepted("dovecot-malformed/019.eml", "to", MANGLED),
    accepted("dovecot-malformed/019.eml", "sentAt", MANGLED),
    accepted("dovecot-malformed/019.eml", "messageId", MANGLED),
    accepted("dovecot-malformed/019.eml", "textBody", MANGLED),
    accepted("dovecot-malformed/019.eml", "htmlBody", MANGLED),
    accepted("dovecot-malformed/006.eml", "textBody", CUT_OFF),
    accepted("dovecot-malformed/009.eml", "textBody", CUT_OFF),
    accepted("dovecot-malformed/011.eml", "textBody", CUT_OFF),
    accepted("dovecot-malformed/016.eml", "textBody", CUT_OFF),
    accepted(
        "cpython/msg_39.txt",
        "attachments",
        "multiparts inside one another with the same boundary: Python closes the outer one with the inner one and loses \
         four of the six parts",
    ),
    accepted(
        "dovecot-thirdparty/005.eml",
        "textBody",
        "UTF-16 cut in the middle of a character by the line break of the boundary: Python shows U+FFFD for the odd octet, \
         ours leaves it out",
    ),
    accepted(
        "mimekit/messages/disposition-notification.txt",
        "sentAt",
        "a comment before the zone, `00:19:00 (EDT) -0400`: Python stops at the comment and loses the zone",
    ),
    accepted(
        "mimekit/messages/stack-overflow.txt",
        "to",
        "a hundred encoded words in the place of an address: Python stops at the first `>` in them, ours keeps the text as \
         the name",
    ),
];

const fn accepted(file: &'static str, field: &'static str, reason: &'static str) -> Accepted {
    Accepted {
        file,
        field,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use mailgrant_mail::message::{self, Facts, HtmlForm};
    use serde_json::json;

    use super::*;

    /// Without a gateway and a mail server between, so that a defect of the reader shows by itself.
    #[test]
    fn our_reader_agrees_with_pythons() {
        crate::needs!("python3");
        let Some(folder) = folder() else {
            eprintln!("left out: there are no real messages beside the repository");
            return;
        };
        let read = python(&folder).unwrap();
        let mut differences = Vec::new();
        for python in &read {
            let file = python["file"].as_str().unwrap();
            let raw = with_crlf(&fs::read(folder.join(file)).unwrap());
            let email = message::email(&raw, Facts::default(), HtmlForm::Raw);
            let contents: Vec<Vec<u8>> = email
                .attachments
                .iter()
                .map(|attachment| {
                    message::attachment(&raw, &attachment.part_id)
                        .unwrap()
                        .bytes
                })
                .collect();
            differences.extend(compare(
                file,
                python,
                &serde_json::to_value(&email).unwrap(),
                &contents,
            ));
        }
        let (defects, outdated) = judge(&differences);
        let defects: String = defects.into_iter().map(ToString::to_string).collect();
        assert!(read.len() > 250, "{} messages", read.len());
        assert!(defects.is_empty(), "{defects}");
        assert!(outdated.is_empty(), "no longer different: {outdated:?}");
    }

    /// As `corpus/read.py` and mail servers have it.
    fn with_crlf(raw: &[u8]) -> Vec<u8> {
        let mut converted = Vec::with_capacity(raw.len());
        let mut previous = 0;
        for &byte in raw {
            match byte {
                b'\n' if previous == b'\r' => {}
                b'\r' | b'\n' => converted.extend_from_slice(b"\r\n"),
                _ => converted.push(byte),
            }
            previous = byte;
        }
        converted
    }

    #[test]
    fn every_property_is_compared() {
        let python = json!({
            "subject": "a  b", "from": [{ "name": "A", "email": "a@x" }], "to": [], "cc": [], "bcc": [], "replyTo": [],
            "sentAt": "2026-11-20T12:00:00Z", "messageId": ["1@x"], "textBody": "t", "htmlBody": "<p>", "hasMixedHtml": false,
            "attachments": [{
                "name": "n", "type": "a/b", "size": 1, "isRewritten": false, "sha256": hash(b"x"), "sha256WithoutBlanks": "",
            }],
        });
        let email = json!({
            "subject": "a b", "from": [{ "name": "A", "email": "a@x" }], "to": [], "cc": [], "bcc": [], "replyTo": [],
            "sentAt": "2026-11-20T12:00:00Z", "messageId": ["1@x"], "textBody": "t", "htmlBody": "<p>",
            "attachments": [{ "name": "n", "type": "a/b", "size": 1 }],
        });
        assert_eq!(compare("f", &python, &email, &[b"x".to_vec()]), []);
        for field in [
            "subject",
            "from",
            "to",
            "cc",
            "bcc",
            "replyTo",
            "sentAt",
            "messageId",
            "textBody",
            "htmlBody",
        ] {
            let mut other = email.clone();
            other[field] = if other[field].is_array() {
                json!([{ "name": "B", "email": "b@x" }])
            } else {
                json!("other")
            };
            let found: Vec<_> = compare("f", &python, &other, &[b"x".to_vec()])
                .into_iter()
                .map(|found| found.field)
                .collect();
            assert_eq!(found, [field]);
        }
        let found = compare("f", &python, &email, &[b"y".to_vec()]);
        assert_eq!(
            found.iter().map(|found| found.field).collect::<Vec<_>>(),
            ["attachments"]
        );
        assert_eq!(judge(&found).0.len(), 1, "no entry accepts it");
    }
}
