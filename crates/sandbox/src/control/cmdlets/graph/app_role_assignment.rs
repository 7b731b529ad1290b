//! `New-`, `Get-` and `Remove-MgServicePrincipalAppRoleAssignment`: admin consent to application permissions.

use serde_json::{Value, json};

use super::super::call::{Call, Cmdlet, CmdletError, Kind, Output, mandatory, optional};
use super::{
    APPLICATIONS, bad_request, change_admin_consent, filter, not_found, principal, resource,
    resource_id,
};
use crate::directory::{Application, Permission, PermissionKind, Tenant, derived_guid};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "New-MgServicePrincipalAppRoleAssignment",
        module: APPLICATIONS,
        parameters: &[
            mandatory("ServicePrincipalId", Kind::String),
            optional("PrincipalId", Kind::String),
            optional("ResourceId", Kind::String),
            optional("AppRoleId", Kind::String),
            optional("BodyParameter", Kind::Hashtable),
        ],
        run: new,
    },
    Cmdlet {
        name: "Get-MgServicePrincipalAppRoleAssignment",
        module: APPLICATIONS,
        parameters: &[
            mandatory("ServicePrincipalId", Kind::String),
            optional("AppRoleAssignmentId", Kind::String),
            optional("Filter", Kind::String),
            optional("Property", Kind::Strings),
            optional("All", Kind::Switch),
            optional("Top", Kind::String),
        ],
        run: get,
    },
    Cmdlet {
        name: "Remove-MgServicePrincipalAppRoleAssignment",
        module: APPLICATIONS,
        parameters: &[
            mandatory("ServicePrincipalId", Kind::String),
            mandatory("AppRoleAssignmentId", Kind::String),
        ],
        run: remove,
    },
];

fn new(call: &Call<'_>) -> Output {
    let text = |name: &str| {
        let given = call.text(name);
        given
            .or_else(|| call.entry("BodyParameter", name).and_then(Value::as_str))
            .ok_or_else(|| bad_request(&format!("A value is required for property '{name}'.")))
    };
    let directory = &call.directory;
    let (application, permission) = {
        let tenant = directory.tenant();
        let application = principal(&tenant, call.required("ServicePrincipalId"))?;
        principal(&tenant, text("PrincipalId")?)
            .ok()
            .filter(|given| given.client_id == application.client_id)
            .ok_or_else(|| bad_request("The principal is not the one in the request's path."))?;
        let resource = resource(&tenant, text("ResourceId")?)?;
        let role = text("AppRoleId")?;
        let permission = Permission::all(resource)
            .find(|known| {
                known.kind() == PermissionKind::Application && known.id().eq_ignore_ascii_case(role)
            })
            .ok_or_else(|| {
                bad_request("Permission being assigned was not found on application.")
            })?;
        if granted(&tenant, &application).any(|known| known == permission) {
            return Err(bad_request(
                "Permission being assigned already exists on the object.",
            ));
        }
        (application, permission)
    };
    if call.what_if {
        return Ok(Vec::new());
    }
    change_admin_consent(call, &application.client_id, |consent| {
        consent.push(permission);
    })?;
    Ok(vec![object(&directory.tenant(), &application, permission)])
}

fn get(call: &Call<'_>) -> Output {
    let tenant = call.directory.tenant();
    let application = principal(&tenant, call.required("ServicePrincipalId"))?;
    match call.text("AppRoleAssignmentId") {
        Some(id) => {
            let permission = find(&tenant, &application, id)?;
            Ok(vec![object(&tenant, &application, permission)])
        }
        None => {
            let all = granted(&tenant, &application)
                .map(|permission| object(&tenant, &application, permission));
            filter::apply(call, all.collect())
        }
    }
}

fn remove(call: &Call<'_>) -> Output {
    let directory = &call.directory;
    let (client_id, permission) = {
        let tenant = directory.tenant();
        let application = principal(&tenant, call.required("ServicePrincipalId"))?;
        let permission = find(&tenant, &application, call.required("AppRoleAssignmentId"))?;
        (application.client_id, permission)
    };
    if !call.what_if {
        change_admin_consent(call, &client_id, |consent| {
            consent.retain(|known| *known != permission);
        })?;
    }
    Ok(Vec::new())
}

fn granted(tenant: &Tenant, application: &Application) -> impl Iterator<Item = Permission> + use<> {
    tenant
        .consented(&application.client_id, None)
        .into_iter()
        .filter(|permission| permission.kind() == PermissionKind::Application)
}

fn find(tenant: &Tenant, application: &Application, id: &str) -> Result<Permission, CmdletError> {
    granted(tenant, application)
        .find(|permission| assignment_id(application, *permission).eq_ignore_ascii_case(id))
        .ok_or_else(|| not_found(id))
}

fn assignment_id(application: &Application, permission: Permission) -> String {
    derived_guid(
        &application.service_principal_id,
        "app role assignment",
        permission.id(),
    )
}

fn object(tenant: &Tenant, application: &Application, permission: Permission) -> Value {
    let resource = permission.resource();
    json!({
        "Id": assignment_id(application, permission),
        "AppRoleId": permission.id(),
        "PrincipalId": application.service_principal_id,
        "PrincipalDisplayName": application.display_name,
        "PrincipalType": "ServicePrincipal",
        "ResourceId": resource_id(tenant, resource),
        "ResourceDisplayName": resource.display_name(),
    })
}
