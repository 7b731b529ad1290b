//! Mail that people write: threads, single letters, drafts, and what pretends to be.

use mailgrant_core::time::UnixTime;

use super::compose::{File, Mail, Person, date};
use super::data::{Bulk, Conversations, Correspondent, Letters, Thread, charset};
use super::{Desk, files};
use crate::mailstore::Flags;

pub(super) fn conversations(desk: &mut Desk, data: &Conversations) {
    for thread in &data.threads {
        if desk.takes(55) {
            conversation(desk, data, thread);
        }
    }
}

fn conversation(desk: &mut Desk, data: &Conversations, thread: &Thread) {
    let last = thread.messages.len().saturating_sub(1);
    // Who else takes part gets what "me" writes.
    let others: Vec<Person> = thread
        .messages
        .iter()
        .filter_map(|message| somebody(desk, data, &message.who))
        .map(|(person, _)| person)
        .filter(|person| *person != desk.me)
        .fold(Vec::new(), |mut all, person| {
            if !all.contains(&person) {
                all.push(person);
            }
            all
        });
    let mut references: Vec<String> = Vec::new();
    let mut quoted: Option<String> = None;
    for (at, message) in thread.messages.iter().enumerate() {
        let Some((from, zone)) = somebody(desk, data, &message.who) else {
            continue;
        };
        let mine = from == desk.me;
        let hours = thread.ago + (last - at) as f64 * thread.gap;
        let sent = desk.ago(hours);
        let text = personal(desk, &message.text);
        let body = match &quoted {
            Some(quoted) => format!("{text}\n{quoted}"),
            None => text.clone(),
        };
        let cc: Vec<Person> = thread
            .cc
            .iter()
            .filter_map(|who| somebody(desk, data, who))
            .map(|(person, _)| person)
            .filter(|person| *person != from)
            .collect();
        let to = if mine {
            others.clone()
        } else {
            vec![desk.me.clone()]
        };
        let id = desk.id(domain(&from));
        let subject = if at == 0 {
            thread.subject.clone()
        } else {
            format!("Re: {}", thread.subject)
        };
        let mut mail = Mail {
            id: id.clone(),
            from: from.clone(),
            cc: cc
                .into_iter()
                .filter(|person| !to.contains(person))
                .collect(),
            to,
            subject,
            sent,
            zone,
            references: references.clone(),
            charset: charset(thread.charset.as_deref()),
            text: body,
            ..Mail::default()
        };
        enclose(&mut mail, message.attach.as_deref(), message.image);
        let answered = thread
            .messages
            .get(at + 1..)
            .unwrap_or_default()
            .iter()
            .any(|later| later.who == "me");
        let mut flags = match (mine, answered) {
            (true, _) => Flags::SEEN,
            (false, true) => Flags::SEEN | Flags::ANSWERED,
            (false, false) => desk.usual_flags(sent),
        };
        if at == last && thread.flags == "flagged" {
            flags |= Flags::FLAGGED;
        }
        quoted = Some(quote(&from, sent, zone, &text));
        references.push(id);
        desk.file(if mine { "Sent Items" } else { "INBOX" }, flags, mail);
    }
}

pub(super) fn letters(desk: &mut Desk, data: &Letters) {
    for letter in &data.letters {
        if !desk.takes(45) {
            continue;
        }
        let from = Person {
            name: letter.name.clone(),
            address: letter.address.clone(),
        };
        let sent = desk.ago(letter.ago);
        let mut mail = Mail {
            id: desk.id(domain(&from)),
            from,
            to: vec![desk.me.clone()],
            subject: letter.subject.clone(),
            sent,
            zone: letter.zone,
            charset: charset(letter.charset.as_deref()),
            text: personal(desk, &letter.text),
            ..Mail::default()
        };
        enclose(&mut mail, letter.attach.as_deref(), letter.image);
        let flags = desk.usual_flags(sent);
        let folder = if letter.ago > 120.0 {
            "Archive"
        } else {
            "INBOX"
        };
        desk.file(folder, flags, mail);
    }
}

