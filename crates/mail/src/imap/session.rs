//! An authenticated connection.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::driver::{Command, Driver};
use super::error::Error;
use super::guard::Traffic;
use super::mailbox::Selection;
use super::response::{Condition, ConditionKind, Reply, Untagged};

/// An authenticated connection. One command at a time; after any error but
/// [`Error::InvalidInput`], and after a future of it was dropped half-way, it
/// [is not usable](Session::is_usable) any more and must be dropped.
pub struct Session {
    pub(super) driver: Driver,
    capabilities: Vec<String>,
    pub(super) selection: Option<Selection>,
    /// Wire forms of listed names that do not follow from the name.
    pub(super) irregular_names: HashMap<String, String>,
}

impl Session {
    /// What the server offers after the login, upper case.
    pub fn capabilities(&self) -> &[String] {
        &self.capabilities
    }

    /// Whether the server offers `capability` (upper case).
    pub fn offers(&self, capability: &str) -> bool {
        self.capabilities
            .iter()
            .any(|offered| offered == capability)
    }

    /// Whether another command may be run.
    pub fn is_usable(&self) -> bool {
        self.driver.is_usable()
    }

    /// What went over the wire so far.
    pub fn traffic(&self) -> &Arc<Traffic> {
        self.driver.traffic()
    }

    /// Keeps the connection alive and takes in what changed in the mailbox (RFC 3501 §6.1.2).
    ///
    /// # Errors
    ///
    /// When the connection or the server fails.
    pub async fn noop(&mut self) -> Result<(), Error> {
        self.run(Command::new("NOOP"), |_| Ok(())).await
    }

    /// Says goodbye (RFC 3501 §6.1.3).
    ///
    /// # Errors
    ///
    /// When the connection fails before the server agreed; there is nothing left to do then.
    pub async fn logout(mut self) -> Result<(), Error> {
        let deadline = tokio::time::Instant::now() + self.driver.limits().greeting_timeout;
        let mut exchange = self.driver.begin("LOGOUT", deadline)?;
        exchange.send_tagged(b"LOGOUT").await?;
        let mut bye = false;
        loop {
            match exchange.next_or_bye().await {
                Ok(Reply::Done { outcome, .. }) if outcome.kind == ConditionKind::Ok => {
                    return Ok(());
                }
                Ok(Reply::Done { outcome, .. }) => return Err(exchange.refused(outcome)),
                Ok(Reply::Untagged(Untagged::Condition(Condition {
                    kind: ConditionKind::Bye,
                    ..
                }))) => bye = true,
                Ok(_) => {}
                // Many servers close without the tagged OK.
                Err(Error::Closed { .. }) if bye => return Ok(()),
                Err(other) => return Err(other),
            }
        }
    }

    pub(super) fn new(driver: Driver, capabilities: Vec<String>) -> Self {
        Self {
            driver,
            capabilities,
            selection: None,
            irregular_names: HashMap::new(),
        }
    }

    /// Runs a command and keeps the selected mailbox's numbers in step with what it brings.
    pub(super) async fn run(
        &mut self,
        command: Command,
        mut each: impl FnMut(Untagged) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let selection = &mut self.selection;
        self.driver
            .run(command, |data| {
                if let Some(selection) = selection {
                    selection.observe(&data);
                }
                each(data)
            })
            .await
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("usable", &self.is_usable())
            .field("capabilities", &self.capabilities)
            .field("selection", &self.selection)
            .finish_non_exhaustive()
    }
}
