//! `/control/clock`: lets time pass.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::refusal;
use crate::authority::Authority;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    advance_seconds: Option<u32>,
    offset_seconds: Option<i32>,
}

pub(super) async fn get(authority: web::Data<Authority>) -> HttpResponse {
    let clock = &authority.clock;
    HttpResponse::Ok().json(json!({"now": clock.now(), "offset_seconds": clock.offset_seconds()}))
}

pub(super) async fn post(
    authority: web::Data<Authority>,
    change: web::Json<Change>,
) -> HttpResponse {
    let clock = &authority.clock;
    match (change.advance_seconds, change.offset_seconds) {
        (Some(seconds), None) => clock.advance(std::time::Duration::from_secs(seconds.into())),
        (None, Some(seconds)) => clock.set_offset_seconds(seconds.into()),
        _ => return refusal("send either advance_seconds or offset_seconds"),
    }
    get(authority).await
}
