//! Grant type `urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 §3.4)

use super::client::ClientAuthentication;
use super::{TokenAnswer, TokenRequest, delegated};
use crate::authority::problem::Problem;
use crate::directory::{NewRefreshToken, Platform, Resource};

pub(super) fn answer(
    request: &TokenRequest<'_>,
    sent: &ClientAuthentication,
) -> Result<TokenAnswer, Problem> {
    let authority = request.authority;
    let device_code = request.params.required("device_code")?;
    request.check_origin(Platform::Native)?;
    request.check_client(sent, Platform::Native)?;
    let client_id = &request.application.client_id;
    let (asked, person, second_step_at) =
        authority
            .devices
            .poll(device_code, client_id, authority.now())?;
    let person = delegated::person(request, &person)?;
    let target = asked.scopes.targets.first();
    let audience = target.map_or(Resource::Graph.uri(), |target| target.audience);
    let refresh_token = NewRefreshToken {
        client_id: client_id.clone(),
        person: person.object_id.clone(),
        scopes: asked.scopes.permissions().into_iter().collect(),
        audience: audience.to_owned(),
        platform: Platform::Native,
        first_issued_at: None,
        second_step_at,
        generation: None,
    };
    delegated::issue(request, &person, &asked.scopes, target, None, refresh_token)
}
