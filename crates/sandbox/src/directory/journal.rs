//! What the authority must not forget, one JSON object a line.

use std::fs::File;
use std::path::{Path, PathBuf};

use mailgrant_core::time::UnixTime;
use serde::{Deserialize, Serialize};

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
pub(super) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Tells every event of earlier runs in order, leaving out refresh tokens that ended long ago.
    pub(super) fn open(
        directory: &Path,
        now: UnixTime,
        tell: &mut dyn FnMut(&Event),
    ) -> Result<Self, Error> {
        let path = directory.join("directory.jsonl");
        let text = files::read(&path)?.unwrap_or_default();
        let mut kept = String::new();
        let complete = text
            .rfind('\n')
            .map_or("", |end| text.get(..end).unwrap_or(""));
        // A torn last line is a write that was never acknowledged.
        for (number, line) in complete.lines().enumerate() {
            let event: Event = serde_json::from_str(line).map_err(|error| Error::Damaged {
                path: path.clone(),
                problem: format!("line {}: {error}", number.saturating_add(1)),
            })?;
            let forgotten =
                matches!(&event, Event::RefreshTokenIssued(grant) if grant.is_forgotten(now));
            if !forgotten {
                kept.push_str(line);
                kept.push('\n');
                tell(&event);
            }
        }
        if kept != text {
            files::write_private(&path, kept.as_bytes())?;
        }
        let file = files::append_private(&path)?;
        Ok(Self { path, file })
    }

    /// Writes an event down, to the disk.
    pub(super) fn append(&mut self, event: &Event) -> Result<(), Error> {
        self.append_all(std::slice::from_ref(event))
    }

    /// Writes events down together, to the disk.
    pub(super) fn append_all(&mut self, events: &[Event]) -> Result<(), Error> {
        let mut lines = Vec::new();
        for event in events {
            serde_json::to_writer(&mut lines, event)
                .map_err(|error| files::problem("write", &self.path, error.into()))?;
            lines.push(b'\n');
        }
        files::append_whole(&mut self.file, &lines, Durable::PowerCut)
            .map_err(|source| files::problem("write", &self.path, source))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn told(directory: &Path) -> Vec<String> {
        let mut told = Vec::new();
        Journal::open(directory, NOW, &mut |event| {
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
        let mut journal = Journal::open(directory.path(), NOW, &mut |_| {}).unwrap();
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
        let error = Journal::open(directory.path(), NOW, &mut |_| {})
            .err()
            .unwrap();
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}
