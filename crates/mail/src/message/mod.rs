//! From the bytes of a message (RFC 5322, MIME) to the Email object of the API (names of RFC 8621 §4).
//!
//! Nothing a message says makes these functions fail or panic, recurse without bound or take more than linear time:
//! malformed messages give what can be read. Limits:
//!
//! | what | limit | beyond it |
//! | --- | --- | --- |
//! | multiparts inside multiparts | 64 | the inner one is shown as the text it is |
//! | parts | 2,000 | not read, `isTruncated` |
//! | fields of one header | 1,000 | not read |
//! | one field | 64 KiB | cut |
//! | `textBody`, `htmlBody` | 4 MiB each | cut, `isTruncated`; sanitised HTML is then text in a `<pre>` |
//! | HTML that would take long to sanitise | see [`HtmlForm::Sanitised`] | its text instead |
//!
//! Choices where the standards leave one:
//!
//! - Of a field that stands more than once the last counts (RFC 8621 §4.1.3), of `Content-…` fields the first.
//! - Octets above 127 in headers, and in text without a known charset, are UTF-8, or else windows-1252.
//! - A boundary has to be the whole line, trailing blanks aside.
//! - A message inside the message (`message/rfc822`), TNEF, S/MIME and calendar parts are attachments and not opened.
//!
//! ```
//! use mailgrant_mail::message::{self, Facts, HtmlForm};
//!
//! let raw = b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\r\n\
//!     Subject: Lunch\r\n\
//!     Date: Fri, 20 Nov 2026 12:00:00 +0100\r\n\r\nAt one?\r\n";
//! let email = message::email(raw, Facts::default(), HtmlForm::Sanitised);
//! assert_eq!(email.from[0].name.as_deref(), Some("Jürgen"));
//! assert_eq!(email.sent_at.as_deref(), Some("2026-11-20T12:00:00+01:00"));
//! assert_eq!(email.text_body, "At one?\n");
//! assert_eq!(email.html_body, None);
//! ```

mod body;
mod charset;
mod content;
mod encoded_word;
mod fields;
mod html;
mod keywords;
mod parameters;
mod preview;
mod selection;
mod structure;
mod transfer;

use std::collections::BTreeMap;

use mailgrant_core::time::UnixTime;
use serde::{Deserialize, Serialize};

pub use keywords::{flag_of_keyword, keyword_of_flag};

use body::Bodies;
use fields::Fields;
use selection::Selection;
use structure::Structure;

/// What the mail server knows of a message and its bytes do not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The id of the email in the API.
    pub id: String,
    /// The mailbox it was found in.
    pub mailbox: String,
    /// IMAP flags as the server wrote them: `\Seen`, `$Forwarded`.
    pub keywords: Vec<String>,
    /// When it arrived (`INTERNALDATE`).
    pub received_at: Option<UnixTime>,
    /// Octets (`RFC822.SIZE`).
    pub size: u64,
}

/// In which form `htmlBody` is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HtmlForm {
    /// Safe to put into a page.
    ///
    /// Kept are text, structure, tables, and of `style` what sets type, colours and spacing. Links may be `http`,
    /// `https`, `mailto`, `tel` and `cid`; they open in a new window and get `rel="noopener noreferrer nofollow"`.
    /// Images may be `cid`. Remote images tell the sender that the message was opened: their address is moved from
    /// `src` to `data-mailgrant-src`, for the reader to ask for them. Everything else is removed: scripts, style sheets,
    /// forms, frames, event handlers, classes and ids.
    ///
    /// HTML made to take long (more than 50,000 tags, nesting over 512, formatting tags without end) is not parsed:
    /// `htmlBody` is then its text in a `<pre>`.
    #[default]
    Sanitised,
    /// As the sender wrote it. Not safe to show.
    Raw,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Email {
    /// The id of the email in the API.
    pub id: String,
    /// The mailbox it is in.
    pub mailbox: String,
    /// `$seen`, `$answered`, `$flagged`, `$draft`, `$deleted` and the sender's or the user's own; absent when not set.
    pub keywords: BTreeMap<String, bool>,
    /// Octets of the message.
    pub size: u64,
    /// When it arrived, in UTC (RFC 3339).
    pub received_at: Option<String>,
    /// `Message-ID`, without angle brackets; more than one only when the field is malformed.
    pub message_id: Vec<String>,
    /// `In-Reply-To`, without angle brackets.
    pub in_reply_to: Vec<String>,
    /// `References`, without angle brackets.
    pub references: Vec<String>,
    /// `Sender`.
    pub sender: Vec<EmailAddress>,
    /// `From`.
    pub from: Vec<EmailAddress>,
    /// `To`.
    pub to: Vec<EmailAddress>,
    /// `Cc`.
    pub cc: Vec<EmailAddress>,
    /// `Bcc`.
    pub bcc: Vec<EmailAddress>,
    /// `Reply-To`.
    pub reply_to: Vec<EmailAddress>,
    /// `Subject`, decoded; null when there is none.
    pub subject: Option<String>,
    /// `Date`, in the offset of the sender (RFC 3339); null when there is none or it is no date.
    pub sent_at: Option<String>,
    /// Whether there is an attachment that is not shown inside the message.
    pub has_attachment: bool,
    /// The first 256 characters of the text at most.
    pub preview: String,
    /// The text, line ends as LF; made from the HTML where the message has no text.
    pub text_body: String,
    /// The HTML; null when the message has none. Text parts between HTML parts are included.
    pub html_body: Option<String>,
    /// Files, images and messages that are attached or shown inside.
    pub attachments: Vec<EmailAttachment>,
    /// A limit was reached: `textBody`, `htmlBody` or `attachments` lack the rest.
    pub is_truncated: bool,
    /// A text part was not written in its encoding or charset, so characters may be wrong.
    pub is_encoding_problem: bool,
}

