//! `/{tenant}/discovery/v2.0/keys` (RFC 7517 §5), and the same without `/v2.0`

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::state::Authority;
use super::tenant::TenantSegment;
use super::token;

pub(crate) async fn get(
    authority: web::Data<Authority>,
    segment: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    let parsed = TenantSegment::parse(&authority, &segment);
    authority.record(authority.entry("keys"), &parsed);
    let issued_by = match &parsed {
        // At an address for everybody the keys sign tokens of several issuers.
        Ok(named) => named.issuing(),
        Err(problem) => return token::refusal(&authority, &request, problem),
    };
    let issuer = format!("{}/{issued_by}/v2.0", authority.base(&request));
    let keys: Vec<Value> = authority
        .directory
        .keys()
        .published()
        .iter()
        .filter_map(|key| serde_json::to_value(key).ok())
        .map(|mut key| {
            if let Some(object) = key.as_object_mut() {
                object.insert("issuer".to_owned(), json!(issuer));
            }
            key
        })
        .collect();
    HttpResponse::Ok()
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((header::CACHE_CONTROL, "max-age=60, private"))
        .json(json!({ "keys": keys }))
}
