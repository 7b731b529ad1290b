//! Grant type `authorization_code` (RFC 6749 §4.1.3, RFC 7636 §4.5)

use super::client::ClientAuthentication;
use super::{TokenAnswer, TokenRequest, delegated};
use crate::authority::code::Redemption;
use crate::authority::problem::{Problem, request, scope};
use crate::authority::redirect_uri;
use crate::directory::NewRefreshToken;

pub(super) fn answer(
    request: &TokenRequest<'_>,
    sent: &ClientAuthentication,
) -> Result<TokenAnswer, Problem> {
    let authority = request.authority;
    let code = request.params.required("code")?;
    let redirect = request.params.required("redirect_uri")?;
    let platform = redirect_uri::find(&request.application, redirect)
        .ok_or_else(|| {
            request::REDIRECT_URI_MISMATCH.with([redirect, &request.application.client_id])
        })?
        .platform;
    request.check_origin(platform)?;
    request.check_client(sent, platform)?;
    let grant = authority.codes.redeem(
        &Redemption {
            code,
            client_id: &request.application.client_id,
            redirect_uri: redirect,
            verifier: request.params.get("code_verifier"),
            segment: &request.segment,
        },
        authority.now(),
    )?;
    let person = delegated::person(request, &grant.person)?;
    let mut scopes = delegated::scopes(request, &grant.scopes, &grant.audience)?;
    let named = request.params.get("scope");
    if request.params.is_empty("scope") {
        return Err(scope::EMPTY_AT_REDEEM.problem());
    }
    if let Some(scope) = named {
        if scopes.targets.len() > 1 {
            return Err(scope::SEVERAL_RESOURCES_AT_REDEEM.with([scope]));
        }
        let beyond = scopes
            .targets
            .iter()
            .flat_map(|target| &target.permissions)
            .any(|permission| !grant.scopes.contains(permission));
        if beyond {
            return Err(scope::AT_REDEEM.with([scope]));
        }
    }
    // What was asked for when the person signed in is given, named again or not.
    scopes.identity.extend(
        grant
            .scopes
            .iter()
            .copied()
            .filter(|p| crate::authority::scopes::is_identity(*p)),
    );
    let wanted = scopes
        .targets
        .iter()
        .find(|target| target.audience == grant.audience);
    let target = wanted.or(scopes.targets.first()).cloned();
    let refresh_token = NewRefreshToken {
        client_id: grant.client_id.clone(),
        person: grant.person.clone(),
        scopes: grant.scopes.clone(),
        audience: grant.audience.clone(),
        platform: grant.platform,
        first_issued_at: None,
        second_step_at: grant.second_step_at,
        generation: None,
    };
    let nonce = grant.nonce.as_ref().map(|nonce| nonce.expose());
    delegated::issue(
        request,
        &person,
        &scopes,
        target.as_ref(),
        nonce,
        refresh_token,
    )
}
