//! How POP3 misbehaves on demand.

use serde::{Deserialize, Serialize};

use crate::net::fault::TransportFault;
use crate::net::rule::ReplyRule;

/// Faults of POP3, as `POST /control/faults` takes them under `pop3`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pop3Fault {
    /// Refuses every login: `-ERR Authentication failure: unknown user name or bad password.`
    pub refuse_login: bool,
    /// Lets everybody in and connects nobody.
    pub not_connected: bool,
    /// What goes wrong on the line.
    pub transport: TransportFault,
    /// What is said instead of the truth.
    pub rules: Vec<ReplyRule>,
}

impl Pop3Fault {
    /// What is wrong with the plan, if anything.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let good = |rule: &ReplyRule| {
            let known = rule.reply.starts_with("+OK") || rule.reply.starts_with("-ERR");
            known && rule.is_line()
        };
        (!self.rules.iter().all(good))
            .then_some("pop3.rules.reply: one line that begins with +OK or -ERR")
    }
}
