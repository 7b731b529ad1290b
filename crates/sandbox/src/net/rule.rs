//! Replies that SMTP and POP3 can be told to give.

use serde::{Deserialize, Serialize};

/// A reply to give instead of the true one, in `rules` of the faults of SMTP and POP3; the first that fits strikes.
///
/// ```json
/// {"smtp": {"rules": [{"at": "MESSAGE", "reply": "432 4.3.2 Concurrent connections limit exceeded.", "times": 2}]}}
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyRule {
    /// At which command: `EHLO`, `AUTH`, `MAIL`, `RETR`, …; `GREETING` when the client has come in, and in SMTP
    /// `MESSAGE` when it has sent a whole message.
    pub at: String,
    /// The whole line, such as `454 4.7.0 Temporary authentication failure`.
    pub reply: String,
    /// Only on connections that are logged in to this mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
    /// Whether the connection is closed afterwards.
    #[serde(default)]
    pub close: bool,
    /// How often; for ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

impl ReplyRule {
    /// The first rule that fits, which is counted down.
    pub(crate) fn strike(
        rules: &mut [ReplyRule],
        at: &str,
        mailbox: Option<&str>,
    ) -> Option<ReplyRule> {
        let rule = rules.iter_mut().find(|rule| rule.fits(at, mailbox))?;
        if let Some(times) = &mut rule.times {
            *times = times.saturating_sub(1);
        }
        Some(rule.clone())
    }

    /// Whether its reply can be sent as it is.
    pub(crate) fn is_line(&self) -> bool {
        self.reply.len() <= 2_000 && !self.reply.chars().any(char::is_control)
    }

    fn fits(&self, at: &str, mailbox: Option<&str>) -> bool {
        let concerned = self.mailbox.as_deref().is_none_or(|wanted| {
            mailbox.is_some_and(|mailbox| mailbox.eq_ignore_ascii_case(wanted))
        });
        self.at.eq_ignore_ascii_case(at) && concerned && self.times != Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_strike_in_order_and_are_used_up() {
        let mut rules: Vec<ReplyRule> = serde_json::from_str(
            r#"[{"at": "data", "reply": "1", "times": 2}, {"at": "DATA", "reply": "2", "mailbox": "Ada@x.test"},
                {"at": "DATA", "reply": "3", "close": true}]"#,
        )
        .unwrap();
        let mut said = |at, mailbox| {
            ReplyRule::strike(&mut rules, at, mailbox).map(|rule| (rule.reply, rule.close))
        };
        assert_eq!(said("MAIL", None), None);
        assert_eq!(said("DATA", None).unwrap().0, "1");
        assert_eq!(said("DATA", None).unwrap().0, "1");
        assert_eq!(said("DATA", Some("ada@x.test")).unwrap().0, "2");
        assert_eq!(
            said("DATA", Some("bea@x.test")).unwrap(),
            ("3".to_owned(), true)
        );
    }
}
