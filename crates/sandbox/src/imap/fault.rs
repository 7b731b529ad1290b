//! What IMAP can be told to do wrong: a short list of rules, tried in order at every command.
//!
//! ```json
//! {"imap": {"rules": [
//!     {"at": "SEARCH", "reply": "NO [SERVERBUG] Not today.", "after": 2, "times": 1},
//!     {"preset": "fetch_without_flags", "mailbox": "ada.finch@tarnbrook.test"},
//!     {"preset": "throttled", "backoff_ms": 89117}
//! ]}}
//! ```
//!
//! A rule says *where* it strikes (`at`, `mailbox`, `folder`, `after`, `times`) and *what* happens there: instead of
//! the answer (`reply`, `raw`, `silent`), within it (`insert`, `distort`, `uid_validity`) and behind it (`bye`,
//! `close`). A [`Preset`] fills in what the rule leaves out. The first rule that fits strikes.

mod preset;

use serde::{Deserialize, Serialize};

pub use preset::Preset;

use super::reply::Reply;
use crate::net::fault::TransportFault;

/// How IMAP misbehaves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImapFault {
    /// Refuses every login: `NO AUTHENTICATE failed.`
    pub refuse_login: bool,
    /// Lets everybody in and connects nobody: `BAD User is authenticated but not connected.`
    pub not_connected: bool,
    /// What goes wrong on the line.
    pub transport: TransportFault,
    /// What goes wrong at commands; the first that fits strikes.
    pub rules: Vec<ImapRule>,
}

/// What goes wrong at a command, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImapRule {
    /// Fills in what the rule leaves out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,

    /// The command: `SEARCH`, `FETCH` (with and without UID), `UID FETCH` (only with), `GREETING` for what comes before
    /// any command; all that need an open mailbox when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Only in this mailbox, by address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
    /// Only for this folder: the one named by SELECT, EXAMINE or STATUS, else the one selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Lets so many such commands of each session pass first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u32>,
    /// How often it strikes in all; for ever when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// For each mailbox it lasts so long, by the sandbox's clock, from when it first strikes there; what is left, in
    /// milliseconds, stands for `$backoff` in texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_ms: Option<u32>,

    /// Waits first, in milliseconds. At IDLE it is the time that IDLE goes well before the rest happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u32>,
    /// The tagged answer, in the place of what the command does: `NO Server Unavailable. 15`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// What is sent in the place of the answer, octet by octet (U+0080 to U+00FF stand for themselves); before `reply`
    /// if there is one. `$tag` is the command's tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// Nothing is answered.
    pub silent: bool,
    /// What is sent in the middle of the answer, after its first line or message. `$count` is the number of messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insert: Option<String>,
    /// How the answer is spoilt.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub distort: Vec<Distortion>,
    /// What SELECT, EXAMINE and STATUS say for UIDVALIDITY: a text such as `0`, nothing at all when empty, or `new`: the
    /// folder is given a new one with new UIDs, as after a restore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid_validity: Option<String>,
    /// Ends the connection with `* BYE` and this text; without `reply` or `raw` the command gets no other answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bye: Option<String>,
    /// Ends the connection without a word; without `reply` or `raw` the command gets no answer.
    pub close: bool,
}

/// How an answer is spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distortion {
    /// FETCH leaves `FLAGS` out though they were asked for.
    WithoutFlags,
    /// FETCH gives the addresses of an `ENVELOPE` no host: `("Ada" NIL "ada" NIL)`.
    NilHost,
    /// FETCH leaves the last message out without a word.
    MissingMessage,
    /// A literal of FETCH is announced larger than what is sent of it.
    ShortLiteral,
    /// A literal of FETCH is announced smaller than what is sent of it.
    LongLiteral,
    /// The connection is cut in the middle of the first literal of FETCH.
    CutLiteral,
    /// IDLE tells nothing, whatever happens.
    Mute,
}

/// A command at which something may go wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'a> {
    /// One of [`COMMANDS`].
    pub(super) command: &'static str,
    pub(super) mailbox: Option<&'a str>,
    pub(super) folder: Option<&'a str>,
    /// The session's commands so far, this one included.
    pub(super) counts: &'a Counts,
}

/// How often a session has sent each command.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts(Vec<(&'static str, u32)>);

