//! `/connect/assets/{file}`: style, script and icon of the pages that people see.

use actix_web::{HttpResponse, get, http::header};
use serde::Deserialize;

use crate::{connect::ASSETS, http::Path, problem::Problem};

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    file: String,
}

/// Style, script and icon of the connect pages.
#[utoipa::path(tag = "connect pages", operation_id = "connect_asset", params(("file" = String, Path, description = "`connect.css`, `result.js` or `icon.svg`")),
    responses((status = 200, description = "The file"), (status = 404, description = "No such file", body = crate::problem::Document, content_type = "application/problem+json")))]
#[get("/connect/assets/{file}")]
pub(crate) async fn get(which: Path<Which>) -> Result<HttpResponse, Problem> {
    let (_, media_type, content) = ASSETS
        .iter()
        .find(|(name, _, _)| *name == which.0.file)
        .ok_or_else(|| Problem::not_found("file"))?;
    Ok(HttpResponse::Ok()
        .content_type(*media_type)
        .insert_header((header::CACHE_CONTROL, "max-age=300"))
        .body(*content))
}
