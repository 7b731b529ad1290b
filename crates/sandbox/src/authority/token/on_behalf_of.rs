//! Grant type `urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523 §2.1) with
//! `requested_token_use=on_behalf_of`: a server takes the token that a person's client sent to it, and gets one for
//! another API in the person's name.

use serde::Deserialize;

use super::client::ClientAuthentication;
use super::{TokenAnswer, TokenRequest, delegated};
use crate::authority::assertion::precise;
use crate::authority::gate::Visit;
use crate::authority::problem::{Problem, assertion, request as malformed, scope};
use crate::directory::{NewRefreshToken, Platform, Refusal, Resource, SignInFlow};

pub(super) fn answer(
    request: &TokenRequest<'_>,
    sent: &ClientAuthentication,
) -> Result<TokenAnswer, Problem> {
    let application = &request.application;
    request.check_origin(Platform::Web)?;
    request.check_client(sent, Platform::Web)?;
    if request.params.required("requested_token_use")? != "on_behalf_of" {
        return Err(malformed::MALFORMED.problem());
    }
    let claims = read(request, request.params.required("assertion")?)?;
    let person = delegated::person(request, &claims.oid)?;
    let wanted = request.params.required("scope")?;
    let scopes = delegated::scopes(request, &[], Resource::Graph.uri())?;
    if scopes.targets.len() > 1 {
        return Err(scope::SEVERAL_RESOURCES.with([wanted]));
    }
    let target = scopes.targets.first();
    let audience = target.map_or(Resource::Graph.uri(), |target| target.audience);
    // A server cannot show the person a page, no more than at a refresh.
    let visit = Visit {
        application,
        person: &person,
        flow: SignInFlow::Refresh,
        audience,
        second_step_at: None,
    };
    visit.check(request.authority)?;
    let refresh_token = NewRefreshToken {
        client_id: application.client_id.clone(),
        person: person.object_id.clone(),
        scopes: scopes.permissions().into_iter().collect(),
        audience: audience.to_owned(),
        platform: Platform::Web,
        first_issued_at: None,
        second_step_at: None,
        generation: None,
    };
    delegated::issue(request, &person, &scopes, target, None, refresh_token)
}

/// The claims of a person's token that was issued to this application.
#[derive(Clone, Deserialize)]
struct Claims {
    aud: String,
    oid: String,
    exp: i64,
    #[serde(default)]
    nbf: i64,
}

fn read(request: &TokenRequest<'_>, token: &str) -> Result<Claims, Problem> {
    let (authority, application) = (request.authority, &request.application);
    let claims: Claims = authority
        .directory
        .read_access_token(token)
        .map_err(|refusal| match refusal {
            Refusal::Signature => assertion::USER_SIGNATURE.problem(),
            _ => assertion::MALFORMED.problem(),
        })?;
    let client_id = &application.client_id;
    let ours = [client_id.clone(), format!("api://{client_id}")]
        .iter()
        .any(|own| own.eq_ignore_ascii_case(&claims.aud));
    if !ours {
        let name = &application.display_name;
        return Err(assertion::USER_AUDIENCE.with([&claims.aud, client_id, client_id, name]));
    }
    let now = authority.now();
    if now.0 >= claims.exp || now.0 < claims.nbf {
        return Err(assertion::USER_TIME.with([&precise(now.0), &precise(claims.exp)]));
    }
    Ok(claims)
}
