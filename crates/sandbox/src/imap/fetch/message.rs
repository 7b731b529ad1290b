//! One message of FETCH: its items.

use std::ops::Range;

use imap_codec::imap_types::core::{AString, Vec1};
use imap_codec::imap_types::fetch::Part as PartNumbers;

use super::super::mime::{Content, Fields, Part};
use super::super::{structure, syntax};
use super::{Entry, Item, Mailbox, Section, Spoil, StoreError, number};
use crate::mailstore::Note;

/// Where the parts of a message are. Clients ask for one part after the other, and for large ones in windows.
pub(in crate::imap) struct Structure {
    position: u64,
    root: Part,
}

/// A message of which only so much is read as is asked for.
pub(super) struct Message<'a> {
    mailbox: &'a Mailbox,
    entry: Entry,
    header: Option<Vec<u8>>,
    whole: Option<Vec<u8>>,
    structure: &'a mut Option<Structure>,
    spoil: &'a Spoil,
}

/// What a section stands for.
enum Octets {
    /// A piece of the message as it stands.
    Piece(Range<usize>),
    /// Made of it.
    Made(Vec<u8>),
}

impl<'a> Message<'a> {
    pub(super) fn new(
        mailbox: &'a Mailbox,
        entry: Entry,
        structure: &'a mut Option<Structure>,
        spoil: &'a Spoil,
    ) -> Self {
        Message {
            mailbox,
            entry,
            header: None,
            whole: None,
            structure,
            spoil,
        }
    }

