//! `Get-` and `Update-MgUser`, `Revoke-MgUserSignInSession`.

use mailgrant_core::secret::Secret;
use serde_json::{Value, json};

use super::super::call::{Call, Cmdlet, CmdletError, Kind, Output, entry, mandatory, optional};
use super::{USERS, bad_request, filter, not_found};
use crate::directory::{Tenant, User, UserEntry};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "Get-MgUser",
        module: USERS,
        parameters: &[
            optional("UserId", Kind::String),
            optional("Filter", Kind::String),
            optional("Property", Kind::Strings),
            optional("All", Kind::Switch),
            optional("Top", Kind::String),
            optional("ConsistencyLevel", Kind::String),
            optional("CountVariable", Kind::String),
        ],
        run: get,
    },
    Cmdlet {
        name: "Update-MgUser",
        module: USERS,
        parameters: &[
            mandatory("UserId", Kind::String),
            optional("AccountEnabled", Kind::Switch),
            optional("DisplayName", Kind::String),
            optional("PasswordProfile", Kind::Hashtable),
        ],
        run: update,
    },
    Cmdlet {
        name: "Revoke-MgUserSignInSession",
        module: "Microsoft.Graph.Users.Actions",
        parameters: &[mandatory("UserId", Kind::String)],
        run: revoke,
    },
];

fn get(call: &Call<'_>) -> Output {
    let tenant = call.directory.tenant();
    match call.text("UserId") {
        Some(id) => Ok(vec![filter::select(
            object(find(&tenant, id)?),
            &call.texts("Property"),
        )]),
        None => filter::apply(call, people(&tenant).map(object).collect()),
    }
}

/// A new password ends the person's refresh tokens.
fn update(call: &Call<'_>) -> Output {
    let directory = &call.directory;
    let address = find(&directory.tenant(), call.required("UserId"))?
        .address
        .clone();
    let password = match call.value("PasswordProfile") {
        None => None,
        Some(profile) => {
            let password = entry(profile, "password").and_then(Value::as_str);
            let password = password.ok_or_else(|| {
                bad_request("A value is required for property 'password' of 'passwordProfile'.")
            })?;
            Some(Secret::new(password))
        }
    };
    if call.what_if {
        return Ok(Vec::new());
    }
    directory.update::<UserEntry>(&address, |user| {
        if let Some(enabled) = call.boolean("AccountEnabled") {
            user.enabled = enabled;
        }
        if let Some(name) = call.text("DisplayName") {
            user.display_name = name.to_owned();
        }
        if password.is_some() {
            user.password = password;
        }
    })?;
    Ok(Vec::new())
}

fn revoke(call: &Call<'_>) -> Output {
    let directory = &call.directory;
    let person = find(&directory.tenant(), call.required("UserId"))?
        .object_id
        .clone();
    if !call.what_if {
        directory
            .whole()
            .revoke_refresh_tokens(&person)
            .map_err(CmdletError::Failed)?;
    }
    Ok(vec![json!({"Value": true})])
}

fn find<'t>(tenant: &'t Tenant, id: &str) -> Result<&'t User, CmdletError> {
    people(tenant)
        .find(|user| {
            user.object_id.eq_ignore_ascii_case(id)
                || user.user_principal_name.eq_ignore_ascii_case(id)
        })
        .ok_or_else(|| not_found(id))
}

fn people(tenant: &Tenant) -> impl Iterator<Item = &User> {
    tenant.users.iter()
}

fn object(user: &User) -> Value {
    json!({
        "Id": user.object_id,
        "UserPrincipalName": user.user_principal_name,
        "Mail": user.address,
        "DisplayName": user.display_name,
        "AccountEnabled": user.enabled,
        "UserType": "Member",
    })
}
