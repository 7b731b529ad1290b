//! What a server says, as small owned values: nothing of the parser's buffers is kept.

use async_imap::imap_proto::{
    AttributeValue, Capability, MailboxDatum, NameAttribute, Outcome, Response,
    ResponseCode as Code, Status, StatusAttribute,
};
use bytes::Bytes;

use super::error::printable;

/// One response.
#[derive(Debug)]
pub(super) enum Reply {
    /// `+ …`
    Continue(String),
    /// `tag OK|NO|BAD …`
    Done { tag: String, outcome: Condition },
    /// `* …`
    Untagged(Untagged),
}

/// A condition with its text (RFC 3501 §7.1).
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) kind: ConditionKind,
    pub(super) text: String,
    /// First word of the response code, upper case.
    pub(super) code: Option<String>,
}

/// See [`Condition`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConditionKind {
    Ok,
    No,
    Bad,
    PreAuth,
    Bye,
}

/// Untagged data, as far as anybody here asks for it.
#[derive(Debug)]
pub(super) enum Untagged {
    Condition(Condition),
    Capabilities(Vec<String>),
    Exists(u32),
    Expunge(u32),
    Vanished(Vec<std::ops::RangeInclusive<u32>>),
    UidValidity(u32),
    UidNext(u32),
    Fetch(Fetched),
    List(Listed),
    Status(StatusItems),
    Search(Vec<u32>),
    Other,
}

/// One `FETCH` response: whatever of it came.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    pub(super) sequence: u32,
    pub(super) uid: Option<u32>,
    pub(super) flags: Option<Vec<String>>,
    pub(super) internal_date: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) body: Option<Window>,
}

/// The value of `BODY[]<offset>`.
#[derive(Debug, Clone)]
pub(super) struct Window {
    /// The origin octet; missing when the server sent the message whole.
    pub(super) offset: Option<u32>,
    pub(super) bytes: Bytes,
}

/// One `LIST` response.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) attributes: Vec<String>,
    pub(super) delimiter: Option<String>,
    pub(super) name: String,
}

/// One `STATUS` response.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct StatusItems {
    pub(super) messages: Option<u32>,
    pub(super) unseen: Option<u32>,
    pub(super) uid_next: Option<u32>,
    pub(super) uid_validity: Option<u32>,
}

impl Reply {
    pub(super) fn read(response: &Response<'_>) -> Self {
        match response {
            Response::Continue(outcome) => Self::Continue(
                outcome
                    .information
                    .as_deref()
                    .unwrap_or_default()
                    .to_owned(),
            ),
            Response::Done {
                tag,
                status,
                outcome,
            } => Self::Done {
                tag: tag.0.clone(),
                outcome: condition(status, outcome),
            },
            other => Self::Untagged(untagged(other)),
        }
    }
}

fn untagged(response: &Response<'_>) -> Untagged {
    match response {
        Response::Data { status, outcome } => match (status, &outcome.code) {
            (Status::Ok, Some(Code::UidValidity(value))) => Untagged::UidValidity(*value),
            (Status::Ok, Some(Code::UidNext(value))) => Untagged::UidNext(*value),
            (Status::Ok, Some(Code::Capabilities(list))) => {
                Untagged::Capabilities(capabilities(list))
            }
            _ => Untagged::Condition(condition(status, outcome)),
        },
        Response::Capabilities(list) => Untagged::Capabilities(capabilities(list)),
        Response::Expunge(sequence) => Untagged::Expunge(*sequence),
        Response::Vanished {
            earlier: false,
            uids,
        } => Untagged::Vanished(uids.clone()),
        Response::Fetch(sequence, attributes) => Untagged::Fetch(fetched(*sequence, attributes)),
        Response::MailboxData(datum) => match datum {
            MailboxDatum::Exists(count) => Untagged::Exists(*count),
            MailboxDatum::Search(numbers) => Untagged::Search(numbers.clone()),
            MailboxDatum::Status { status, .. } => Untagged::Status(status_items(status)),
            MailboxDatum::List(data) => Untagged::List(Listed {
                attributes: data.name_attributes.iter().map(attribute).collect(),
                delimiter: data.delimiter.as_deref().map(unescape),
                name: unescape(&data.name),
            }),
            _ => Untagged::Other,
        },
        _ => Untagged::Other,
    }
}

fn condition(status: &Status, outcome: &Outcome<'_>) -> Condition {
    let kind = match status {
        Status::Ok => ConditionKind::Ok,
        Status::No => ConditionKind::No,
        Status::Bad => ConditionKind::Bad,
        Status::PreAuth => ConditionKind::PreAuth,
        Status::Bye => ConditionKind::Bye,
    };
    let text = outcome.information.as_deref().unwrap_or_default();
    // The parser takes off the codes that it knows and leaves the others in the text.
    let (code, text) = match &outcome.code {
        Some(known) => (code_name(known).map(str::to_owned), text),
        None => split_code(text),
    };
    Condition {
        kind,
        text: printable(text),
        code,
    }
}

