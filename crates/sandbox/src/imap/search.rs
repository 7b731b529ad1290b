//! SEARCH (RFC 3501 §6.4.4): headers are decoded (RFC 2047), bodies too (transfer encoding and charset), case is
//! ignored, and a message is read only if the cheap conditions leave the question open.

mod text;

use imap_codec::imap_types::core::{AString, Charset, Vec1};
use imap_codec::imap_types::datetime::NaiveDate;
use imap_codec::imap_types::search::SearchKey;

use super::folders::refused;
use super::open::Open;
use super::reply::Reply;
use super::selected::{Selected, Target};
use super::wire::Wire;
use crate::mailstore::{Entry, Flags, Mailbox, StoreError};
use text::Text;

pub(super) async fn search(
    open: &mut Open,
    wire: &mut Wire,
    charset: Option<&Charset<'_>>,
    criteria: Vec1<SearchKey<'_>>,
    by_uid: bool,
) -> Reply {
    let Some(selected) = &open.selected else {
        return Reply::invalid_state();
    };
    if let Some(charset) = charset {
        let name = charset.as_ref();
        if !name.eq_ignore_ascii_case("UTF-8") && !name.eq_ignore_ascii_case("US-ASCII") {
            return Reply::No(
                "[BADCHARSET (US-ASCII UTF-8)] The specified charset is not supported.".into(),
            );
        }
    }
    let Some(key) = Key::all(&criteria, selected) else {
        return Reply::invalid_argument();
    };
    let (mailbox, folder) = (open.mailbox.clone(), selected.folder);
    let targets: Vec<Target> = selected.all().collect();
    let found = tokio::task::spawn_blocking(move || {
        let entries: Vec<Option<Entry>> = mailbox
            .look(folder, |folder| {
                targets
                    .iter()
                    .map(|target| folder.entry(target.uid).copied())
                    .collect()
            })
            .unwrap_or_default();
        let mut found = Vec::new();
        for (target, entry) in targets.iter().zip(entries) {
            let Some(entry) = entry else { continue };
            let mut candidate = Candidate {
                mailbox: &mailbox,
                target: *target,
                entry,
                text: None,
            };
            if candidate.satisfies(&key)? {
                found.push(if by_uid { target.uid } else { target.sequence });
            }
        }
        Ok::<Vec<u32>, StoreError>(found)
    });
    match found.await {
        Ok(Ok(found)) => {
            let out = wire.output();
            out.extend_from_slice(b"* SEARCH");
            for number in found {
                out.extend_from_slice(format!(" {number}").as_bytes());
            }
            out.extend_from_slice(b"\r\n");
            Reply::done("SEARCH")
        }
        Ok(Err(error)) => refused(&error),
        Err(_) => Reply::No("[UNAVAILABLE] Server Unavailable. 15".into()),
    }
}

/// A search key, made ready: sets resolved, texts in lower case, dates as days.
enum Key {
    Everything,
    And(Vec<Key>),
    Or(Box<(Key, Key)>),
    Not(Box<Key>),
    Has(Flags),
    Sequence(Vec<(u32, u32)>),
    Uid(Vec<(u32, u32)>),
    Larger(u32),
    Smaller(u32),
    /// Days since 1970 of the internal date, from and up to but not including.
    Arrived(i64, i64),
    /// The same of the Date field.
    Sent(i64, i64),
    /// A field of any of the names holds the text.
    Header(Vec<String>, String),
    Body(String),
    Text(String),
}

impl Key {
    fn all(keys: &Vec1<SearchKey<'_>>, selected: &Selected) -> Option<Key> {
        let mut keys: Vec<Key> = keys
            .as_ref()
            .iter()
            .map(|key| Key::new(key, selected))
            .collect::<Option<_>>()?;
        // What is known without reading is asked first.
        keys.sort_by_key(Key::cost);
        Some(Key::And(keys))
    }

