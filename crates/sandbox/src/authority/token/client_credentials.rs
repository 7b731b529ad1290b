//! Grant type `client_credentials` (RFC 6749 §4.4)

use super::client::ClientAuthentication;
use super::{TokenAnswer, TokenRequest};
use crate::authority::gate;
use crate::authority::problem::{Problem, application as registration, client, request, tenant};
use crate::authority::scopes::application_target;
use crate::authority::tenant::TenantSegment;
use crate::authority::tokens;
use crate::directory::PermissionKind;

pub(super) fn answer(
    request: &TokenRequest<'_>,
    sent: &ClientAuthentication,
) -> Result<TokenAnswer, Problem> {
    let authority = request.authority;
    let application = &request.application;
    let TenantSegment::Named(tenant_id) = &request.segment else {
        return Err(tenant::NOT_NAMED.problem());
    };
    if request.cross_origin {
        return Err(request::CROSS_ORIGIN.problem());
    }
    if application.is_public() {
        return Err(client::MISSING_SECRET.problem());
    }
    if !application.enterprise_application {
        return Err(registration::NO_SERVICE_PRINCIPAL.with([&application.client_id, tenant_id]));
    }
    sent.check(authority, application, request.tenant)?;
    let scope = request
        .params
        .get("scope")
        .ok_or_else(|| request::MISSING_FIELD.with(["scope"]))?;
    let tenants = authority.directory.tenants();
    let tenant = request.segment.tenant(&tenants);
    let (resource, audience) = application_target(scope, &tenant.display_name)?;
    gate::check_workload(tenant, application)?;
    gate::check_resource(tenant, application, resource)?;
    let roles: Vec<&'static str> = tenant
        .consented(&application.client_id, None)
        .into_iter()
        .filter(|permission| {
            permission.resource() == resource && permission.kind() == PermissionKind::Application
        })
        .map(|permission| permission.name())
        .collect();
    drop(tenants);
    let lifetime = authority.access_token_lifetime().as_secs();
    Ok(TokenAnswer {
        token_type: "Bearer",
        scope: None,
        expires_in: lifetime,
        ext_expires_in: lifetime,
        refresh_in: super::refresh_in(lifetime),
        access_token: tokens::app_only(
            authority,
            tenant_id,
            application,
            request.proof,
            audience,
            roles,
        )?,
        refresh_token: None,
        id_token: None,
        client_info: None,
    })
}
