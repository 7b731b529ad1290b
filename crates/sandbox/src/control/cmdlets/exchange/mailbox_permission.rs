//! `Add-`, `Get-` and `Remove-MailboxPermission`: full access.

use serde_json::{Value, json};

use super::super::call::{Call, Cmdlet, CmdletError, Kind, Output, mandatory, optional};
use super::rights::{Pair, holders, trustee};
use super::{MODULE, find_mailbox};
use crate::directory::MailboxRight;

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "Add-MailboxPermission",
        module: MODULE,
        parameters: &[
            mandatory("Identity", Kind::String),
            mandatory("User", Kind::String),
            mandatory("AccessRights", Kind::Strings),
            optional("AutoMapping", Kind::Boolean),
            optional("InheritanceType", Kind::String),
        ],
        run: add,
    },
    Cmdlet {
        name: "Get-MailboxPermission",
        module: MODULE,
        parameters: &[
            mandatory("Identity", Kind::String),
            optional("User", Kind::String),
        ],
        run: get,
    },
    Cmdlet {
        name: "Remove-MailboxPermission",
        module: MODULE,
        parameters: &[
            mandatory("Identity", Kind::String),
            mandatory("User", Kind::String),
            mandatory("AccessRights", Kind::Strings),
            optional("InheritanceType", Kind::String),
        ],
        run: remove,
    },
];

fn add(call: &Call<'_>) -> Output {
    check_rights(call)?;
    let pair = Pair::of(call, "User")?;
    pair.give(call, MailboxRight::FullAccess)?;
    if call.what_if {
        return Ok(Vec::new());
    }
    list(call, &pair.mailbox, Some(&pair.trustee))
}

fn get(call: &Call<'_>) -> Output {
    let (mailbox, user) = {
        let tenant = call.directory.tenant();
        let mailbox = find_mailbox(&tenant, call.required("Identity"))?;
        let user = call.text("User").map(|user| trustee(&tenant, user));
        (mailbox.address.clone(), user.transpose()?)
    };
    list(call, &mailbox, user.as_deref())
}

fn remove(call: &Call<'_>) -> Output {
    check_rights(call)?;
    let pair = Pair::of(call, "User")?;
    if pair.take(call, MailboxRight::FullAccess)? {
        return Ok(Vec::new());
    }
    Err(CmdletError::Written(format!(
        "The access control entry couldn't be removed from \"{}\": it couldn't be found there for account \"{}\".",
        pair.mailbox,
        call.required("User")
    )))
}

fn list(call: &Call<'_>, mailbox: &str, user: Option<&str>) -> Output {
    let tenant = call.directory.tenant();
    let identity = find_mailbox(&tenant, mailbox)?;
    let object = |user: &str, rights: &[&str]| -> Value {
        json!({
            "Identity": identity.display_name,
            "User": user,
            "AccessRights": rights,
            "IsInherited": false,
            "Deny": false,
            "InheritanceType": "All",
            "IsValid": true,
        })
    };
    let own = user
        .is_none()
        .then(|| object("NT AUTHORITY\\SELF", &["FullAccess", "ReadPermission"]));
    let others = holders(&tenant, &identity.address, MailboxRight::FullAccess)
        .filter(|(trustee, _)| user.is_none_or(|user| user.eq_ignore_ascii_case(trustee)))
        .map(|(_, shown)| object(&shown, &["FullAccess"]));
    Ok(own.into_iter().chain(others).collect())
}

fn check_rights(call: &Call<'_>) -> Result<(), CmdletError> {
    let rights = call.texts("AccessRights");
    let strange = rights
        .iter()
        .find(|right| !right.eq_ignore_ascii_case("FullAccess"));
    match strange {
        None if !rights.is_empty() => Ok(()),
        _ => Err(CmdletError::Written(format!(
            "Cannot bind parameter 'AccessRights'. Cannot convert value \"{}\" to type \"MailboxRights\": the sandbox \
             knows FullAccess.",
            rights.join(", ")
        ))),
    }
}
