//! Mailboxes: LIST, STATUS, EXAMINE.

use std::collections::HashSet;

use serde::Serialize;

use super::driver::Command;
use super::error::Error;
use super::response::{Listed, Untagged};
use super::session::Session;
use super::utf7;

pub use super::role::Role;

/// A mailbox as the server lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mailbox {
    /// Its path, in the server's own notation: levels are separated by `delimiter`, whatever other
    /// separators the name may hold.
    pub name: String,
    /// What separates the levels of `name`; none on a flat server.
    pub delimiter: Option<char>,
    /// What it is for; each role at most once in a list.
    pub role: Option<Role>,
    /// Whether it can hold messages, or only other mailboxes.
    pub selectable: bool,
    /// Whether there are mailboxes below it.
    pub has_children: bool,
}

impl Mailbox {
    /// The last level of its name.
    pub fn leaf(&self) -> &str {
        match self.delimiter {
            Some(delimiter) => self.name.rsplit(delimiter).next().unwrap_or(&self.name),
            None => &self.name,
        }
    }
}

/// The numbers of a mailbox that is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MailboxStatus {
    /// Messages in it.
    pub total: u32,
    /// Messages without `\Seen`.
    pub unread: u32,
    /// The least UID that the next message can get.
    pub uid_next: Option<u32>,
    /// What its UIDs belong to; UIDs under another value mean nothing.
    pub uid_validity: Option<u32>,
}

/// The numbers of the opened mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected {
    /// Messages in it.
    pub exists: u32,
    /// What its UIDs belong to; UIDs under another value mean nothing.
    pub uid_validity: u32,
    /// The least UID that the next message can get; unknown on old servers and once a message has
    /// arrived since the mailbox was opened.
    pub uid_next: Option<u32>,
}

impl Session {
    /// All mailboxes, in the server's order.
    ///
    /// ```text
    /// C: M0003 LIST "" "*"
    /// S: * LIST (\HasNoChildren \Sent) "/" "Gesendete Elemente"
    /// ```
    ///
    /// # Errors
    ///
    /// When the server refuses: an empty list is never a refusal in disguise.
    pub async fn mailboxes(&mut self) -> Result<Vec<Mailbox>, Error> {
        let mut listed: Vec<Listed> = Vec::new();
        self.run(Command::new("LIST").text(r#" "" "*""#), |data| {
            match data {
                Untagged::List(_) if listed.len() >= MAX_MAILBOXES => {
                    return Err(Error::Protocol {
                        during: "LIST".into(),
                        reason: format!("more than {MAX_MAILBOXES} mailboxes"),
                    });
                }
                Untagged::List(one) => listed.push(one),
                _ => {}
            }
            Ok(())
        })
        .await?;
        Ok(self.interpret(listed))
    }

    /// The numbers of a mailbox without opening it (RFC 3501 §6.3.10).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] for a name that no mailbox can have; [`Error::No`] when there is no
    /// such mailbox or it holds no messages.
    pub async fn status(&mut self, mailbox: &str) -> Result<MailboxStatus, Error> {
        let wire = self.wire_name(mailbox)?;
        let command = Command::new("STATUS")
            .text(" ")
            .string(&wire)
            .text(" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)");
        let mut status = None;
        self.run(command, |data| {
            if let Untagged::Status(items) = data {
                status = Some(items);
            }
            Ok(())
        })
        .await?;
        let missing = || self.protocol("STATUS", "OK without the numbers asked for");
        let status = status.ok_or_else(missing)?;
        Ok(MailboxStatus {
            total: status.messages.ok_or_else(missing)?,
            unread: status.unseen.unwrap_or(0),
            uid_next: status.uid_next,
            uid_validity: status.uid_validity.filter(|value| *value != 0),
        })
    }

    /// Opens a mailbox read-only (RFC 3501 §6.3.2), or takes in what changed in the open one.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] for a name that no mailbox can have; [`Error::No`] when there is no
    /// such mailbox; [`Error::Bad`] `User is authenticated but not connected.` from Exchange, when
    /// the token is good and the mailbox is not open to it.
    pub async fn examine(&mut self, mailbox: &str) -> Result<Selected, Error> {
        let wire = self.wire_name(mailbox)?;
        if self
            .selection
            .as_ref()
            .is_some_and(|open| open.wire == wire)
        {
            self.noop().await?;
        } else {
            self.selection = None;
            self.selection = Some(self.open(wire).await?);
        }
        self.selected()
    }

    /// What [`examine`](Session::examine) last opened.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] when nothing is open.
    pub fn selected(&self) -> Result<Selected, Error> {
        let selection = self.selection.as_ref().ok_or(Error::InvalidInput {
            what: "the session",
            reason: "no mailbox is open: examine one first",
        })?;
        Ok(selection.numbers)
    }

    async fn open(&mut self, wire: String) -> Result<Selection, Error> {
        let (mut exists, mut uid_validity, mut uid_next) = (None, None, None);
        let command = Command::new("EXAMINE").text(" ").string(&wire);
        self.run(command, |data| {
            match data {
                Untagged::Exists(count) => exists = Some(count),
                Untagged::UidValidity(value) => uid_validity = Some(value),
                Untagged::UidNext(value) => uid_next = Some(value),
                _ => {}
            }
            Ok(())
        })
        .await?;
        let numbers = Selected {
            exists: exists.ok_or_else(|| self.protocol("EXAMINE", "OK without EXISTS"))?,
            uid_validity: uid_validity.filter(|value| *value != 0).ok_or_else(|| {
                self.protocol("EXAMINE", "no UIDVALIDITY: the mailbox has no lasting UIDs")
            })?,
            uid_next,
        };
        Ok(Selection { wire, numbers })
    }

