//! `/control/revoke`: a person's refresh tokens end, as after a new password.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::failure;
use crate::authority::Authority;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revocation {
    user: String,
}

pub(super) async fn post(
    authority: web::Data<Authority>,
    revocation: web::Json<Revocation>,
) -> HttpResponse {
    let person = authority
        .directory
        .tenants()
        .user(&revocation.user)
        .map(|user| user.object_id.clone());
    let Some(person) = person else {
        return HttpResponse::NotFound().json(json!({"error": "user: nobody has this address"}));
    };
    match authority.directory.revoke_refresh_tokens(&person) {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(error) => failure(&error),
    }
}
