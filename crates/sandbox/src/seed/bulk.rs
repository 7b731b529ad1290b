//! Mail that machines and editors send: newsletters, receipts, invitations.

use std::collections::HashMap;

use super::compose::{File, Mail, Person};
use super::data::Bulk;
use super::letters::{domain, escape};
use super::{Desk, KITCHEN, RECEIPTS, files};
use crate::mailstore::Flags;

/// Pictures that were drawn already: all readers of an issue get the same.
#[derive(Default)]
pub(super) struct Gallery(HashMap<String, Vec<u8>>);

impl Gallery {
    fn picture(&mut self, title: &str) -> Vec<u8> {
        self.0
            .entry(title.to_owned())
            .or_insert_with(|| files::png(480, 160, title))
            .clone()
    }
}

pub(super) fn newsletters(desk: &mut Desk, data: &Bulk, gallery: &mut Gallery) {
    for newsletter in &data.newsletters {
        if !desk.takes(60) {
            continue;
        }
        let from = Person {
            name: newsletter.name.clone(),
            address: newsletter.address.clone(),
        };
        let host = domain(&from).to_owned();
        for (at, issue) in newsletter.issues.iter().enumerate() {
            let hours = newsletter.first + at as f64 * newsletter.every;
            let sent = desk.ago(hours);
            let id = desk.id(&host);
            let cid = format!("header.{id}");
            let mut text = format!("{}\n{}\n\n", newsletter.name, newsletter.tagline);
            let mut stories = String::new();
            for (title, story) in &issue.stories {
                let slug = slug(title);
                text.push_str(&format!("## {title}\n\n{story}\nhttps://{host}/{slug}\n\n"));
                stories.push_str(&fill(
                    include_str!("data/story.html"),
                    &[
                        ("title", title),
                        ("text", story),
                        ("host", &host),
                        ("slug", &slug),
                        ("read", &newsletter.read),
                    ],
                ));
            }
            text.push_str(&format!("-- \n{}\n", newsletter.leave));
            let html = fill(
                include_str!("data/newsletter.html"),
                &[
                    ("subject", &issue.subject),
                    ("tint", &newsletter.tint),
                    ("colour", &newsletter.colour),
                    ("name", &newsletter.name),
                    ("tagline", &newsletter.tagline),
                    ("cid", &cid),
                    ("leave", &newsletter.leave),
                    ("unsubscribe", &newsletter.unsubscribe),
                    ("host", &host),
                ],
            )
            .replace("{stories}", &stories);
            let header = File {
                name: "header.png".to_owned(),
                content_type: "image/png",
                octets: gallery.picture(&issue.subject),
                cid: Some(cid),
            };
            let mail = Mail {
                id,
                from: from.clone(),
                to: vec![desk.me.clone()],
                subject: issue.subject.clone(),
                sent,
                zone: 1,
                fields: vec![
                    ("List-Id", format!("<{}>", newsletter.list)),
                    (
                        "List-Unsubscribe",
                        format!("<https://{host}/unsubscribe?u=3f7c>"),
                    ),
                    (
                        "List-Unsubscribe-Post",
                        "List-Unsubscribe=One-Click".to_owned(),
                    ),
                    ("Precedence", "bulk".to_owned()),
                ],
                text,
                html: Some(html),
                inline: vec![header],
                ..Mail::default()
            };
            let flags = desk.usual_flags(sent);
            let folder = match hours {
                _ if hours < 100.0 && (at == 0 || !host.contains("garten")) => "INBOX",
                _ if host.contains("garten") => KITCHEN,
                _ if hours > 450.0 => "Deleted Items",
                _ => "Newsletters",
            };
            desk.file(folder, flags, mail);
        }
    }
}

pub(super) fn receipts(desk: &mut Desk, data: &Bulk) {
    for receipt in &data.receipts {
        if !desk.takes(50) {
            continue;
        }
        let from = Person {
            name: receipt.name.clone(),
            address: receipt.address.clone(),
        };
        let (mut rows, mut lines) = (String::new(), Vec::new());
        for (item, price) in &receipt.items {
            rows.push_str(&format!(
                "<tr><td style=\"padding:8px 0;border-bottom:1px solid #e6eaee\">{}</td><td align=\"right\" style=\"padding:8px 0 8px 24px;border-bottom:1px solid #e6eaee;white-space:nowrap\">{} {price}</td></tr>\n",
                escape(item),
                receipt.currency,
            ));
            lines.push(format!("{item}   {} {price}", receipt.currency));
        }
        let html = fill(
            include_str!("data/receipt.html"),
            &[
                ("subject", &receipt.subject),
                ("colour", &receipt.colour),
                ("name", &receipt.name),
                ("title", &receipt.title),
                ("note", &receipt.note),
                ("address", &receipt.address),
            ],
        )
        .replace("{rows}", rows.trim_end());
        let text = format!(
            "{}\n\n{}\n\n{}\n",
            receipt.title,
            lines.join("\n"),
            receipt.note
        );
        let sent = desk.ago(receipt.ago);
        let mail = Mail {
            id: desk.id(domain(&from)),
            from,
            to: vec![desk.me.clone()],
            subject: receipt.subject.clone(),
            sent,
            zone: 1,
            text,
            html: Some(html),
            files: vec![File {
                name: receipt.invoice.clone(),
                content_type: "application/pdf",
                octets: files::pdf(&receipt.name, &lines),
                cid: None,
            }],
            ..Mail::default()
        };
        let flags = desk.usual_flags(sent);
        let folder = if receipt.ago > 90.0 {
            RECEIPTS
        } else {
            "INBOX"
        };
        desk.file(folder, flags, mail);
    }
}

pub(super) fn meetings(desk: &mut Desk, data: &Bulk) {
    for (at, meeting) in data.meetings.iter().enumerate() {
        if !desk.takes(70) {
            continue;
        }
        let Some(organizer) = desk
            .colleagues
            .get(at % desk.colleagues.len().max(1))
            .cloned()
        else {
            continue;
        };
        // Meetings begin on the quarter of an hour.
        let start = desk.ago(-meeting.in_hours).0.div_euclid(900) * 900;
        let sent = desk.ago(meeting.ago);
        let id = desk.id(domain(&organizer));
        let calendar = files::invitation(
            &id,
            &meeting.summary,
            &meeting.place,
            &organizer,
            &desk.me,
            mailgrant_core::time::UnixTime(start),
            meeting.minutes,
        );
        let mail = Mail {
            id,
            from: organizer,
            to: vec![desk.me.clone()],
            subject: meeting.summary.clone(),
            sent,
            text: format!("{}\n\n{}\n", meeting.text, meeting.place),
            html: Some(format!(
                "<html><body><p>{}</p><p><b>{}</b></p></body></html>\n",
                escape(&meeting.text),
                escape(&meeting.place)
            )),
            files: vec![File {
                name: "invite.ics".to_owned(),
                content_type: "application/ics",
                octets: calendar.clone().into_bytes(),
                cid: None,
            }],
            calendar: Some(calendar),
            ..Mail::default()
        };
        let flags = if at == 0 {
            Flags::NONE
        } else {
            desk.usual_flags(sent)
        };
        desk.file("INBOX", flags, mail);
    }
}

/// Puts values, escaped, in the place of `{name}`.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values
        .iter()
        .fold(template.to_owned(), |filled, (name, value)| {
            filled.replace(&format!("{{{name}}}"), &escape(value))
        })
}

/// `The harbour that counts its fish` as `the-harbour-that-counts-its-fish`.
fn slug(title: &str) -> String {
    let words: Vec<String> = title
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("-")
}
