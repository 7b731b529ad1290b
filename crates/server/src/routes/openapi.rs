//! `/openapi.json`: the API's description.

use actix_web::{HttpResponse, get, http::header, web::Data};
use utoipa::openapi::OpenApi;

/// The description of this API (OpenAPI 3.1).
#[utoipa::path(tag = "gateway", operation_id = "description", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
#[get("/openapi.json")]
pub(crate) async fn get(api: Data<OpenApi>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((header::CACHE_CONTROL, "max-age=60"))
        .json(&**api)
}
