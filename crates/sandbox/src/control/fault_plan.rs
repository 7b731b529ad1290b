//! Faults that the sandbox was told to show.

use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::directory::Protocol;
use crate::imap::ImapFault;
use crate::net::fault::TransportFault;
use crate::net::rule::ReplyRule;
use crate::pop3::Pop3Fault;
use crate::smtp::SmtpFault;

/// Every fault there is, as `POST /control/faults` takes it. What is left out is well again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultPlan {
    /// Faults of the authority.
    pub authority: AuthorityFault,
    /// Faults of IMAP.
    pub imap: ImapFault,
    /// Faults of SMTP.
    pub smtp: SmtpFault,
    /// Faults of POP3.
    pub pop3: Pop3Fault,
}

impl FaultPlan {
    /// The faults of a mail protocol's line.
    #[must_use]
    pub fn transport(&self, protocol: Protocol) -> Option<&TransportFault> {
        match protocol {
            Protocol::Imap => Some(&self.imap.transport),
            Protocol::Smtp => Some(&self.smtp.transport),
            Protocol::Pop => Some(&self.pop3.transport),
        }
    }

    /// The same, to count it down.
    pub(crate) fn transport_mut(&mut self, protocol: Protocol) -> Option<&mut TransportFault> {
        match protocol {
            Protocol::Imap => Some(&mut self.imap.transport),
            Protocol::Smtp => Some(&mut self.smtp.transport),
            Protocol::Pop => Some(&mut self.pop3.transport),
        }
    }
}

/// How the authority misbehaves. The control API is never affected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthorityFault {
    /// Hangs up without an answer.
    pub down: bool,
    /// Answers everything with this HTTP status and an empty body.
    pub status: Option<u16>,
    /// Answers everything with an HTML page, as a proxy or a captive portal does.
    pub html: bool,
    /// Refuses everything in Entra's form, with this AADSTS number, such as 90033. A number that the sandbox does not
    /// know is refused when it is set.
    pub error: Option<u32>,
    /// Waits before it answers, in milliseconds.
    pub delay_ms: u64,
    /// `Retry-After` to send with `status`, in seconds.
    pub retry_after: Option<u32>,
    /// Only on requests whose path ends so, such as `/token`; all when empty.
    pub path: String,
    /// How many requests it lasts; for ever when absent.
    pub times: Option<u32>,
}

impl AuthorityFault {
    /// Whether anything is wrong at all.
    #[must_use]
    pub fn is_none(&self) -> bool {
        !self.down
            && self.status.is_none()
            && !self.html
            && self.error.is_none()
            && self.delay_ms == 0
    }
}

/// The faults in force. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    plan: RwLock<FaultPlan>,
    /// Counts the plans put in force; what a plan counts down does not count here.
    revision: watch::Sender<u64>,
}

impl Faults {
    /// What is in force now.
    #[must_use]
    pub fn plan(&self) -> FaultPlan {
        self.look(FaultPlan::clone)
    }

    /// Puts another plan in force.
    pub fn set(&self, plan: FaultPlan) {
        *self.0.plan.write().unwrap_or_else(PoisonError::into_inner) = plan;
        self.0.revision.send_modify(|revision| *revision += 1);
    }

    /// Looks at the plan without copying it.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&FaultPlan) -> R) -> R {
        look(&self.0.plan.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The number of plans put in force so far.
    pub(crate) fn revision(&self) -> u64 {
        *self.0.revision.borrow()
    }

    /// Tells when another plan is put in force.
    pub(crate) fn revisions(&self) -> watch::Receiver<u64> {
        self.0.revision.subscribe()
    }

    /// Lets `strike` find a fault in the plan, and count it down.
    pub(crate) fn strike<R>(&self, strike: impl FnOnce(&mut FaultPlan) -> Option<R>) -> Option<R> {
        strike(&mut self.0.plan.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// What SMTP is to say at this point of a conversation instead of the truth; counts it.
    pub(crate) fn of_smtp(&self, at: &str, mailbox: Option<&str>) -> Option<ReplyRule> {
        // Nothing is wrong, mostly: many may look at once.
        self.look(|plan| !plan.smtp.rules.is_empty())
            .then_some(())?;
        self.strike(|plan| ReplyRule::strike(&mut plan.smtp.rules, at, mailbox))
    }

    /// The same for POP3.
    pub(crate) fn of_pop3(&self, at: &str, mailbox: Option<&str>) -> Option<ReplyRule> {
        self.look(|plan| !plan.pop3.rules.is_empty())
            .then_some(())?;
        self.strike(|plan| ReplyRule::strike(&mut plan.pop3.rules, at, mailbox))
    }

    /// The authority's fault for a request to this path, if it has one; counts it against `times`.
    pub(crate) fn of_authority(&self, path: &str) -> Option<AuthorityFault> {
        self.strike(|plan| {
            let fault = &mut plan.authority;
            if fault.is_none() || !path.ends_with(&fault.path) {
                return None;
            }
            if let Some(times) = &mut fault.times {
                *times = times.checked_sub(1)?;
            }
            Some(fault.clone())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_may_be_for_one_path_and_a_few_times() {
        let faults = Faults::default();
        assert_eq!(faults.of_authority("/t/oauth2/v2.0/token"), None);
        faults.set(FaultPlan {
            authority: AuthorityFault {
                status: Some(503),
                path: "/token".to_owned(),
                times: Some(2),
                ..AuthorityFault::default()
            },
            ..FaultPlan::default()
        });
        assert_eq!(faults.of_authority("/t/discovery/v2.0/keys"), None);
        let seen = (0..3)
            .filter(|_| faults.of_authority("/t/oauth2/v2.0/token").is_some())
            .count();
        assert_eq!(seen, 2);
    }
}
