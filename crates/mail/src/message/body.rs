//! The text, the HTML and the attachments of a message, decoded.

use std::borrow::Cow;
use std::collections::HashSet;

use super::selection::Selection;
use super::structure::Part;
use super::{EmailAttachment, HtmlForm, html};

/// Octets of `textBody` and of `htmlBody`.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// The bodies of a message as strings.
#[derive(Default)]
pub(super) struct Bodies {
    pub text: String,
    pub html: Option<String>,
    pub is_truncated: bool,
    pub is_encoding_problem: bool,
    /// The HTML as the sender wrote it: where `cid:` links are looked for.
    html_source: String,
}

impl Bodies {
    pub fn of(raw: &[u8], selection: &Selection<'_>, form: HtmlForm) -> Self {
        let mut bodies = Self::default();
        for part in &selection.text {
            let text = bodies.read(raw, part);
            let text = if part.content.is("text", "html") {
                html::to_text(&text)
            } else {
                text
            };
            bodies.is_truncated |= append(&mut bodies.text, &text);
        }
        if selection
            .html
            .iter()
            .any(|part| part.content.is("text", "html"))
        {
            let mut joined = String::new();
            for part in &selection.html {
                let text = bodies.read(raw, part);
                let is_html = part.content.is("text", "html");
                if is_html {
                    bodies.is_truncated |= append(&mut bodies.html_source, &text);
                }
                bodies.is_truncated |= match form {
                    HtmlForm::Raw if is_html => append(&mut joined, &text),
                    HtmlForm::Sanitised if is_html => {
                        append_whole(&mut joined, &html::sanitise(&text), || html::to_text(&text))
                    }
                    _ => append_whole(&mut joined, &html::of_text(&text), || text.clone()),
                };
            }
            bodies.html = Some(joined);
        }
        bodies
    }

    /// RFC 8621 §4.1.4: an attachment that is not `inline`; images that the HTML shows are left out.
    pub fn has_attachment(&self, attachments: &[EmailAttachment]) -> bool {
        let shown: HashSet<&str> = self.html_source.split("cid:").skip(1).map(cid).collect();
        attachments.iter().any(|attachment| {
            let is_shown = attachment
                .cid
                .as_deref()
                .is_some_and(|cid| shown.contains(cid));
            attachment.disposition.as_deref() != Some("inline") && !is_shown
        })
    }

    fn read(&mut self, raw: &[u8], part: &Part) -> String {
        let (bytes, is_decoded) = octets(raw, part);
        let bytes = match bytes.get(..MAX_BODY) {
            Some(cut) if bytes.len() > MAX_BODY => {
                self.is_truncated = true;
                cut
            }
            _ => &bytes,
        };
        let (text, is_sound) = part.content.text(bytes);
        self.is_encoding_problem |= !(is_decoded && is_sound);
        text
    }
}

/// The content id at the beginning of what follows `cid:`.
fn cid(rest: &str) -> &str {
    let is_end = |character: char| {
        character.is_whitespace() || matches!(character, '"' | '\'' | '>' | ')' | '&')
    };
    rest.split(is_end).next().unwrap_or_default()
}

/// The attachments as the API lists them.
pub(super) fn attachments(raw: &[u8], selection: &Selection<'_>) -> Vec<EmailAttachment> {
    selection
        .attachments
        .iter()
        .map(|part| EmailAttachment {
            part_id: part.number.clone(),
            name: part.content.name.clone(),
            content_type: part.content.media_type(),
            size: u64::try_from(octets(raw, part).0.len()).unwrap_or(u64::MAX),
            disposition: part.content.disposition.clone(),
            cid: part.content.cid.clone(),
        })
        .collect()
}

/// The octets of a part, decoded, and whether all of them were written as the encoding says.
pub(super) fn octets<'a>(raw: &'a [u8], part: &Part) -> (Cow<'a, [u8]>, bool) {
    part.content
        .encoding
        .decode(raw.get(part.body.clone()).unwrap_or_default())
}

/// Appends a part, on a line of its own, as far as there is room. Says whether some of it was left out.
fn append(body: &mut String, part: &str) -> bool {
    if !body.is_empty() && !body.ends_with('\n') {
        body.push('\n');
    }
    let mut room = MAX_BODY.saturating_sub(body.len()).min(part.len());
    while !part.is_char_boundary(room) {
        room -= 1;
    }
    body.push_str(part.get(..room).unwrap_or_default());
    room < part.len()
}

/// Appends HTML that must not end within a tag: when there is no room for all of it, its text as far as there is.
fn append_whole(body: &mut String, html: &str, text: impl FnOnce() -> String) -> bool {
    // Escaping makes five octets of one at most; the rest is for the `<pre>` around.
    const GROWTH: usize = 6;
    if body.len() + html.len() < MAX_BODY {
        return append(body, html);
    }
    let text = text();
    let mut cut = (MAX_BODY.saturating_sub(body.len()) / GROWTH).min(text.len());
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    let html = html::of_text(text.get(..cut).unwrap_or_default());
    if body.len() + html.len() < MAX_BODY {
        append(body, &html);
    }
    true
}
