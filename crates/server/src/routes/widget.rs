//! `/widget/v1/{file}`: the widget's files, for pages of any site.

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{self, HeaderName},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rust_embed::{Embed, EmbeddedFile};
use serde::Deserialize;

use crate::{http::Path, problem::Problem};

#[derive(Embed)]
#[folder = "../../target/web/dist/widget"]
struct Files;

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    file: String,
}

/// A file of the widget: the loader `mailgrant.js`, what it loads, its types.
#[utoipa::path(tag = "connect pages", operation_id = "widget_file", params(("file" = String, Path, example = "mailgrant.js")),
    responses(
        (status = 200, description = "The file, compressed as the reader likes"),
        (status = 304, description = "As the reader has it"),
        (status = 404, description = "No such file", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[get("/widget/v1/{file}")]
pub(crate) async fn get(request: HttpRequest, which: Path<Which>) -> Result<HttpResponse, Problem> {
    let name = which.0.file.as_str();
    if name.ends_with(".br") || name.ends_with(".gz") {
        return Err(Problem::not_found("file"));
    }
    let (file, encoding) = best(&request, name)
        .ok_or_else(|| Problem::not_found("file of the widget; `cargo xtask web` builds it"))?;
    let tag = format!(
        "\"{}\"",
        URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash())
    );
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        .is_some_and(|tags| {
            tags.split(',')
                .any(|each| each.trim().trim_start_matches("W/") == tag)
        });
    let mut response = if known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((header::ETAG, tag))
        .insert_header((header::VARY, "Accept-Encoding"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((RESOURCE_POLICY, "cross-origin"))
        .insert_header((
            header::CACHE_CONTROL,
            if is_hashed(name) {
                "public, max-age=31536000, immutable"
            } else {
                "public, max-age=300"
            },
        ));
    if known {
        return Ok(response.finish());
    }
    if let Some(encoding) = encoding {
        response.insert_header((header::CONTENT_ENCODING, encoding));
    }
    Ok(response
        .content_type(media_type(name))
        .body(file.data.into_owned()))
}

/// The smallest form that the reader accepts.
fn best(request: &HttpRequest, name: &str) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let plain = Files::get(name)?;
    let accepted = request
        .headers()
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    for (encoding, suffix) in [("br", "br"), ("gzip", "gz")] {
        if accepts(accepted, encoding)
            && let Some(file) = Files::get(&format!("{name}.{suffix}"))
        {
            return Some((file, Some(encoding)));
        }
    }
    Some((plain, None))
}

/// `Accept-Encoding` (RFC 9110 §12.5.3), as far as a yes or no.
fn accepts(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|each| {
        let mut parts = each.split(';');
        let name = parts.next().unwrap_or_default().trim();
        let refused = parts.any(|parameter| {
            parameter.trim().strip_prefix("q=").is_some_and(|weight| {
                weight
                    .trim()
                    .parse::<f32>()
                    .is_ok_and(|weight| weight <= 0.0)
            })
        });
        name.eq_ignore_ascii_case(encoding) && !refused
    })
}

/// `name.0123abcd….js`: the content never changes under this name.
fn is_hashed(name: &str) -> bool {
    name.split('.').any(|part| {
        part.len() >= 8
            && part.bytes().all(|byte| byte.is_ascii_hexdigit())
            && part.bytes().any(|byte| byte.is_ascii_digit())
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("ts" | "txt" | "md") => "text/plain; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_negotiated() {
        assert!(accepts("gzip, deflate, br", "br"));
        assert!(accepts("br;q=0.5", "br"));
        assert!(!accepts("gzip, br;q=0", "br"));
        assert!(!accepts("", "br"));
    }

    #[test]
    fn only_names_with_a_hash_are_kept_for_good() {
        assert!(is_hashed("mailgrant_engine.0a1b2c3d4e.wasm"));
        assert!(!is_hashed("mailgrant.js"));
        assert!(!is_hashed("mailgrant_engine_bg.wasm"));
    }
}