fn split_code(text: &str) -> (Option<String>, &str) {
    let Some((code, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) else {
        return (None, text);
    };
    let name = code.split(' ').next().unwrap_or_default();
    let is_atom = !name.is_empty()
        && name.len() <= 40
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if is_atom {
        (Some(name.to_ascii_uppercase()), rest.trim_start())
    } else {
        (None, text)
    }
}

fn code_name(code: &Code<'_>) -> Option<&'static str> {
    Some(match code {
        Code::Alert => "ALERT",
        Code::BadCharset(_) => "BADCHARSET",
        Code::Parse => "PARSE",
        Code::ReadOnly => "READ-ONLY",
        Code::ReadWrite => "READ-WRITE",
        Code::TryCreate => "TRYCREATE",
        _ => return None,
    })
}

fn capabilities(list: &[Capability<'_>]) -> Vec<String> {
    list.iter()
        .map(|capability| match capability {
            Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
            Capability::Auth(mechanism) => format!("AUTH={}", mechanism.to_ascii_uppercase()),
            Capability::Atom(atom) => atom.to_ascii_uppercase(),
        })
        .collect()
}

fn fetched(sequence: u32, attributes: &[AttributeValue<'_>]) -> Fetched {
    let mut fetched = Fetched {
        sequence,
        ..Fetched::default()
    };
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => fetched.uid = Some(*uid),
            AttributeValue::Flags(flags) => {
                fetched.flags = Some(flags.iter().map(|flag| flag.to_string()).collect());
            }
            AttributeValue::InternalDate(date) => fetched.internal_date = Some(date.to_string()),
            AttributeValue::Rfc822Size(size) => fetched.size = Some(u64::from(*size)),
            AttributeValue::BodySection {
                section: None,
                index,
                data,
            } => {
                fetched.body = Some(Window {
                    offset: *index,
                    bytes: Bytes::copy_from_slice(data.as_deref().unwrap_or_default()),
                });
            }
            _ => {}
        }
    }
    fetched
}

fn status_items(attributes: &[StatusAttribute]) -> StatusItems {
    let mut items = StatusItems::default();
    for attribute in attributes {
        match attribute {
            StatusAttribute::Messages(value) => items.messages = Some(*value),
            StatusAttribute::Unseen(value) => items.unseen = Some(*value),
            StatusAttribute::UidNext(value) => items.uid_next = Some(*value),
            StatusAttribute::UidValidity(value) => items.uid_validity = Some(*value),
            _ => {}
        }
    }
    items
}

fn attribute(attribute: &NameAttribute<'_>) -> String {
    match attribute {
        NameAttribute::NoInferiors => "noinferiors".into(),
        NameAttribute::NoSelect => "noselect".into(),
        NameAttribute::Marked => "marked".into(),
        NameAttribute::Unmarked => "unmarked".into(),
        NameAttribute::All => "all".into(),
        NameAttribute::Archive => "archive".into(),
        NameAttribute::Drafts => "drafts".into(),
        NameAttribute::Flagged => "flagged".into(),
        NameAttribute::Junk => "junk".into(),
        NameAttribute::Sent => "sent".into(),
        NameAttribute::Trash => "trash".into(),
        NameAttribute::Extension(name) => name.trim_start_matches('\\').to_ascii_lowercase(),
        _ => String::new(),
    }
}

/// Takes the backslashes out of a quoted string, which the parser leaves in.
///
/// What a literal held is given back as it is, unless it reads as an escaped string: the parser
/// does not say which of the two it was.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('"' | '\\')) => plain.push(escaped),
                _ => return text.to_owned(),
            },
            '"' => return text.to_owned(),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_codes_unknown_to_the_parser_are_found() {
        for (text, code, rest) in [
            ("[LIMIT] throttled", Some("LIMIT"), "throttled"),
            ("[unavailable] later", Some("UNAVAILABLE"), "later"),
            ("[MAILBOXID (x)] ok", Some("MAILBOXID"), "ok"),
            ("[a b", None, "[a b"),
            ("[] x", None, "[] x"),
            ("no code", None, "no code"),
        ] {
            assert_eq!(split_code(text), (code.map(str::to_owned), rest));
        }
    }

    #[test]
    fn quoted_strings_lose_their_backslashes() {
        assert_eq!(unescape(r#"a\"b\\c"#), r#"a"b\c"#);
        assert_eq!(unescape(r"from a literal\x"), r"from a literal\x");
        assert_eq!(unescape(r#"from "a" literal"#), r#"from "a" literal"#);
        assert_eq!(unescape(r"\"), r"\");
    }
}
