//! Mail that machines and editors send: newsletters, receipts, notices, invitations.

use std::collections::HashMap;

use super::compose::{File, Mail, Person};
use super::data::{Bulk, Notice, NoticeKind};
use super::letters::{domain, escape};
use super::random::Sequence;
use super::{BUILDS, Desk, KITCHEN, RECEIPTS, files};
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

pub(super) fn notices(desk: &mut Desk, data: &Bulk) {
    for notice in &data.notices {
        let from = Person {
            name: notice.name.clone(),
            address: notice.address.clone(),
        };
        for at in 0..notice.count {
            if !desk.takes(55) {
                continue;
            }
            let jitter = desk.random.below(notice.every as u64 + 1) as f64 / 2.0;
            let hours =
                notice.first + f64::from(at) * notice.every + if at == 0 { 0.0 } else { jitter };
            let said = said(notice, at, &mut desk.random);
            let rows: String = said
                .rows
                .iter()
                .map(|(name, value)| {
                    format!(
                        "<tr><td style=\"padding:4px 20px 4px 0;color:#66717c\">{name}</td><td style=\"padding:4px 0\">{}</td></tr>\n",
                        escape(value)
                    )
                })
                .collect();
            let sent = desk.ago(hours);
            let when = super::compose::date(sent, 0);
            let html = fill(
                include_str!("data/notice.html"),
                &[
                    ("subject", &said.subject),
                    ("colour", said.colour),
                    ("title", &said.title),
                    ("when", &when),
                    ("note", said.note),
                    ("name", &notice.name),
                    ("address", &notice.address),
                ],
            )
            .replace("{rows}", rows.trim_end());
            let lines: Vec<String> = said
                .rows
                .iter()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            let mail = Mail {
                id: desk.id(domain(&from)),
                from: from.clone(),
                to: vec![desk.me.clone()],
                subject: said.subject,
                sent,
                fields: vec![("Auto-Submitted", "auto-generated".to_owned())],
                text: format!("{}\n\n{}\n\n{}\n", said.title, lines.join("\n"), said.note),
                html: Some(html),
                ..Mail::default()
            };
            let flags = desk.usual_flags(sent);
            let folder = match notice.kind {
                NoticeKind::Build if at >= 3 => BUILDS,
                NoticeKind::Alert if hours > 160.0 => "Archive",
                NoticeKind::Parcel if at >= 4 => "Deleted Items",
                _ => "INBOX",
            };
            desk.file(folder, flags, mail);
        }
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

/// What a notice says.
struct Said {
    subject: String,
    title: String,
    colour: &'static str,
    rows: Vec<(&'static str, String)>,
    note: &'static str,
}

fn said(notice: &Notice, at: u32, random: &mut Sequence) -> Said {
    let mut pick = |from: &[&'static str]| random.pick(from).copied().unwrap_or_default();
    match notice.kind {
        NoticeKind::Alert => {
            let service = pick(&[
                "ingest-west",
                "gauge-api",
                "tiles",
                "mail-relay",
                "archive-db",
                "status-page",
            ]);
            let what = pick(&[
                "latency above 800 ms",
                "disk 91 % full",
                "certificate ends in 12 days",
                "no heartbeat for 5 minutes",
                "error rate 3.2 %",
            ]);
            let solved = at % 2 == 1;
            Said {
                subject: format!(
                    "[{}] {service}: {what}",
                    if solved { "RESOLVED" } else { "ALERT" }
                ),
                title: format!("{service}: {what}"),
                colour: if solved { "#2e8b57" } else { "#c0392b" },
                rows: vec![
                    ("Service", service.to_owned()),
                    ("Region", pick(&["north-1", "north-2", "lake-1"]).to_owned()),
                    ("Value", format!("{} (limit {})", 80 + at * 7 % 60, 80)),
                    (
                        "Runbook",
                        format!("https://beacon-ops.example/runbooks/{service}"),
                    ),
                ],
                note: if solved {
                    "Back to normal. No action is needed."
                } else {
                    "You get this because you are on call this week."
                },
            }
        }
        NoticeKind::Build => {
            let project = pick(&["gauge-firmware", "station-pages", "log-reader", "field-app"]);
            let branch = pick(&["main", "release/4.2", "fix/vent-offset", "i18n-french"]);
            let failed = at % 4 == 1;
            let number = 2_311 - at;
            Said {
                subject: format!(
                    "{} {project} #{number} on {branch}",
                    if failed { "Failed:" } else { "Passed:" }
                ),
                title: format!(
                    "{project} #{number} {}",
                    if failed { "failed" } else { "passed" }
                ),
                colour: if failed { "#c0392b" } else { "#2e8b57" },
                rows: vec![
                    ("Branch", branch.to_owned()),
                    ("Commit", format!("{:08x}", at.wrapping_mul(0x9e37_79b9))),
                    (
                        "Tests",
                        if failed {
                            "412 passed, 2 failed"
                        } else {
                            "414 passed"
                        }
                        .to_owned(),
                    ),
                    ("Time", format!("{} min {} s", 3 + at % 5, at * 17 % 60)),
                ],
                note: if failed {
                    "First failure: roof_test::battery_estimate_after_restart"
                } else {
                    "Artifacts are kept for 30 days."
                },
            }
        }
        NoticeKind::Signin => {
            let place = pick(&["Lindby", "Innsbruck", "Nantes"]);
            let device = pick(&["Firefox on Linux", "a phone", "a tablet"]);
            Said {
                subject: format!("New sign-in from {place}"),
                title: "Was this you?".to_owned(),
                colour: "#2b4a7f",
                rows: vec![
                    ("Place", place.to_owned()),
                    ("Device", device.to_owned()),
                    ("Address", format!("192.0.2.{}", 17 + at)),
                ],
                note: "If it was you, there is nothing to do. If not, change your password and tell your administrator.",
            }
        }
        NoticeKind::Parcel => {
            let number = 55_018_233 + at * 7_919;
            let (subject, title, note) = match at % 3 {
                0 => (
                    "Your parcel comes today",
                    "Out for delivery",
                    "Between 11:30 and 13:00. You may still choose another place.",
                ),
                1 => (
                    "Ihre Sendung ist unterwegs",
                    "Im Zustellzentrum angekommen",
                    "Voraussichtliche Zustellung: morgen. Eine Abstellgenehmigung können Sie jederzeit erteilen.",
                ),
                _ => (
                    "Votre colis vous attend",
                    "Disponible au point relais",
                    "Votre colis vous attend pendant dix jours. Pensez à votre pièce d’identité.",
                ),
            };
            Said {
                subject: format!("{subject} ({number})"),
                title: title.to_owned(),
                colour: "#b8860b",
                rows: vec![
                    ("No.", number.to_string()),
                    ("kg", format!("{}.{}", 1 + at % 4, at * 3 % 10)),
                ],
                note,
            }
        }
    }
}

/// Puts values, escaped, in the place of `{name}`.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
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
