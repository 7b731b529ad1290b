use std::collections::HashSet;

use mail_parser::{MessageParser, MimeHeaders as _};

use super::*;

const NOW: UnixTime = UnixTime(1_795_000_000);

fn users() -> Vec<User> {
    [
        ("ada.finch@tarnbrook.test", "Ada Finch"),
        ("bruno.keller@tarnbrook.test", "Bruno Keller"),
        ("chiara.moretti@tarnbrook.test", "Chiara Moretti"),
        ("dev.okafor@tarnbrook.test", "Dev Okafor"),
    ]
    .map(|(address, name)| User {
        address: address.into(),
        display_name: name.into(),
    })
    .to_vec()
}

fn seeded() -> (tempfile::TempDir, MailStore, usize) {
    let directory = tempfile::tempdir().unwrap();
    let store = MailStore::open(directory.path(), NOW).unwrap();
    let delivered = deliver(&store, &users(), NOW).unwrap();
    (directory, store, delivered)
}

fn all(store: &MailStore, address: &str) -> Vec<(String, Flags, UnixTime, Vec<u8>)> {
    let mailbox = store.mailbox(address).unwrap();
    let mut all = Vec::new();
    for folder in mailbox.folders() {
        for entry in mailbox.folder(&folder.path).unwrap().entries() {
            let octets = mailbox.read(entry, 0, u32::MAX).unwrap();
            all.push((
                folder.path.clone(),
                entry.flags,
                entry.internal_date,
                octets,
            ));
        }
    }
    all
}

#[test]
fn it_is_the_same_every_time_and_only_once() {
    let (_first_directory, first, delivered) = seeded();
    let (_second_directory, second, _) = seeded();
    assert!((350..900).contains(&delivered), "{delivered}");
    for user in users() {
        assert_eq!(all(&first, &user.address), all(&second, &user.address));
    }
    assert_eq!(
        deliver(&first, &users(), NOW).unwrap(),
        0,
        "mailboxes with mail are left alone"
    );
}

