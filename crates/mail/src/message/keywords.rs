//! IMAP flags as JMAP keywords and back (RFC 8621 §4.1.1).

use std::collections::BTreeMap;

/// System flags of IMAP and the keywords that stand for them.
const SYSTEM: [(&str, &str); 5] = [
    ("\\Seen", "$seen"),
    ("\\Answered", "$answered"),
    ("\\Flagged", "$flagged"),
    ("\\Draft", "$draft"),
    // JMAP hides messages that are marked for deletion. Over IMAP they stay until they are expunged, so they are shown.
    ("\\Deleted", "$deleted"),
];

/// The keyword for an IMAP flag: `\Seen` is `$seen`, `$Forwarded` is `$forwarded`.
///
/// `None` for flags that are no property of the message: `\Recent`, and system flags that no standard gives a keyword.
///
/// ```
/// use mailgrant_mail::message::keyword_of_flag;
///
/// assert_eq!(keyword_of_flag("\\Seen").as_deref(), Some("$seen"));
/// assert_eq!(keyword_of_flag("NonJunk").as_deref(), Some("nonjunk"));
/// assert_eq!(keyword_of_flag("\\Recent"), None);
/// ```
#[must_use]
pub fn keyword_of_flag(flag: &str) -> Option<String> {
    if let Some((_, keyword)) = SYSTEM
        .iter()
        .find(|(system, _)| system.eq_ignore_ascii_case(flag))
    {
        return Some((*keyword).to_owned());
    }
    (!flag.is_empty() && !flag.starts_with('\\')).then(|| flag.to_ascii_lowercase())
}

/// The IMAP flag for a keyword, safe to write into a command: `$seen` is `\Seen`, `project-x` stays as it is.
///
/// `None` when the keyword is not 1 to 255 characters of the set that RFC 8621 §4.1.1 allows.
///
/// ```
/// use mailgrant_mail::message::flag_of_keyword;
///
/// assert_eq!(flag_of_keyword("$flagged").as_deref(), Some("\\Flagged"));
/// assert_eq!(flag_of_keyword("a b"), None);
/// ```
#[must_use]
pub fn flag_of_keyword(keyword: &str) -> Option<String> {
    if let Some((flag, _)) = SYSTEM
        .iter()
        .find(|(_, system)| system.eq_ignore_ascii_case(keyword))
    {
        return Some((*flag).to_owned());
    }
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !b"(){]%*\"\\".contains(&byte);
    ((1..=255).contains(&keyword.len()) && keyword.bytes().all(is_allowed))
        .then(|| keyword.to_owned())
}

/// The keywords of a message; a keyword that is not set is absent.
pub(super) fn keywords(flags: &[String]) -> BTreeMap<String, bool> {
    flags
        .iter()
        .filter_map(|flag| keyword_of_flag(flag))
        .map(|keyword| (keyword, true))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_flags_go_there_and_back() {
        for (flag, keyword) in SYSTEM {
            assert_eq!(
                keyword_of_flag(&flag.to_uppercase()).as_deref(),
                Some(keyword)
            );
            assert_eq!(flag_of_keyword(keyword).as_deref(), Some(flag));
        }
    }

    #[test]
    fn what_would_break_a_command_is_no_keyword() {
        for keyword in [
            "",
            "a b",
            "a\r\nb",
            "a(",
            "\\Seen",
            "ü",
            "a*",
            "a\"",
            &"x".repeat(256),
        ] {
            assert_eq!(flag_of_keyword(keyword), None, "{keyword:?}");
        }
    }

    #[test]
    fn of_flags_and_keywords() {
        let flags = ["\\Seen", "\\Recent", "\\*", "$Forwarded", "Junk", ""].map(str::to_owned);
        let found: Vec<_> = keywords(&flags).into_keys().collect();
        assert_eq!(found, ["$forwarded", "$seen", "junk"]);
    }
}
