//! Commands that change messages: STORE, COPY, MOVE, EXPUNGE, APPEND (RFC 3501 §6.3.11, §6.4; RFC 4315, 6851).

use std::sync::Arc;

use imap_codec::imap_types::command::CommandBody;
use imap_codec::imap_types::extensions::binary::LiteralOrLiteral8;
use imap_codec::imap_types::flag::{Flag, StoreResponse, StoreType};
use imap_codec::imap_types::mailbox::Mailbox as MailboxName;
use imap_codec::imap_types::sequence::SequenceSet;
use mailgrant_core::time::UnixTime;

use super::folders::{folder_path, refused};
use super::open::Open;
use super::reply::Reply;
use super::selected::{Selected, Target};
use super::syntax;
use super::wire::Wire;
use crate::clock::Clock;
use crate::mailstore::{Flags, Mailbox, StoreError, Transferred};

pub(super) async fn execute(
    open: &mut Open,
    wire: &mut Wire,
    body: CommandBody<'_>,
    clock: &Clock,
) -> Reply {
    match body {
        CommandBody::Append {
            mailbox,
            flags,
            date,
            message: LiteralOrLiteral8::Literal(message),
        } => {
            let at = date.map_or_else(|| clock.now(), |date| UnixTime(date.as_ref().timestamp()));
            append(open, &mailbox, bits(&flags), at, message.data().to_vec()).await
        }
        CommandBody::Store {
            sequence_set,
            kind,
            response,
            flags,
            uid,
        } => {
            let Some(selected) = writable(open) else {
                return not_writable(open);
            };
            let Some(targets) = selected.resolve(&sequence_set, uid) else {
                return invalid_set();
            };
            let change = (kind, bits(&flags));
            store(open, wire, &targets, change, response, uid).await
        }
        CommandBody::Copy {
            sequence_set,
            mailbox,
            uid,
        } => transfer(open, wire, &sequence_set, &mailbox, uid, true).await,
        CommandBody::Move {
            sequence_set,
            mailbox,
            uid,
        } => transfer(open, wire, &sequence_set, &mailbox, uid, false).await,
        CommandBody::Expunge => match expunge(open, None).await {
            Ok(()) => Reply::done("EXPUNGE"),
            Err(reply) => reply,
        },
        CommandBody::ExpungeUid { sequence_set } => {
            match expunge(open, Some(&sequence_set)).await {
                Ok(()) => Reply::done("EXPUNGE"),
                Err(reply) => reply,
            }
        }
        CommandBody::Close => close(open).await,
        _ => Reply::invalid_argument(),
    }
}

async fn append(
    open: &Open,
    mailbox: &MailboxName<'_>,
    flags: Flags,
    at: UnixTime,
    message: Vec<u8>,
) -> Reply {
    let Some(path) = folder_path(mailbox) else {
        return Reply::invalid_argument();
    };
    let appended = blocking(&open.mailbox, move |mailbox| {
        mailbox.append(&path, &message, flags, at)
    });
    match appended.await {
        Ok(appended) => Reply::Ok(
            format!(
                "[APPENDUID {} {}] APPEND completed.",
                appended.uid_validity, appended.uid
            )
            .into(),
        ),
        Err(StoreError::NoSuchFolder { .. }) => try_create(),
        Err(error) => refused(&error),
    }
}

async fn store(
    open: &mut Open,
    wire: &mut Wire,
    targets: &[Target],
    (kind, bits): (StoreType, Flags),
    response: StoreResponse,
    by_uid: bool,
) -> Reply {
    let Some(folder) = open.selected.as_ref().map(|selected| selected.folder) else {
        return Reply::invalid_state();
    };
    let uids: Vec<u32> = targets.iter().map(|target| target.uid).collect();
    let stored = blocking(&open.mailbox, move |mailbox| {
        mailbox.store(folder, &uids, |flags| match kind {
            StoreType::Replace => bits,
            StoreType::Add => flags | bits,
            StoreType::Remove => flags.without(bits),
        })
    });
    if let Err(error) = stored.await {
        return refused(&error);
    }
    // The flags are told whether or not they changed, unless the client wants silence: then they count as told.
    let Some(selected) = &mut open.selected else {
        return Reply::invalid_state();
    };
    let now: Vec<Option<Flags>> = open
        .mailbox
        .look(folder, |folder| {
            let flags = |target: &Target| folder.entry(target.uid).map(|entry| entry.flags);
            targets.iter().map(flags).collect()
        })
        .unwrap_or_default();
    for (target, flags) in targets.iter().zip(now) {
        let Some(flags) = flags else { continue };
        selected.note_flags(target.uid, flags);
        if response == StoreResponse::Silent {
            continue;
        }
        let out = wire.output();
        out.extend_from_slice(format!("* {} FETCH (", target.sequence).as_bytes());
        if by_uid {
            out.extend_from_slice(format!("UID {} ", target.uid).as_bytes());
        }
        out.extend_from_slice(b"FLAGS ");
        syntax::flags(out, flags);
        out.extend_from_slice(b")\r\n");
    }
    Reply::done("STORE")
}

