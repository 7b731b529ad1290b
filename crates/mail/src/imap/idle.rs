//! Waiting for something to happen.

use std::time::Duration;

use tokio::time::Instant;

use super::error::Error;
use super::response::{ConditionKind, Reply, Untagged};
use super::session::Session;

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idled {
    /// The mailbox changed: look at it.
    Changed,
    /// Nothing happened in the time given.
    TimedOut,
}

impl Session {
    /// Waits until the open mailbox changes, `patience` at the most (RFC 2177 asks for less than
    /// 29 minutes).
    ///
    /// ```text
    /// C: M0009 IDLE
    /// S: + idling
    /// S: * 24 EXISTS
    /// C: DONE
    /// S: M0009 OK IDLE terminated
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] when no mailbox is open; [`Error::Bye`] and [`Error::Closed`] when
    /// the server ends the wait; else as any command.
    pub async fn idle(&mut self, patience: Duration) -> Result<Idled, Error> {
        self.selected()?;
        let silence = self.driver.limits().idle_timeout;
        let mut exchange = self.driver.begin("IDLE", Instant::now() + silence)?;
        exchange.send_tagged(b"IDLE").await?;
        let selection = &mut self.selection;
        let mut observe = |data: &Untagged| {
            if let Some(selection) = selection {
                selection.observe(data);
            }
            is_change(data)
        };
        let mut changed = false;
        loop {
            match exchange.next().await? {
                Reply::Continue(_) => break,
                Reply::Untagged(data) => changed |= observe(&data),
                Reply::Done { outcome, .. } => return Err(exchange.refused(outcome)),
            }
        }

        exchange.idle(patience);
        exchange.deadline(Instant::now() + patience);
        while !changed {
            match exchange.next().await {
                Ok(Reply::Untagged(data)) => changed = observe(&data),
                Ok(Reply::Continue(_)) => {}
                Ok(Reply::Done { outcome, .. }) => return Err(exchange.refused(outcome)),
                Err(Error::Timeout { .. }) => break,
                Err(other) => return Err(other),
            }
        }

        exchange.idle(silence);
        exchange.deadline(Instant::now() + silence);
        exchange.send_line(b"DONE").await?;
        loop {
            match exchange.next().await? {
                Reply::Done { outcome, .. } if outcome.kind == ConditionKind::Ok => break,
                Reply::Done { outcome, .. } => return Err(exchange.refused(outcome)),
                Reply::Untagged(data) => changed |= observe(&data),
                Reply::Continue(_) => {}
            }
        }
        self.driver.finish();
        Ok(if changed {
            Idled::Changed
        } else {
            Idled::TimedOut
        })
    }
}

fn is_change(data: &Untagged) -> bool {
    matches!(
        data,
        Untagged::Exists(_) | Untagged::Expunge(_) | Untagged::Vanished(_) | Untagged::Fetch(_)
    )
}
