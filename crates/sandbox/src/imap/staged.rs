//! What the fault plan does to a command.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

use imap_codec::imap_types::command::CommandBody;

use super::connection::{Answer, Connection, End, IDLE, State};
use super::fault::{self, ImapRule, Moment};
use super::folders::folder_path;
use super::reply::Reply;
use super::sessions::Backoff;
use crate::control::Entry;

/// A rule that strikes at the present command.
#[derive(Clone, Debug)]
pub(super) struct Staged {
    pub(super) rule: ImapRule,
    /// What is left of its backoff, in milliseconds.
    left: Option<u64>,
}

/// Since when rules turn mailboxes away: by the plan's number, the rule's place and the mailbox.
#[derive(Debug, Default)]
pub(super) struct Backoffs {
    revision: u64,
    began: HashMap<(usize, String), Backoff>,
}

impl Staged {
    /// Waits as long as the rule says.
    pub(super) async fn wait(&self) {
        if let Some(delay) = self.rule.delay_ms {
            tokio::time::sleep(Duration::from_millis(delay.into())).await;
        }
    }

    /// Whether the command is not even tried. IDLE can begin well and end badly.
    pub(super) fn takes_over(&self, command: &str) -> bool {
        match command {
            IDLE => self.rule.answers() || self.rule.silent,
            _ => self.rule.replaces(),
        }
    }

    /// When and how IDLE ends.
    pub(super) fn cut(&self) -> Option<(Duration, End)> {
        let after = Duration::from_millis(self.rule.delay_ms.unwrap_or(0).into());
        self.rule.ends().then(|| (after, self.end()))
    }

    /// Puts what is to be inserted after the first line of an answer that begins at `begins`, unless that was done.
    pub(super) fn insert_into(&self, output: &mut Vec<u8>, begins: usize, count: usize) {
        let Some(text) = self.insertion(count) else {
            return;
        };
        let answer = output.get(begins..).unwrap_or_default();
        let lines: Vec<usize> = answer
            .iter()
            .zip(1..)
            .filter_map(|(byte, end)| (*byte == b'\n').then_some(end))
            .take(2)
            .collect();
        // A lone line is the tagged one: that is the end of an answer.
        let at = match lines.as_slice() {
            [first, _] => begins + first,
            _ => begins,
        };
        output.splice(at..at, text);
    }

    /// What is to be inserted into an answer, once.
    pub(super) fn insertion(&self, count: usize) -> Option<Vec<u8>> {
        let text = self.rule.insert.as_ref()?;
        fault::octets(&text.replace("$count", &count.to_string()))
    }

    fn end(&self) -> End {
        match &self.rule.bye {
            Some(text) => End::bye(text.clone()),
            None => End::Bye(None),
        }
    }
}

impl Connection {
    /// The rule that strikes at a command, written down.
    pub(super) fn strike(
        &mut self,
        command: &'static str,
        user: Option<String>,
        folder: Option<String>,
    ) -> Option<Staged> {
        let service = self.service.clone();
        // Nothing is wrong, mostly.
        if service.faults.look(|plan| plan.imap.rules.is_empty()) {
            return None;
        }
        let mailbox = match &self.state {
            State::Open(open) => Some(open.mailbox.address().to_owned()),
            // What needs a mailbox is refused anyway.
            _ if !fault::without_mailbox(command) => return None,
            _ => user,
        };
        let moment = Moment {
            command,
            mailbox: mailbox.as_deref(),
            folder: folder.as_deref(),
            counts: &self.counts,
        };
        let now = service.clock.now();
        let mut backoffs = service
            .backoffs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let revision = service.faults.revision();
        if backoffs.revision != revision {
            *backoffs = Backoffs {
                revision,
                began: HashMap::new(),
            };
        }
        let mut left = None;
        let (_, rule) = service.faults.strike(|plan| {
            plan.imap.strike(&moment, |at, rule| {
                let Some(milliseconds) = rule.backoff_ms else {
                    return true;
                };
                let key = (at, mailbox.clone().unwrap_or_default());
                let backoff = backoffs.began.entry(key).or_insert(Backoff {
                    began: now,
                    milliseconds: milliseconds.into(),
                });
                left = Some(backoff.left(now));
                left != Some(0)
            })
        })?;
        drop(backoffs);
        let left = rule.backoff_ms.and(left);
        let mut entry = Entry::new(now, "fault");
        entry.outcome = "fault".to_owned();
        entry.user = mailbox;
        entry.detail = Some(rule.describe(command));
        self.record(entry);
        Some(Staged { rule, left })
    }

    /// Does what a rule says in the place of a command.
    pub(super) fn play(&mut self, staged: &Staged, tag: Option<&str>) -> Answer {
        let rule = &staged.rule;
        if let Some(raw) = &rule.raw {
            let raw = raw.replace("$tag", tag.unwrap_or("*"));
            self.wire.push(&fault::octets(&raw).unwrap_or_default());
        }
        Answer {
            reply: rule.tagged(staged.left),
            end: rule.ends().then(|| staged.end()),
        }
    }

    /// What a mailbox is told that asked too often.
    pub(super) fn throttled(&self, command: &'static str) -> Option<Reply> {
        let State::Open(open) = &self.state else {
            return None;
        };
        if fault::without_mailbox(command) {
            return None;
        }
        let limits = self.service.authenticator.limits(open.mailbox.address());
        let left = open.session.command(&limits, self.service.clock.now())?;
        Some(Reply::No(throttled(left).into()))
    }

    /// The user that LOGIN names.
    pub(super) fn user(&self, body: Option<&CommandBody<'_>>) -> Option<String> {
        match body? {
            CommandBody::Login { username, .. } => {
                Some(String::from_utf8_lossy(username.as_ref()).into_owned())
            }
            _ => None,
        }
    }

    /// The folder that a command is about: the one it names, else the one selected.
    pub(super) fn folder(&self, body: Option<&CommandBody<'_>>) -> Option<String> {
        match body {
            Some(
                CommandBody::Select { mailbox }
                | CommandBody::Examine { mailbox }
                | CommandBody::Status { mailbox, .. },
            ) => folder_path(mailbox),
            _ => match &self.state {
                State::Open(open) => open.folder(),
                _ => None,
            },
        }
    }
}

impl super::open::Open {
    fn folder(&self) -> Option<String> {
        let selected = self.selected.as_ref()?;
        self.mailbox
            .look(selected.folder, |folder| folder.path.clone())
    }
}

/// What Exchange says to a mailbox that asked too often.
pub(super) fn throttled(milliseconds: u64) -> String {
    format!("Request is throttled. Suggested Backoff Time: {milliseconds} milliseconds")
}
