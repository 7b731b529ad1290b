//! `Get-`, `New-` and `Remove-MgServicePrincipal`: enterprise applications.

use serde_json::{Value, json};

use super::super::call::{Call, Cmdlet, CmdletError, Kind, Output, mandatory, optional};
use super::{APPLICATIONS, RESOURCES, filter, not_found, principal, resource_id};
use crate::directory::{
    Application, ApplicationEntry, Audience, EnterpriseApplicationEntry, Permission,
    PermissionKind, Resource, Tenant, TenantGuard,
};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "Get-MgServicePrincipal",
        module: APPLICATIONS,
        parameters: &[
            optional("ServicePrincipalId", Kind::String),
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
        name: "New-MgServicePrincipal",
        module: APPLICATIONS,
        parameters: &[
            optional("AppId", Kind::String),
            optional("BodyParameter", Kind::Hashtable),
        ],
        run: new,
    },
    Cmdlet {
        name: "Remove-MgServicePrincipal",
        module: APPLICATIONS,
        parameters: &[mandatory("ServicePrincipalId", Kind::String)],
        run: remove,
    },
];

fn get(call: &Call<'_>) -> Output {
    let tenant = call.directory.tenant();
    let applications = tenant
        .all()
        .enterprise_applications_of(&tenant)
        .into_iter()
        .map(|application| of_application(&tenant, &application));
    let resources = RESOURCES
        .into_iter()
        .map(|resource| of_resource(&tenant, resource));
    let all: Vec<Value> = applications.chain(resources).collect();
    let Some(id) = call.text("ServicePrincipalId") else {
        return filter::apply(call, all);
    };
    let found = all.into_iter().find(|object| {
        object
            .get("Id")
            .and_then(Value::as_str)
            .is_some_and(|own| own.eq_ignore_ascii_case(id))
    });
    let found = found.ok_or_else(|| not_found(id))?;
    Ok(vec![filter::select(found, &call.texts("Property"))])
}

fn new(call: &Call<'_>) -> Output {
    let given = call
        .text("AppId")
        .or_else(|| call.entry("BodyParameter", "appId").and_then(Value::as_str));
    let app_id = given.ok_or_else(|| {
        CmdletError::written("[Request_BadRequest] : The appId of the application is missing.")
    })?;
    let directory = &call.directory;
    let (client_id, registered_here) = {
        let tenant = directory.tenant();
        let application = tenant
            .all()
            .application_in(&tenant, app_id)
            .filter(|application| is_open_to(&tenant, application));
        let application = application.ok_or_else(|| {
            CmdletError::Written(format!(
                "[Request_BadRequest] : The appId '{app_id}' doesn't reference a valid application object."
            ))
        })?;
        if application.enterprise_application {
            return Err(CmdletError::Written(format!(
                "[Request_MultipleObjectsWithSameKeyValue] : The service principal cannot be created, updated, or restored \
                 because the service principal name {app_id} is already in use."
            )));
        }
        let registered_here = tenant.application(app_id).is_some();
        (application.client_id, registered_here)
    };
    if call.what_if {
        return Ok(Vec::new());
    }
    match registered_here {
        true => directory.update::<ApplicationEntry>(&client_id, |application| {
            application.enterprise_application = true;
        })?,
        false => directory.put_entry(EnterpriseApplicationEntry {
            application: client_id.clone(),
            object_id: None,
            admin_consent: Vec::new(),
            enabled: true,
        })?,
    }
    let tenant = directory.tenant();
    let made = tenant.all().application_in(&tenant, &client_id);
    Ok(made
        .map(|application| of_application(&tenant, &application))
        .into_iter()
        .collect())
}

/// Whether an application is registered in the tenant, or for those of others.
fn is_open_to(tenant: &Tenant, application: &Application) -> bool {
    tenant.application(&application.client_id).is_some()
        || !matches!(
            application.audience,
            Audience::MyOrganization | Audience::Personal
        )
}

/// With the enterprise application goes what was agreed to.
fn remove(call: &Call<'_>) -> Output {
    let directory = &call.directory;
    let (client_id, registered_here) = {
        let tenant = directory.tenant();
        let found = principal(&tenant, call.required("ServicePrincipalId"))?;
        let registered_here = tenant.application(&found.client_id).is_some();
        (found.client_id, registered_here)
    };
    match (call.what_if, registered_here) {
        (true, _) => {}
        (false, true) => directory.update::<ApplicationEntry>(&client_id, |application| {
            application.enterprise_application = false;
            application.admin_consent.clear();
        })?,
        (false, false) => directory.remove_entry::<EnterpriseApplicationEntry>(&client_id)?,
    }
    Ok(Vec::new())
}

fn of_application(tenant: &TenantGuard<'_>, application: &Application) -> Value {
    let owner = tenant.all().home_of(&application.client_id);
    json!({
        "Id": application.service_principal_id,
        "AppId": application.client_id,
        "DisplayName": application.display_name,
        "AppDisplayName": application.display_name,
        "AccountEnabled": application.enabled,
        "AppOwnerOrganizationId": owner.map(|owner| &owner.id),
        "ServicePrincipalType": "Application",
        "ServicePrincipalNames": [application.client_id],
        "SignInAudience": super::application::sign_in_audience(application.audience),
        "AppRoles": [],
        "Oauth2PermissionScopes": [],
    })
}

fn of_resource(tenant: &Tenant, resource: Resource) -> Value {
    let published = |kind: PermissionKind| {
        Permission::all(resource).filter(move |permission| permission.kind() == kind)
    };
    let roles = published(PermissionKind::Application).map(|permission| {
        json!({
            "Id": permission.id(),
            "Value": permission.name(),
            "DisplayName": permission.name(),
            "Description": permission.plain_words(),
            "AllowedMemberTypes": ["Application"],
            "IsEnabled": true,
        })
    });
    let scopes = published(PermissionKind::Delegated).map(|permission| {
        json!({
            "Id": permission.id(),
            "Value": permission.name(),
            "UserConsentDisplayName": permission.plain_words(),
            "Type": if permission.opens_mail() { "Admin" } else { "User" },
            "IsEnabled": true,
        })
    });
    json!({
        "Id": resource_id(tenant, resource),
        "AppId": resource.application_id(),
        "DisplayName": resource.display_name(),
        "AppDisplayName": resource.display_name(),
        "AccountEnabled": true,
        "AppOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        "ServicePrincipalType": "Application",
        "ServicePrincipalNames": resource.uris(),
        "SignInAudience": "AzureADMultipleOrgs",
        "AppRoles": roles.collect::<Vec<_>>(),
        "Oauth2PermissionScopes": scopes.collect::<Vec<_>>(),
    })
}
