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

use super::call::{Cmdlet, CmdletError};
use crate::directory::{Application, Resource, Tenant, derived_guid};

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

/// The application whose enterprise application has that object id.
fn principal<'t>(tenant: &'t Tenant, id: &str) -> Result<&'t Application, CmdletError> {
    tenant
        .applications
        .iter()
        .find(|application| {
            application.enterprise_application
                && application.service_principal_id.eq_ignore_ascii_case(id)
        })
        .ok_or_else(|| not_found(id))
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
