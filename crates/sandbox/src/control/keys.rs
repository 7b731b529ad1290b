//! `/control/keys/rotate`: the authority signs with a new key.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::failure;
use crate::authority::Authority;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Rotation {
    /// Whether the old keys go at once, so that what they signed holds no longer.
    retire: bool,
}

pub(super) async fn rotate(
    authority: web::Data<Authority>,
    rotation: web::Json<Rotation>,
) -> HttpResponse {
    match authority
        .directory
        .keys()
        .rotate(authority.now(), rotation.retire)
    {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(error) => failure(&error),
    }
}