#[test]
fn the_first_screen_looks_like_an_inbox() {
    let (_directory, store, _) = seeded();
    let mailbox = store.mailbox("ada.finch@tarnbrook.test").unwrap();
    let inbox = mailbox.folder("INBOX").unwrap();
    assert!(inbox.entries().len() > 80, "{}", inbox.entries().len());
    let newest: Vec<_> = inbox.entries().iter().rev().take(20).collect();
    assert!(
        newest
            .iter()
            .all(|entry| NOW.since(entry.internal_date).as_secs() < 12 * 3_600)
    );
    let unseen = newest
        .iter()
        .filter(|entry| !entry.flags.contains(Flags::SEEN))
        .count();
    assert!((4..20).contains(&unseen), "{unseen}");
    let subjects: HashSet<String> = newest
        .iter()
        .map(|entry| {
            let octets = mailbox.read(entry, 0, u32::MAX).unwrap();
            MessageParser::default()
                .parse(&octets)
                .unwrap()
                .subject()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert!(subjects.len() >= 18, "{subjects:?}");
    for folder in [
        "Drafts",
        "Sent Items",
        "Junk Email",
        "Deleted Items",
        "Archive",
        "Newsletters",
        "Receipts",
        "Projects/Builds",
        "Küche & Garten",
    ] {
        assert!(
            !mailbox.folder(folder).unwrap().entries().is_empty(),
            "{folder}"
        );
    }
}

#[test]
fn every_message_can_be_read_back() {
    let (_directory, store, _) = seeded();
    let mut charsets = HashSet::new();
    let mut types = HashSet::new();
    let mut ids = HashSet::new();
    for (_, _, at, octets) in all(&store, "ada.finch@tarnbrook.test") {
        let text = String::from_utf8_lossy(&octets);
        for line in text.split("\r\n") {
            assert!(line.len() <= 998 && !line.contains('\n'), "{line}");
        }
        let header = text.split("\r\n\r\n").next().unwrap();
        assert!(header.is_ascii(), "{header}");
        assert!(
            header.split("\r\n").all(|line| line.len() <= 200),
            "{header}"
        );
        let message = MessageParser::default().parse(&octets).unwrap();
        let subject = message.subject().unwrap();
        assert!(
            !subject.contains("=?") && !subject.contains('\u{FFFD}'),
            "{subject}"
        );
        assert!(
            !message.body_text(0).unwrap().contains('\u{FFFD}'),
            "{subject}"
        );
        assert!(!message.body_text(0).unwrap().contains("{me"), "{subject}");
        assert_eq!(message.date().unwrap().to_timestamp(), at.0, "{subject}");
        assert!(
            ids.insert(message.message_id().unwrap().to_owned()),
            "{subject}"
        );
        let from = message
            .from()
            .unwrap()
            .first()
            .unwrap()
            .address()
            .unwrap()
            .to_owned();
        assert!(
            from.ends_with(".example") || from.ends_with(".test"),
            "{from}"
        );
        for part in &message.parts {
            if let Some(kind) = part.content_type() {
                types.insert(format!("{}/{}", kind.ctype(), kind.subtype().unwrap()));
                charsets.extend(kind.attribute("charset").map(str::to_owned));
            }
        }
    }
    for charset in [
        "utf-8",
        "iso-8859-7",
        "koi8-r",
        "windows-1251",
        "windows-1255",
        "windows-1256",
        "gb18030",
        "big5",
        "euc-kr",
        "shift_jis",
        "iso-2022-jp",
        "iso-8859-2",
        "windows-874",
    ] {
        assert!(charsets.contains(charset), "{charset} {charsets:?}");
    }
    for kind in [
        "multipart/alternative",
        "multipart/related",
        "multipart/mixed",
        "application/pdf",
        "application/zip",
        "text/csv",
        "text/calendar",
        "image/png",
        "application/ics",
    ] {
        assert!(types.contains(kind), "{kind} {types:?}");
    }
}

#[test]
fn threads_hang_together() {
    let (_directory, store, _) = seeded();
    let mails = all(&store, "ada.finch@tarnbrook.test");
    let parsed: Vec<_> = mails
        .iter()
        .map(|(folder, flags, _, octets)| {
            (
                folder,
                flags,
                MessageParser::default().parse(octets).unwrap(),
            )
        })
        .collect();
    let ids: HashSet<&str> = parsed
        .iter()
        .map(|(_, _, message)| message.message_id().unwrap())
        .collect();
    let mut replies = 0;
    for (folder, flags, message) in &parsed {
        if let Some(parent) = message.in_reply_to().as_text() {
            replies += 1;
            assert!(ids.contains(parent), "{:?}", message.subject());
            assert!(message.subject().unwrap().starts_with("Re: "));
        }
        if *folder == "Sent Items" {
            assert!(flags.contains(Flags::SEEN));
        }
    }
    assert!(replies > 25, "{replies}");
    assert!(
        parsed
            .iter()
            .any(|(_, flags, _)| flags.contains(Flags::ANSWERED))
    );
    assert!(
        parsed
            .iter()
            .any(|(_, flags, _)| flags.contains(Flags::FLAGGED))
    );
}

#[test]
fn the_files_are_what_they_say() {
    let pdf = files::pdf("Größe (m²)", &["a\\b".to_owned()]);
    let text = String::from_utf8(pdf.clone()).unwrap();
    let table: usize = text
        .rsplit("startxref\n")
        .next()
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(text[table..].starts_with("xref\n0 7\n"));
    for (number, line) in text[table..].lines().skip(3).take(6).enumerate() {
        let offset: usize = line[..10].parse().unwrap();
        assert!(text[offset..].starts_with(&format!("{} 0 obj", number + 1)));
    }
    let png = files::png(20, 10, "x");
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png.ends_with(b"IEND\xae\x42\x60\x82"));
    let zip = files::zip(&[("a.txt", b"hello"), ("b.txt", b"")]);
    assert!(zip.starts_with(b"PK\x03\x04") && zip.ends_with(&[0, 0]));
}
