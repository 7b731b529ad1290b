//! What was worked out from messages once and is asked for again and again: their envelopes and structures.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Notes on the messages of a mailbox, by the message's place in the pack: what stands there never changes, so a note
/// holds for ever. When the store's memory for notes is used up, no more are taken.
#[derive(Debug)]
pub(crate) struct Notes {
    notes: Mutex<Table>,
    room: Room,
}

type Table = HashMap<(u64, Note), Box<[u8]>>;

/// What a note says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Note {
    Envelope,
    BodyStructure,
}

/// Octets that the notes of all mailboxes may still take. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<AtomicUsize>);

impl Room {
    pub(super) fn new() -> Self {
        Room(Arc::new(AtomicUsize::new(ROOM)))
    }

    fn take(&self, octets: usize) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(octets)
            })
            .is_ok()
    }
}

impl Notes {
    pub(super) fn new(room: Room) -> Self {
        Notes {
            notes: Mutex::default(),
            room,
        }
    }

    /// Adds the note to `out`; `make` adds it when there is none yet.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn write<E>(
        &self,
        position: u64,
        note: Note,
        out: &mut Vec<u8>,
        make: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let key = (position, note);
        {
            let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(octets) = notes.get(&key) {
                out.extend_from_slice(octets);
                return Ok(());
            }
        }
        let begins = out.len();
        make(out)?;
        let octets = out.get(begins..).unwrap_or_default();
        if self.room.take(octets.len() + OVERHEAD) {
            self.notes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(key, octets.into());
        }
        Ok(())
    }
}

/// About 60,000 messages.
const ROOM: usize = 64 << 20;
/// What the table costs for each note.
const OVERHEAD: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn written(notes: &Notes, position: u64, made: &[u8]) -> Vec<u8> {
        let mut out = b"before ".to_vec();
        let make = |out: &mut Vec<u8>| {
            out.extend_from_slice(made);
            Ok::<(), ()>(())
        };
        notes
            .write(position, Note::Envelope, &mut out, make)
            .unwrap();
        out
    }

    #[test]
    fn a_note_is_made_once_while_there_is_room() {
        let notes = Notes::new(Room(Arc::new(AtomicUsize::new(OVERHEAD + 5))));
        assert_eq!(written(&notes, 7, b"first"), b"before first");
        assert_eq!(written(&notes, 7, b"again"), b"before first");
        assert_eq!(written(&notes, 8, b"one"), b"before one");
        assert_eq!(written(&notes, 8, b"two"), b"before two");
    }
}
