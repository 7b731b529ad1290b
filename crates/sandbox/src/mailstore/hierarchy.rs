//! Making, renaming and deleting folders.

use super::journal::Record;
use super::state::Inner;
use super::{Folder, FolderId, Mailbox, Role, StoreError, path};

impl Mailbox {
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

    /// Gives a folder a new `UIDVALIDITY` and its messages new UIDs, as after a restore from a backup. Returns the new
    /// value.
    ///
    /// # Errors
    /// [`StoreError::NoSuchFolder`], [`StoreError::Io`].
    pub fn renumber(&self, path: &str) -> Result<u32, StoreError> {
        let mut inner = self.lock();
        let id = inner.find(path)?.id;
        let uid_validity = inner.next_uid_validity;
        let record = Record::Renumber { id, uid_validity };
        self.write(&mut inner, &record)?;
        inner.apply(record);
        inner.next_uid_validity += 1;
        self.changed(&mut inner, &[id]);
        Ok(uid_validity)
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

    pub(super) fn add_folder(
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
}

fn folder_is_fixed(folder: &Folder) -> bool {
    folder.role.is_some()
}
