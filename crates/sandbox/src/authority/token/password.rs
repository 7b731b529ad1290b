//! Grant type `password` (RFC 6749 §4.3): a program sends the person's password. Entra still has it, for accounts
//! without a second step; nothing new should use it.

use super::client::ClientAuthentication;
use super::{TokenAnswer, TokenRequest, delegated};
use crate::authority::credentials;
use crate::authority::gate::Visit;
use crate::authority::problem::{Problem, request as malformed, scope, tenant};
use crate::authority::tenant::TenantSegment;
use crate::directory::{NewRefreshToken, Platform, Resource, SignInFlow};

pub(super) fn answer(
    request: &TokenRequest<'_>,
    sent: &ClientAuthentication,
) -> Result<TokenAnswer, Problem> {
    let authority = request.authority;
    if matches!(
        request.segment,
        TenantSegment::Common | TenantSegment::Consumers
    ) {
        return Err(tenant::GRANT_ON_COMMON.problem());
    }
    if request.cross_origin {
        return Err(malformed::CROSS_ORIGIN.problem());
    }
    sent.check(authority, &request.application, request.tenant)?;
    let name = request.params.required("username")?;
    let password = request.params.required("password")?;
    let scope = request
        .params
        .get("scope")
        .ok_or_else(|| malformed::MISSING_FIELD.with(["scope"]))?;
    let person = credentials::check(
        authority,
        &request.segment,
        &request.application,
        name,
        password,
    )?;
    request.segment.admits(
        &authority.directory.tenants(),
        &request.application,
        &person,
    )?;
    let scopes = delegated::scopes(request, &[], Resource::Graph.uri())?;
    if scopes.targets.len() > 1 {
        return Err(scope::SEVERAL_RESOURCES.with([scope]));
    }
    let target = scopes.targets.first().cloned();
    let audience = target
        .as_ref()
        .map_or(Resource::Graph.uri(), |target| target.audience);
    let visit = Visit {
        application: &request.application,
        person: &person,
        flow: SignInFlow::Password,
        audience,
        second_step_at: None,
    };
    visit.check(authority)?;
    let refresh_token = NewRefreshToken {
        client_id: request.application.client_id.clone(),
        person: person.object_id.clone(),
        scopes: scopes.permissions().into_iter().collect(),
        audience: audience.to_owned(),
        platform: Platform::Native,
        first_issued_at: None,
        second_step_at: None,
        generation: None,
    };
    delegated::issue(
        request,
        &person,
        &scopes,
        target.as_ref(),
        None,
        refresh_token,
    )
}