impl Counts {
    pub(super) fn add(&mut self, command: &'static str) {
        match self.0.iter_mut().find(|(known, _)| *known == command) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.0.push((command, 1)),
        }
    }

    fn of(&self, at: Option<&str>) -> u32 {
        self.0
            .iter()
            .filter(|(command, _)| is_at(at, command))
            .fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}

impl ImapFault {
    /// Fills in what presets say.
    ///
    /// # Errors
    /// When a rule cannot be meant so; the text names the rule and the key.
    pub fn complete(&mut self) -> Result<(), String> {
        for (at, rule) in self.rules.iter_mut().enumerate() {
            rule.complete()
                .map_err(|problem| format!("imap.rules[{at}].{problem}"))?;
        }
        Ok(())
    }

    /// The rule that strikes now, counted down, with its place in the list. `lasts` says whether a rule with a
    /// `backoff_ms` still holds for the mailbox.
    pub(super) fn strike(
        &mut self,
        moment: &Moment<'_>,
        mut lasts: impl FnMut(usize, &ImapRule) -> bool,
    ) -> Option<(usize, ImapRule)> {
        let (at, rule) = self
            .rules
            .iter_mut()
            .enumerate()
            .find(|(at, rule)| rule.fits(moment) && lasts(*at, rule))?;
        let struck = rule.clone();
        if let Some(times) = &mut rule.times {
            *times = times.saturating_sub(1);
        }
        Some((at, struck))
    }
}

impl ImapRule {
    fn fits(&self, moment: &Moment<'_>) -> bool {
        let same = |wanted: &Option<String>, given: Option<&str>| match (wanted, given) {
            (None, _) => true,
            (Some(wanted), Some(given)) => wanted.to_lowercase() == given.to_lowercase(),
            (Some(_), None) => false,
        };
        self.times != Some(0)
            && is_at(self.at.as_deref(), moment.command)
            && same(&self.mailbox, moment.mailbox)
            && same(&self.folder, moment.folder)
            && moment.counts.of(self.at.as_deref()) > self.after.unwrap_or(0)
    }

    /// Whether it takes the place of what the command does.
    pub(super) fn replaces(&self) -> bool {
        self.answers() || self.silent || self.ends()
    }

    /// Whether it has an answer of its own.
    pub(super) fn answers(&self) -> bool {
        self.reply.is_some() || self.raw.is_some()
    }

    /// Whether the connection ends with it.
    pub(super) fn ends(&self) -> bool {
        self.close || self.bye.is_some()
    }

    pub(super) fn spoils(&self, how: Distortion) -> bool {
        self.distort.contains(&how)
    }

    /// The tagged answer, if it has one.
    pub(super) fn tagged(&self, left: Option<u64>) -> Option<Reply> {
        let (word, text) = self.reply.as_deref()?.split_once(' ')?;
        let text = match left {
            Some(left) => text.replace("$backoff", &left.to_string()),
            None => text.to_owned(),
        };
        Some(match word {
            "OK" => Reply::Ok(text.into()),
            "NO" => Reply::No(text.into()),
            _ => Reply::Bad(text.into()),
        })
    }

    /// What went wrong, for the log: `IMAP LIST (second_list_fails)`.
    pub(super) fn describe(&self, command: &str) -> String {
        match &self.preset {
            Some(preset) => format!("IMAP {command} ({})", preset.name()),
            None => format!("IMAP {command}"),
        }
    }