    fn interpret(&mut self, listed: Vec<Listed>) -> Vec<Mailbox> {
        let attributes: Vec<HashSet<String>> = listed
            .iter()
            .map(|one| one.attributes.iter().cloned().collect())
            .collect();
        let mut seen = HashSet::new();
        let mut mailboxes = Vec::with_capacity(listed.len());
        for (one, attributes) in listed.into_iter().zip(attributes) {
            let name = self.plain_name(one.name);
            if !seen.insert(name.clone()) {
                continue;
            }
            let nonexistent = attributes.contains("nonexistent");
            mailboxes.push(Mailbox {
                delimiter: one.delimiter.and_then(|delimiter| delimiter.chars().next()),
                role: declared_role(&name, &attributes),
                selectable: !nonexistent && !attributes.contains("noselect"),
                has_children: attributes.contains("haschildren"),
                name,
            });
        }
        mark_parents(&mut mailboxes);
        assign_roles(&mut mailboxes);
        mailboxes
    }

    fn plain_name(&mut self, wire: String) -> String {
        let name = utf7::decode(&wire).unwrap_or_else(|| wire.clone());
        if utf7::encode(&name) != wire {
            self.irregular_names.insert(name.clone(), wire);
        }
        name
    }

    fn wire_name(&self, name: &str) -> Result<String, Error> {
        let invalid = |reason| Error::InvalidInput {
            what: "the mailbox name",
            reason,
        };
        if name.is_empty() {
            return Err(invalid("it is empty"));
        }
        if name.len() > MAX_NAME {
            return Err(invalid("it is too long"));
        }
        if name.contains(['\r', '\n', '\0']) {
            return Err(invalid("it holds CR, LF or NUL"));
        }
        if name.eq_ignore_ascii_case("INBOX") {
            return Ok("INBOX".into());
        }
        let irregular = self.irregular_names.get(name).cloned();
        Ok(irregular.unwrap_or_else(|| utf7::encode(name)))
    }

    pub(super) fn protocol(&self, during: &'static str, reason: &str) -> Error {
        Error::Protocol {
            during: during.into(),
            reason: reason.into(),
        }
    }
}

/// The open mailbox, kept in step with what the server tells unasked.
#[derive(Debug)]
pub(super) struct Selection {
    wire: String,
    pub(super) numbers: Selected,
}

impl Selection {
    pub(super) fn observe(&mut self, data: &Untagged) {
        let numbers = &mut self.numbers;
        match data {
            Untagged::Exists(count) => {
                if *count > numbers.exists {
                    numbers.uid_next = None;
                }
                numbers.exists = *count;
            }
            Untagged::Expunge(_) => numbers.exists = numbers.exists.saturating_sub(1),
            Untagged::Vanished(uids) => {
                for range in uids {
                    let gone = range.end().saturating_sub(*range.start()).saturating_add(1);
                    numbers.exists = numbers.exists.saturating_sub(gone);
                }
            }
            _ => {}
        }
    }
}

fn declared_role(name: &str, attributes: &HashSet<String>) -> Option<Role> {
    if name == "INBOX" {
        return Some(Role::Inbox);
    }
    let mut roles: Vec<Role> = attributes
        .iter()
        .filter_map(|attribute| Role::from_attribute(attribute))
        .collect();
    roles.sort_unstable();
    roles.first().copied()
}

fn mark_parents(mailboxes: &mut [Mailbox]) {
    let parents: HashSet<String> = mailboxes
        .iter()
        .filter_map(|mailbox| {
            let (parent, _) = mailbox.name.rsplit_once(mailbox.delimiter?)?;
            Some(parent.to_owned())
        })
        .collect();
    for mailbox in mailboxes {
        mailbox.has_children |= parents.contains(&mailbox.name);
    }
}

/// Each role once: what the server declares goes before what a name suggests, and the first before
/// the others.
fn assign_roles(mailboxes: &mut [Mailbox]) {
    let mut taken: HashSet<Role> = HashSet::new();
    for mailbox in mailboxes.iter_mut() {
        if let Some(role) = mailbox.role
            && !taken.insert(role)
        {
            mailbox.role = None;
        }
    }
    for mailbox in mailboxes.iter_mut() {
        if mailbox.role.is_some() || !mailbox.selectable || !is_near_the_top(mailbox) {
            continue;
        }
        if let Some(role) = Role::from_name(mailbox.leaf())
            && taken.insert(role)
        {
            mailbox.role = Some(role);
        }
    }
}

fn is_near_the_top(mailbox: &Mailbox) -> bool {
    let parent = mailbox
        .delimiter
        .and_then(|delimiter| mailbox.name.rsplit_once(delimiter));
    parent.is_none_or(|(parent, _)| {
        parent.eq_ignore_ascii_case("INBOX") || parent.eq_ignore_ascii_case("[Gmail]")
    })
}

const MAX_MAILBOXES: usize = 50_000;
const MAX_NAME: usize = 2_000;
