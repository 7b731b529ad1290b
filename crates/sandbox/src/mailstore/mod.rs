//! The mail of the make-believe tenant: mailboxes, their folders, and the messages on disk.
//!
//! ```text
//! DIR/
//!   lock                     held by the process that uses the store
//!   adele@contoso.test/
//!     journal                one JSON object a line: what happened to folders, flags and messages
//!     messages               the messages, one after another; nothing is ever changed in place
//! ```
//!
//! A listing needs no disk: every message's UID, flags, date, size and place are in memory (48 bytes each), so
//! tens of thousands of messages open and select fast. Copying and moving leave the message where it is.
//! What was acknowledged survives the end of the process; after a power cut the last seconds may be missing
//! ([`Mailbox::sync`] forces them out). Expunged messages keep their place in `messages`.
//!
//! ```
//! use mailgrant_core::time::UnixTime;
//! use mailgrant_sandbox::mailstore::{Flags, MailStore};
//!
//! # let directory = tempfile::tempdir().unwrap();
//! let now = UnixTime(1_795_000_000);
//! let store = MailStore::open(directory.path(), now)?;
//! let mailbox = store.mailbox("adele@contoso.test")?;
//! let appended = mailbox.deliver(b"Subject: Hello\r\n\r\nHello, Adele.\r\n", now)?;
//! let inbox = mailbox.folder("inbox")?;
//! assert_eq!(inbox.entries()[0].uid, appended.uid);
//! assert_eq!(inbox.unseen(), 1);
//! # Ok::<(), mailgrant_sandbox::mailstore::StoreError>(())
//! ```

mod flags;
mod folder;
mod hierarchy;
mod journal;
mod mailbox;
mod notes;
pub mod path;
mod state;

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use mailgrant_core::time::UnixTime;

pub use flags::Flags;
pub use folder::{Entry, Folder, FolderId, Role};
pub use mailbox::{Appended, Mailbox, Transferred};
pub(crate) use notes::Note;
use notes::Room;

/// All mailboxes of the tenant, each opened when it is first asked for.
pub struct MailStore {
    directory: PathBuf,
    now: UnixTime,
    open: Mutex<HashMap<String, Arc<Mailbox>>>,
    /// For notes on messages.
    room: Room,
    /// Released when the store is dropped or the process ends.
    _lock: File,
}

impl MailStore {
    /// Opens the store in `directory`, which is made if it is missing. `now` is where the UIDVALIDITY of new
    /// folders starts, so that a store made anew never repeats the one before.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another process has it open, [`StoreError::Io`] if the disk refuses.
    pub fn open(directory: impl Into<PathBuf>, now: UnixTime) -> Result<Self, StoreError> {
        let directory = directory.into();
        std::fs::create_dir_all(&directory).map_err(|error| StoreError::io(&directory, error))?;
        let path = directory.join("lock");
        let lock = File::create(&path).map_err(|error| StoreError::io(&path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { directory }),
            Err(TryLockError::Error(error)) => return Err(StoreError::io(&path, error)),
        }
        Ok(MailStore {
            directory,
            now,
            open: Mutex::default(),
            room: Room::new(),
            _lock: lock,
        })
    }

    /// The mailbox of that address (in any case), made with its standard folders if it is new.
    ///
    /// # Errors
    /// [`StoreError::InvalidAddress`], or [`StoreError::Io`] if its files cannot be read.
    pub fn mailbox(&self, address: &str) -> Result<Arc<Mailbox>, StoreError> {
        let address = address.to_lowercase();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mailbox) = open.get(&address) {
            return Ok(mailbox.clone());
        }
        let directory = self.mailbox_directory(&address)?;
        let mailbox = Arc::new(Mailbox::open(
            &address,
            &directory,
            self.now,
            self.room.clone(),
        )?);
        open.insert(address, mailbox.clone());
        Ok(mailbox)
    }

    /// Whether there is a mailbox of that address on disk already.
    pub fn contains(&self, address: &str) -> bool {
        self.mailbox_directory(&address.to_lowercase())
            .is_ok_and(|directory| directory.join("journal").exists())
    }

    /// Forces everything that was written out to the disk.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the disk refuses.
    pub fn sync(&self) -> Result<(), StoreError> {
        let open: Vec<Arc<Mailbox>> = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.values().cloned().collect()
        };
        open.iter().try_for_each(|mailbox| mailbox.sync())
    }

    fn mailbox_directory(&self, address: &str) -> Result<PathBuf, StoreError> {
        let invalid = || StoreError::InvalidAddress {
            address: address.to_owned(),
        };
        let (local, domain) = address.rsplit_once('@').ok_or_else(invalid)?;
        if local.is_empty() || domain.is_empty() || address.len() > 254 {
            return Err(invalid());
        }
        // An address becomes one file name whatever it holds: no separator, no leading dot.
        let mut name = String::new();
        for (at, byte) in address.bytes().enumerate() {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'@' | b'_' | b'-' | b'+' => name.push(byte.into()),
                b'.' if at > 0 => name.push('.'),
                _ => name.push_str(&format!("%{byte:02x}")),
            }
        }
        if name.len() > 255 {
            return Err(invalid());
        }
        Ok(self.directory.join(name))
    }
}

/// What may go wrong in the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk refused.
    #[error("{path}: {source}; check that the directory is writable and the disk is not full")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process uses this directory.
    #[error(
        "{directory} is used by another sandbox: stop it, or give this one a directory of its own"
    )]
    InUse {
        /// The store's directory.
        directory: PathBuf,
    },
    /// Not a mail address.
    #[error("{address:?} is not a mail address (name@domain)")]
    InvalidAddress {
        /// What was given.
        address: String,
    },
    /// There is no such folder.
    #[error("folder {path:?} does not exist")]
    NoSuchFolder {
        /// The path asked for.
        path: String,
    },
    /// The folder exists already.
    #[error("folder {path:?} already exists")]
    FolderExists {
        /// The path asked for.
        path: String,
    },
    /// No folder may have that path.
    #[error(
        "{path:?} cannot be a folder: no empty component, no control characters, at most {} characters and {} levels",
        path::MAX_PATH,
        path::MAX_DEPTH
    )]
    InvalidPath {
        /// The path asked for.
        path: String,
    },
    /// A standard folder stays where it is, and a folder that has subfolders is not deleted.
    #[error(
        "folder {path:?} cannot be renamed or deleted: it is a standard folder or has subfolders"
    )]
    Fixed {
        /// The path asked for.
        path: String,
    },
    /// The message is too large, or the folder has given its last UID.
    #[error(
        "the message does not fit: at most {} octets, and 4294967294 messages in the life of a folder",
        mailbox::MAX_MESSAGE
    )]
    TooLarge,
}

impl StoreError {
    fn io(path: &Path, source: io::Error) -> Self {
        StoreError::Io {
            path: path.to_owned(),
            source,
        }
    }
}

#[cfg(test)]
mod tests;