    fn complete(&mut self) -> Result<(), String> {
        if let Some(preset) = self.preset {
            preset.fill_in(self);
        }
        if let Some(at) = &mut self.at {
            *at = at.to_uppercase();
            if at == "*" {
                self.at = None;
            } else if !COMMANDS.contains(&at.as_str()) {
                return Err("at: no such command".to_owned());
            }
        }
        let tagged = |reply: &String| {
            reply
                .split_once(' ')
                .is_some_and(|(word, _)| matches!(word, "OK" | "NO" | "BAD"))
        };
        if !self.reply.as_ref().is_none_or(tagged) {
            return Err("reply: begins with OK, NO or BAD and a space".to_owned());
        }
        let lines = [&self.reply, &self.bye];
        if lines
            .into_iter()
            .flatten()
            .any(|text| text.contains(['\r', '\n']))
        {
            return Err("reply, bye: one line; use raw for more".to_owned());
        }
        let texts = [&self.raw, &self.insert];
        if texts
            .into_iter()
            .flatten()
            .any(|text| octets(text).is_none())
        {
            return Err("raw, insert: octets, U+0000 to U+00FF".to_owned());
        }
        if self.delay_ms.is_some_and(|delay| delay > MAX_DELAY_MS) {
            return Err(format!("delay_ms: at most {MAX_DELAY_MS}"));
        }
        let within =
            self.insert.is_some() || self.uid_validity.is_some() || !self.distort.is_empty();
        if !self.replaces() && !within && self.delay_ms.is_none() {
            return Err(
                "reply: say what happens: reply, raw, silent, insert, distort, uid_validity, delay_ms, bye or close"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

/// Latin-1: each character is one octet.
pub(super) fn octets(text: &str) -> Option<Vec<u8>> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect()
}

/// The name of a command under which rules know it.
pub(super) fn command_name(line: &[u8]) -> &'static str {
    let mut words = line
        .split(|byte| matches!(byte, b' ' | b'\r' | b'\n'))
        .skip(1)
        .filter_map(|word| std::str::from_utf8(word).ok())
        .map(str::to_uppercase);
    let mut name = words.next().unwrap_or_default();
    if name == "UID" {
        name = format!("UID {}", words.next().unwrap_or_default());
    }
    COMMANDS
        .iter()
        .find(|known| **known == name)
        .copied()
        .unwrap_or(UNKNOWN)
}

/// Whether a command needs no open mailbox; a rule without `at` leaves it alone.
pub(super) fn without_mailbox(command: &str) -> bool {
    WITHOUT_MAILBOX.contains(&command)
}

/// Whether a rule's `at` means this command.
fn is_at(at: Option<&str>, command: &str) -> bool {
    match at {
        Some(at) => at == command || Some(at) == command.strip_prefix("UID "),
        None => !without_mailbox(command),
    }
}

pub(super) const GREETING: &str = "GREETING";
pub(super) const UNKNOWN: &str = "UNKNOWN";

const COMMANDS: [&str; 37] = [
    GREETING,
    UNKNOWN,
    "CAPABILITY",
    "NOOP",
    "LOGOUT",
    "ID",
    "STARTTLS",
    "AUTHENTICATE",
    "LOGIN",
    "SELECT",
    "EXAMINE",
    "CREATE",
    "DELETE",
    "RENAME",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "LIST",
    "LSUB",
    "NAMESPACE",
    "STATUS",
    "APPEND",
    "IDLE",
    "CHECK",
    "CLOSE",
    "UNSELECT",
    "EXPUNGE",
    "SEARCH",
    "FETCH",
    "STORE",
    "COPY",
    "MOVE",
    "UID EXPUNGE",
    "UID SEARCH",
    "UID FETCH",
    "UID STORE",
    "UID COPY",
    "UID MOVE",
];

const WITHOUT_MAILBOX: [&str; 9] = [
    GREETING,
    UNKNOWN,
    "CAPABILITY",
    "NOOP",
    "LOGOUT",
    "ID",
    "STARTTLS",
    "AUTHENTICATE",
    "LOGIN",
];

/// Longer than any client waits.
const MAX_DELAY_MS: u32 = 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_says_what_happens_and_is_in_the_readme() {
        let readme = include_str!("../../README.md");
        for preset in Preset::ALL {
            let mut plan = ImapFault {
                rules: vec![ImapRule {
                    preset: Some(preset),
                    ..ImapRule::default()
                }],
                ..ImapFault::default()
            };
            assert_eq!(plan.complete(), Ok(()), "{preset:?}");
            assert!(
                readme.contains(&format!("`{}`", preset.name())),
                "{preset:?}"
            );
        }
    }

    #[test]
    fn commands_have_their_names() {
        for (line, name) in [
            (b"a fetch 1 UID\r\n" as &[u8], "FETCH"),
            (b"a uid fetch 1 UID\r\n", "UID FETCH"),
            (b"a LOGOUT\r\n", "LOGOUT"),
            (b"a UID LOGOUT\r\n", UNKNOWN),
            (b"\xff\r\n", UNKNOWN),
        ] {
            assert_eq!(command_name(line), name, "{line:?}");
        }
        assert!(is_at(Some("FETCH"), "UID FETCH") && !is_at(Some("UID FETCH"), "FETCH"));
        assert!(is_at(None, "IDLE") && !is_at(None, "LOGIN"));
    }
}