/// A message as lists show it.
///
/// It is made from the beginning of the message: see [`summary`] for what that leaves open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EmailSummary {
    /// The id of the email in the API.
    pub id: String,
    /// The mailbox it is in.
    pub mailbox: String,
    /// `$seen`, `$answered`, `$flagged`, `$draft`, `$deleted` and the sender's or the user's own; absent when not set.
    pub keywords: BTreeMap<String, bool>,
    /// Octets of the message.
    pub size: u64,
    /// When it arrived, in UTC (RFC 3339).
    pub received_at: Option<String>,
    /// `Message-ID`, without angle brackets; more than one only when the field is malformed.
    pub message_id: Vec<String>,
    /// `In-Reply-To`, without angle brackets.
    pub in_reply_to: Vec<String>,
    /// `References`, without angle brackets.
    pub references: Vec<String>,
    /// `Sender`.
    pub sender: Vec<EmailAddress>,
    /// `From`.
    pub from: Vec<EmailAddress>,
    /// `To`.
    pub to: Vec<EmailAddress>,
    /// `Cc`.
    pub cc: Vec<EmailAddress>,
    /// `Bcc`.
    pub bcc: Vec<EmailAddress>,
    /// `Reply-To`.
    pub reply_to: Vec<EmailAddress>,
    /// `Subject`, decoded; null when there is none.
    pub subject: Option<String>,
    /// `Date`, in the offset of the sender (RFC 3339); null when there is none or it is no date.
    pub sent_at: Option<String>,
    /// Whether there is an attachment that is not shown inside the message.
    pub has_attachment: bool,
    /// The first 256 characters of the text at most.
    pub preview: String,
}

/// A mailbox someone writes from or to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EmailAddress {
    /// The display name, decoded.
    pub name: Option<String>,
    /// The address; empty when the sender wrote only a name.
    pub email: String,
}

/// A part that is not the text of the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EmailAttachment {
    /// The part number of IMAP: `2`, `2.1`. It never changes.
    pub part_id: String,
    /// The name of the file, decoded. It is the sender's: it may hold a path.
    pub name: Option<String>,
    /// The media type: `image/png`.
    #[serde(rename = "type")]
    pub content_type: String,
    /// Octets after decoding.
    pub size: u64,
    /// `attachment`, `inline` or null.
    pub disposition: Option<String>,
    /// The content id, to which `cid:` links in the HTML refer.
    pub cid: Option<String>,
}

/// The content of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The name of the file, decoded. It is the sender's: it may hold a path.
    pub name: Option<String>,
    /// The media type: `image/png`.
    pub content_type: String,
    /// The octets, decoded.
    pub bytes: Vec<u8>,
    /// `attachment`, `inline` or none.
    pub disposition: Option<String>,
    /// The content id.
    pub cid: Option<String>,
}

