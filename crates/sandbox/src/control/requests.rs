//! `/control/requests`: what was asked, and what was answered.

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::authority::Authority;

pub(super) async fn get(authority: web::Data<Authority>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "requests": authority.log.entries(),
        "counts": authority.log.counts(),
    }))
}

pub(super) async fn delete(authority: web::Data<Authority>) -> HttpResponse {
    authority.log.clear();
    HttpResponse::NoContent().finish()
}
