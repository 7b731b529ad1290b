//! `/control/token-lifetime`: how long access tokens last from now on.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::refusal;
use crate::authority::Authority;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lifetime {
    seconds: u32,
}

pub(super) async fn post(
    authority: web::Data<Authority>,
    lifetime: web::Json<Lifetime>,
) -> HttpResponse {
    if lifetime.seconds == 0 {
        return refusal("seconds: at least 1");
    }
    authority.set_access_token_lifetime(Duration::from_secs(lifetime.seconds.into()));
    HttpResponse::NoContent().finish()
}
