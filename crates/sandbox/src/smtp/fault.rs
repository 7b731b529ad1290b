//! How SMTP misbehaves on demand.

use serde::{Deserialize, Serialize};

use crate::net::fault::TransportFault;
use crate::net::rule::ReplyRule;

/// Faults of SMTP, as `POST /control/faults` takes them under `smtp`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmtpFault {
    /// Refuses every login: `535 5.7.3 Authentication unsuccessful`
    pub refuse_login: bool,
    /// Lets everybody in and opens nobody's mailbox: `430 4.2.0 STOREDRV; mailbox logon failure` after each message.
    pub not_connected: bool,
    /// What goes wrong on the line.
    pub transport: TransportFault,
    /// What is said instead of the truth.
    pub rules: Vec<ReplyRule>,
}

impl SmtpFault {
    /// What is wrong with the plan, if anything.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let good = |rule: &ReplyRule| {
            let (code, rest) = rule.reply.split_at_checked(3).unwrap_or_default();
            matches!(code.parse(), Ok(200..=599_u16)) && rest.starts_with(' ') && rule.is_line()
        };
        (!self.rules.iter().all(good)).then_some(
            "smtp.rules.reply: one line that begins with three digits and a space, such as \"454 4.7.0 Temporary \
             authentication failure\"",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_reply_is_refused() {
        let problem = |reply: &str| {
            let rule = ReplyRule {
                at: "DATA".to_owned(),
                reply: reply.to_owned(),
                ..ReplyRule::default()
            };
            let rules = vec![rule];
            let fault = SmtpFault {
                rules,
                ..SmtpFault::default()
            };
            fault.problem()
        };
        assert_eq!(problem("454 4.7.0 Temporary authentication failure"), None);
        for bad in [
            "",
            "hello",
            "25 x",
            "250",
            "250x",
            "999 x",
            "250 a\r\nb",
            "é50 x",
        ] {
            assert!(problem(bad).is_some(), "{bad:?}");
        }
    }
}
