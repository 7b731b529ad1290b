//! Listing a mailbox, newest first, in pages that miss nothing and repeat nothing.
//!
//! A position names the last message listed by UID and by its place. Messages below it can only
//! have moved down since (by expunges) and new ones come in above, so that walking down from
//! `place - 1` and leaving out UIDs that are not below the position's finds exactly the rest. The
//! one exception is a session that has not heard of expunges yet that the position's session
//! knew: it shows in the message right above, which is fetched along.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::fetch::{By, NumberSet, Summary, summary, summary_items};
use super::response::Fetched;
use super::session::Session;

/// Where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PagePosition {
    /// UID of the last message listed; it means something only under the same UIDVALIDITY.
    pub uid: u32,
    /// Its place at that time.
    pub sequence: u32,
}

/// Part of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub items: Vec<Summary>,
    /// Where to go on; `None` at the oldest message.
    pub next: Option<PagePosition>,
    /// Places that the server, asked twice, gave nothing for: expunged by somebody else, or broken
    /// on the server.
    pub missing: Vec<u32>,
}

impl Session {
    /// The next `limit` messages (at most 500) of the open mailbox below `from`, newest first.
    ///
    /// ```text
    /// C: M0005 FETCH 951:1000 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.16384>)
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] when no mailbox is open or `limit` is 0; else as any command.
    pub async fn page(&mut self, limit: usize, from: Option<PagePosition>) -> Result<Page, Error> {
        let exists = self.selected()?.exists;
        let limit = u32::try_from(limit).unwrap_or(MAX_PAGE).min(MAX_PAGE);
        if limit == 0 {
            return Err(Error::InvalidInput {
                what: "the page limit",
                reason: "a page has at least one message",
            });
        }
        let mut walk = Walk {
            items: Vec::new(),
            missing: Vec::new(),
            window: self.driver.limits().head_window,
            below: from.map(|position| position.uid),
            top: match from {
                Some(position) => exists.min(position.sequence.saturating_sub(1)),
                None => exists,
            },
        };
        if from.is_some() && walk.top < exists {
            self.check_view(&mut walk, exists, limit).await?;
        }
        while walk.top > 0 && walk.wanted(limit) > 0 {
            let low = walk.low(limit);
            let rows = self.rows(low..=walk.top).await?;
            let nothing_came = rows.is_empty();
            if !walk.take(low, rows)? && !nothing_came {
                walk.top = self.descend(walk.top, walk.below).await?;
            }
        }
        let next = walk.below.filter(|_| walk.top > 0);
        Ok(Page {
            next: next.map(|uid| PagePosition {
                uid,
                sequence: walk.top + 1,
            }),
            items: walk.items,
            missing: walk.missing,
        })
    }

    /// The first step of a walk from a position, one message higher than it need be.
    async fn check_view(&mut self, walk: &mut Walk, exists: u32, limit: u32) -> Result<(), Error> {
        let (low, above) = (walk.low(limit), walk.top + 1);
        let mut rows = self.rows(low..=above).await?;
        let witness = rows.remove(&above).and_then(|row| row.uid);
        let is_older = |uid| walk.below.is_some_and(|below| uid < below);
        match witness {
            Some(uid) if is_older(uid) => {
                walk.top = self.descend(exists, walk.below).await?;
            }
            // Expunged as well: the witness is whoever stands above it.
            None => {
                let higher = exists.min(above.saturating_add(DESCENT - 1));
                walk.top = self.descend(higher, walk.below).await?;
            }
            Some(_) if walk.top > 0 && !walk.take(low, rows)? => {
                walk.top = self.descend(walk.top, walk.below).await?;
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Rows of a stretch of the mailbox; what did not come is asked for once more.
    async fn rows(
        &mut self,
        stretch: std::ops::RangeInclusive<u32>,
    ) -> Result<BTreeMap<u32, Fetched>, Error> {
        let window = self.driver.limits().head_window;
        let items = summary_items(window);
        let exists = self.selected()?.exists;
        let mut rows = self
            .fetch(
                By::Sequence,
                &NumberSet::range(stretch.clone()),
                &items,
                window,
            )
            .await?;
        rows.retain(|_, row| row.uid.is_some() && row.body.is_some());
        let lost: Vec<u32> = stretch
            .filter(|number| !rows.contains_key(number))
            .collect();
        // After an EXPUNGE the numbers mean other messages.
        if !lost.is_empty() && self.selected()?.exists == exists {
            let again = self
                .fetch(By::Sequence, &NumberSet::from_sorted(&lost), &items, window)
                .await?;
            rows.extend(again);
        }
        Ok(rows)
    }

    /// The highest place at or below `top` with a UID below `below`; 0 when there is none.
    async fn descend(&mut self, mut top: u32, below: Option<u32>) -> Result<u32, Error> {
        let Some(below) = below else {
            return Ok(top);
        };
        while top > 0 {
            let low = top.saturating_sub(DESCENT - 1).max(1);
            let rows = self
                .fetch(By::Sequence, &NumberSet::range(low..=top), "UID", 0)
                .await?;
            let found = rows
                .values()
                .rev()
                .find(|row| row.uid.is_some_and(|uid| uid < below));
            if let Some(row) = found {
                return Ok(row.sequence);
            }
            top = low - 1;
        }
        Ok(0)
    }
}

/// A page in the making.
struct Walk {
    items: Vec<Summary>,
    missing: Vec<u32>,
    window: u32,
    /// Only UIDs below this one are new.
    below: Option<u32>,
    /// The highest place not looked at yet.
    top: u32,
}

impl Walk {
    fn wanted(&self, limit: u32) -> u32 {
        let have = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        limit.saturating_sub(have)
    }

    fn low(&self, limit: u32) -> u32 {
        self.top
            .saturating_sub(self.wanted(limit).saturating_sub(1))
            .max(1)
    }

    /// Takes what is new of `low ..= top`; answers whether anything was.
    fn take(&mut self, low: u32, mut rows: BTreeMap<u32, Fetched>) -> Result<bool, Error> {
        let before = self.items.len();
        for place in (low..=self.top).rev() {
            let row = rows.remove(&place).unwrap_or_default();
            let Some(summary) = summary(row, self.window)? else {
                self.missing.push(place);
                continue;
            };
            if self.below.is_none_or(|below| summary.uid < below) {
                self.below = Some(summary.uid);
                self.items.push(summary);
            }
        }
        self.top = low - 1;
        Ok(self.items.len() > before)
    }
}

/// The largest page.
const MAX_PAGE: u32 = 500;

/// UIDs asked for at a time while looking for the place to go on.
const DESCENT: u32 = 1000;
