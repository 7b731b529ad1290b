//! Every request in plain words: what was asked, what was decided, why, and what to do next.

use serde::Serialize;

use super::remedies::{CODES, Kind, MAIL, kind};
use crate::authority::meaning;
use crate::control::Entry;

/// A request in plain words.
///
/// ```json
/// {"asked": "Somebody tried to open ada.finch@tarnbrook.test by IMAP.",
///  "decided": "Refused with \"NO AUTHENTICATE failed.\", the same words for every reason.",
///  "why": "The token has ended.",
///  "next": "Get a new access token by the refresh token; ask again before expires_in is over."}
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Explanation {
    pub asked: String,
    pub decided: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<&'static str>,
}

/// Explains an entry; `application` is the name behind its client id, when the directory knows it.
pub(crate) fn explain(entry: &Entry, application: Option<&str>) -> Explanation {
    let kind = kind(entry.kind, entry.grant_type.as_deref());
    Explanation {
        asked: fill(kind.asked, entry, application),
        decided: decided(&kind, entry, application),
        why: why(entry),
        next: next(entry),
    }
}

fn decided(kind: &Kind, entry: &Entry, application: Option<&str>) -> String {
    let sentence = match (entry.outcome.as_str(), entry.code) {
        ("ok", _) => kind.granted,
        ("fault", _) => "It failed, because the sandbox was told to fail.",
        ("not_connected", _) => {
            "The login succeeds, and every command after it is answered \"BAD User is authenticated but not connected.\""
        }
        (outcome, Some(code)) => return format!("Refused with AADSTS{code} ({outcome})."),
        (_, None) => kind.refused,
    };
    fill(sentence, entry, application)
}

fn why(entry: &Entry) -> Option<String> {
    match (&entry.detail, entry.code) {
        (None, Some(code)) => Some(meaning(code).to_owned()),
        (Some(detail), Some(code)) => Some(format!("{} {}", sentence(detail), meaning(code))),
        // What these were about is in what was asked.
        (Some(_), None) if matches!(entry.kind, "control" | "fault") => None,
        (Some(detail), None) => Some(sentence(detail)),
        (None, None) => None,
    }
}

fn next(entry: &Entry) -> Option<&'static str> {
    if entry.outcome == "ok" {
        return None;
    }
    if entry.outcome == "fault" {
        return Some("Take the fault back under Faults, or with POST /control/faults and {}.");
    }
    if let Some(code) = entry.code {
        return CODES
            .iter()
            .find(|(known, _)| *known == code)
            .map(|(_, next)| *next);
    }
    let detail = entry.detail.as_deref()?;
    MAIL.iter()
        .find(|(part, _)| detail.contains(part))
        .map(|(_, next)| *next)
}

/// Puts names where the sentence has them.
fn fill(sentence: &str, entry: &Entry, application: Option<&str>) -> String {
    let application = match (application, &entry.client_id) {
        (Some(name), _) => format!("“{name}”"),
        (None, Some(_)) => "An application that is not registered here".to_owned(),
        (None, None) => "A program".to_owned(),
    };
    sentence
        .replace("{application}", &application)
        .replace("{user}", entry.user.as_deref().unwrap_or("somebody"))
        .replace("{detail}", entry.detail.as_deref().unwrap_or("something"))
        .replace("{grant}", entry.grant_type.as_deref().unwrap_or("none"))
}

/// A reason as a sentence.
fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    let Some(first) = letters.next() else {
        return String::new();
    };
    let end = if reason.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{}{}{end}", first.to_uppercase(), letters.as_str())
}

#[cfg(test)]
#[path = "explain/tests.rs"]
mod tests;
