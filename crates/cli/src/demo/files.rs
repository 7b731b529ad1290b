//! The site's pages: built by `cargo xtask web`, read from there in a debug build, inside the binary
//! in a release build.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::RustEmbed;

use super::site::Site;

#[derive(RustEmbed)]
#[folder = "../../target/web/dist/site"]
struct Files;

/// Whether there is anything to show.
pub(super) fn are_built() -> bool {
    Files::get(INDEX).is_some()
}

/// `GET /` and every file beside it.
pub(super) async fn get(site: web::Data<Site>, request: HttpRequest) -> HttpResponse {
    let name = match request.path().trim_start_matches('/') {
        "" => INDEX,
        name => name,
    };
    let Some(file) = Files::get(name) else {
        return missing(name);
    };
    let kind = media_type(name);
    let body = if name == INDEX {
        String::from_utf8_lossy(&file.data)
            .replace("__GATEWAY__", &site.gateway)
            .into_bytes()
    } else {
        file.data.into_owned()
    };
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, kind))
        // Always fresh: the files change under a running debug build.
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(body)
}

fn missing(name: &str) -> HttpResponse {
    let text = if name == INDEX {
        "The pages of this demonstration are not built.\nRun `cargo xtask web` and reload, or start it by `cargo xtask demo`.\n"
    } else {
        "There is no such page.\n"
    };
    HttpResponse::NotFound()
        .content_type("text/plain; charset=utf-8")
        .body(text)
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

const INDEX: &str = "index.html";
