//! FETCH (RFC 3501 §6.4.5).

mod message;
mod spoil;

use std::io;
use std::sync::Arc;

use imap_codec::imap_types::IntoStatic as _;
use imap_codec::imap_types::fetch::{
    MacroOrMessageDataItemNames, MessageDataItemName as Item, Section,
};
use imap_codec::imap_types::sequence::SequenceSet;

use message::Message;
pub(super) use message::Structure;
use spoil::Spoil;

use super::connection::{Answer, EXPIRED, End};
use super::folders::refused;
use super::open::Open;
use super::reply::Reply;
use super::selected::Target;
use super::wire::Wire;
use crate::clock::Clock;
use crate::mailstore::{Entry, Flags, FolderId, Mailbox, StoreError};

/// Answers in batches: at most [`BATCH`] octets and one message are in memory, however much is asked for.
pub(super) async fn fetch(
    open: &mut Open,
    wire: &mut Wire,
    set: &SequenceSet,
    items: MacroOrMessageDataItemNames<'_>,
    by_uid: bool,
    clock: &Clock,
) -> io::Result<Answer> {
    let Some(selected) = &open.selected else {
        return Ok(Reply::invalid_state().into());
    };
    let mut items: Vec<Item<'static>> = match items {
        MacroOrMessageDataItemNames::Macro(shorthand) => shorthand.expand().into_static(),
        MacroOrMessageDataItemNames::MessageDataItemNames(items) => items.into_static(),
    };
    let unknown = items
        .iter()
        .any(|item| matches!(item, Item::Binary { .. } | Item::BinarySize { .. }));
    if unknown || items.len() > MAX_ITEMS {
        return Ok(Reply::invalid_argument().into());
    }
    let Some(targets) = selected.resolve(set, by_uid) else {
        return Ok(Reply::Bad("The specified message set is invalid.".into()).into());
    };
    let marks_seen = !selected.read_only && items.iter().any(marks_seen);
    if by_uid && !items.contains(&Item::Uid) {
        items.insert(0, Item::Uid);
    }
    let (folder, count) = (selected.folder, selected.count());
    let mut job = Job {
        mailbox: open.mailbox.clone(),
        folder,
        marks_seen,
        targets,
        next: 0,
        seen: Vec::new(),
        structure: open.structure.take(),
        spoil: Spoil::of(open.staged.as_mut(), count),
        items,
    };
    job.spoil.leave_out(&mut job.items, &mut job.targets);
    while job.next < job.targets.len() {
        let mut out = std::mem::take(wire.output());
        let (returned, outcome) = if job.is_short() {
            let outcome = job.batch(&mut out);
            (job, outcome)
        } else {
            let batch = tokio::task::spawn_blocking(move || {
                let outcome = job.batch(&mut out);
                (job, outcome, out)
            });
            let (job, outcome, filled) = batch.await.map_err(io::Error::other)?;
            out = filled;
            (job, outcome)
        };
        job = returned;
        *wire.output() = out;
        if let Some(selected) = &mut open.selected {
            for (uid, flags) in job.seen.drain(..) {
                selected.note_flags(uid, flags);
            }
        }
        wire.flush().await?;
        match outcome {
            Outcome::Whole => {}
            Outcome::Cut => return Ok(End::Cut.into()),
            Outcome::Failed(error) => return Ok(refused(&error).into()),
        }
        // Between two messages the client can be told.
        if clock.now() >= open.expires_at {
            return Ok(End::bye(EXPIRED).into());
        }
    }
    open.structure = job.structure;
    Ok(Reply::done("FETCH").into())
}

struct Job {
    mailbox: Arc<Mailbox>,
    folder: FolderId,
    items: Vec<Item<'static>>,
    marks_seen: bool,
    targets: Vec<Target>,
    next: usize,
    /// Messages that became `\Seen`, with their flags.
    seen: Vec<(u32, Flags)>,
    /// Of the last message whose parts were asked for.
    structure: Option<Structure>,
    spoil: Spoil,
}

enum Outcome {
    Whole,
    /// The line is to be cut after what was written.
    Cut,
    Failed(StoreError),
}

impl Job {
    /// Whether it takes no longer than a thread's beginning.
    fn is_short(&self) -> bool {
        let in_memory = |item: &Item<'_>| {
            matches!(
                item,
                Item::Uid | Item::Flags | Item::InternalDate | Item::Rfc822Size
            )
        };
        if !self.marks_seen && self.items.iter().all(in_memory) {
            return true;
        }
        let [target] = self.targets.as_slice() else {
            return false;
        };
        let size = self.mailbox.look(self.folder, |folder| {
            folder.entry(target.uid).map(|entry| entry.size)
        });
        size.flatten().is_some_and(|size| size <= SHORT)
    }

    /// Writes the next messages.
    fn batch(&mut self, out: &mut Vec<u8>) -> Outcome {
        let limit = out.len() + BATCH;
        while out.len() < limit
            && let Some(target) = self.targets.get(self.next).copied()
        {
            self.next += 1;
            let before = out.len();
            if let Err(error) = self.message(target, out) {
                out.truncate(before);
                return Outcome::Failed(error);
            }
            if self.spoil.message(out, before) {
                return Outcome::Cut;
            }
        }
        let uids: Vec<u32> = self.seen.iter().map(|(uid, _)| *uid).collect();
        if uids.is_empty() {
            return Outcome::Whole;
        }
        match self
            .mailbox
            .store(self.folder, &uids, |flags| flags | Flags::SEEN)
        {
            Ok(_) => Outcome::Whole,
            Err(error) => Outcome::Failed(error),
        }
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
            entry.flags |= Flags::SEEN;
            self.seen.push((entry.uid, entry.flags));
        }
        let mut message = Message::new(&self.mailbox, entry, &mut self.structure, &self.spoil);
        number(out, b"* ", target.sequence);
        out.extend_from_slice(b" FETCH (");
        let flags = (turns_seen && !self.items.contains(&Item::Flags)).then_some(Item::Flags);
        for (at, item) in self.items.iter().chain(&flags).enumerate() {
            if at > 0 {
                out.push(b' ');
            }
            message.item(item, out)?;
        }
        out.extend_from_slice(b")\r\n");
        Ok(())
    }
}

/// A word and a number behind it, without an allocation.
fn number(out: &mut Vec<u8>, word: &[u8], number: u32) {
    use std::io::Write as _;
    out.extend_from_slice(word);
    // Writing to memory does not fail.
    let _ = write!(out, "{number}");
}

fn marks_seen(item: &Item<'_>) -> bool {
    matches!(
        item,
        Item::BodyExt { peek: false, .. } | Item::Rfc822 | Item::Rfc822Text
    )
}

const BATCH: usize = 256 << 10;
const MAX_ITEMS: usize = 200;
/// Up to here a message is read at once, without a thread of its own.
const SHORT: u32 = 64 << 10;
