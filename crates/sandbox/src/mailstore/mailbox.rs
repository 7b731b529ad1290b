use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mailgrant_core::time::UnixTime;
use tokio::sync::watch;

use super::journal::{Journal, Record};
use super::state::{Inner, Replay};
use super::{Entry, Flags, Folder, FolderId, Role, StoreError, path};

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

    /// Makes a folder, and the missing ones above it.
    ///
    /// # Errors
    /// [`StoreError::FolderExists`], [`StoreError::InvalidPath`], [`StoreError::Io`].
    pub fn create(&self, path: &str) -> Result<FolderId, StoreError> {
        let mut inner = self.lock();
        if inner.find(path).is_ok() {
            return Err(StoreError::FolderExists { path: path.into() });
        }
        if !path::is_valid(path) {
            return Err(StoreError::InvalidPath { path: path.into() });
        }
        let mut made = String::new();
        let mut id = FolderId(0);
        for name in path.split('/') {
            let next = if made.is_empty() {
                name.to_owned()
            } else {
                format!("{made}/{name}")
            };
            // A folder above that exists lends its own spelling.
            made = match inner.find(&next) {
                Ok(folder) => folder.path.clone(),
                Err(_) => {
                    id = self.add_folder(&mut inner, &next, None)?;
                    next
                }
            };
        }
        self.changed(&mut inner, &[id]);
        Ok(id)
    }

    /// Deletes a folder with its messages.
    ///
    /// # Errors
    /// [`StoreError::NoSuchFolder`], [`StoreError::Fixed`] for a standard folder and one with subfolders,
    /// [`StoreError::Io`].
    pub fn delete(&self, path: &str) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let folder = inner.find(path)?;
        let (id, full) = (folder.id, folder.path.clone());
        let has_children = inner
            .folders
            .values()
            .any(|other| path::is_below(&other.path, &full));
        if folder_is_fixed(inner.find(path)?) || has_children {
            return Err(StoreError::Fixed { path: full });
        }
        self.write(&mut inner, &Record::Delete { id })?;
        inner.folders.remove(&id);
        self.changed(&mut inner, &[]);
        Ok(())
    }

    /// Gives a folder another path; what lies below goes with it.
    ///
    /// # Errors
    /// As [`create`](Self::create) and [`delete`](Self::delete).
    pub fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let folder = inner.find(from)?;
        let from = folder.path.clone();
        if folder_is_fixed(folder) {
            return Err(StoreError::Fixed { path: from });
        }
        let same = path::key(&from) == path::key(to);
        if !path::is_valid(to) || path::is_below(to, &from) {
            return Err(StoreError::InvalidPath { path: to.into() });
        }
        if !same && inner.find(to).is_ok() {
            return Err(StoreError::FolderExists { path: to.into() });
        }
        let renamed: Vec<(FolderId, String, bool)> = inner
            .folders
            .values()
            .filter(|folder| folder.path == from || path::is_below(&folder.path, &from))
            .map(|folder| {
                let rest: String = folder.path.chars().skip(from.chars().count()).collect();
                (folder.id, format!("{to}{rest}"), folder.subscribed)
            })
            .collect();
        if let Some((_, path, _)) = renamed.iter().find(|(_, path, _)| !path::is_valid(path)) {
            return Err(StoreError::InvalidPath { path: path.clone() });
        }
        if let Some(parent) = path::parent(to)
            && inner.find(parent).is_err()
        {
            self.add_folder(&mut inner, parent, None)?;
        }
        for (id, path, subscribed) in renamed {
            self.change_folder(&mut inner, id, path, subscribed)?;
        }
        self.changed(&mut inner, &[]);
        Ok(())
    }

    /// Sets whether `LSUB` shows the folder.
    ///
    /// # Errors
    /// [`StoreError::NoSuchFolder`], [`StoreError::Io`].
    pub fn subscribe(&self, path: &str, subscribed: bool) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let folder = inner.find(path)?;
        let (id, path) = (folder.id, folder.path.clone());
        self.change_folder(&mut inner, id, path, subscribed)
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
        let length = length.min(entry.size.saturating_sub(offset));
        let mut bytes = vec![0; length as usize];
        self.pack
            .read_exact_at(&mut bytes, entry.position + u64::from(offset))
            .map_err(|error| StoreError::io(&self.directory.join(PACK), error))?;
        Ok(bytes)
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

    fn add_folder(
        &self,
        inner: &mut Inner,
        path: &str,
        role: Option<Role>,
    ) -> Result<FolderId, StoreError> {
        let id = FolderId(inner.next_folder);
        let record = Record::Folder {
            id,
            path: path.to_owned(),
            role,
            uid_validity: inner.next_uid_validity,
            uid_next: 1,
            subscribed: true,
        };
        self.write(inner, &record)?;
        inner.apply(record);
        inner.next_folder += 1;
        inner.next_uid_validity += 1;
        Ok(id)
    }

    fn change_folder(
        &self,
        inner: &mut Inner,
        id: FolderId,
        path: String,
        subscribed: bool,
    ) -> Result<(), StoreError> {
        let record = Record::Change {
            id,
            path,
            subscribed,
        };
        self.write(inner, &record)?;
        inner.apply(record);
        Ok(())
    }

    fn write(&self, inner: &mut Inner, record: &Record) -> Result<(), StoreError> {
        inner
            .journal
            .write(record)
            .map_err(|error| StoreError::io(&self.directory.join(JOURNAL), error))
    }

    fn changed(&self, inner: &mut Inner, folders: &[FolderId]) {
        inner.generation += 1;
        for id in folders {
            if let Some(folder) = inner.folders.get_mut(id) {
                folder.generation = inner.generation;
            }
        }
        self.changes.send_replace(inner.generation);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
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

fn folder_is_fixed(folder: &Folder) -> bool {
    folder.role.is_some()
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
