use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mailgrant_core::time::UnixTime;
use tokio::sync::watch;

use super::journal::{Journal, Record};
use super::notes::{Notes, Room};
use super::state::{Inner, Replay};
use super::{Entry, Flags, Folder, FolderId, Role, StoreError};

/// The largest message the store takes: Exchange Online's limit for one message.
pub const MAX_MESSAGE: usize = 150 << 20;

/// One person's (or shared) mailbox with its folders.
///
/// The methods do short blocking I/O on a local file; call those that read or write many messages from a
/// blocking thread.
pub struct Mailbox {
    address: String,
    directory: PathBuf,
    pack: File,
    inner: Mutex<Inner>,
    notes: Notes,
    changes: watch::Sender<u64>,
}

/// Where an appended message went (RFC 4315 `APPENDUID`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// `UIDVALIDITY` of the folder.
    pub uid_validity: u32,
    /// The message's UID in it.
    pub uid: u32,
}

/// Where copied or moved messages went (RFC 4315 `COPYUID`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transferred {
    /// `UIDVALIDITY` of the target folder.
    pub uid_validity: u32,
    /// Old and new UID of each message, ascending.
    pub uids: Vec<(u32, u32)>,
}

impl Mailbox {
    /// Its address, in lower case.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Octets of all messages in all folders.
    pub fn size(&self) -> u64 {
        let inner = self.lock();
        let entries = inner.folders.values().flat_map(Folder::entries);
        entries.map(|entry| u64::from(entry.size)).sum()
    }

    /// Tells of changes: the receiver's value moves on with each one, in whichever folder.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The folders as they stand, by number, without their messages.
    pub fn folders(&self) -> Vec<Folder> {
        let inner = self.lock();
        inner
            .folders
            .values()
            .map(Folder::without_entries)
            .collect()
    }

    /// A copy of the folder of that path, in any case.
    ///
    /// # Errors
    /// [`StoreError::NoSuchFolder`].
    pub fn folder(&self, path: &str) -> Result<Folder, StoreError> {
        let inner = self.lock();
        Ok(inner.find(path)?.clone())
    }

    /// The number of the folder of that path, in any case.
    ///
    /// # Errors
    /// [`StoreError::NoSuchFolder`].
    pub fn find(&self, path: &str) -> Result<FolderId, StoreError> {
        Ok(self.lock().find(path)?.id)
    }

    /// Looks at a folder without copying it; `None` if it was deleted. The mailbox is locked meanwhile.
    pub fn look<R>(&self, id: FolderId, look: impl FnOnce(&Folder) -> R) -> Option<R> {
        self.lock().folders.get(&id).map(look)
    }

