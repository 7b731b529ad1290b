//! Commands about folders: LIST, STATUS, SELECT and their like (RFC 3501 §6.3).

use std::collections::HashSet;

use imap_codec::imap_types::command::CommandBody;
use imap_codec::imap_types::mailbox::{ListMailbox, Mailbox as MailboxName};
use imap_codec::imap_types::status::StatusDataItemName;

use super::list_options::ListOptions;
use super::open::Open;
use super::reply::Reply;
use super::selected::Selected;
use super::wire::Wire;
use super::{name, syntax};
use crate::mailstore::{Flags, Folder, Mailbox, Role, StoreError, path};

pub(super) fn execute(
    open: &mut Open,
    wire: &mut Wire,
    body: CommandBody<'_>,
    options: &ListOptions,
) -> Reply {
    match body {
        CommandBody::Namespace => {
            wire.push(b"* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
            Reply::done("NAMESPACE")
        }
        CommandBody::List {
            reference,
            mailbox_wildcard,
        } => list(
            &open.mailbox,
            wire.output(),
            "LIST",
            &reference,
            &mailbox_wildcard,
            *options,
        ),
        CommandBody::Lsub {
            reference,
            mailbox_wildcard,
        } => {
            let options = ListOptions {
                subscribed: true,
                ..ListOptions::default()
            };
            list(
                &open.mailbox,
                wire.output(),
                "LSUB",
                &reference,
                &mailbox_wildcard,
                options,
            )
        }
        CommandBody::Status {
            mailbox,
            item_names,
        } => {
            let mut uid_validity = open.says_uid_validity();
            if uid_validity.as_deref() == Some(NEW) {
                uid_validity = None;
                if let Some(reply) = renumber(open, &mailbox) {
                    return reply;
                }
            }
            status(
                &open.mailbox,
                wire.output(),
                &mailbox,
                &item_names,
                uid_validity.as_deref(),
            )
        }
        CommandBody::Select { mailbox } => select(open, wire.output(), &mailbox, false),
        CommandBody::Examine { mailbox } => select(open, wire.output(), &mailbox, true),
        CommandBody::Unselect => match open.selected.take() {
            Some(_) => Reply::done("UNSELECT"),
            None => Reply::invalid_state(),
        },
        CommandBody::Check => match open.selected {
            Some(_) => Reply::done("CHECK"),
            None => Reply::invalid_state(),
        },
        CommandBody::Create { mailbox } => change("CREATE", &mailbox, |path| {
            // RFC 3501 §6.3.3: a trailing delimiter only announces what is to come below.
            open.mailbox
                .create(path.strip_suffix('/').unwrap_or(path))
                .map(|_| ())
        }),
        CommandBody::Delete { mailbox } => {
            change("DELETE", &mailbox, |path| open.mailbox.delete(path))
        }
        CommandBody::Subscribe { mailbox } => change("SUBSCRIBE", &mailbox, |path| {
            open.mailbox.subscribe(path, true)
        }),
        CommandBody::Unsubscribe { mailbox } => change("UNSUBSCRIBE", &mailbox, |path| {
            open.mailbox.subscribe(path, false)
        }),
        CommandBody::Rename { from, to } => match folder_path(&to) {
            Some(to) => change("RENAME", &from, |from| open.mailbox.rename(from, &to)),
            None => Reply::invalid_argument(),
        },
        _ => Reply::Bad("Command Error. 12".into()),
    }
}

/// Gives a folder a new UIDVALIDITY; the answer if that cannot be.
fn renumber(open: &Open, name: &MailboxName<'_>) -> Option<Reply> {
    let path = folder_path(name)?;
    open.mailbox
        .renumber(&path)
        .err()
        .map(|error| refused(&error))
}

impl Open {
    /// What a rule of the fault plan says for UIDVALIDITY.
    fn says_uid_validity(&self) -> Option<String> {
        self.staged.as_ref()?.rule.uid_validity.clone()
    }
}

/// The path a client means; `None` if it is no modified UTF-7, or names a folder that is not presented.
pub(super) fn folder_path(mailbox: &MailboxName<'_>) -> Option<String> {
    let path = match mailbox {
        MailboxName::Inbox => "INBOX".to_owned(),
        MailboxName::Other(other) => name::decode(other.as_ref())?,
    };
    path::is_presentable(&path).then_some(path)
}

/// What Exchange says where a folder is missing.
pub(super) fn does_not_exist(path: &str) -> Reply {
    Reply::No(format!("{} doesn't exist.", name::encode(path)).into())
}

/// The answer to a store that refused.
pub(super) fn refused(error: &StoreError) -> Reply {
    match error {
        StoreError::NoSuchFolder { path } => does_not_exist(path),
        StoreError::FolderExists { path } => {
            Reply::No(format!("{} already exists.", name::encode(path)).into())
        }
        StoreError::InvalidPath { .. } => Reply::No("Mailbox name is not valid.".into()),
        StoreError::Fixed { .. } => {
            Reply::No("Mailbox cannot be changed: it is a default folder or has children.".into())
        }
        StoreError::TooLarge => Reply::No("[TOOBIG] The message exceeds the maximum size.".into()),
        error => {
            tracing::error!(%error, "IMAP: the mail store refused");
            Reply::No("[UNAVAILABLE] Server Unavailable. 15".into())
        }
    }
}

fn change(
    command: &'static str,
    mailbox: &MailboxName<'_>,
    change: impl FnOnce(&str) -> Result<(), StoreError>,
) -> Reply {
    let Some(path) = folder_path(mailbox) else {
        return Reply::invalid_argument();
    };
    match change(&path) {
        Ok(()) => Reply::done(command),
        Err(error) => refused(&error),
    }
}

fn list(
    mailbox: &Mailbox,
    out: &mut Vec<u8>,
    command: &'static str,
    reference: &MailboxName<'_>,
    pattern: &ListMailbox<'_>,
    options: ListOptions,
) -> Reply {
    let pattern = match pattern {
        ListMailbox::Token(token) => token.as_ref(),
        ListMailbox::String(string) => string.as_ref(),
    };
    let reference = match reference {
        MailboxName::Inbox => Some("INBOX".to_owned()),
        MailboxName::Other(other) => name::decode(other.as_ref()),
    };
    let (Some(reference), Some(pattern)) = (reference, name::decode(pattern)) else {
        return Reply::invalid_argument();
    };
    if pattern.is_empty() {
        // RFC 3501 §6.3.8: the delimiter and the root are asked for.
        out.extend_from_slice(format!("* {command} (\\Noselect) \"/\" \"\"\r\n").as_bytes());
        return Reply::done(command);
    }
    if pattern.len() + reference.len() > path::MAX_PATH {
        return Reply::done(command);
    }
    let pattern = format!("{reference}{pattern}");
    let mut folders: Vec<Folder> = mailbox
        .folders()
        .into_iter()
        .filter(|folder| path::is_presentable(&folder.path))
        .collect();
    folders
        .sort_by_cached_key(|folder| (folder.role != Some(Role::Inbox), path::key(&folder.path)));
    let parents: HashSet<String> = folders
        .iter()
        .filter_map(|folder| path::parent(&folder.path))
        .map(path::key)
        .collect();
    for folder in &folders {
        let wanted = (!options.special_use || special_use(folder.role).is_some())
            && (!options.subscribed || folder.subscribed)
            && name::matches(&pattern, &folder.path);
        if !wanted {
            continue;
        }
        let has_children = parents.contains(&path::key(&folder.path));
        let children = if has_children {
            "\\HasChildren"
        } else {
            "\\HasNoChildren"
        };
        let marked = if folder.role == Some(Role::Inbox) {
            "\\Marked "
        } else {
            ""
        };
        let role = special_use(folder.role)
            .map(|role| format!(" {role}"))
            .unwrap_or_default();
        out.extend_from_slice(format!("* {command} ({marked}{children}{role}) \"/\" ").as_bytes());
        syntax::astring(out, &name::encode(&folder.path));
        out.extend_from_slice(b"\r\n");
    }
    Reply::done(command)
}

/// RFC 6154; the inbox has none.
fn special_use(role: Option<Role>) -> Option<&'static str> {
    match role? {
        Role::Inbox => None,
        Role::Drafts => Some("\\Drafts"),
        Role::Sent => Some("\\Sent"),
        Role::Trash => Some("\\Trash"),
        Role::Junk => Some("\\Junk"),
        Role::Archive => Some("\\Archive"),
    }
}