async fn transfer(
    open: &mut Open,
    wire: &mut Wire,
    set: &SequenceSet,
    to: &MailboxName<'_>,
    by_uid: bool,
    keep: bool,
) -> Reply {
    let command = if keep { "COPY" } else { "MOVE" };
    let selected = if keep {
        open.selected.as_ref()
    } else {
        writable(open)
    };
    let Some(selected) = selected else {
        return not_writable(open);
    };
    let Some(targets) = selected.resolve(set, by_uid) else {
        return invalid_set();
    };
    let Some(to) = folder_path(to) else {
        return Reply::invalid_argument();
    };
    let from = selected.folder;
    let uids: Vec<u32> = targets.iter().map(|target| target.uid).collect();
    let moved = blocking(&open.mailbox, move |mailbox| {
        mailbox.transfer(from, &to, &uids, keep)
    });
    match moved.await {
        Ok(moved) if moved.uids.is_empty() => Reply::done(command),
        Ok(moved) if keep => Reply::Ok(format!("{} COPY completed.", copy_uid(&moved)).into()),
        Ok(moved) => {
            // RFC 6851 §4.3: COPYUID comes before the EXPUNGEs.
            wire.push(format!("* OK {} Moved.\r\n", copy_uid(&moved)).as_bytes());
            open.catch_up(wire, true);
            Reply::done(command)
        }
        Err(StoreError::NoSuchFolder { .. }) => try_create(),
        Err(error) => refused(&error),
    }
}

async fn expunge(open: &mut Open, set: Option<&SequenceSet>) -> Result<(), Reply> {
    let Some(selected) = writable(open) else {
        return Err(not_writable(open));
    };
    let folder = selected.folder;
    let named: Option<Vec<u32>> = match set {
        Some(set) => Some(
            selected
                .resolve(set, true)
                .ok_or_else(invalid_set)?
                .iter()
                .map(|target| target.uid)
                .collect(),
        ),
        None => None,
    };
    let expunged = blocking(&open.mailbox, move |mailbox| {
        let deleted = mailbox.look(folder, |folder| {
            let deleted = folder
                .entries()
                .iter()
                .filter(|entry| entry.flags.contains(Flags::DELETED))
                .map(|entry| entry.uid);
            match &named {
                Some(named) => deleted
                    .filter(|uid| named.binary_search(uid).is_ok())
                    .collect(),
                None => deleted.collect::<Vec<u32>>(),
            }
        });
        mailbox.expunge(folder, &deleted.unwrap_or_default())
    });
    expunged.await.map_err(|error| refused(&error))
}

/// RFC 3501 §6.4.2: removes without a word, then leaves the folder.
async fn close(open: &mut Open) -> Reply {
    let Some(selected) = &open.selected else {
        return Reply::invalid_state();
    };
    if !selected.read_only
        && let Err(reply) = expunge(open, None).await
    {
        return reply;
    }
    open.selected = None;
    Reply::done("CLOSE")
}

/// The selected folder, if it may be changed.
fn writable(open: &Open) -> Option<&Selected> {
    open.selected
        .as_ref()
        .filter(|selected| !selected.read_only)
}

fn not_writable(open: &Open) -> Reply {
    match open.selected {
        Some(_) => Reply::No("[READ-ONLY] The mailbox is read-only.".into()),
        None => Reply::invalid_state(),
    }
}

fn invalid_set() -> Reply {
    Reply::Bad("The specified message set is invalid.".into())
}

fn try_create() -> Reply {
    Reply::No("[TRYCREATE] The requested folder doesn't exist.".into())
}

/// `[COPYUID 1795000000 4,7:9 1:4]`
fn copy_uid(moved: &Transferred) -> String {
    format!(
        "[COPYUID {} {} {}]",
        moved.uid_validity,
        syntax::sequence_set(moved.uids.iter().map(|(from, _)| *from)),
        syntax::sequence_set(moved.uids.iter().map(|(_, to)| *to)),
    )
}

/// Keywords that Exchange does not keep are dropped without a word.
fn bits(flags: &[Flag<'_>]) -> Flags {
    flags
        .iter()
        .filter_map(|flag| Flags::from_name(&flag.to_string()))
        .fold(Flags::NONE, |all, flag| all | flag)
}

async fn blocking<R: Send + 'static>(
    mailbox: &Arc<Mailbox>,
    work: impl FnOnce(&Mailbox) -> Result<R, StoreError> + Send + 'static,
) -> Result<R, StoreError> {
    let mailbox = mailbox.clone();
    match tokio::task::spawn_blocking(move || work(&mailbox)).await {
        Ok(result) => result,
        Err(error) => Err(StoreError::Io {
            path: "messages".into(),
            source: std::io::Error::other(error),
        }),
    }
}
