//! Microsoft Graph PowerShell.

mod app_role_assignment;
mod application;
mod application_password;
mod federated_credential;
mod filter;
mod key_credential;
mod permission_grant;
mod service_principal;
mod user;

use super::call::{Call, Cmdlet, CmdletError};
use crate::directory::{
    Application, ApplicationEntry, EnterpriseApplicationEntry, Permission, Resource, Tenant,
    TenantGuard, derived_guid,
};

pub(super) const CMDLETS: &[&[Cmdlet]] = &[
    service_principal::CMDLETS,
    application::CMDLETS,
    application_password::CMDLETS,
    federated_credential::CMDLETS,
    app_role_assignment::CMDLETS,
    permission_grant::CMDLETS,
    user::CMDLETS,
];

const APPLICATIONS: &str = "Microsoft.Graph.Applications";
const SIGN_INS: &str = "Microsoft.Graph.Identity.SignIns";
const USERS: &str = "Microsoft.Graph.Users";

/// Both resources, in which permissions are looked up.
const RESOURCES: [Resource; 2] = [Resource::Exchange, Resource::Graph];

/// The application whose enterprise application has that object id, as the tenant has it.
fn principal(tenant: &TenantGuard<'_>, id: &str) -> Result<Application, CmdletError> {
    tenant
        .all()
        .enterprise_applications_of(tenant)
        .into_iter()
        .find(|application| application.service_principal_id.eq_ignore_ascii_case(id))
        .ok_or_else(|| not_found(id))
}

/// Changes what an administrator of the tenant has agreed to for everybody.
fn change_admin_consent(
    call: &Call<'_>,
    client_id: &str,
    change: impl FnOnce(&mut Vec<Permission>),
) -> Result<(), CmdletError> {
    let directory = &call.directory;
    let registered_here = directory.tenant().application(client_id).is_some();
    match registered_here {
        true => directory.update::<ApplicationEntry>(client_id, |application| {
            change(&mut application.admin_consent);
        })?,
        false => directory.update::<EnterpriseApplicationEntry>(client_id, |application| {
            change(&mut application.admin_consent);
        })?,
    }
    Ok(())
}

/// The resource whose enterprise application has that object id.
fn resource(tenant: &Tenant, id: &str) -> Result<Resource, CmdletError> {
    RESOURCES
        .into_iter()
        .find(|resource| resource_id(tenant, *resource).eq_ignore_ascii_case(id))
        .ok_or_else(|| not_found(id))
}

/// The object id under which a tenant knows a resource: another in each tenant.
fn resource_id(tenant: &Tenant, resource: Resource) -> String {
    derived_guid(&tenant.id, "service principal", resource.application_id())
}

fn not_found(id: &str) -> CmdletError {
    CmdletError::Written(format!(
        "[Request_ResourceNotFound] : Resource '{id}' does not exist or one of its queried reference-property objects \
         are not present."
    ))
}

fn bad_request(problem: &str) -> CmdletError {
    CmdletError::Written(format!("[Request_BadRequest] : {problem}"))
}
