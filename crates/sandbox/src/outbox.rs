//! What was sent: every message that SMTP accepted, to whomever it went.
//!
//! ```text
//! DIR/
//!   1.eml     the message, octet by octet as it was handed in
//!   1.json    its envelope and who sent it; written last: without it there is no message
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mailgrant_core::time::UnixTime;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::files;

/// A message that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sent {
    /// Its number in the outbox, counting up.
    pub id: u64,
    /// When it was accepted, by the sandbox's clock.
    pub at: UnixTime,
    /// Who was logged in: the address that `user=` named.
    pub user: String,
    /// The application that the token was issued to; none where a password was used.
    pub client_id: Option<String>,
    /// The envelope's sender; empty for `<>`.
    pub mail_from: String,
    /// The envelope's recipients.
    pub recipients: Vec<String>,
    /// The message's `Message-ID`, the sandbox's own where it had none.
    pub message_id: String,
    /// The message's subject, decoded.
    pub subject: Option<String>,
    /// Octets as it was handed in.
    pub size: u64,
}

/// The outbox of a sandbox, on disk.
#[derive(Debug)]
pub struct Outbox {
    directory: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    sent: BTreeMap<u64, Sent>,
    next: u64,
}

impl Outbox {
    /// Opens the outbox in `directory`, which is made if it is missing.
    ///
    /// # Errors
    /// When the directory cannot be read or made, or holds something else.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, Error> {
        let directory = directory.into();
        files::create_directory(&directory)?;
        let failed = |source| files::problem("read", &directory, source);
        let mut sent = BTreeMap::new();
        let mut last = 0;
        for entry in fs::read_dir(&directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let Some(id) = number(&path) else { continue };
            last = id.max(last);
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                let text = files::read(&path)?.unwrap_or_default();
                let found: Sent = serde_json::from_str(&text).map_err(|error| Error::Damaged {
                    path: path.clone(),
                    problem: error.to_string(),
                })?;
                sent.insert(id, Sent { id, ..found });
            }
        }
        let next = last.saturating_add(1);
        Ok(Self {
            directory,
            inner: Mutex::new(Inner { sent, next }),
        })
    }

    /// Keeps a message; `sent.id` is given here and returned. Once this returns, the message outlives the process.
    /// The oldest of more than 10,000 goes.
    ///
    /// # Errors
    /// When the disk refuses; then nothing was kept.
    pub fn add(&self, sent: Sent, message: &[u8]) -> Result<u64, Error> {
        let mut inner = self.lock();
        let id = inner.next;
        let sent = Sent { id, ..sent };
        let envelope = serde_json::to_vec(&sent)
            .map_err(|error| files::problem("write", &self.path(id, JSON), error.into()))?;
        self.write(id, EML, message)
            .and_then(|()| self.write(id, JSON, &envelope))
            .inspect_err(|_| self.remove(id))?;
        inner.next = id.saturating_add(1);
        inner.sent.insert(id, sent);
        if inner.sent.len() > MOST
            && let Some((oldest, _)) = inner.sent.pop_first()
        {
            self.remove(oldest);
        }
        Ok(id)
    }

    /// What is there, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Sent> {
        self.lock().sent.values().cloned().collect()
    }

    /// One message's envelope.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<Sent> {
        self.lock().sent.get(&id).cloned()
    }

    /// One message, as it was handed in.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn message(&self, id: u64) -> Result<Option<Vec<u8>>, Error> {
        if self.get(id).is_none() {
            return Ok(None);
        }
        let path = self.path(id, EML);
        match fs::read(&path) {
            Ok(message) => Ok(Some(message)),
            // Removed since.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(files::problem("read", &path, source)),
        }
    }

    /// Forgets one message; whether it was there.
    pub fn delete(&self, id: u64) -> bool {
        let mut inner = self.lock();
        let found = inner.sent.remove(&id).is_some();
        if found {
            self.remove(id);
        }
        found
    }

    /// Forgets every message. Numbers are not given again.
    pub fn clear(&self) {
        let mut inner = self.lock();
        for id in std::mem::take(&mut inner.sent).into_keys() {
            self.remove(id);
        }
    }

    /// In one step: whoever looks sees all of it or nothing.
    fn write(&self, id: u64, extension: &str, content: &[u8]) -> Result<(), Error> {
        let (path, new) = (self.path(id, extension), self.path(id, "new"));
        fs::write(&new, content)
            .and_then(|()| fs::rename(&new, &path))
            .map_err(|source| files::problem("write", &path, source))
    }

    /// First what makes it a message.
    fn remove(&self, id: u64) {
        for extension in [JSON, EML, "new"] {
            let path = self.path(id, extension);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, path = %path.display(), "a sent message could not be removed");
                }
                _ => {}
            }
        }
    }

    fn path(&self, id: u64, extension: &str) -> PathBuf {
        self.directory.join(format!("{id}.{extension}"))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn number(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

const JSON: &str = "json";
const EML: &str = "eml";
const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(user: &str) -> Sent {
        Sent {
            id: 0,
            at: UnixTime(1_800_000_000),
            user: user.to_owned(),
            client_id: None,
            mail_from: user.to_owned(),
            recipients: vec!["far@away.test".to_owned()],
            message_id: "<1@x.test>".to_owned(),
            subject: Some("Grüße".to_owned()),
            size: 5,
        }
    }

    #[test]
    fn what_was_sent_is_there_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(directory.path()).unwrap();
        let first = outbox.add(sent("ada@x.test"), b"a\r\n\xff\x00").unwrap();
        let second = outbox.add(sent("bea@x.test"), b"b").unwrap();
        assert_eq!((first, second), (1, 2));
        drop(outbox);
        // A message whose envelope was never written was never acknowledged.
        fs::write(directory.path().join("3.eml"), b"torn").unwrap();
        let outbox = Outbox::open(directory.path()).unwrap();
        let users: Vec<String> = outbox.list().into_iter().map(|sent| sent.user).collect();
        assert_eq!(users, ["ada@x.test", "bea@x.test"]);
        assert_eq!(outbox.message(1).unwrap().unwrap(), b"a\r\n\xff\x00");
        assert_eq!(outbox.message(3).unwrap(), None);
        assert!(outbox.delete(1) && !outbox.delete(1));
        assert_eq!(outbox.add(sent("c@x.test"), b"c").unwrap(), 4);
        outbox.clear();
        assert!(outbox.list().is_empty());
        assert_eq!(
            fs::read_dir(directory.path()).unwrap().count(),
            1,
            "only what nobody knows of is left"
        );
    }

    #[test]
    fn a_full_disk_keeps_nothing_half() {
        let directory = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(directory.path().join("outbox")).unwrap();
        fs::remove_dir(directory.path().join("outbox")).unwrap();
        assert!(outbox.add(sent("ada@x.test"), b"a").is_err());
        assert!(outbox.list().is_empty());
    }
}
