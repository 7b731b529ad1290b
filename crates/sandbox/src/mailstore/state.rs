//! What a mailbox is at one moment, and what each record of the journal does to it.

use std::collections::BTreeMap;

use super::journal::{Journal, Record};
use super::{Entry, Folder, FolderId, StoreError, path};

/// All that changes, under one lock.
pub(super) struct Inner {
    pub(super) folders: BTreeMap<FolderId, Folder>,
    pub(super) journal: Journal,
    pub(super) pack_end: u64,
    pub(super) next_folder: u32,
    pub(super) next_uid_validity: u32,
    pub(super) generation: u64,
}

impl Inner {
    /// The folder of that path, in any case.
    pub(super) fn find(&self, path: &str) -> Result<&Folder, StoreError> {
        let key = path::key(path);
        self.folders
            .values()
            .find(|folder| path::key(&folder.path) == key)
            .ok_or_else(|| StoreError::NoSuchFolder { path: path.into() })
    }

    /// Those of the UIDs that exist, ascending.
    pub(super) fn existing(&self, folder: FolderId, uids: &[u32]) -> Vec<u32> {
        let mut uids: Vec<u32> = match self.folders.get(&folder) {
            Some(folder) => uids
                .iter()
                .copied()
                .filter(|uid| folder.entry(*uid).is_some())
                .collect(),
            None => Vec::new(),
        };
        uids.sort_unstable();
        uids.dedup();
        uids
    }

    /// Does what a record says that was written.
    pub(super) fn apply(&mut self, record: Record) {
        apply(&mut self.folders, record);
    }

    /// Writes the journal anew when most of its lines are about what is no more.
    pub(super) fn compact(&mut self) -> std::io::Result<()> {
        let messages: usize = self
            .folders
            .values()
            .map(|folder| folder.entries.len())
            .sum();
        if self.journal.lines <= 2 * (messages + self.folders.len()) + 1_000 {
            return Ok(());
        }
        let counters = Record::Counters {
            folder: self.next_folder,
            uid_validity: self.next_uid_validity,
        };
        let folders = self.folders.values().flat_map(|folder| {
            let head = Record::Folder {
                id: folder.id,
                path: folder.path.clone(),
                role: folder.role,
                uid_validity: folder.uid_validity,
                uid_next: folder.uid_next,
                subscribed: folder.subscribed,
            };
            let messages = folder.entries.iter().map(|entry| Record::Add {
                folder: folder.id,
                entry: *entry,
            });
            std::iter::once(head).chain(messages)
        });
        self.journal
            .replace(std::iter::once(counters).chain(folders))
    }
}

/// A mailbox while its journal is read.
#[derive(Default)]
pub(super) struct Replay {
    pub(super) folders: BTreeMap<FolderId, Folder>,
    pub(super) next_folder: u32,
    pub(super) next_uid_validity: u32,
}

impl Replay {
    pub(super) fn apply(&mut self, record: Record) {
        match &record {
            Record::Renumber { uid_validity, .. } => {
                self.next_uid_validity = self.next_uid_validity.max(uid_validity.saturating_add(1));
            }
            Record::Folder {
                id, uid_validity, ..
            } => {
                self.next_folder = self.next_folder.max(id.0.saturating_add(1));
                self.next_uid_validity = self.next_uid_validity.max(uid_validity.saturating_add(1));
            }
            Record::Counters {
                folder,
                uid_validity,
            } => {
                self.next_folder = self.next_folder.max(*folder);
                self.next_uid_validity = self.next_uid_validity.max(*uid_validity);
            }
            _ => {}
        }
        apply(&mut self.folders, record);
    }
}

fn apply(folders: &mut BTreeMap<FolderId, Folder>, record: Record) {
    match record {
        Record::Folder {
            id,
            path,
            role,
            uid_validity,
            uid_next,
            subscribed,
        } => {
            let folder = Folder {
                id,
                path,
                role,
                uid_validity,
                uid_next,
                subscribed,
                entries: Vec::new(),
                generation: 0,
            };
            folders.insert(id, folder);
        }
        Record::Change {
            id,
            path,
            subscribed,
        } => {
            if let Some(folder) = folders.get_mut(&id) {
                folder.path = path;
                folder.subscribed = subscribed;
            }
        }
        Record::Delete { id } => {
            folders.remove(&id);
        }
        Record::Counters { .. } => {}
        Record::Add { folder, entry } => {
            if let Some(folder) = folders.get_mut(&folder) {
                folder.push(entry);
            }
        }
        Record::Flags {
            folder,
            uids,
            flags,
        } => {
            if let Some(folder) = folders.get_mut(&folder) {
                for (uid, flags) in uids.into_iter().zip(flags) {
                    if let Some(entry) = folder.entry_mut(uid) {
                        entry.flags = flags;
                    }
                }
            }
        }
        Record::Transfer {
            from,
            to,
            uids,
            first,
            keep,
        } => transfer(folders, from, to, &uids, first, keep),
        Record::Renumber { id, uid_validity } => {
            if let Some(folder) = folders.get_mut(&id) {
                folder.renumber(uid_validity);
            }
        }
        Record::Expunge { folder, uids } => {
            if let Some(folder) = folders.get_mut(&folder) {
                folder.remove(&uids);
            }
        }
    }
}

fn transfer(
    folders: &mut BTreeMap<FolderId, Folder>,
    from: FolderId,
    to: FolderId,
    uids: &[u32],
    first: u32,
    keep: bool,
) {
    let Some(source) = folders.get_mut(&from) else {
        return;
    };
    let taken: Vec<Entry> = uids
        .iter()
        .zip(first..)
        .filter_map(|(uid, new)| source.entry(*uid).map(|entry| Entry { uid: new, ..*entry }))
        .collect();
    if !keep {
        source.remove(uids);
    }
    if let Some(target) = folders.get_mut(&to) {
        taken.into_iter().for_each(|entry| target.push(entry));
    }
}
