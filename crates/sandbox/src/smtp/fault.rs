//! How SMTP misbehaves on demand.

use serde::{Deserialize, Serialize};

/// Faults of SMTP, as `POST /control/faults` takes them under `smtp`.
///
/// ```json
/// {"smtp": {"replies": [{"at": "MESSAGE", "reply": "432 4.3.2 Concurrent connections limit exceeded.", "times": 2}]}}
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmtpFault {
    /// Refuses every login with `535 5.7.3`.
    pub refuse_login: bool,
    /// Says something else than the truth.
    pub replies: Vec<ScriptedReply>,
}

/// A reply to give instead of the true one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedReply {
    /// At which command: `EHLO`, `AUTH`, `MAIL`, `RCPT`, `DATA`, …; `GREETING` when the client has come in, and in
    /// SMTP `MESSAGE` when it has sent a whole message.
    pub at: String,
    /// The whole line, such as `454 4.7.0 Temporary authentication failure`.
    pub reply: String,
    /// How often; for ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

impl SmtpFault {
    /// What is wrong with it, if anything.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let good = |reply: &ScriptedReply| {
            let (code, rest) = reply.reply.split_at_checked(3).unwrap_or_default();
            matches!(code.parse(), Ok(200..=599_u16)) && rest.starts_with(' ') && reply.is_line()
        };
        (!self.replies.iter().all(good)).then_some(
            "smtp.replies.reply: one line that begins with three digits and a space, such as \"454 4.7.0 Temporary \
             authentication failure\"",
        )
    }
}

impl ScriptedReply {
    /// Whether it can be sent as it is.
    pub(crate) fn is_line(&self) -> bool {
        self.reply.len() <= 2_000 && !self.reply.chars().any(char::is_control)
    }

    /// The reply of the first in the list that is for this point and not used up; counts it.
    pub(crate) fn take(replies: &mut [ScriptedReply], at: &str) -> Option<String> {
        let found = replies
            .iter_mut()
            .find(|reply| reply.at.eq_ignore_ascii_case(at) && reply.times != Some(0))?;
        if let Some(times) = &mut found.times {
            *times = times.saturating_sub(1);
        }
        Some(found.reply.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_come_in_order_and_are_used_up() {
        let mut fault: SmtpFault = serde_json::from_str(
            r#"{"replies": [{"at": "data", "reply": "432 4.3.2 first", "times": 2}, {"at": "DATA", "reply": "451 4.7.500 then"}]}"#,
        )
        .unwrap();
        assert_eq!(fault.problem(), None);
        let mut said = |at| ScriptedReply::take(&mut fault.replies, at);
        assert_eq!(said("MAIL"), None);
        assert_eq!(said("DATA").unwrap(), "432 4.3.2 first");
        assert_eq!(said("DATA").unwrap(), "432 4.3.2 first");
        assert_eq!(said("DATA").unwrap(), "451 4.7.500 then");
        assert_eq!(said("DATA").unwrap(), "451 4.7.500 then");
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for bad in ["", "hello", "25 x", "250", "250x", "999 x", "250 a\r\nb", "é50 x"] {
            let fault = SmtpFault {
                replies: vec![ScriptedReply {
                    at: "DATA".to_owned(),
                    reply: bad.to_owned(),
                    times: None,
                }],
                ..SmtpFault::default()
            };
            assert!(fault.problem().is_some(), "{bad:?}");
        }
    }
}
