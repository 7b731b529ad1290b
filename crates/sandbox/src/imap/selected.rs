//! The selected folder as the client knows it: what it was told, not what is there now.

use imap_codec::imap_types::sequence::{SeqOrUid, Sequence, SequenceSet};

use super::syntax;
use crate::mailstore::{Flags, Folder, FolderId, Mailbox};

pub(super) struct Selected {
    pub(super) folder: FolderId,
    pub(super) read_only: bool,
    /// UID and flags of each message, as the client was told last; its index + 1 is the sequence number.
    known: Vec<(u32, Flags)>,
    generation: u64,
    uid_validity: u32,
}

/// A message the client named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) sequence: u32,
    pub(super) uid: u32,
}

impl Selected {
    pub(super) fn new(folder: &Folder, read_only: bool) -> Self {
        Selected {
            folder: folder.id,
            read_only,
            known: folder
                .entries()
                .iter()
                .map(|entry| (entry.uid, entry.flags))
                .collect(),
            generation: folder.generation(),
            uid_validity: folder.uid_validity,
        }
    }

    /// How many messages the client knows.
    pub(super) fn count(&self) -> usize {
        self.known.len()
    }

    /// Whether the folder was deleted, or given other UIDs.
    pub(super) fn is_gone(&self, mailbox: &Mailbox) -> bool {
        let now = mailbox.look(self.folder, |folder| folder.uid_validity);
        now != Some(self.uid_validity)
    }

    /// All messages the client knows.
    pub(super) fn all(&self) -> impl Iterator<Item = Target> {
        self.known
            .iter()
            .zip(1..)
            .map(|((uid, _), sequence)| Target {
                sequence,
                uid: *uid,
            })
    }

    /// The messages of a set, ascending and each once. UIDs that do not exist are passed over; a sequence
    /// number that does not exist makes the set invalid (`None`).
    pub(super) fn resolve(&self, set: &SequenceSet, by_uid: bool) -> Option<Vec<Target>> {
        let count = u32::try_from(self.known.len()).ok()?;
        let mut targets = Vec::new();
        for (first, last) in self.ranges(set, by_uid) {
            if !by_uid && (first == 0 || last > count) {
                return None;
            }
            let run = if by_uid {
                self.known.partition_point(|(known, _)| *known < first)
                    ..self.known.partition_point(|(known, _)| *known <= last)
            } else {
                first as usize - 1..last as usize
            };
            let from = run.start;
            let run = self.known.get(run).unwrap_or_default();
            targets.extend(run.iter().enumerate().map(|(at, (uid, _))| Target {
                // No more messages than `count`, which fits.
                sequence: (from + at + 1) as u32,
                uid: *uid,
            }));
        }
        Some(targets)
    }

    /// The ranges of a set, ascending and apart, for SEARCH: no number is invalid there.
    pub(super) fn ranges(&self, set: &SequenceSet, by_uid: bool) -> Vec<(u32, u32)> {
        let largest = if by_uid {
            self.known.last().map_or(0, |(uid, _)| *uid)
        } else {
            u32::try_from(self.known.len()).unwrap_or(u32::MAX)
        };
        let mut ranges: Vec<(u32, u32)> = set
            .0
            .as_ref()
            .iter()
            .map(|sequence| range(sequence, largest))
            .collect();
        ranges.sort_unstable();
        ranges.dedup_by(|next, kept| {
            let joined = next.0 <= kept.1.saturating_add(1);
            if joined {
                kept.1 = kept.1.max(next.1);
            }
            joined
        });
        ranges
    }

    /// Tells what changed since the client was told last. Removals change sequence numbers and must wait where
    /// `expunges` is false (RFC 3501 §7.4.1).
    pub(super) fn catch_up(&mut self, mailbox: &Mailbox, expunges: bool, out: &mut Vec<u8>) {
        let folder = self.folder;
        mailbox.look(folder, |folder| {
            // Another UIDVALIDITY makes it another folder, of which this session cannot tell.
            if folder.generation() != self.generation && folder.uid_validity == self.uid_validity {
                let complete = self.compare(folder, expunges, out);
                if complete {
                    self.generation = folder.generation();
                }
            }
        });
    }

    /// Notes flags that the client is about to be told, or asked not to be told.
    pub(super) fn note_flags(&mut self, uid: u32, flags: Flags) {
        if let Ok(at) = self.known.binary_search_by_key(&uid, |(uid, _)| *uid)
            && let Some(known) = self.known.get_mut(at)
        {
            known.1 = flags;
        }
    }

    fn compare(&mut self, folder: &Folder, expunges: bool, out: &mut Vec<u8>) -> bool {
        let before = self.known.len();
        let entries = folder.entries();
        let mut current = entries.iter().peekable();
        let mut gone = Vec::new();
        let mut changed = Vec::new();
        for (at, (uid, flags)) in self.known.iter_mut().enumerate() {
            while current.next_if(|entry| entry.uid < *uid).is_some() {}
            match current.next_if(|entry| entry.uid == *uid) {
                Some(entry) => {
                    if entry.flags != *flags {
                        *flags = entry.flags;
                        changed.push(at);
                    }
                }
                None => gone.push(at),
            }
        }
        // UIDs only grow: what is left was added after all that is known.
        let added: Vec<(u32, Flags)> = current.map(|entry| (entry.uid, entry.flags)).collect();

        for at in changed {
            if let Some((uid, flags)) = self.known.get(at) {
                out.extend_from_slice(format!("* {} FETCH (UID {uid} FLAGS ", at + 1).as_bytes());
                syntax::flags(out, *flags);
                out.extend_from_slice(b")\r\n");
            }
        }
        let complete = gone.is_empty() || expunges;
        if complete && !gone.is_empty() {
            for at in gone.iter().rev() {
                out.extend_from_slice(format!("* {} EXPUNGE\r\n", at + 1).as_bytes());
            }
            let mut at = 0;
            self.known.retain(|_| {
                let keep = gone.binary_search(&at).is_err();
                at += 1;
                keep
            });
        }
        let grew = !added.is_empty();
        self.known.extend(added);
        if grew || self.known.len() != before {
            out.extend_from_slice(format!("* {} EXISTS\r\n", self.known.len()).as_bytes());
            if grew {
                out.extend_from_slice(b"* 0 RECENT\r\n");
            }
        }
        complete
    }
}

/// The range with `*` filled in, the smaller number first.
fn range(sequence: &Sequence, largest: u32) -> (u32, u32) {
    let number = |value: &SeqOrUid| match value {
        SeqOrUid::Value(number) => number.get(),
        SeqOrUid::Asterisk => largest,
    };
    match sequence {
        Sequence::Single(value) => (number(value), number(value)),
        Sequence::Range(from, to) => {
            let (from, to) = (number(from), number(to));
            (from.min(to), from.max(to))
        }
    }
}