fn status(
    mailbox: &Mailbox,
    out: &mut Vec<u8>,
    name: &MailboxName<'_>,
    items: &[StatusDataItemName],
    said: Option<&str>,
) -> Reply {
    let Some(path) = folder_path(name) else {
        return Reply::invalid_argument();
    };
    let Ok(id) = mailbox.find(&path) else {
        return does_not_exist(&path);
    };
    let values = mailbox.look(id, |folder| {
        let value = |item: &StatusDataItemName| match item {
            StatusDataItemName::Messages => Some(format!("MESSAGES {}", folder.entries().len())),
            StatusDataItemName::Recent => Some("RECENT 0".to_owned()),
            StatusDataItemName::UidNext => Some(format!("UIDNEXT {}", folder.uid_next)),
            StatusDataItemName::UidValidity => Some(match said {
                Some("") => String::new(),
                Some(said) => format!("UIDVALIDITY {said}"),
                None => format!("UIDVALIDITY {}", folder.uid_validity),
            }),
            StatusDataItemName::Unseen => Some(format!("UNSEEN {}", folder.unseen())),
            _ => None,
        };
        let values: Option<Vec<String>> = items.iter().map(value).collect();
        values.map(|mut values| {
            values.retain(|value| !value.is_empty());
            (folder.path.clone(), values)
        })
    });
    match values {
        Some(Some((path, values))) => {
            out.extend_from_slice(b"* STATUS ");
            syntax::astring(out, &name::encode(&path));
            out.extend_from_slice(format!(" ({})\r\n", values.join(" ")).as_bytes());
            Reply::done("STATUS")
        }
        Some(None) => Reply::invalid_argument(),
        None => does_not_exist(&path),
    }
}