pub(super) fn spam_and_drafts(desk: &mut Desk, data: &Bulk) {
    for spam in &data.spam {
        let from = Person {
            name: spam.name.clone(),
            address: spam.address.clone(),
        };
        let mail = Mail {
            id: desk.id(domain(&from)),
            from,
            to: vec![desk.me.clone()],
            subject: spam.subject.clone(),
            sent: desk.ago(spam.ago),
            text: spam.text.trim_start().to_owned(),
            fields: vec![("X-Spam-Flag", "YES".to_owned())],
            ..Mail::default()
        };
        desk.file("Junk Email", Flags::NONE, mail);
    }
    for (hours, subject, text) in [
        (
            6.5,
            "Order for Kawabe: 200 sensors",
            "Dear Ms Aramaki,\n\nplease find attached our order for\n\n",
        ),
        (
            70.0,
            "Half a page on rivers",
            "Dear Leo,\n\nher half page made the round of the whole office. Tell her\n",
        ),
    ] {
        let from = desk.me.clone();
        let mail = Mail {
            id: desk.id(domain(&from)),
            from,
            subject: subject.to_owned(),
            sent: desk.ago(hours),
            text: text.to_owned(),
            ..Mail::default()
        };
        desk.file("Drafts", Flags::SEEN | Flags::DRAFT, mail);
    }
}

/// What stands after the `@`.
pub(super) fn domain(person: &Person) -> &str {
    person
        .address
        .rsplit_once('@')
        .map_or("mail.example", |(_, domain)| domain)
}

fn somebody(desk: &Desk, data: &Conversations, who: &str) -> Option<(Person, i8)> {
    let colleague = |at: usize| desk.colleagues.get(at).map(|person| (person.clone(), 0));
    match who {
        "me" => Some((desk.me.clone(), 0)),
        "c1" => colleague(0),
        "c2" => colleague(1),
        "c3" => colleague(2),
        _ => {
            let Correspondent {
                name,
                address,
                zone,
            } = data.people.get(who)?.clone();
            Some((Person { name, address }, zone))
        }
    }
}

fn personal(desk: &Desk, text: &str) -> String {
    let full = desk.me.name.as_str();
    let first = full.split(' ').next().unwrap_or(full);
    let text = text.replace("{me_full}", full).replace("{me}", first);
    let mut text = text.trim().to_owned();
    text.push('\n');
    text
}

fn quote(from: &Person, sent: UnixTime, zone: i8, text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| format!("> {line}").trim_end().to_owned())
        .collect();
    format!(
        "{}, {}:\n{}\n",
        from.name,
        date(sent, zone),
        lines.join("\n")
    )
}

fn enclose(mail: &mut Mail, attach: Option<&str>, image: bool) {
    if let Some((kind, name)) = attach.and_then(|attach| attach.split_once(':')) {
        mail.files.push(attachment(kind, name, &mail.subject));
    }
    if image {
        let cid = format!("image001.{}", mail.id);
        let paragraphs: String = mail
            .text
            .split("\n\n")
            .map(|paragraph| {
                format!(
                    "<p>{}</p>\n",
                    escape(paragraph.trim()).replace('\n', "<br>\n")
                )
            })
            .collect();
        mail.html = Some(format!(
            "<html><body style=\"font-family:Calibri,Helvetica,sans-serif;font-size:11pt\">\n{paragraphs}<p><img src=\"cid:{cid}\" width=\"420\" height=\"280\" alt=\"\"></p>\n</body></html>\n"
        ));
        mail.inline.push(File {
            name: "image001.png".to_owned(),
            content_type: "image/png",
            octets: files::png(420, 280, &mail.subject),
            cid: Some(cid),
        });
    }
}

fn attachment(kind: &str, name: &str, subject: &str) -> File {
    let page = || {
        let lines: Vec<String> = [
            subject,
            "",
            "This document belongs to the demonstration mail of the sandbox.",
            "Everything in it is invented.",
        ]
        .map(str::to_owned)
        .to_vec();
        files::pdf(name.trim_end_matches(".pdf"), &lines)
    };
    let (content_type, octets) = match kind {
        "csv" => ("text/csv", files::csv(name)),
        "zip" => {
            let pdf = page();
            let readme = b"Version 2: the picture is larger, the error is honest.\r\n";
            let members: [(&str, &[u8]); 2] = [("datasheet-v2.pdf", &pdf), ("README.txt", readme)];
            ("application/zip", files::zip(&members))
        }
        _ => ("application/pdf", page()),
    };
    File {
        name: name.to_owned(),
        content_type,
        octets,
        cid: None,
    }
}

/// Text for HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
