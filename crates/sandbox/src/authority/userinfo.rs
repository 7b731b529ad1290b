//! `/oidc/userinfo` (OpenID Connect Core §5.3). At Entra it belongs to Graph, and so does the token it takes.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::state::Authority;
use crate::directory::Resource;

pub(crate) async fn get(authority: web::Data<Authority>, request: HttpRequest) -> HttpResponse {
    let mut entry = authority.entry("userinfo");
    let answer = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .and_then(|token| describe(&authority, token));
    if answer.is_none() {
        entry.outcome = "invalid_token".to_owned();
    }
    authority.log.record(entry);
    match answer {
        Some(person) => HttpResponse::Ok()
            .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(person),
        None => HttpResponse::Unauthorized()
            .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
            .insert_header((header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\""))
            .json(json!({"error": {"code": "InvalidAuthenticationToken", "message": "Access token validation failure. It must be for Microsoft Graph, signed, and valid now."}})),
    }
}

#[derive(Clone, Deserialize)]
struct Claims {
    aud: String,
    oid: String,
    sub: String,
    scp: String,
    exp: i64,
}

fn describe(authority: &Authority, token: &str) -> Option<serde_json::Value> {
    let claims: Claims = authority.directory.read_access_token(token).ok()?;
    let for_graph =
        Resource::find(&claims.aud).is_some_and(|(resource, _)| resource == Resource::Graph);
    let opened = claims.scp.split(' ').any(|scope| scope == "openid");
    if !for_graph || !opened || authority.now().0 >= claims.exp {
        return None;
    }
    let tenants = authority.directory.tenants();
    let person = tenants.user_by_object_id(&claims.oid)?;
    let (given_name, family_name) = person
        .display_name
        .split_once(' ')
        .unwrap_or((&person.display_name, ""));
    Some(json!({
        "sub": claims.sub,
        "name": person.display_name,
        "given_name": given_name,
        "family_name": family_name,
        "email": person.address,
    }))
}
