//! `New-`, `Get-` and `Remove-Mailbox`.

use serde_json::{Value, json};

use super::super::call::{Call, Cmdlet, CmdletError, Kind, Output, mandatory, optional};
use super::{MODULE, alias, find_mailbox, mailboxes};
use crate::directory::{
    Mailbox, MailboxSwitches, SharedMailboxEntry, Tenant, UserEntry, derived_guid,
};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "New-Mailbox",
        module: MODULE,
        parameters: &[
            mandatory("Name", Kind::String),
            optional("Shared", Kind::Switch),
            optional("DisplayName", Kind::String),
            optional("Alias", Kind::String),
            optional("PrimarySmtpAddress", Kind::String),
        ],
        run: new,
    },
    Cmdlet {
        name: "Get-Mailbox",
        module: MODULE,
        parameters: &[
            optional("Identity", Kind::String),
            optional("RecipientTypeDetails", Kind::Strings),
            optional("ResultSize", Kind::String),
        ],
        run: get,
    },
    Cmdlet {
        name: "Remove-Mailbox",
        module: MODULE,
        parameters: &[
            mandatory("Identity", Kind::String),
            optional("PermanentlyDelete", Kind::Switch),
            optional("Force", Kind::Switch),
        ],
        run: remove,
    },
];

fn new(call: &Call<'_>) -> Output {
    if !call.switch("Shared") {
        return Err(CmdletError::written(
            "Use New-Mailbox -Shared; people are made by PUT /control/directory/users.",
        ));
    }
    let directory = &call.directory;
    let entry = {
        let tenant = directory.tenant();
        let name = call.required("Name");
        let alias = call.text("Alias").unwrap_or(name).replace(' ', "");
        SharedMailboxEntry {
            address: match call.text("PrimarySmtpAddress") {
                Some(address) => address.to_owned(),
                None => format!("{alias}@{}", tenant.domain()),
            },
            display_name: call.text("DisplayName").unwrap_or(name).to_owned(),
            mailbox: MailboxSwitches::default(),
        }
    };
    if directory.tenant().mailbox(&entry.address).is_some() {
        return Err(CmdletError::Written(format!(
            "The proxy address \"SMTP:{}\" is already being used. Please choose another proxy address.",
            entry.address
        )));
    }
    if call.what_if {
        return Ok(Vec::new());
    }
    let address = entry.address.clone();
    directory.put_entry(entry)?;
    let tenant = directory.tenant();
    Ok(vec![object(&tenant, find_mailbox(&tenant, &address)?)])
}

fn get(call: &Call<'_>) -> Output {
    let tenant = call.directory.tenant();
    let wanted = call.texts("RecipientTypeDetails");
    let found: Vec<&Mailbox> = match call.text("Identity") {
        Some(identity) => vec![find_mailbox(&tenant, identity)?],
        None => mailboxes(&tenant).collect(),
    };
    let is_wanted = |mailbox: &&Mailbox| {
        wanted.is_empty()
            || wanted
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(details(mailbox)))
    };
    let found = found.into_iter().filter(is_wanted);
    Ok(found.map(|mailbox| object(&tenant, mailbox)).collect())
}

fn remove(call: &Call<'_>) -> Output {
    let directory = &call.directory;
    let mailbox = find_mailbox(&directory.tenant(), call.required("Identity"))?.clone();
    match (call.what_if, mailbox.owner) {
        (true, _) => {}
        (false, None) => directory.remove_entry::<SharedMailboxEntry>(&mailbox.address)?,
        (false, Some(_)) => directory.remove_entry::<UserEntry>(&mailbox.address)?,
    }
    Ok(Vec::new())
}

fn object(tenant: &Tenant, mailbox: &Mailbox) -> Value {
    let user = mailbox
        .owner
        .as_ref()
        .and_then(|owner| tenant.user_by_object_id(owner));
    let object_id = match &mailbox.owner {
        Some(owner) => owner.clone(),
        None => derived_guid(&tenant.id, "shared mailbox", &mailbox.address),
    };
    json!({
        "Identity": mailbox.display_name,
        "Name": alias(&mailbox.address),
        "Alias": alias(&mailbox.address),
        "DisplayName": mailbox.display_name,
        "PrimarySmtpAddress": mailbox.address,
        "UserPrincipalName": user.map_or(&mailbox.address, |user| &user.user_principal_name),
        "EmailAddresses": [format!("SMTP:{}", mailbox.address)],
        "RecipientType": "UserMailbox",
        "RecipientTypeDetails": details(mailbox),
        "IsShared": mailbox.owner.is_none(),
        "ExternalDirectoryObjectId": object_id,
    })
}

fn details(mailbox: &Mailbox) -> &'static str {
    match mailbox.owner {
        Some(_) => "UserMailbox",
        None => "SharedMailbox",
    }
}