/// Reads a whole message.
#[must_use]
pub fn email(raw: &[u8], facts: Facts, html: HtmlForm) -> Email {
    let structure = Structure::of(raw);
    let selection = Selection::of(&structure);
    let bodies = Bodies::of(raw, &selection, html);
    let attachments = body::attachments(raw, &selection);
    let summary = summarise(raw, &structure, &selection, facts, &bodies.text);
    Email {
        id: summary.id,
        mailbox: summary.mailbox,
        keywords: summary.keywords,
        size: summary.size,
        received_at: summary.received_at,
        message_id: summary.message_id,
        in_reply_to: summary.in_reply_to,
        references: summary.references,
        sender: summary.sender,
        from: summary.from,
        to: summary.to,
        cc: summary.cc,
        bcc: summary.bcc,
        reply_to: summary.reply_to,
        subject: summary.subject,
        sent_at: summary.sent_at,
        has_attachment: bodies.has_attachment(&attachments),
        preview: summary.preview,
        text_body: bodies.text,
        html_body: bodies.html,
        attachments,
        is_truncated: structure.is_truncated || bodies.is_truncated,
        is_encoding_problem: bodies.is_encoding_problem,
    }
}

/// Reads the beginning of a message, as lists do; `complete` says that `head` is the whole message.
///
/// The header has to be in it. `preview` is made from what is there, so it is empty when the text begins later.
/// `hasAttachment` is true when an attachment begins within `head`; when the message goes on after it, then also if the
/// message is `multipart/mixed`, which is seldom used for anything else, or is one part that is no text. An image that
/// the HTML shows counts as an attachment when the part of the HTML which shows it is not in `head`.
#[must_use]
pub fn summary(head: &[u8], complete: bool, facts: Facts) -> EmailSummary {
    let structure = Structure::of(head);
    let selection = Selection::of(&structure);
    let bodies = Bodies::of(head, &selection, HtmlForm::Raw);
    let text = if complete {
        bodies.text.as_str()
    } else {
        bodies.text.trim_end_matches(char::REPLACEMENT_CHARACTER)
    };
    let mut summary = summarise(head, &structure, &selection, facts, text);
    let is_mixed = structure
        .parts
        .first()
        .is_some_and(|root| root.content.is("multipart", "mixed"));
    summary.has_attachment =
        bodies.has_attachment(&body::attachments(head, &selection)) || (!complete && is_mixed);
    summary
}

/// The content of a part, by the `partId` that [`email`] gives it; `None` when there is no such part.
///
/// Parts that are text of the message can be had as well; multiparts cannot.
#[must_use]
pub fn attachment(raw: &[u8], part_id: &str) -> Option<Attachment> {
    let structure = Structure::of(raw);
    let part = structure.leaves().find(|part| part.number == part_id)?;
    Some(Attachment {
        name: part.content.name.clone(),
        content_type: part.content.media_type(),
        bytes: body::octets(raw, part).0.into_owned(),
        disposition: part.content.disposition.clone(),
        cid: part.content.cid.clone(),
    })
}

fn summarise(
    raw: &[u8],
    structure: &Structure,
    selection: &Selection<'_>,
    facts: Facts,
    text: &str,
) -> EmailSummary {
    let header = structure
        .parts
        .first()
        .and_then(|root| raw.get(root.header.clone()));
    let fields = Fields::of(header.unwrap_or_default());
    let addresses = |name| {
        fields
            .last(name)
            .map(|value| value.addresses())
            .unwrap_or_default()
    };
    let message_ids = |name| {
        fields
            .last(name)
            .map(|value| value.message_ids())
            .unwrap_or_default()
    };
    EmailSummary {
        id: facts.id,
        mailbox: facts.mailbox,
        keywords: keywords::keywords(&facts.keywords),
        size: facts.size,
        received_at: facts.received_at.and_then(utc),
        message_id: message_ids("Message-ID"),
        in_reply_to: message_ids("In-Reply-To"),
        references: message_ids("References"),
        sender: addresses("Sender"),
        from: addresses("From"),
        to: addresses("To"),
        cc: addresses("Cc"),
        bcc: addresses("Bcc"),
        reply_to: addresses("Reply-To"),
        subject: fields.last("Subject").map(|value| value.text()),
        sent_at: fields.last("Date").and_then(|value| value.date()),
        has_attachment: !selection.attachments.is_empty(),
        preview: preview::preview(text),
    }
}

/// `2026-11-20T11:00:00Z`
fn utc(time: UnixTime) -> Option<String> {
    jiff::Timestamp::from_second(time.0)
        .ok()
        .map(|timestamp| timestamp.to_string())
}
