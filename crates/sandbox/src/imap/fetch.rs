//! FETCH (RFC 3501 §6.4.5).

use std::io;
use std::sync::Arc;

use imap_codec::imap_types::IntoStatic as _;
use imap_codec::imap_types::core::{AString, Vec1};
use imap_codec::imap_types::fetch::{
    MacroOrMessageDataItemNames, MessageDataItemName as Item, Part as PartNumbers, Section,
};
use imap_codec::imap_types::sequence::SequenceSet;

use super::connection::Open;
use super::folders::refused;
use super::mime::{Content, Fields, Part};
use super::reply::Reply;
use super::selected::Target;
use super::wire::Wire;
use super::{structure, syntax};
use crate::mailstore::{Entry, Flags, FolderId, Mailbox, StoreError};

/// Answers in batches: at most [`BATCH`] octets and one message are in memory, however much is asked for.
pub(super) async fn fetch(
    open: &mut Open,
    wire: &mut Wire,
    set: &SequenceSet,
    items: MacroOrMessageDataItemNames<'_>,
    by_uid: bool,
) -> io::Result<Reply> {
    let Some(selected) = &open.selected else {
        return Ok(Reply::invalid_state());
    };
    let items: Vec<Item<'static>> = match items {
        MacroOrMessageDataItemNames::Macro(shorthand) => shorthand.expand().into_static(),
        MacroOrMessageDataItemNames::MessageDataItemNames(items) => items.into_static(),
    };
    let unknown = items
        .iter()
        .any(|item| matches!(item, Item::Binary { .. } | Item::BinarySize { .. }));
    if unknown || items.len() > MAX_ITEMS {
        return Ok(Reply::invalid_argument());
    }
    let Some(targets) = selected.resolve(set, by_uid) else {
        return Ok(Reply::Bad("The specified message set is invalid.".into()));
    };
    let mut job = Job {
        mailbox: open.mailbox.clone(),
        folder: selected.folder,
        marks_seen: !selected.read_only && items.iter().any(marks_seen),
        items,
        by_uid,
        targets,
        next: 0,
        seen: Vec::new(),
    };
    while job.next < job.targets.len() {
        let (returned, answer) = tokio::task::spawn_blocking(move || {
            let answer = job.batch();
            (job, answer)
        })
        .await
        .map_err(io::Error::other)?;
        job = returned;
        let (octets, failure) = answer;
        if let Some(selected) = &mut open.selected {
            for (uid, flags) in job.seen.drain(..) {
                selected.note_flags(uid, flags);
            }
        }
        wire.push(&octets);
        wire.flush().await?;
        if let Some(error) = failure {
            return Ok(refused(&error));
        }
    }
    Ok(Reply::done("FETCH"))
}

struct Job {
    mailbox: Arc<Mailbox>,
    folder: FolderId,
    items: Vec<Item<'static>>,
    by_uid: bool,
    marks_seen: bool,
    targets: Vec<Target>,
    next: usize,
    /// Messages that became `\Seen`, with their flags.
    seen: Vec<(u32, Flags)>,
}

impl Job {
    /// The next messages, and what stopped it if anything did.
    fn batch(&mut self) -> (Vec<u8>, Option<StoreError>) {
        let mut out = Vec::new();
        while out.len() < BATCH
            && let Some(target) = self.targets.get(self.next).copied()
        {
            self.next += 1;
            let before = out.len();
            if let Err(error) = self.message(target, &mut out) {
                out.truncate(before);
                return (out, Some(error));
            }
        }
        (out, None)
    }

    fn message(&mut self, target: Target, out: &mut Vec<u8>) -> Result<(), StoreError> {
        let entry = self
            .mailbox
            .look(self.folder, |folder| folder.entry(target.uid).copied());
        let Some(mut entry) = entry.flatten() else {
            // Expunged by another session: the client learns of it when it may.
            return Ok(());
        };
        let turns_seen = self.marks_seen && !entry.flags.contains(Flags::SEEN);
        if turns_seen {
            self.mailbox
                .store(self.folder, &[entry.uid], |flags| flags | Flags::SEEN)?;
            entry.flags |= Flags::SEEN;
            self.seen.push((entry.uid, entry.flags));
        }
        let mut message = Message {
            mailbox: &self.mailbox,
            entry,
            header: None,
            whole: None,
        };
        out.extend_from_slice(format!("* {} FETCH (", target.sequence).as_bytes());
        let mut first = true;
        let uid = (self.by_uid && !self.items.contains(&Item::Uid)).then_some(Item::Uid);
        let flags = (turns_seen && !self.items.contains(&Item::Flags)).then_some(Item::Flags);
        for item in uid.iter().chain(&self.items).chain(&flags) {
            if !std::mem::take(&mut first) {
                out.push(b' ');
            }
            message.item(item, out)?;
        }
        out.extend_from_slice(b")\r\n");
        Ok(())
    }
}