    /// Appends to the inbox, unseen.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn deliver(&self, message: &[u8], now: UnixTime) -> Result<Appended, StoreError> {
        self.append("INBOX", message, Flags::NONE, now)
    }

    /// Appends a message to a folder. Once this returns, the message outlives the process.
    ///
    /// # Errors
    /// [`StoreError::NoSuchFolder`], [`StoreError::TooLarge`], [`StoreError::Io`].
    pub fn append(
        &self,
        folder: &str,
        message: &[u8],
        flags: Flags,
        internal_date: UnixTime,
    ) -> Result<Appended, StoreError> {
        let mut inner = self.lock();
        let folder = inner.find(folder)?;
        let (id, uid_validity, uid) = (folder.id, folder.uid_validity, folder.uid_next);
        let size = u32::try_from(message.len()).map_err(|_| StoreError::TooLarge)?;
        if message.len() > MAX_MESSAGE || uid == u32::MAX {
            return Err(StoreError::TooLarge);
        }
        let position = inner.pack_end;
        self.pack
            .write_all_at(message, position)
            .map_err(|error| StoreError::io(&self.directory.join(PACK), error))?;
        let entry = Entry {
            uid,
            flags,
            internal_date,
            size,
            header_size: header_size(message),
            position,
        };
        self.write(&mut inner, &Record::Add { folder: id, entry })?;
        inner.pack_end = position + u64::from(size);
        if let Some(folder) = inner.folders.get_mut(&id) {
            folder.push(entry);
        }
        self.changed(&mut inner, &[id]);
        Ok(Appended { uid_validity, uid })
    }

    /// Gives messages other flags: `change` says which from those they have. UIDs that do not exist are passed
    /// over. Returns whether anything changed.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn store(
        &self,
        folder: FolderId,
        uids: &[u32],
        change: impl Fn(Flags) -> Flags,
    ) -> Result<bool, StoreError> {
        let mut inner = self.lock();
        let Some(found) = inner.folders.get(&folder) else {
            return Ok(false);
        };
        let (uids, flags): (Vec<u32>, Vec<Flags>) = uids
            .iter()
            .filter_map(|uid| found.entry(*uid))
            .map(|entry| (entry.uid, entry.flags, change(entry.flags)))
            .filter(|(_, before, after)| before != after)
            .map(|(uid, _, after)| (uid, after))
            .unzip();
        if uids.is_empty() {
            return Ok(false);
        }
        let record = Record::Flags {
            folder,
            uids,
            flags,
        };
        self.write(&mut inner, &record)?;
        inner.apply(record);
        self.changed(&mut inner, &[folder]);
        Ok(true)
    }

    /// Removes messages. UIDs that do not exist are passed over.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn expunge(&self, folder: FolderId, uids: &[u32]) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let uids = inner.existing(folder, uids);
        if uids.is_empty() {
            return Ok(());
        }
        let record = Record::Expunge { folder, uids };
        self.write(&mut inner, &record)?;
        inner.apply(record);
        self.changed(&mut inner, &[folder]);
        Ok(())
    }

    /// Copies messages to another folder, or moves them there (`keep == false`), all or none.
    ///
    /// # Errors
    /// [`StoreError::NoSuchFolder`], [`StoreError::TooLarge`], [`StoreError::Io`].
    pub fn transfer(
        &self,
        from: FolderId,
        to: &str,
        uids: &[u32],
        keep: bool,
    ) -> Result<Transferred, StoreError> {
        let mut inner = self.lock();
        let target = inner.find(to)?;
        let (to, first, uid_validity) = (target.id, target.uid_next, target.uid_validity);
        let uids = inner.existing(from, uids);
        let count = u32::try_from(uids.len()).map_err(|_| StoreError::TooLarge)?;
        first.checked_add(count).ok_or(StoreError::TooLarge)?;
        let pairs = uids.iter().copied().zip(first..).collect();
        if count > 0 {
            let record = Record::Transfer {
                from,
                to,
                uids,
                first,
                keep,
            };
            self.write(&mut inner, &record)?;
            inner.apply(record);
            self.changed(&mut inner, &[from, to]);
        }
        Ok(Transferred {
            uid_validity,
            uids: pairs,
        })
    }

    /// Reads `length` octets of a message from `offset` on, fewer at its end.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn read(&self, entry: &Entry, offset: u32, length: u32) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        self.read_into(entry, offset, length, &mut bytes)?;
        Ok(bytes)
    }

    /// The same, behind what `out` holds already.
    ///
    /// # Errors
    /// [`StoreError::Io`]; then `out` is as it was.
    pub fn read_into(
        &self,
        entry: &Entry,
        offset: u32,
        length: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let length = length.min(entry.size.saturating_sub(offset));
        let before = out.len();
        out.resize(before + length as usize, 0);
        let read = self.pack.read_exact_at(
            out.get_mut(before..).unwrap_or_default(),
            entry.position + u64::from(offset),
        );
        read.map_err(|error| {
            out.truncate(before);
            StoreError::io(&self.directory.join(PACK), error)
        })
    }

    /// What was worked out from its messages.
    pub(crate) fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Forces what was written out to the disk.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn sync(&self) -> Result<(), StoreError> {
        let inner = self.lock();
        self.pack
            .sync_data()
            .and_then(|()| inner.journal.sync())
            .map_err(|error| StoreError::io(&self.directory, error))
    }

    pub(super) fn open(
        address: &str,
        directory: &Path,
        now: UnixTime,
        room: Room,
    ) -> Result<Mailbox, StoreError> {
        let failed = |error| StoreError::io(directory, error);
        std::fs::create_dir_all(directory).map_err(failed)?;
        let pack = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join(PACK))
            .map_err(failed)?;
        let pack_end = pack.metadata().map_err(failed)?.len();

        let mut state = Replay::default();
        let journal =
            Journal::open(directory.join(JOURNAL), |record| state.apply(record)).map_err(failed)?;
        let start = u32::try_from(now.0).unwrap_or(1).max(1);
        let mut inner = Inner {
            next_folder: state.next_folder.max(1),
            next_uid_validity: state.next_uid_validity.max(start),
            folders: state.folders,
            journal,
            pack_end,
            generation: 0,
        };
        for folder in inner.folders.values_mut() {
            // A message whose octets never reached the disk is no message.
            folder
                .entries
                .retain(|entry| entry.position + u64::from(entry.size) <= pack_end);
        }
        let (changes, _) = watch::channel(0);
        let mailbox = Mailbox {
            address: address.to_owned(),
            directory: directory.to_owned(),
            pack,
            inner: Mutex::new(inner),
            notes: Notes::new(room),
            changes,
        };
        let mut inner = mailbox.lock();
        if inner.folders.is_empty() {
            for (path, role) in STANDARD_FOLDERS {
                mailbox.add_folder(&mut inner, path, Some(role))?;
            }
        }
        inner.compact().map_err(failed)?;
        drop(inner);
        Ok(mailbox)
    }

    pub(super) fn write(&self, inner: &mut Inner, record: &Record) -> Result<(), StoreError> {
        inner
            .journal
            .write(record)
            .map_err(|error| StoreError::io(&self.directory.join(JOURNAL), error))
    }

    pub(super) fn changed(&self, inner: &mut Inner, folders: &[FolderId]) {
        inner.generation += 1;
        for id in folders {
            if let Some(folder) = inner.folders.get_mut(id) {
                folder.generation = inner.generation;
            }
        }
        self.changes.send_replace(inner.generation);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Folder {
    fn without_entries(&self) -> Folder {
        Folder {
            id: self.id,
            path: self.path.clone(),
            role: self.role,
            uid_validity: self.uid_validity,
            uid_next: self.uid_next,
            subscribed: self.subscribed,
            entries: Vec::new(),
            generation: self.generation,
        }
    }
}

/// Octets up to and including the first empty line; all of it if there is none.
fn header_size(message: &[u8]) -> u32 {
    let mut start = 0;
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        start += line.len();
        if line == b"\r\n" || line == b"\n" {
            break;
        }
    }
    u32::try_from(start).unwrap_or(u32::MAX)
}

const PACK: &str = "messages";
const JOURNAL: &str = "journal";

/// What every Exchange mailbox has, under its English names.
const STANDARD_FOLDERS: [(&str, Role); 6] = [
    ("INBOX", Role::Inbox),
    ("Drafts", Role::Drafts),
    ("Sent Items", Role::Sent),
    ("Deleted Items", Role::Trash),
    ("Junk Email", Role::Junk),
    ("Archive", Role::Archive),
];
