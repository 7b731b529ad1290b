//! `Set-` and `Get-CASMailbox`: the protocols of a mailbox.

use serde_json::{Value, json};

use super::super::call::{Call, Cmdlet, Kind, Output, mandatory, optional};
use super::{MODULE, alias, find_mailbox, mailboxes};
use crate::directory::{Mailbox, MailboxSwitches, SharedMailboxEntry, UserEntry};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "Set-CASMailbox",
        module: MODULE,
        parameters: &[
            mandatory("Identity", Kind::String),
            optional("ImapEnabled", Kind::Boolean),
            optional("PopEnabled", Kind::Boolean),
            optional("SmtpClientAuthenticationDisabled", Kind::NullableBoolean),
        ],
        run: set,
    },
    Cmdlet {
        name: "Get-CASMailbox",
        module: MODULE,
        parameters: &[optional("Identity", Kind::String)],
        run: get,
    },
];

fn set(call: &Call<'_>) -> Output {
    let directory = &call.directory;
    let (address, shared) = {
        let tenant = directory.tenant();
        let mailbox = find_mailbox(&tenant, call.required("Identity"))?;
        (mailbox.address.clone(), mailbox.owner.is_none())
    };
    let change = |switches: &mut MailboxSwitches| {
        if let Some(enabled) = call.boolean("ImapEnabled") {
            switches.imap = enabled;
        }
        if let Some(enabled) = call.boolean("PopEnabled") {
            switches.pop = enabled;
        }
        if let Some(disabled) = call.value("SmtpClientAuthenticationDisabled") {
            switches.smtp_auth = disabled.as_bool().map(|disabled| !disabled);
        }
    };
    match (call.what_if, shared) {
        (true, _) => {}
        (false, true) => {
            directory.update::<SharedMailboxEntry>(&address, |entry| change(&mut entry.mailbox))?;
        }
        (false, false) => {
            directory.update::<UserEntry>(&address, |entry| change(&mut entry.mailbox))?;
        }
    }
    Ok(Vec::new())
}

fn get(call: &Call<'_>) -> Output {
    let tenant = call.directory.tenant();
    match call.text("Identity") {
        Some(identity) => Ok(vec![object(find_mailbox(&tenant, identity)?)]),
        None => Ok(mailboxes(&tenant).map(object).collect()),
    }
}

fn object(mailbox: &Mailbox) -> Value {
    json!({
        "Identity": mailbox.display_name,
        "Name": alias(&mailbox.address),
        "DisplayName": mailbox.display_name,
        "PrimarySmtpAddress": mailbox.address,
        "ImapEnabled": mailbox.switches.imap,
        "PopEnabled": mailbox.switches.pop,
        // $null: as Get-TransportConfig says.
        "SmtpClientAuthenticationDisabled": mailbox.switches.smtp_auth.map(|enabled| !enabled),
    })
}
