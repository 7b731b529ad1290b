//! `/workload`: an issuer of tokens for workloads, so that federated credentials can be tried without another server.
//! `POST /control/workload-token` makes them.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::json;

use super::state::Authority;
use crate::Error;

/// The issuer's name, which is where its discovery document is.
pub(crate) fn issuer(authority: &Authority) -> String {
    format!("{}/workload", authority.addresses.plain)
}

/// A token of the issuer, for `seconds`.
pub(crate) fn token(
    authority: &Authority,
    subject: &str,
    audience: &str,
    seconds: i64,
) -> Result<String, Error> {
    let now = authority.now().0;
    let claims = Claims {
        iss: issuer(authority),
        sub: subject,
        aud: audience,
        iat: now,
        nbf: now,
        exp: now.saturating_add(seconds),
        jti: authority.random.uuid().to_string(),
    };
    authority.directory.keys().sign(&claims, false)
}

/// `/workload/.well-known/openid-configuration`
pub(crate) async fn discovery(authority: web::Data<Authority>) -> HttpResponse {
    authority.log.record(authority.entry("discovery"));
    let issuer = issuer(&authority);
    answer(json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

/// `/workload/keys`
pub(crate) async fn keys(authority: web::Data<Authority>) -> HttpResponse {
    authority.log.record(authority.entry("keys"));
    answer(json!({"keys": authority.directory.keys().published()}))
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: String,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
}

fn answer(document: serde_json::Value) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "max-age=60, private"))
        .json(document)
}