/// A message of which only so much is read as is asked for.
struct Message<'a> {
    mailbox: &'a Mailbox,
    entry: Entry,
    header: Option<Vec<u8>>,
    whole: Option<(Vec<u8>, Part)>,
}

impl Message<'_> {
    fn item(&mut self, item: &Item<'_>, out: &mut Vec<u8>) -> Result<(), StoreError> {
        let entry = self.entry;
        match item {
            Item::Uid => out.extend_from_slice(format!("UID {}", entry.uid).as_bytes()),
            Item::Flags => {
                out.extend_from_slice(b"FLAGS ");
                syntax::flags(out, entry.flags);
            }
            Item::InternalDate => {
                let date = syntax::date_time(entry.internal_date);
                out.extend_from_slice(format!("INTERNALDATE {date}").as_bytes());
            }
            Item::Rfc822Size => {
                out.extend_from_slice(format!("RFC822.SIZE {}", entry.size).as_bytes());
            }
            Item::Envelope => {
                out.extend_from_slice(b"ENVELOPE ");
                structure::envelope(out, self.header()?);
            }
            Item::Body | Item::BodyStructure => {
                let extended = matches!(item, Item::BodyStructure);
                out.extend_from_slice(if extended {
                    b"BODYSTRUCTURE "
                } else {
                    b"BODY "
                });
                let (message, part) = self.whole()?;
                structure::body(out, message, part, extended);
            }
            Item::Rfc822 => {
                out.extend_from_slice(b"RFC822 ");
                syntax::literal(out, &self.mailbox.read(&entry, 0, entry.size)?);
            }
            Item::Rfc822Header => {
                out.extend_from_slice(b"RFC822.HEADER ");
                syntax::literal(out, self.header()?);
            }
            Item::Rfc822Text => {
                out.extend_from_slice(b"RFC822.TEXT ");
                let text = self.mailbox.read(&entry, entry.header_size, entry.size)?;
                syntax::literal(out, &text);
            }
            Item::BodyExt {
                section, partial, ..
            } => {
                let window = partial.map(|(offset, length)| (offset, length.get()));
                self.section(section.as_ref(), window, out)?;
            }
            // Refused before: BINARY is not offered.
            _ => {}
        }
        Ok(())
    }

    /// `BODY[section]<origin> {n}`
    fn section(
        &mut self,
        section: Option<&Section<'_>>,
        partial: Option<(u32, u32)>,
        out: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        out.extend_from_slice(b"BODY[");
        section_name(section, out);
        out.push(b']');
        if let Some((offset, _)) = partial {
            out.extend_from_slice(format!("<{offset}>").as_bytes());
        }
        out.push(b' ');
        let entry = self.entry;
        let (offset, length) = partial.unwrap_or((0, u32::MAX));
        // Windows into the message or its text need no parsing and no more memory than they show.
        let start = match section {
            None => Some(0),
            Some(Section::Text(None)) => Some(entry.header_size),
            _ => None,
        };
        if let Some(start) = start {
            let octets = match start.checked_add(offset) {
                Some(from) => self.mailbox.read(&entry, from, length)?,
                None => Vec::new(),
            };
            syntax::literal(out, &octets);
            return Ok(());
        }
        match self.octets(section)? {
            Some(octets) => {
                let rest = octets.get(offset as usize..).unwrap_or_default();
                let end = rest.len().min(length as usize);
                syntax::literal(out, rest.get(..end).unwrap_or_default());
            }
            None => out.extend_from_slice(b"NIL"),
        }
        Ok(())
    }

    /// The octets of a section that is not the whole or its text; `None` where there is no such part.
    fn octets(&mut self, section: Option<&Section<'_>>) -> Result<Option<Vec<u8>>, StoreError> {
        let slice = |message: &[u8], range: std::ops::Range<usize>| {
            message.get(range).unwrap_or_default().to_vec()
        };
        Ok(match section {
            None | Some(Section::Text(None)) => None,
            Some(Section::Header(None)) => Some(self.header()?.to_vec()),
            Some(Section::HeaderFields(None, names)) => Some(fields(self.header()?, names, true)),
            Some(Section::HeaderFieldsNot(None, names)) => {
                Some(fields(self.header()?, names, false))
            }
            Some(Section::Part(numbers)) => {
                let (message, root) = self.whole()?;
                find(root, numbers).map(|part| slice(message, part.body.clone()))
            }
            Some(Section::Mime(numbers)) => {
                let (message, root) = self.whole()?;
                find(root, numbers).map(|part| slice(message, part.header.clone()))
            }
            Some(Section::Header(Some(numbers))) => {
                let (message, root) = self.whole()?;
                inner(root, numbers).map(|inner| slice(message, inner.header.clone()))
            }
            Some(Section::Text(Some(numbers))) => {
                let (message, root) = self.whole()?;
                inner(root, numbers).map(|inner| slice(message, inner.body.clone()))
            }
            Some(Section::HeaderFields(Some(numbers), names)) => {
                let (message, root) = self.whole()?;
                inner(root, numbers).map(|inner| {
                    fields(
                        message.get(inner.header.clone()).unwrap_or_default(),
                        names,
                        true,
                    )
                })
            }
            Some(Section::HeaderFieldsNot(Some(numbers), names)) => {
                let (message, root) = self.whole()?;
                inner(root, numbers).map(|inner| {
                    fields(
                        message.get(inner.header.clone()).unwrap_or_default(),
                        names,
                        false,
                    )
                })
            }
        })
    }

    fn header(&mut self) -> Result<&[u8], StoreError> {
        let header = match self.header.take() {
            Some(header) => header,
            None => self.mailbox.read(&self.entry, 0, self.entry.header_size)?,
        };
        Ok(self.header.insert(header))
    }

    fn whole(&mut self) -> Result<(&[u8], &Part), StoreError> {
        let whole = match self.whole.take() {
            Some(whole) => whole,
            None => {
                let message = self.mailbox.read(&self.entry, 0, self.entry.size)?;
                let part = Part::parse(&message);
                (message, part)
            }
        };
        let (message, part) = self.whole.insert(whole);
        Ok((message, part))
    }
}

