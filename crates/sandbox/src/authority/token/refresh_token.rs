//! Grant type `refresh_token` (RFC 6749 §6)

use super::client::ClientAuthentication;
use super::{TokenAnswer, TokenRequest, delegated};
use crate::authority::gate::{Visit, check_age};
use crate::authority::problem::{Problem, grant, scope, timestamp};
use crate::authority::scopes::is_identity;
use crate::directory::{RefreshRefusal, SignInFlow};

pub(super) fn answer(
    request: &TokenRequest<'_>,
    sent: &ClientAuthentication,
) -> Result<TokenAnswer, Problem> {
    let authority = request.authority;
    let token = request.params.required("refresh_token")?;
    let grant = authority.directory.refresh_token(token, authority.now());
    // The secret is checked first: a stranger learns nothing about the token.
    if let Ok(grant) = &grant {
        request.check_origin(grant.platform)?;
        request.check_client(sent, grant.platform)?;
    } else {
        sent.check(authority, &request.application, request.tenant)?;
    }
    let grant = grant.map_err(|refusal| match refusal {
        RefreshRefusal::Unknown => grant::MALFORMED.problem(),
        RefreshRefusal::Expired { issued_at } => {
            grant::REFRESH_TOKEN_EXPIRED.with([&timestamp(issued_at)])
        }
        RefreshRefusal::SpaExpired { issued_at } => {
            grant::SPA_REFRESH_TOKEN_EXPIRED.with([&timestamp(issued_at)])
        }
        RefreshRefusal::Revoked => grant::REVOKED.problem(),
    })?;
    if !grant
        .client_id
        .eq_ignore_ascii_case(&request.application.client_id)
    {
        return Err(grant::OF_ANOTHER.problem());
    }
    let person = delegated::person(request, &grant.person)?;
    check_age(authority, &grant)?;
    let mut scopes = delegated::scopes(request, &grant.scopes, &grant.audience)?;
    if let Some(scope) = request
        .params
        .get("scope")
        .filter(|_| scopes.targets.len() > 1)
    {
        return Err(scope::SEVERAL_RESOURCES.with([scope]));
    }
    // A refresh token always gives its successor, named again or not.
    scopes.identity.extend(
        grant
            .scopes
            .iter()
            .copied()
            .filter(|permission| is_identity(*permission) && permission.name() == "offline_access"),
    );
    if request.params.get("scope").is_none() {
        // Without a scope the token is for the API of the first one.
        let same = scopes
            .targets
            .iter()
            .position(|target| target.audience == grant.audience);
        if let Some(index) = same {
            scopes.targets.swap(0, index);
        }
    }
    let target = scopes.targets.first().cloned();
    let visit = Visit {
        application: &request.application,
        person: &person,
        flow: SignInFlow::Refresh,
        audience: target
            .as_ref()
            .map_or(grant.audience.as_str(), |target| target.audience),
        second_step_at: grant.second_step_at,
    };
    visit.check(authority)?;
    let successor = grant.successor(grant.scopes.clone(), grant.audience.clone());
    delegated::issue(request, &person, &scopes, target.as_ref(), None, successor)
}
