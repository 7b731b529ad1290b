//! What the authority must not forget, one JSON object a line.

use std::fs::File;
use std::path::{Path, PathBuf};

use mailgrant_core::time::UnixTime;
use serde::{Deserialize, Serialize};

use super::compact::compact;
use super::expiry::IssuedTo;
use super::permission::Permission;
use super::refresh_tokens::RefreshTokenGrant;
use crate::Error;
use crate::files::{self, Durable};

/// Something that happened to the tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event {
    Consented {
        /// The tenant's GUID; nothing for the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<String>,
        client_id: String,
        person: Option<String>,
        permissions: Vec<Permission>,
    },
    ConsentWithdrawn {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<String>,
        client_id: String,
    },
    RefreshTokenIssued(RefreshTokenGrant),
    Revoked {
        person: String,
        generation: u64,
    },
    AccessTokensExpired {
        issued_to: IssuedTo,
        until: UnixTime,
    },
    RefreshTokensExpired {
        issued_to: IssuedTo,
        at: UnixTime,
    },
    /// An entry is like this from now on, or gone.
    Changed(Changed),
}

impl Event {
    /// Whether it changes what a tenant file says.
    pub(super) fn is_of_tenants(&self) -> bool {
        matches!(
            self,
            Self::Consented { .. } | Self::ConsentWithdrawn { .. } | Self::Changed(_)
        )
    }
}

/// A change of an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Changed {
    /// The tenant's GUID; nothing for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    pub collection: String,
    pub key: String,
    pub entry: Option<serde_json::Value>,
    /// For an application: it has the redirect URIs of the settings besides those of the entry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settings_redirect_uris: bool,
}

/// The file of events, open for appending.
///
/// What was said again and again is folded together from time to time, in one step: a crash leaves the old file or the
/// new one.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// How long the file may get before it is looked through again.
    limit: u64,
    same: Box<Same>,
}

/// Whether two rows of events come to the same.
pub(super) type Same = dyn Fn(&[Event], &[Event]) -> bool + Send;

impl Journal {
    /// Tells every event of earlier runs in order, leaving out refresh tokens that ended long ago. `same` looks at each
    /// shorter form before it takes the place of the longer one.
    pub(super) fn open(
        directory: &Path,
        now: UnixTime,
        same: Box<Same>,
        tell: &mut dyn FnMut(&Event),
    ) -> Result<Self, Error> {
        let path = directory.join("directory.jsonl");
        let text = files::read(&path)?.unwrap_or_default();
        let mut events = read(&path, &text)?;
        events.retain(
            |event| !matches!(event, Event::RefreshTokenIssued(grant) if grant.is_forgotten(now)),
        );
        events.iter().for_each(tell);
        let kept = lines(&path, &events)?;
        if kept.len() < text.len() {
            files::write_private(&path, &kept)?;
        }
        let file = files::append_private(&path)?;
        let mut journal = Self {
            path,
            file,
            limit: LEAST,
            same,
        };
        journal.bound()?;
        Ok(journal)
    }

    /// Folds the file when it has grown to its limit.
    fn bound(&mut self) -> Result<(), Error> {
        let length = self.length()?;
        if length < self.limit {
            return Ok(());
        }
        let text = files::read(&self.path)?.unwrap_or_default();
        let events = read(&self.path, &text)?;
        let shorter = compact(events.clone());
        let written = lines(&self.path, &shorter)?;
        if written.len() < text.len() && (self.same)(&events, &shorter) {
            files::write_private(&self.path, &written)?;
            self.file = files::append_private(&self.path)?;
        }
        self.limit = self.length()?.saturating_mul(2).max(LEAST);
        Ok(())
    }

    fn length(&self) -> Result<u64, Error> {
        let metadata = self.file.metadata();
        let metadata = metadata.map_err(|source| files::problem("read", &self.path, source))?;
        Ok(metadata.len())
    }

    /// Writes an event down, to the disk.
    pub(super) fn append(&mut self, event: &Event) -> Result<(), Error> {
        self.append_all(std::slice::from_ref(event))
    }

    /// Writes events down together, to the disk.
    pub(super) fn append_all(&mut self, events: &[Event]) -> Result<(), Error> {
        let lines = lines(&self.path, events)?;
        files::append_whole(&mut self.file, &lines, Durable::PowerCut)
            .map_err(|source| files::problem("write", &self.path, source))?;
        // What was asked for is written down; a file that stays long does no harm yet.
        if let Err(error) = self.bound() {
            tracing::warn!(%error, "the directory's journal could not be shortened");
            self.limit = self.limit.saturating_mul(2);
        }
        Ok(())
    }
}

/// The events of a file; a torn last line is a write that was never acknowledged.
fn read(path: &Path, text: &str) -> Result<Vec<Event>, Error> {
    let complete = text
        .rfind('\n')
        .map_or("", |end| text.get(..end).unwrap_or(""));
    let events = complete.lines().enumerate().map(|(number, line)| {
        serde_json::from_str(line).map_err(|error| Error::Damaged {
            path: path.to_owned(),
            problem: format!("line {}: {error}", number.saturating_add(1)),
        })
    });
    events.collect()
}

fn lines(path: &Path, events: &[Event]) -> Result<Vec<u8>, Error> {
    let mut lines = Vec::new();
    for event in events {
        serde_json::to_writer(&mut lines, event)
            .map_err(|error| files::problem("write", path, error.into()))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// A file of less is left as it is.
const LEAST: u64 = 256 * 1024;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn told(directory: &Path) -> Vec<String> {
        let mut told = Vec::new();
        Journal::open(directory, NOW, Box::new(|_, _| true), &mut |event| {
            if let Event::ConsentWithdrawn { client_id, .. } = event {
                told.push(client_id.clone());
            }
        })
        .unwrap();
        told
    }

    #[test]
    fn events_are_told_again_in_order_and_a_torn_line_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal =
            Journal::open(directory.path(), NOW, Box::new(|_, _| true), &mut |_| {}).unwrap();
        for client_id in ["a", "b"] {
            journal
                .append(&Event::ConsentWithdrawn {
                    tenant: None,
                    client_id: client_id.to_owned(),
                })
                .unwrap();
        }
        journal.file.write_all(b"{\"event\":\"consent_w").unwrap();
        assert_eq!(told(directory.path()), ["a", "b"]);
        assert_eq!(told(directory.path()), ["a", "b"]);
    }

    #[test]
    fn a_damaged_line_stops_the_start_with_its_number() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("directory.jsonl"), "nonsense\n").unwrap();
        let error = Journal::open(directory.path(), NOW, Box::new(|_, _| true), &mut |_| {})
            .err()
            .unwrap();
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}