    /// `None` for what is not understood: a text that is no UTF-8, a key of an extension that is not offered.
    fn new(key: &SearchKey<'_>, selected: &Selected) -> Option<Key> {
        let header =
            |name: &str, text: &AString<'_>| Some(Key::Header(vec![name.to_owned()], lower(text)?));
        let not = |key: Key| Key::Not(Box::new(key));
        Some(match key {
            SearchKey::And(keys) => Key::all(keys, selected)?,
            SearchKey::Or(left, right) => Key::Or(Box::new((
                Key::new(left, selected)?,
                Key::new(right, selected)?,
            ))),
            SearchKey::Not(key) => not(Key::new(key, selected)?),
            SearchKey::All | SearchKey::Old => Key::Everything,
            SearchKey::New | SearchKey::Recent => not(Key::Everything),
            SearchKey::Answered => Key::Has(Flags::ANSWERED),
            SearchKey::Deleted => Key::Has(Flags::DELETED),
            SearchKey::Draft => Key::Has(Flags::DRAFT),
            SearchKey::Flagged => Key::Has(Flags::FLAGGED),
            SearchKey::Seen => Key::Has(Flags::SEEN),
            SearchKey::Unanswered => not(Key::Has(Flags::ANSWERED)),
            SearchKey::Undeleted => not(Key::Has(Flags::DELETED)),
            SearchKey::Undraft => not(Key::Has(Flags::DRAFT)),
            SearchKey::Unflagged => not(Key::Has(Flags::FLAGGED)),
            SearchKey::Unseen => not(Key::Has(Flags::SEEN)),
            SearchKey::Keyword(name) => match Flags::from_name(name.as_ref()) {
                Some(flag) => Key::Has(flag),
                None => not(Key::Everything),
            },
            SearchKey::Unkeyword(name) => match Flags::from_name(name.as_ref()) {
                Some(flag) => not(Key::Has(flag)),
                None => Key::Everything,
            },
            SearchKey::SequenceSet(set) => Key::Sequence(selected.ranges(set, false)),
            SearchKey::Uid(set) => Key::Uid(selected.ranges(set, true)),
            SearchKey::Larger(size) => Key::Larger(*size),
            SearchKey::Smaller(size) => Key::Smaller(*size),
            SearchKey::Before(date) => Key::Arrived(i64::MIN, day(date)?),
            SearchKey::On(date) => Key::Arrived(day(date)?, day(date)? + 1),
            SearchKey::Since(date) => Key::Arrived(day(date)?, i64::MAX),
            SearchKey::SentBefore(date) => Key::Sent(i64::MIN, day(date)?),
            SearchKey::SentOn(date) => Key::Sent(day(date)?, day(date)? + 1),
            SearchKey::SentSince(date) => Key::Sent(day(date)?, i64::MAX),
            SearchKey::From(text) => header("From", text)?,
            SearchKey::To(text) => header("To", text)?,
            SearchKey::Cc(text) => header("Cc", text)?,
            SearchKey::Bcc(text) => header("Bcc", text)?,
            SearchKey::Subject(text) => header("Subject", text)?,
            SearchKey::Header(name, text) => {
                header(std::str::from_utf8(name.as_ref()).ok()?, text)?
            }
            SearchKey::Body(text) => Key::Body(lower(text)?),
            SearchKey::Text(text) => Key::Text(lower(text)?),
            #[expect(
                unreachable_patterns,
                reason = "other keys exist when other features of imap-codec are on"
            )]
            _ => return None,
        })
    }

    fn cost(&self) -> u32 {
        match self {
            Key::And(keys) => keys.iter().map(Key::cost).max().unwrap_or(0),
            Key::Or(keys) => keys.0.cost().max(keys.1.cost()),
            Key::Not(key) => key.cost(),
            Key::Sent(..) | Key::Header(..) => 1,
            Key::Body(_) | Key::Text(_) => 2,
            _ => 0,
        }
    }
}

struct Candidate<'a> {
    mailbox: &'a Mailbox,
    target: Target,
    entry: Entry,
    text: Option<Text>,
}

impl Candidate<'_> {
    fn satisfies(&mut self, key: &Key) -> Result<bool, StoreError> {
        let within = |ranges: &[(u32, u32)], number: u32| {
            ranges
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&number))
        };
        Ok(match key {
            Key::Everything => true,
            Key::And(keys) => {
                for key in keys {
                    if !self.satisfies(key)? {
                        return Ok(false);
                    }
                }
                true
            }
            Key::Or(keys) => self.satisfies(&keys.0)? || self.satisfies(&keys.1)?,
            Key::Not(key) => !self.satisfies(key)?,
            Key::Has(flags) => self.entry.flags.contains(*flags),
            Key::Sequence(ranges) => within(ranges, self.target.sequence),
            Key::Uid(ranges) => within(ranges, self.target.uid),
            Key::Larger(size) => self.entry.size > *size,
            Key::Smaller(size) => self.entry.size < *size,
            Key::Arrived(from, to) => {
                let day = self.entry.internal_date.0.div_euclid(DAY);
                (*from..*to).contains(&day)
            }
            Key::Sent(from, to) => {
                let sent = self.text()?.sent_day();
                sent.is_some_and(|day| (*from..*to).contains(&day))
            }
            Key::Header(names, text) => {
                let (names, text) = (names.clone(), text.clone());
                self.text()?.header_contains(&names, &text)
            }
            Key::Body(needle) => self.with_body()?.body_contains(needle),
            Key::Text(needle) => {
                self.text()?.any_header_contains(needle) || self.with_body()?.body_contains(needle)
            }
        })
    }

    fn text(&mut self) -> Result<&mut Text, StoreError> {
        let text = match self.text.take() {
            Some(text) => text,
            None => Text::new(self.mailbox.read(&self.entry, 0, self.entry.header_size)?),
        };
        Ok(self.text.insert(text))
    }

    fn with_body(&mut self) -> Result<&mut Text, StoreError> {
        let (mailbox, entry) = (self.mailbox, self.entry);
        let text = self.text()?;
        if !text.has_body() {
            text.read_body(&mailbox.read(&entry, 0, entry.size)?);
        }
        Ok(text)
    }
}

fn lower(text: &AString<'_>) -> Option<String> {
    Some(std::str::from_utf8(text.as_ref()).ok()?.to_lowercase())
}

/// Days since 1970.
fn day(date: &NaiveDate) -> Option<i64> {
    let midnight = date.as_ref().and_hms_opt(0, 0, 0)?;
    Some(midnight.and_utc().timestamp().div_euclid(DAY))
}

const DAY: i64 = 86_400;
