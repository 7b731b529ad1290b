//! The journal: one JSON object a line, each a change that happened. Reading it from the top gives the mailbox.
//!
//! ```text
//! {"folder":{"id":1,"path":"INBOX","role":"inbox","uid_validity":1795000000,"uid_next":1,"subscribed":true}}
//! {"add":{"folder":1,"entry":{"uid":1,"flags":0,"internal_date":1795000000,"size":1204,"header_size":310,"position":0}}}
//! {"flags":{"folder":1,"uids":[1],"flags":[1]}}
//! {"transfer":{"from":1,"to":4,"uids":[1],"first":1,"keep":false}}
//! ```
//!
//! A line is written by one `write` and counts once its newline is there; a torn last line is cut off.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Entry, Flags, FolderId, Role};
use crate::files::{Durable, append_whole};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    /// A folder was made, or (in a snapshot) stands like this.
    Folder {
        id: FolderId,
        path: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
        uid_validity: u32,
        uid_next: u32,
        subscribed: bool,
    },
    /// A folder has another path or subscription.
    Change {
        id: FolderId,
        path: String,
        subscribed: bool,
    },
    /// A folder is gone with its messages.
    Delete { id: FolderId },
    /// A folder has another `UIDVALIDITY`, and its messages have the UIDs 1, 2, 3, ….
    Renumber { id: FolderId, uid_validity: u32 },
    /// The next numbers to give; only in snapshots.
    Counters { folder: u32, uid_validity: u32 },
    /// A message came in.
    Add { folder: FolderId, entry: Entry },
    /// Messages have other flags.
    Flags {
        folder: FolderId,
        uids: Vec<u32>,
        flags: Vec<Flags>,
    },
    /// Messages were copied (`keep`) or moved; the target counts up from `first`.
    Transfer {
        from: FolderId,
        to: FolderId,
        uids: Vec<u32>,
        first: u32,
        keep: bool,
    },
    /// Messages are gone.
    Expunge { folder: FolderId, uids: Vec<u32> },
}

pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Lines in the file.
    pub(super) lines: usize,
}

impl Journal {
    /// Opens or makes the journal and hands each record to `replay`.
    pub(super) fn open(path: PathBuf, mut replay: impl FnMut(Record)) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)?;
        let mut reader = BufReader::new(&file);
        let (mut line, mut good, mut lines) = (Vec::new(), 0, 0);
        loop {
            line.clear();
            let length = reader
                .by_ref()
                .take(MAX_LINE)
                .read_until(b'\n', &mut line)?;
            if length == 0 || line.last() != Some(&b'\n') {
                break;
            }
            let record = serde_json::from_slice(&line).map_err(|error| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("{}: line {} is damaged: {error}", path.display(), lines + 1),
                )
            })?;
            replay(record);
            good += length as u64;
            lines += 1;
        }
        if good < file.metadata()?.len() {
            tracing::warn!(journal = %path.display(), "cut off a line that was not written to its end");
            file.set_len(good)?;
        }
        Ok(Journal { path, file, lines })
    }

    pub(super) fn write(&mut self, record: &Record) -> io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        append_whole(&mut self.file, &line, Durable::Process)?;
        self.lines += 1;
        Ok(())
    }

    /// Puts `records` in the place of all there is, in one step.
    pub(super) fn replace(&mut self, records: impl Iterator<Item = Record>) -> io::Result<()> {
        let temporary = self.path.with_extension("new");
        let mut writer = BufWriter::new(File::create(&temporary)?);
        let mut lines = 0;
        for record in records {
            serde_json::to_writer(&mut writer, &record)?;
            writer.write_all(b"\n")?;
            lines += 1;
        }
        writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        std::fs::rename(&temporary, &self.path)?;
        if let Some(directory) = self.path.parent().filter(|path| *path != Path::new("")) {
            File::open(directory)?.sync_all()?;
        }
        self.file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(&self.path)?;
        self.lines = lines;
        Ok(())
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// A transfer of a hundred thousand messages fits many times over.
const MAX_LINE: u64 = 64 << 20;
