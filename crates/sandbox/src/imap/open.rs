//! A mailbox that is open, and its commands.

use std::io;
use std::sync::Arc;

use imap_codec::imap_types::command::CommandBody;
use mailgrant_core::time::UnixTime;
use tokio::sync::watch;

use super::connection::Answer;
use super::list_options::ListOptions;
use super::selected::Selected;
use super::sessions::Session;
use super::staged::Staged;
use super::wire::Wire;
use super::{fetch, folders, messages, search};
use crate::clock::Clock;
use crate::mailstore::Mailbox;

/// A mailbox that is open, and perhaps a folder of it.
pub(super) struct Open {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) selected: Option<Selected>,
    pub(super) expires_at: UnixTime,
    pub(super) changes: watch::Receiver<u64>,
    pub(super) session: Session,
    /// Of the last message whose parts were asked for.
    pub(super) structure: Option<fetch::Structure>,
    /// What spoils the answer to the present command.
    pub(super) staged: Option<Staged>,
}

impl Open {
    pub(super) fn catch_up(&mut self, wire: &mut Wire, expunges: bool) {
        self.changes.mark_unchanged();
        if let Some(selected) = &mut self.selected {
            selected.catch_up(&self.mailbox, expunges, wire.output());
        }
    }

    /// Whether the folder that is selected is no more, or no longer the one that the client knows.
    pub(super) fn is_gone(&self) -> bool {
        self.selected
            .as_ref()
            .is_some_and(|selected| selected.is_gone(&self.mailbox))
    }
}

/// The commands of an open mailbox.
pub(super) async fn run(
    open: &mut Open,
    wire: &mut Wire,
    body: CommandBody<'_>,
    options: &ListOptions,
    clock: &Clock,
) -> io::Result<Answer> {
    // By sequence number these may not tell of removals: the client is using the numbers (RFC 3501 §7.4.1).
    let expunges = !matches!(
        body,
        CommandBody::Fetch { uid: false, .. }
            | CommandBody::Store { uid: false, .. }
            | CommandBody::Search { uid: false, .. }
    );
    let answer = match body {
        CommandBody::Fetch {
            sequence_set,
            macro_or_item_names,
            uid,
        } => fetch::fetch(open, wire, &sequence_set, macro_or_item_names, uid, clock).await?,
        CommandBody::Search {
            charset,
            criteria,
            uid,
        } => search::search(open, wire, charset.as_ref(), criteria, uid)
            .await
            .into(),
        CommandBody::Store { .. }
        | CommandBody::Copy { .. }
        | CommandBody::Move { .. }
        | CommandBody::Append { .. }
        | CommandBody::Expunge
        | CommandBody::ExpungeUid { .. }
        | CommandBody::Close => messages::execute(open, wire, body, clock).await.into(),
        body => folders::execute(open, wire, body, options).into(),
    };
    if answer.end.is_none() {
        open.catch_up(wire, expunges);
    }
    Ok(answer)
}

/// Whether a command is about the messages of the selected folder.
pub(super) fn uses_selection(body: &CommandBody<'_>) -> bool {
    matches!(
        body,
        CommandBody::Fetch { .. }
            | CommandBody::Search { .. }
            | CommandBody::Store { .. }
            | CommandBody::Copy { .. }
            | CommandBody::Move { .. }
            | CommandBody::Expunge
            | CommandBody::ExpungeUid { .. }
            | CommandBody::Check
    )
}
