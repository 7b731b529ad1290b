//! The texts: TOML beside this file, read when mail is delivered.

use std::collections::BTreeMap;

use encoding_rs::{Encoding, UTF_8};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Conversations {
    pub(super) people: BTreeMap<String, Correspondent>,
    #[serde(rename = "thread")]
    pub(super) threads: Vec<Thread>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Correspondent {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) zone: i8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Thread {
    pub(super) subject: String,
    /// Hours before now of the last message.
    pub(super) ago: f64,
    /// Hours between messages.
    pub(super) gap: f64,
    #[serde(default)]
    pub(super) cc: Vec<String>,
    #[serde(default)]
    pub(super) flags: String,
    pub(super) charset: Option<String>,
    #[serde(rename = "message")]
    pub(super) messages: Vec<ThreadMessage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ThreadMessage {
    /// `me`, `c1` to `c3`, or somebody of `people`.
    pub(super) who: String,
    pub(super) text: String,
    /// `kind:name`
    pub(super) attach: Option<String>,
    #[serde(default)]
    pub(super) image: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Letters {
    #[serde(rename = "letter")]
    pub(super) letters: Vec<Letter>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Letter {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) zone: i8,
    pub(super) ago: f64,
    pub(super) charset: Option<String>,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) attach: Option<String>,
    #[serde(default)]
    pub(super) image: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bulk {
    #[serde(rename = "newsletter")]
    pub(super) newsletters: Vec<Newsletter>,
    #[serde(rename = "receipt")]
    pub(super) receipts: Vec<Receipt>,
    #[serde(rename = "notice")]
    pub(super) notices: Vec<Notice>,
    #[serde(rename = "meeting")]
    pub(super) meetings: Vec<Meeting>,
    pub(super) spam: Vec<Spam>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Newsletter {
    pub(super) name: String,
    pub(super) address: String,
    /// The list's id (RFC 2919).
    pub(super) list: String,
    pub(super) colour: String,
    pub(super) tint: String,
    /// Hours between issues.
    pub(super) every: f64,
    /// Age of the newest issue in hours.
    pub(super) first: f64,
    pub(super) tagline: String,
    pub(super) read: String,
    pub(super) leave: String,
    pub(super) unsubscribe: String,
    #[serde(rename = "issue")]
    pub(super) issues: Vec<Issue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Issue {
    pub(super) subject: String,
    /// Title and text.
    pub(super) stories: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Receipt {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) colour: String,
    pub(super) ago: f64,
    pub(super) title: String,
    pub(super) subject: String,
    /// What, and for how much.
    pub(super) items: Vec<(String, String)>,
    pub(super) currency: String,
    pub(super) note: String,
    /// File name of the PDF.
    pub(super) invoice: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Notice {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) every: f64,
    pub(super) first: f64,
    pub(super) count: u32,
    pub(super) kind: NoticeKind,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum NoticeKind {
    Alert,
    Build,
    Signin,
    Parcel,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Meeting {
    pub(super) summary: String,
    pub(super) place: String,
    /// Hours from now to its begin.
    pub(super) in_hours: f64,
    pub(super) minutes: i64,
    pub(super) ago: f64,
    pub(super) text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spam {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) subject: String,
    pub(super) ago: f64,
    pub(super) text: String,
}

/// All texts. They are part of the program, and a test reads them: an empty answer cannot happen in a release.
pub(super) fn load() -> Option<(Conversations, Letters, Bulk)> {
    Some((
        toml::from_str(include_str!("data/conversations.toml")).ok()?,
        toml::from_str(include_str!("data/letters.toml")).ok()?,
        toml::from_str(include_str!("data/bulk.toml")).ok()?,
    ))
}

/// The charset of that label; UTF-8 if there is none.
pub(super) fn charset(label: Option<&str>) -> &'static Encoding {
    label
        .and_then(|label| Encoding::for_label(label.as_bytes()))
        .unwrap_or(UTF_8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_can_be_read() {
        toml::from_str::<Conversations>(include_str!("data/conversations.toml")).unwrap();
        toml::from_str::<Bulk>(include_str!("data/bulk.toml")).unwrap();
        let letters: Letters = toml::from_str(include_str!("data/letters.toml")).unwrap();
        for letter in letters.letters {
            if let Some(label) = &letter.charset {
                let encoding = Encoding::for_label(label.as_bytes()).unwrap();
                let (_, _, unmappable) = encoding.encode(&letter.text);
                assert!(!unmappable, "{} does not fit into {label}", letter.subject);
            }
        }
    }
}
