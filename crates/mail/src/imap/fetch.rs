//! FETCH: summaries and windows of bodies.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use bytes::Bytes;
use mailgrant_core::time::UnixTime;

use super::date::internal_date;
use super::driver::Command;
use super::error::Error;
use super::response::{Fetched, Untagged, Window};
use super::session::Session;

/// A message as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its lasting number within the mailbox and its UIDVALIDITY; never 0.
    pub uid: u32,
    /// Its place in the mailbox when it was fetched, 1 for the oldest.
    pub sequence: u32,
    /// IMAP flags, `\Seen` and keywords alike.
    pub flags: Vec<String>,
    /// INTERNALDATE.
    pub received_at: Option<UnixTime>,
    /// RFC822.SIZE. Exchange's is an estimate.
    pub size: u64,
    /// The first octets of the message; empty where they were not asked for.
    pub head: Bytes,
    /// Whether `head` is the whole message.
    pub head_complete: bool,
}

impl Session {
    /// Summaries of the open mailbox's messages with these UIDs, in this order; those that are gone
    /// are left out.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] when no mailbox is open or a UID is 0; else as any command.
    pub async fn summaries(&mut self, uids: &[u32]) -> Result<Vec<Summary>, Error> {
        self.selected()?;
        check_uids(uids)?;
        let window = self.driver.limits().head_window;
        let items = summary_items(window);
        let mut found = BTreeMap::new();
        for chunk in sorted(uids).chunks(MAX_NUMBERS) {
            let rows = self
                .fetch(By::Uid, &NumberSet::from_sorted(chunk), &items, window)
                .await?;
            for row in rows.into_values() {
                if let Some(summary) = summary(row, window)? {
                    found.insert(summary.uid, summary);
                }
            }
        }
        Ok(uids.iter().filter_map(|uid| found.remove(uid)).collect())
    }

    /// A message of the open mailbox without its head; `None` when the UID is gone.
    ///
    /// # Errors
    ///
    /// As [`summaries`](Session::summaries).
    pub async fn describe(&mut self, uid: u32) -> Result<Option<Summary>, Error> {
        self.selected()?;
        check_uids(&[uid])?;
        let items = "UID FLAGS INTERNALDATE RFC822.SIZE";
        let rows = self
            .fetch(By::Uid, &NumberSet::from_sorted(&[uid]), items, 0)
            .await?;
        let Some(mut row) = rows.into_values().next() else {
            return Ok(None);
        };
        row.body = Some(Window {
            offset: Some(0),
            bytes: Bytes::new(),
        });
        summary(row, 0)
    }

    /// Octets `offset .. offset + length` of a message of the open mailbox, fewer at its end;
    /// `None` when the UID is gone.
    ///
    /// ```text
    /// C: M0007 UID FETCH 4711 (UID BODY.PEEK[]<262144.262144>)
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] when no mailbox is open, `uid` is 0 or the window is empty or beyond
    /// what IMAP can number; [`Error::Protocol`] when the server answers another window; else as any
    /// command.
    pub async fn body_window(
        &mut self,
        uid: u32,
        offset: u64,
        length: usize,
    ) -> Result<Option<Bytes>, Error> {
        self.selected()?;
        check_uids(&[uid])?;
        let invalid = |reason| Error::InvalidInput {
            what: "the window of the message",
            reason,
        };
        let origin = u32::try_from(offset).map_err(|_| invalid("IMAP counts 4 GiB at most"))?;
        let window = u32::try_from(length)
            .ok()
            .filter(|window| u64::from(*window) <= self.driver.limits().max_literal)
            .ok_or_else(|| invalid("it is larger than the largest literal allowed"))?;
        if window == 0 {
            return Err(invalid("it is empty"));
        }
        let items = format!("UID BODY.PEEK[]<{origin}.{window}>");
        let rows = self
            .fetch(By::Uid, &NumberSet::from_sorted(&[uid]), &items, window)
            .await?;
        let Some(row) = rows.into_values().next() else {
            return Ok(None);
        };
        let body = row
            .body
            .ok_or_else(|| self.protocol("UID FETCH", "a message without the body asked for"))?;
        match body.offset {
            Some(answered) if answered == origin => Ok(Some(body.bytes)),
            // Without an origin it is the whole message.
            None if origin == 0 => Ok(Some(body.bytes)),
            _ => Err(self.protocol("UID FETCH", "another window of the body than was asked for")),
        }
    }

    /// Runs a FETCH and gathers what it brings by sequence number: only messages that were asked
    /// for, parts of one message put together, bodies cut to `window` octets, expunged ones
    /// taken out.
    pub(super) async fn fetch(
        &mut self,
        by: By,
        numbers: &NumberSet,
        items: &str,
        window: u32,
    ) -> Result<BTreeMap<u32, Fetched>, Error> {
        let name = match by {
            By::Sequence => "FETCH",
            By::Uid => "UID FETCH",
        };
        let command = Command::new(name).text(&format!(" {numbers} ({items})"));
        let mut rows: BTreeMap<u32, Fetched> = BTreeMap::new();
        self.run(command, |data| {
            match data {
                Untagged::Fetch(fresh) => {
                    let asked = match (by, fresh.uid) {
                        (By::Sequence, _) => numbers.contains(fresh.sequence),
                        (By::Uid, Some(uid)) => numbers.contains(uid),
                        // A change of flags, told unasked.
                        (By::Uid, None) => rows.contains_key(&fresh.sequence),
                    };
                    if asked {
                        merge(rows.entry(fresh.sequence).or_default(), fresh, window);
                    }
                }
                Untagged::Expunge(gone) => rows = close_gap(std::mem::take(&mut rows), gone),
                _ => {}
            }
            Ok(())
        })
        .await?;
        if by == By::Uid {
            rows.retain(|_, row| row.uid.is_some());
        }
        Ok(rows)
    }
}

