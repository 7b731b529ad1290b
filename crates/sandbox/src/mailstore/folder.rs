use mailgrant_core::time::UnixTime;
use serde::{Deserialize, Serialize};

use super::Flags;

/// A folder's number within its mailbox. It outlives a rename, and is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FolderId(pub(super) u32);

/// What a folder is for (RFC 6154), in JMAP's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Where mail arrives.
    Inbox,
    /// Unsent mail.
    Drafts,
    /// Copies of sent mail.
    Sent,
    /// Deleted mail.
    Trash,
    /// Spam.
    Junk,
    /// Mail put away.
    Archive,
}

/// One message of a folder: all that a listing needs, without a look at the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Unique identifier within the folder; never zero.
    pub uid: u32,
    /// Its flags.
    pub flags: Flags,
    /// When it arrived (`INTERNALDATE`).
    pub internal_date: UnixTime,
    /// Octets of the whole message.
    pub size: u32,
    /// Octets of its header, the empty line included.
    pub header_size: u32,
    /// Where it begins in the mailbox's pack.
    pub(super) position: u64,
}

impl Entry {
    /// Where the message begins in the mailbox's pack: what stands there never changes, and no other message does.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }
}

/// A folder as it stands at one moment.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Its number.
    pub id: FolderId,
    /// Its path, components joined by `/`; see [`path`](super::path).
    pub path: String,
    /// What it is for.
    pub role: Option<Role>,
    /// `UIDVALIDITY`
    pub uid_validity: u32,
    /// `UIDNEXT`
    pub uid_next: u32,
    /// Whether `LSUB` shows it.
    pub subscribed: bool,
    /// Its messages in ascending order of UID.
    pub(super) entries: Vec<Entry>,
    /// Counts up with every change of this folder.
    pub(super) generation: u64,
}

impl Folder {
    /// The messages in ascending order of UID.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The message with that UID.
    pub fn entry(&self, uid: u32) -> Option<&Entry> {
        self.position(uid).and_then(|at| self.entries.get(at))
    }

    /// How many messages lack `\Seen`.
    pub fn unseen(&self) -> usize {
        self.entries
            .iter()
            .filter(|entry| !entry.flags.contains(Flags::SEEN))
            .count()
    }

    /// A number that differs whenever a message or flag of this folder changed.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn entry_mut(&mut self, uid: u32) -> Option<&mut Entry> {
        let at = self.position(uid)?;
        self.entries.get_mut(at)
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.uid_next = self.uid_next.max(entry.uid.saturating_add(1));
        self.entries.push(entry);
    }

    pub(super) fn renumber(&mut self, uid_validity: u32) {
        self.uid_validity = uid_validity;
        self.uid_next = 1;
        for entry in &mut self.entries {
            entry.uid = self.uid_next;
            self.uid_next += 1;
        }
    }

    /// Takes the messages out whose UIDs are in `sorted`.
    pub(super) fn remove(&mut self, sorted: &[u32]) {
        self.entries
            .retain(|entry| sorted.binary_search(&entry.uid).is_err());
    }

    fn position(&self, uid: u32) -> Option<usize> {
        self.entries
            .binary_search_by_key(&uid, |entry| entry.uid)
            .ok()
    }
}
