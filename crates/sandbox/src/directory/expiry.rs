//! Tokens that end before their time, because the sandbox was told so.

use std::collections::HashMap;

use mailgrant_core::time::UnixTime;
use serde::{Deserialize, Serialize};

use super::Directory;
use super::journal::Event;
use crate::Error;

/// To whom something was issued: everybody who is not ruled out by a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct IssuedTo {
    /// The object id of a person.
    pub person: Option<String>,
    /// The client id of an application.
    pub application: Option<String>,
}

impl IssuedTo {
    pub(crate) fn is(&self, person: &str, application: &str) -> bool {
        let same = |wanted: &Option<String>, actual: &str| {
            wanted
                .as_ref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(actual))
        };
        same(&self.person, person) && same(&self.application, application)
    }
}

impl Directory {
    /// Ends the access tokens issued until now, for whoever reads them in this sandbox.
    ///
    /// # Errors
    ///
    /// When it cannot be written down.
    pub(crate) fn expire_access_tokens(
        &self,
        issued_to: &IssuedTo,
        now: UnixTime,
    ) -> Result<(), Error> {
        let mut ended = self.ended();
        // Those issued in this very second, after an earlier call, count as issued later.
        let until = ended.issue_time(now);
        self.journal().append(&Event::AccessTokensExpired {
            issued_to: issued_to.clone(),
            until,
        })?;
        ended.add(issued_to.clone(), until);
        Ok(())
    }

    /// Ends the refresh tokens issued until now, as if they had lain idle.
    ///
    /// # Errors
    ///
    /// When it cannot be written down.
    pub(crate) fn expire_refresh_tokens(
        &self,
        issued_to: &IssuedTo,
        now: UnixTime,
    ) -> Result<(), Error> {
        let mut tokens = self.refresh_tokens();
        self.journal().append(&Event::RefreshTokensExpired {
            issued_to: issued_to.clone(),
            at: now,
        })?;
        tokens.expire(issued_to, now);
        Ok(())
    }

    /// The `iat` of an access token that is issued now.
    pub(crate) fn issue_time(&self, now: UnixTime) -> UnixTime {
        self.ended().issue_time(now)
    }

    /// Whether a token of that `iat` was ended.
    pub(super) fn has_ended(&self, person: &str, application: &str, issued_at: UnixTime) -> bool {
        self.ended().contains(person, application, issued_at)
    }
}

/// Until when the access tokens of whom were ended.
#[derive(Debug, Default)]
pub(super) struct Ended(HashMap<IssuedTo, UnixTime>);

impl Ended {
    pub(super) fn add(&mut self, issued_to: IssuedTo, until: UnixTime) {
        let known = self.0.entry(issued_to).or_insert(until);
        *known = (*known).max(until);
    }

    /// Times are in whole seconds: what is issued after an end, yet in the same second, counts as a second younger.
    fn issue_time(&self, now: UnixTime) -> UnixTime {
        match self.0.values().max() {
            Some(last) => UnixTime(now.0.max(last.0.saturating_add(1))),
            None => now,
        }
    }

    fn contains(&self, person: &str, application: &str, issued_at: UnixTime) -> bool {
        self.0
            .iter()
            .any(|(issued_to, until)| issued_at <= *until && issued_to.is(person, application))
    }
}