fn find<'a>(root: &'a Part, numbers: &PartNumbers) -> Option<&'a Part> {
    root.find(numbers.0.as_ref().iter().map(|number| number.get()))
}

/// The message within a part of type message/rfc822.
fn inner<'a>(root: &'a Part, numbers: &PartNumbers) -> Option<&'a Part> {
    match &find(root, numbers)?.content {
        Content::Message(inner) => Some(inner),
        _ => None,
    }
}

/// The fields named (or not named), as they stand, and an empty line.
fn fields(header: &[u8], names: &Vec1<AString<'_>>, named: bool) -> Vec<u8> {
    let mut octets = Vec::new();
    for field in Fields::new(header).iter() {
        let is_named = names
            .as_ref()
            .iter()
            .any(|name| field.name.eq_ignore_ascii_case(name.as_ref()));
        if is_named == named {
            octets.extend_from_slice(field.octets);
        }
    }
    octets.extend_from_slice(b"\r\n");
    octets
}

fn section_name(section: Option<&Section<'_>>, out: &mut Vec<u8>) {
    let Some(section) = section else { return };
    let (numbers, word, names) = match section {
        Section::Part(numbers) => (Some(numbers), "", None),
        Section::Header(numbers) => (numbers.as_ref(), "HEADER", None),
        Section::HeaderFields(numbers, names) => (numbers.as_ref(), "HEADER.FIELDS", Some(names)),
        Section::HeaderFieldsNot(numbers, names) => {
            (numbers.as_ref(), "HEADER.FIELDS.NOT", Some(names))
        }
        Section::Text(numbers) => (numbers.as_ref(), "TEXT", None),
        Section::Mime(numbers) => (Some(numbers), "MIME", None),
    };
    let mut pieces: Vec<String> = numbers
        .iter()
        .flat_map(|numbers| numbers.0.as_ref())
        .map(ToString::to_string)
        .collect();
    if !word.is_empty() {
        pieces.push(word.to_owned());
    }
    out.extend_from_slice(pieces.join(".").as_bytes());
    if let Some(names) = names {
        for (at, name) in names.as_ref().iter().enumerate() {
            out.extend_from_slice(if at == 0 { b" (" } else { b" " });
            match std::str::from_utf8(name.as_ref()) {
                Ok(name) => syntax::astring(out, name),
                Err(_) => syntax::string(out, name.as_ref()),
            }
        }
        out.push(b')');
    }
}

fn marks_seen(item: &Item<'_>) -> bool {
    matches!(
        item,
        Item::BodyExt { peek: false, .. } | Item::Rfc822 | Item::Rfc822Text
    )
}

const BATCH: usize = 256 << 10;
const MAX_ITEMS: usize = 200;
