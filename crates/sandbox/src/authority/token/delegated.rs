//! The tokens that a person's grant gives: shared by the code and the refresh token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::{TokenAnswer, TokenRequest};
use crate::authority::gate;
use crate::authority::problem::{Problem, consent, person, scope, service};
use crate::authority::scopes::{RequestedScopes, Target};
use crate::authority::tokens::{self, IdTokenParts};
use crate::directory::{NewRefreshToken, Permission, Resource, User};

/// The scopes of this request: those it names, or those of the grant.
pub(super) fn scopes(
    request: &TokenRequest<'_>,
    granted: &[Permission],
    audience: &str,
) -> Result<RequestedScopes, Problem> {
    let Some(scope) = request.params.get("scope") else {
        return Ok(RequestedScopes::of_grant(granted, audience));
    };
    let tenants = request.authority.directory.tenants();
    let directory = &request.segment.tenant(&tenants).display_name;
    RequestedScopes::parse(scope, &request.application, directory)
}

/// The person of a grant, who may be gone or blocked by now.
pub(super) fn person(request: &TokenRequest<'_>, object_id: &str) -> Result<User, Problem> {
    let tenants = request.authority.directory.tenants();
    let person = tenants.user_by_object_id(object_id).ok_or_else(|| {
        let directory = &request.segment.tenant(&tenants).display_name;
        person::NOT_IN_DIRECTORY.with([object_id, directory])
    })?;
    gate::check_account(tenants.of(person), &request.application, person)?;
    request
        .segment
        .admits(&tenants, &request.application, person)?;
    Ok(person.clone())
}

/// Issues an access token for one API, and what else the scopes ask for.
pub(super) fn issue(
    request: &TokenRequest<'_>,
    person: &User,
    scopes: &RequestedScopes,
    target: Option<&Target>,
    nonce: Option<&str>,
    refresh_token: NewRefreshToken,
) -> Result<TokenAnswer, Problem> {
    let authority = request.authority;
    let resource = target.map_or(Resource::Graph, |target| target.resource);
    let tenants = authority.directory.tenants();
    let tenant = tenants.of(person);
    gate::check_resource(tenant, &request.application, resource)?;
    let given = tenant.consented(&request.application.client_id, Some(&person.object_id));
    drop(tenants);
    let wanted: Vec<Permission> = match target {
        Some(target) => target.permissions.iter().copied().collect(),
        // Signing in alone gives a token for Graph.
        None => Vec::new(),
    };
    let audience = target.map_or(Resource::Graph.uri(), |target| target.audience);
    let for_graph = target.is_none_or(|target| target.resource == Resource::Graph);
    let identity = scopes
        .identity
        .iter()
        .copied()
        .filter(|permission| for_graph && permission.name() != "offline_access");
    let permitted: Vec<Permission> = wanted
        .iter()
        .copied()
        .chain(identity)
        .filter(|permission| given.contains(permission))
        .collect();
    let nothing_of_api =
        target.is_some() && !wanted.iter().any(|permission| given.contains(permission));
    if let Some(scope) = request
        .params
        .get("scope")
        .filter(|_| target.is_none() && permitted.is_empty())
    {
        return Err(scope::NO_RESOURCE.with([scope]));
    }
    if nothing_of_api || permitted.is_empty() {
        return Err(consent::MISSING.with([
            &request.application.client_id,
            &request.application.display_name,
        ]));
    }
    let access_token = tokens::delegated(
        authority,
        &request.application,
        request.proof,
        person,
        audience,
        &permitted,
    )?;
    let id_token = match scopes.has("openid") {
        true => Some(tokens::id_token(
            authority,
            &IdTokenParts {
                base: request.base,
                application: &request.application,
                person,
                nonce,
                profile: scopes.has("profile"),
                email: scopes.has("email"),
            },
        )?),
        false => None,
    };
    let refresh_token = match scopes.has("offline_access") {
        true => Some(issue_refresh_token(request, refresh_token)?),
        false => None,
    };
    let lifetime = authority.access_token_lifetime().as_secs();
    Ok(TokenAnswer {
        token_type: "Bearer",
        scope: Some(written(&permitted, audience)),
        expires_in: lifetime,
        ext_expires_in: lifetime,
        refresh_in: super::refresh_in(lifetime),
        access_token,
        refresh_token,
        id_token,
        client_info: (request.params.get("client_info") == Some("1")).then(|| client_info(person)),
    })
}

fn issue_refresh_token(
    request: &TokenRequest<'_>,
    new: NewRefreshToken,
) -> Result<String, Problem> {
    let authority = request.authority;
    let issued = authority
        .directory
        .issue_refresh_token(new, authority.now());
    issued
        .map(|token| token.expose().to_owned())
        .map_err(|error| {
            tracing::error!(%error, "a refresh token could not be written down");
            service::DIRECTORY_UNAVAILABLE.problem()
        })
}

/// Scopes in the answer: with the API's URI as the client wrote it.
fn written(permissions: &[Permission], audience: &str) -> String {
    let written: Vec<String> = permissions
        .iter()
        .map(|permission| match permission.resource() {
            Resource::Graph => permission.name().to_owned(),
            Resource::Exchange => format!("{audience}/{}", permission.name()),
        })
        .collect();
    written.join(" ")
}

/// What MSAL makes its account identifier of.
pub(crate) fn client_info(person: &User) -> String {
    URL_SAFE_NO_PAD.encode(json!({"uid": person.object_id, "utid": person.tenant}).to_string())
}
