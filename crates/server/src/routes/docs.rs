//! `/docs`: the description, for people.

use actix_web::{HttpResponse, get, http::header};
use serde::Deserialize;

use crate::{http::Path, problem::Problem};

/// The API's description as a page.
#[utoipa::path(tag = "gateway", operation_id = "docs", responses((status = 200, description = "The page", content_type = "text/html", body = String)))]
#[get("/docs")]
pub(crate) async fn get() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, "max-age=300"))
        .body(include_str!("../../assets/docs/index.html"))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    file: String,
}

/// Style, script and icon of the page.
#[utoipa::path(tag = "gateway", operation_id = "docs_asset", params(("file" = String, Path, description = "`docs.css`, `docs.js` or `icon.svg`")),
    responses((status = 200, description = "The file"), (status = 404, description = "No such file", body = crate::problem::Document, content_type = "application/problem+json")))]
#[get("/docs/assets/{file}")]
pub(crate) async fn asset(which: Path<Which>) -> Result<HttpResponse, Problem> {
    let (media_type, content) = match which.0.file.as_str() {
        "docs.css" => (
            "text/css; charset=utf-8",
            include_str!("../../assets/docs/docs.css"),
        ),
        "docs.js" => (
            "text/javascript; charset=utf-8",
            include_str!("../../assets/docs/docs.js"),
        ),
        "icon.svg" => ("image/svg+xml", include_str!("../../assets/icon.svg")),
        _ => return Err(Problem::not_found("file")),
    };
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((header::CACHE_CONTROL, "max-age=300"))
        .body(content))
}

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
