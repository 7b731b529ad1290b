//! `Add-`, `Get-` and `Remove-RecipientPermission`: sending in somebody else's name.

use serde_json::{Value, json};

use super::super::call::{Call, Cmdlet, CmdletError, Kind, Output, mandatory, optional};
use super::rights::{Pair, holders, trustee};
use super::{MODULE, find_mailbox, mailboxes};
use crate::directory::{MailboxRight, Tenant};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "Add-RecipientPermission",
        module: MODULE,
        parameters: &[
            mandatory("Identity", Kind::String),
            mandatory("Trustee", Kind::String),
            mandatory("AccessRights", Kind::Strings),
            optional("SkipDomainValidationForMailContact", Kind::Switch),
        ],
        run: add,
    },
    Cmdlet {
        name: "Get-RecipientPermission",
        module: MODULE,
        parameters: &[
            optional("Identity", Kind::String),
            optional("Trustee", Kind::String),
            optional("AccessRights", Kind::Strings),
        ],
        run: get,
    },
    Cmdlet {
        name: "Remove-RecipientPermission",
        module: MODULE,
        parameters: &[
            mandatory("Identity", Kind::String),
            mandatory("Trustee", Kind::String),
            mandatory("AccessRights", Kind::Strings),
        ],
        run: remove,
    },
];

fn add(call: &Call<'_>) -> Output {
    check_rights(call)?;
    let pair = Pair::of(call, "Trustee")?;
    pair.give(call, MailboxRight::SendAs)?;
    if call.what_if {
        return Ok(Vec::new());
    }
    let tenant = call.directory.tenant();
    Ok(list(&tenant, &pair.mailbox, Some(&pair.trustee)))
}

fn get(call: &Call<'_>) -> Output {
    let tenant = call.directory.tenant();
    let trustee = call
        .text("Trustee")
        .map(|name| trustee(&tenant, name))
        .transpose()?;
    let addresses: Vec<&str> = match call.text("Identity") {
        Some(identity) => vec![&find_mailbox(&tenant, identity)?.address],
        None => mailboxes(&tenant)
            .map(|mailbox| mailbox.address.as_str())
            .collect(),
    };
    let listed = addresses
        .into_iter()
        .flat_map(|mailbox| list(&tenant, mailbox, trustee.as_deref()));
    Ok(listed.collect())
}

fn remove(call: &Call<'_>) -> Output {
    check_rights(call)?;
    let pair = Pair::of(call, "Trustee")?;
    if pair.take(call, MailboxRight::SendAs)? {
        return Ok(Vec::new());
    }
    Err(CmdletError::Written(format!(
        "The access control entry couldn't be removed from \"{}\": it couldn't be found there for account \"{}\".",
        pair.mailbox,
        call.required("Trustee")
    )))
}

fn list(tenant: &Tenant, mailbox: &str, trustee: Option<&str>) -> Vec<Value> {
    let identity = tenant.mailbox(mailbox).map(|found| &found.display_name);
    holders(tenant, mailbox, MailboxRight::SendAs)
        .filter(|(known, _)| trustee.is_none_or(|trustee| trustee.eq_ignore_ascii_case(known)))
        .map(|(_, shown)| {
            json!({
                "Identity": identity,
                "Trustee": shown,
                "AccessControlType": "Allow",
                "AccessRights": ["SendAs"],
                "IsInherited": false,
                "InheritanceType": "None",
            })
        })
        .collect()
}

fn check_rights(call: &Call<'_>) -> Result<(), CmdletError> {
    match call.texts("AccessRights").as_slice() {
        [right] if right.eq_ignore_ascii_case("SendAs") => Ok(()),
        rights => Err(CmdletError::Written(format!(
            "Cannot bind parameter 'AccessRights'. Cannot convert value \"{}\" to type \"RecipientAccessRight\": there is \
             only SendAs.",
            rights.join(", ")
        ))),
    }
}
