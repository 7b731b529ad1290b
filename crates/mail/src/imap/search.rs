//! SEARCH: our own query builder, so that nothing of a caller's text can become a command.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use mailgrant_core::time::UnixTime;

use super::date::{internal_date, search_date};
use super::driver::Command;
use super::error::Error;
use super::fetch::{By, NumberSet};
use super::response::Untagged;
use super::session::Session;

/// What to look for; all of it must hold. Texts are found anywhere in the field, case ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// In the From field.
    pub from: Option<String>,
    /// In the Subject field.
    pub subject: Option<String>,
    /// In header or body.
    pub text: Option<String>,
    /// Received at this moment or later.
    pub since: Option<UnixTime>,
    /// Received before this moment.
    pub before: Option<UnixTime>,
    /// Flags or keywords that are set, in IMAP's (`\Seen`) or JMAP's (`$seen`) words.
    pub keyword: Vec<String>,
    /// Flags or keywords that are not set.
    pub not_keyword: Vec<String>,
}

impl Session {
    /// UIDs of the open mailbox's messages that match, newest first.
    ///
    /// ```text
    /// C: M0006 UID SEARCH CHARSET UTF-8 SUBJECT {9}
    /// S: + Ready for additional command text.
    /// C: Entwürfe SINCE 1-Jan-2026 UNSEEN
    /// S: * SEARCH 4711 4712
    /// ```
    ///
    /// IMAP searches by day, and by each message's own time zone; the messages of the days around
    /// `since` and `before` are therefore looked at one by one.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] when no mailbox is open, a text holds CR, LF or NUL, or a keyword is
    /// none; nothing is sent then. Else as any command.
    pub async fn search(&mut self, query: &Query) -> Result<Vec<u32>, Error> {
        self.selected()?;
        let mut criteria = query.criteria()?;
        let since = query.since.map(Bound::new).transpose()?;
        let before = query.before.map(Bound::new).transpose()?;
        criteria.extend(since.iter().map(|bound| Criterion::plain(&bound.from)));
        criteria.extend(before.iter().map(|bound| Criterion::plain(&bound.to)));

        let mut uids = self.search_mailbox(&criteria).await?;
        for (bound, is_since) in [(since, true), (before, false)] {
            let Some(bound) = bound else { continue };
            for uid in self.outside(&criteria, &bound, is_since).await? {
                uids.remove(&uid);
            }
        }
        Ok(uids.into_iter().rev().collect())
    }

    /// UIDs that match by the day but not by the second.
    async fn outside(
        &mut self,
        criteria: &[Criterion],
        bound: &Bound,
        is_since: bool,
    ) -> Result<Vec<u32>, Error> {
        let mut near = criteria.to_vec();
        near.extend([Criterion::plain(&bound.from), Criterion::plain(&bound.to)]);
        let candidates: Vec<u32> = self.search_mailbox(&near).await?.into_iter().collect();
        let mut outside = Vec::new();
        for chunk in candidates.chunks(MAX_NUMBERS) {
            let set = NumberSet::from_sorted(chunk);
            let rows = self.fetch(By::Uid, &set, "UID INTERNALDATE", 0).await?;
            for row in rows.into_values() {
                let received = row.internal_date.as_deref().and_then(internal_date);
                if let (Some(uid), Some(received)) = (row.uid, received)
                    && (received >= bound.at) != is_since
                {
                    outside.push(uid);
                }
            }
        }
        Ok(outside)
    }

    /// Searches in stretches, so that no answer is longer than a line may be. Downwards: an expunge
    /// on the way shows a message twice rather than never.
    async fn search_mailbox(&mut self, criteria: &[Criterion]) -> Result<BTreeSet<u32>, Error> {
        let mut uids = BTreeSet::new();
        let mut top = self.selected()?.exists;
        let one_is_enough = top <= STRETCH;
        loop {
            let low = top.saturating_sub(STRETCH - 1).max(1);
            let stretch = (!one_is_enough).then_some(low..=top);
            self.search_stretch(criteria, stretch, &mut uids).await?;
            if one_is_enough || low == 1 {
                return Ok(uids);
            }
            top = low - 1;
        }
    }