fn select(open: &mut Open, out: &mut Vec<u8>, name: &MailboxName<'_>, read_only: bool) -> Reply {
    // Whatever comes of it, the folder selected before is so no more (RFC 3501 §6.3.1).
    open.selected = None;
    let Some(path) = folder_path(name) else {
        return Reply::invalid_argument();
    };
    let said = open.says_uid_validity();
    if said.as_deref() == Some(NEW)
        && let Some(reply) = renumber(open, name)
    {
        return reply;
    }
    let Ok(folder) = open.mailbox.folder(&path) else {
        return does_not_exist(&path);
    };
    let first_unseen = folder
        .entries()
        .iter()
        .position(|entry| !entry.flags.contains(Flags::SEEN));
    let permanent = if read_only { "()" } else { ALL_FLAGS };
    let mut lines = vec![
        format!("* {} EXISTS", folder.entries().len()),
        "* 0 RECENT".to_owned(),
        format!("* FLAGS {ALL_FLAGS}"),
        format!("* OK [PERMANENTFLAGS {permanent}] Permanent flags"),
    ];
    if let Some(at) = first_unseen {
        lines.push(format!(
            "* OK [UNSEEN {}] Is the first unseen message",
            at + 1
        ));
    }
    let uid_validity = match said.as_deref() {
        None | Some(NEW) => folder.uid_validity.to_string(),
        Some(said) => said.to_owned(),
    };
    if !uid_validity.is_empty() {
        lines.push(format!(
            "* OK [UIDVALIDITY {uid_validity}] UIDVALIDITY value"
        ));
    }
    lines.push(format!(
        "* OK [UIDNEXT {}] The next unique identifier value",
        folder.uid_next
    ));
    out.extend_from_slice(lines.join("\r\n").as_bytes());
    out.extend_from_slice(b"\r\n");
    open.selected = Some(Selected::new(&folder, read_only));
    Reply::Ok(if read_only {
        "[READ-ONLY] EXAMINE completed.".into()
    } else {
        "[READ-WRITE] SELECT completed.".into()
    })
}

/// What a rule says for a folder that is to be given a new UIDVALIDITY.
const NEW: &str = "new";
const ALL_FLAGS: &str = "(\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent)";
