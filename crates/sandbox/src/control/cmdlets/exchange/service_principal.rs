//! `New-`, `Get-`, `Set-` and `Remove-ServicePrincipal`: what Exchange is told of applications.

use serde_json::{Value, json};

use super::super::call::{Call, Cmdlet, CmdletError, Kind, Output, mandatory, optional};
use super::{MODULE, find_mailbox, find_service_principal, not_found};
use crate::directory::{ServicePrincipal, ServicePrincipalEntry, Tenant};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "New-ServicePrincipal",
        module: MODULE,
        parameters: &[
            mandatory("AppId", Kind::String),
            optional("ObjectId", Kind::String),
            optional("ServiceId", Kind::String),
            optional("DisplayName", Kind::String),
            optional("Organization", Kind::String),
        ],
        run: new,
    },
    Cmdlet {
        name: "Get-ServicePrincipal",
        module: MODULE,
        parameters: &[
            optional("Identity", Kind::String),
            optional("Organization", Kind::String),
        ],
        run: get,
    },
    Cmdlet {
        name: "Set-ServicePrincipal",
        module: MODULE,
        parameters: &[
            mandatory("Identity", Kind::String),
            optional("DisplayName", Kind::String),
        ],
        run: set,
    },
    Cmdlet {
        name: "Remove-ServicePrincipal",
        module: MODULE,
        parameters: &[mandatory("Identity", Kind::String)],
        run: remove,
    },
    Cmdlet {
        name: "Test-ServicePrincipalAuthorization",
        module: MODULE,
        parameters: &[
            mandatory("Identity", Kind::String),
            optional("Resource", Kind::String),
        ],
        run: test,
    },
];

fn new(call: &Call<'_>) -> Output {
    let object_id = call.text("ObjectId").or_else(|| call.text("ServiceId"));
    let object_id = object_id.ok_or_else(|| {
        CmdletError::written(
            "Cannot process command because of one or more missing mandatory parameters: ObjectId.",
        )
    })?;
    let entry = ServicePrincipalEntry {
        application: guid("AppId", call.required("AppId"))?,
        object_id: guid("ObjectId", object_id)?,
        display_name: call.text("DisplayName").map(str::to_owned),
    };
    let directory = &call.directory;
    {
        let tenant = directory.tenant();
        let taken = tenant.service_principals.iter().find(|known| {
            known.application.eq_ignore_ascii_case(&entry.application)
                || known.object_id.eq_ignore_ascii_case(&entry.object_id)
        });
        if let Some(taken) = taken {
            return Err(CmdletError::Written(format!(
                "The service principal with AppId \"{}\" and ObjectId \"{}\" already exists.",
                taken.application, taken.object_id
            )));
        }
    }
    if call.what_if {
        return Ok(Vec::new());
    }
    let output = object(&entry);
    directory.put_entry(entry)?;
    Ok(vec![output])
}

fn get(call: &Call<'_>) -> Output {
    let tenant = call.directory.tenant();
    match call.text("Identity") {
        Some(identity) => Ok(vec![object(find(&tenant, identity)?)]),
        None => Ok(tenant.service_principals.iter().map(object).collect()),
    }
}

fn set(call: &Call<'_>) -> Output {
    let directory = &call.directory;
    let mut entry = find(&directory.tenant(), call.required("Identity"))?.clone();
    if let Some(name) = call.text("DisplayName") {
        entry.display_name = Some(name.to_owned());
    }
    if !call.what_if {
        directory.put_entry(entry)?;
    }
    Ok(Vec::new())
}

fn remove(call: &Call<'_>) -> Output {
    let directory = &call.directory;
    let entry = find(&directory.tenant(), call.required("Identity"))?.clone();
    if !call.what_if {
        directory.remove_entry::<ServicePrincipalEntry>(&entry.application)?;
    }
    Ok(Vec::new())
}

/// Tells of roles by RBAC for Applications only. There are none for IMAP and POP, so it stays silent.
fn test(call: &Call<'_>) -> Output {
    let tenant = call.directory.tenant();
    find(&tenant, call.required("Identity"))?;
    if let Some(mailbox) = call.text("Resource") {
        find_mailbox(&tenant, mailbox)?;
    }
    Ok(Vec::new())
}

fn object(principal: &ServicePrincipal) -> Value {
    json!({
        "Identity": principal.object_id,
        "Id": principal.object_id,
        "DisplayName": principal.display_name,
        "AppId": principal.application,
        "ObjectId": principal.object_id,
        "RecipientType": "User",
        // Spelt so by Exchange.
        "RecipientTypeDetails": "ServicePrinciple",
    })
}

fn find<'t>(tenant: &'t Tenant, identity: &str) -> Result<&'t ServicePrincipal, CmdletError> {
    find_service_principal(tenant, identity).ok_or_else(|| not_found(tenant, identity))
}

fn guid(parameter: &str, value: &str) -> Result<String, CmdletError> {
    match uuid::Uuid::try_parse(value) {
        Ok(uuid) => Ok(uuid.to_string()),
        Err(_) => Err(CmdletError::Written(format!(
            "The value of parameter '{parameter}' is not a valid GUID: \"{value}\"."
        ))),
    }
}