    async fn search_stretch(
        &mut self,
        criteria: &[Criterion],
        stretch: Option<RangeInclusive<u32>>,
        uids: &mut BTreeSet<u32>,
    ) -> Result<(), Error> {
        let mut command = Command::new("UID SEARCH");
        if criteria.iter().any(|criterion| !criterion.text_is_ascii()) {
            command = command.text(" CHARSET UTF-8");
        }
        if let Some(stretch) = stretch {
            command = command.text(&format!(" {}", NumberSet::range(stretch)));
        } else if criteria.is_empty() {
            command = command.text(" ALL");
        }
        for criterion in criteria {
            command = command.text(" ").text(&criterion.key);
            if let Some(text) = &criterion.text {
                command = command.text(" ").string(text);
            }
        }
        self.run(command, |data| {
            if let Untagged::Search(found) = data {
                uids.extend(found.into_iter().filter(|uid| *uid != 0));
            }
            if uids.len() > MAX_FOUND {
                return Err(Error::Protocol {
                    during: "UID SEARCH".into(),
                    reason: format!("more than {MAX_FOUND} messages found"),
                });
            }
            Ok(())
        })
        .await
    }
}

/// One search key with its argument.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Criterion {
    key: String,
    text: Option<String>,
}

impl Criterion {
    fn plain(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            text: None,
        }
    }

    fn text_is_ascii(&self) -> bool {
        self.text.as_deref().is_none_or(str::is_ascii)
    }
}

/// A moment, and the days on which a message received at it can be filed.
struct Bound {
    at: UnixTime,
    from: String,
    to: String,
}

impl Bound {
    fn new(at: UnixTime) -> Result<Self, Error> {
        let date = |days| {
            search_date(at, days).ok_or(Error::InvalidInput {
                what: "the date of the search",
                reason: "it is outside the years 1 to 9999",
            })
        };
        Ok(Self {
            at,
            from: format!("SINCE {}", date(-1)?),
            to: format!("BEFORE {}", date(2)?),
        })
    }
}

impl Query {
    /// Everything but the dates.
    fn criteria(&self) -> Result<Vec<Criterion>, Error> {
        let mut criteria = Vec::new();
        for (key, text) in [
            ("FROM", &self.from),
            ("SUBJECT", &self.subject),
            ("TEXT", &self.text),
        ] {
            let Some(text) = text else { continue };
            if text.contains(['\r', '\n', '\0']) {
                return Err(invalid("it holds CR, LF or NUL"));
            }
            if text.len() > MAX_TEXT {
                return Err(invalid("it is longer than 1000 octets"));
            }
            criteria.push(Criterion {
                key: key.to_owned(),
                text: Some(text.clone()),
            });
        }
        for keyword in &self.keyword {
            criteria.push(Criterion::plain(&key_for(keyword, true)?));
        }
        for keyword in &self.not_keyword {
            criteria.push(Criterion::plain(&key_for(keyword, false)?));
        }
        Ok(criteria)
    }
}

fn key_for(keyword: &str, is_set: bool) -> Result<String, Error> {
    let name = keyword.trim_start_matches(['\\', '$']).to_ascii_uppercase();
    let is_flag = keyword.len() == name.len() + 1;
    if is_flag && ["SEEN", "ANSWERED", "FLAGGED", "DRAFT", "DELETED"].contains(&name.as_str()) {
        return Ok(if is_set { name } else { format!("UN{name}") });
    }
    let is_atom = !keyword.is_empty()
        && keyword.len() <= 100
        && keyword
            .bytes()
            .all(|b| b.is_ascii_graphic() && !br#"(){%*"\]"#.contains(&b));
    if !is_atom {
        return Err(Error::InvalidInput {
            what: "the keyword",
            reason: "it is neither a flag as \\Seen or $seen nor a word without spaces, quotes, brackets and backslashes",
        });
    }
    let not = if is_set { "" } else { "UN" };
    Ok(format!("{not}KEYWORD {keyword}"))
}

fn invalid(reason: &'static str) -> Error {
    Error::InvalidInput {
        what: "the search text",
        reason,
    }
}

/// Messages searched at a time: 20,000 UIDs of ten digits stay under the line limit.
const STRETCH: u32 = 20_000;
const MAX_FOUND: usize = 10_000_000;
const MAX_NUMBERS: usize = 500;
const MAX_TEXT: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords() {
        for (keyword, set, unset) in [
            ("\\Seen", "SEEN", "UNSEEN"),
            ("$seen", "SEEN", "UNSEEN"),
            ("$FLAGGED", "FLAGGED", "UNFLAGGED"),
            ("seen", "KEYWORD seen", "UNKEYWORD seen"),
            ("$Forwarded", "KEYWORD $Forwarded", "UNKEYWORD $Forwarded"),
            ("NonJunk", "KEYWORD NonJunk", "UNKEYWORD NonJunk"),
        ] {
            assert_eq!(key_for(keyword, true).unwrap(), set);
            assert_eq!(key_for(keyword, false).unwrap(), unset);
        }
        for bad in ["", "a b", "a\r\nb", "\\Recent", "a\"b", "é", "(x", "a]"] {
            assert!(key_for(bad, true).is_err(), "{bad}");
        }
    }
}
