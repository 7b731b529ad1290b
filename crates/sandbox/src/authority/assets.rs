//! `/assets/…`: the pages' style, mark and the one script.

use actix_web::http::header;
use actix_web::{HttpResponse, web};

pub(crate) async fn get(file: web::Path<String>) -> HttpResponse {
    let (content_type, content) = match file.as_str() {
        "sandbox.css" => (
            "text/css; charset=utf-8",
            include_str!("../../static/sandbox.css"),
        ),
        "mark.svg" => ("image/svg+xml", include_str!("../../static/mark.svg")),
        "form-post.js" => (
            "text/javascript; charset=utf-8",
            include_str!("../../static/form-post.js"),
        ),
        _ => return HttpResponse::NotFound().finish(),
    };
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "max-age=300"))
        .body(content)
}