    pub(super) fn item(&mut self, item: &Item<'_>, out: &mut Vec<u8>) -> Result<(), StoreError> {
        let entry = self.entry;
        match item {
            Item::Uid => number(out, b"UID ", entry.uid),
            Item::Flags => {
                out.extend_from_slice(b"FLAGS ");
                syntax::flags(out, entry.flags);
            }
            Item::InternalDate => {
                out.extend_from_slice(b"INTERNALDATE ");
                out.extend_from_slice(syntax::date_time(entry.internal_date).as_bytes());
            }
            Item::Rfc822Size => number(out, b"RFC822.SIZE ", entry.size),
            Item::Envelope => {
                out.extend_from_slice(b"ENVELOPE ");
                if self.spoil.hosts() {
                    let notes = self.mailbox.notes();
                    notes.write(entry.position(), Note::Envelope, out, |out| {
                        structure::envelope(out, self.header()?, true);
                        Ok(())
                    })?;
                } else {
                    structure::envelope(out, self.header()?, false);
                }
            }
            Item::Body => {
                out.extend_from_slice(b"BODY ");
                self.body(out, false)?;
            }
            Item::BodyStructure => {
                out.extend_from_slice(b"BODYSTRUCTURE ");
                let notes = self.mailbox.notes();
                notes.write(entry.position(), Note::BodyStructure, out, |out| {
                    self.body(out, true)
                })?;
            }
            Item::Rfc822 => {
                out.extend_from_slice(b"RFC822 ");
                self.window(0, 0, u32::MAX, out)?;
            }
            Item::Rfc822Header => {
                out.extend_from_slice(b"RFC822.HEADER ");
                syntax::literal(out, self.header()?);
            }
            Item::Rfc822Text => {
                out.extend_from_slice(b"RFC822.TEXT ");
                self.window(entry.header_size, 0, u32::MAX, out)?;
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

    fn body(&mut self, out: &mut Vec<u8>, extended: bool) -> Result<(), StoreError> {
        self.root()?;
        self.whole()?;
        if let (Some(message), Some(found)) = (&self.whole, &*self.structure) {
            structure::body(out, message, &found.root, extended);
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
            number(out, b"<", offset);
            out.push(b'>');
        }
        out.push(b' ');
        let (offset, length) = partial.unwrap_or((0, u32::MAX));
        let start = match section {
            None => Some(0),
            Some(Section::Text(None)) => Some(self.entry.header_size),
            _ => None,
        };
        if let Some(start) = start {
            return self.window(start, offset, length, out);
        }
        match self.octets(section)? {
            Some(Octets::Piece(range)) => {
                // A message is shorter than 4 GiB.
                let [start, end] =
                    [range.start, range.end].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
                let length = length.min(end.saturating_sub(start).saturating_sub(offset));
                self.window(start, offset, length, out)?;
            }
            Some(Octets::Made(octets)) => {
                let rest = octets.get(offset as usize..).unwrap_or_default();
                let end = rest.len().min(length as usize);
                syntax::literal(out, rest.get(..end).unwrap_or_default());
            }
            None => out.extend_from_slice(b"NIL"),
        }
        Ok(())
    }

    /// A window into the message: needs no more memory than it shows.
    fn window(
        &self,
        start: u32,
        offset: u32,
        length: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let from = start.saturating_add(offset);
        let length = length.min(self.entry.size.saturating_sub(from));
        number(out, b"{", length);
        out.extend_from_slice(b"}\r\n");
        self.mailbox.read_into(&self.entry, from, length, out)
    }

    /// The octets of a section that is not the whole or its text; `None` where there is no such part.
    fn octets(&mut self, section: Option<&Section<'_>>) -> Result<Option<Octets>, StoreError> {
        Ok(match section {
            None | Some(Section::Text(None)) => None,
            Some(Section::Header(None)) => Some(Octets::Piece(0..self.entry.header_size as usize)),
            Some(Section::HeaderFields(None, names)) => {
                Some(Octets::Made(fields(self.header()?, names, true)))
            }
            Some(Section::HeaderFieldsNot(None, names)) => {
                Some(Octets::Made(fields(self.header()?, names, false)))
            }
            Some(Section::Part(numbers)) => {
                find(self.root()?, numbers).map(|part| Octets::Piece(part.body.clone()))
            }
            Some(Section::Mime(numbers)) => {
                find(self.root()?, numbers).map(|part| Octets::Piece(part.header.clone()))
            }
            Some(Section::Header(Some(numbers))) => {
                inner(self.root()?, numbers).map(|inner| Octets::Piece(inner.header.clone()))
            }
            Some(Section::Text(Some(numbers))) => {
                inner(self.root()?, numbers).map(|inner| Octets::Piece(inner.body.clone()))
            }
            Some(Section::HeaderFields(Some(numbers), names)) => {
                self.inner_fields(numbers, names, true)?
            }
            Some(Section::HeaderFieldsNot(Some(numbers), names)) => {
                self.inner_fields(numbers, names, false)?
            }
        })
    }

    fn inner_fields(
        &mut self,
        numbers: &PartNumbers,
        names: &Vec1<AString<'_>>,
        named: bool,
    ) -> Result<Option<Octets>, StoreError> {
        let Some(range) = inner(self.root()?, numbers).map(|inner| inner.header.clone()) else {
            return Ok(None);
        };
        let message = self.whole()?;
        let header = message.get(range).unwrap_or_default();
        Ok(Some(Octets::Made(fields(header, names, named))))
    }

    fn header(&mut self) -> Result<&[u8], StoreError> {
        let header = match self.header.take() {
            Some(header) => header,
            None => self.mailbox.read(&self.entry, 0, self.entry.header_size)?,
        };
        Ok(self.header.insert(header))
    }

    fn whole(&mut self) -> Result<&[u8], StoreError> {
        let whole = match self.whole.take() {
            Some(whole) => whole,
            None => self.mailbox.read(&self.entry, 0, self.entry.size)?,
        };
        Ok(self.whole.insert(whole))
    }

    fn root(&mut self) -> Result<&Part, StoreError> {
        let position = self.entry.position();
        let known = self
            .structure
            .take()
            .filter(|structure| structure.position == position);
        let structure = match known {
            Some(structure) => structure,
            None => Structure {
                position,
                root: Part::parse(self.whole()?),
            },
        };
        Ok(&self.structure.insert(structure).root)
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