/// What a message set counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Sequence,
    Uid,
}

/// A message set (RFC 3501 `sequence-set`), ascending.
#[derive(Debug)]
pub(super) struct NumberSet(Vec<RangeInclusive<u32>>);

impl NumberSet {
    pub(super) fn from_sorted(numbers: &[u32]) -> Self {
        let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
        for &number in numbers {
            match ranges.last_mut() {
                Some(last) if last.end().checked_add(1) == Some(number) => {
                    *last = *last.start()..=number;
                }
                _ => ranges.push(number..=number),
            }
        }
        Self(ranges)
    }

    pub(super) fn range(range: RangeInclusive<u32>) -> Self {
        Self(vec![range])
    }

    fn contains(&self, number: u32) -> bool {
        let after = self.0.partition_point(|range| *range.start() <= number);
        after
            .checked_sub(1)
            .and_then(|at| self.0.get(at))
            .is_some_and(|range| range.contains(&number))
    }
}

impl fmt::Display for NumberSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            match (range.start(), range.end()) {
                (start, end) if start == end => write!(f, "{start}")?,
                (start, end) => write!(f, "{start}:{end}")?,
            }
        }
        Ok(())
    }
}

/// Everything a [`Summary`] is made of, the head `window` octets long.
pub(super) fn summary_items(window: u32) -> String {
    format!("UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.{window}>")
}

/// `None` when UID or head did not come.
pub(super) fn summary(row: Fetched, window: u32) -> Result<Option<Summary>, Error> {
    let (Some(uid), Some(body)) = (row.uid, row.body) else {
        return Ok(None);
    };
    if uid == 0 {
        return Err(Error::Protocol {
            during: "FETCH".into(),
            reason: "a message with UID 0".into(),
        });
    }
    Ok(Some(Summary {
        uid,
        sequence: row.sequence,
        flags: row.flags.unwrap_or_default(),
        received_at: row.internal_date.as_deref().and_then(internal_date),
        size: row.size.unwrap_or(body.bytes.len() as u64),
        // Only a short answer is proof: sizes may be estimates.
        head_complete: body.bytes.len() < window as usize,
        head: body.bytes,
    }))
}

pub(super) fn sorted(numbers: &[u32]) -> Vec<u32> {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn check_uids(uids: &[u32]) -> Result<(), Error> {
    if uids.contains(&0) {
        return Err(Error::InvalidInput {
            what: "the UID",
            reason: "0 is none",
        });
    }
    Ok(())
}

fn merge(row: &mut Fetched, fresh: Fetched, window: u32) {
    row.sequence = fresh.sequence;
    row.uid = fresh.uid.or(row.uid);
    row.size = fresh.size.or(row.size);
    if fresh.flags.is_some() {
        row.flags = fresh.flags;
    }
    if fresh.internal_date.is_some() {
        row.internal_date = fresh.internal_date;
    }
    if let Some(mut body) = fresh.body {
        if let Some(cut) = body.bytes.get(..window as usize)
            && cut.len() < body.bytes.len()
        {
            body.bytes = Bytes::copy_from_slice(cut);
        }
        row.body = Some(body);
    }
}

/// EXPUNGE renumbers all messages above the one that is gone.
fn close_gap(rows: BTreeMap<u32, Fetched>, gone: u32) -> BTreeMap<u32, Fetched> {
    rows.into_values()
        .filter(|row| row.sequence != gone)
        .map(|mut row| {
            if row.sequence > gone {
                row.sequence -= 1;
            }
            (row.sequence, row)
        })
        .collect()
}

/// Numbers in one command: keeps the line under 8192 octets (RFC 7162 §4).
const MAX_NUMBERS: usize = 500;
