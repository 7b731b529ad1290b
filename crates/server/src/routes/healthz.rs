//! `/healthz`: is the process alive?

use actix_web::{HttpResponse, get};

/// The process is alive.
#[utoipa::path(tag = "gateway", operation_id = "health", responses((status = 200, description = "Alive", content_type = "text/plain", body = String)))]
#[get("/healthz")]
pub(crate) async fn get() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ok\n")
}
