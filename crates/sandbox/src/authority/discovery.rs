//! `/{tenant}/v2.0/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §4, RFC 8414), and the document of
//! version 1.0 without `/v2.0`. The sandbox has no endpoints of version 1.0, so both name those of version 2.0.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::state::Authority;
use super::tenant::TenantSegment;
use super::token;

pub(crate) async fn get(
    authority: web::Data<Authority>,
    segment: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    let parsed = TenantSegment::parse(&authority, &segment);
    authority.record(authority.entry("discovery"), &parsed);
    let issued_by = match &parsed {
        Ok(named) => named.issuing(),
        Err(problem) => return token::refusal(&authority, &request, problem),
    };
    let base = authority.base(&request);
    let path = format!("{base}/{segment}");
    let document = json!({
        "token_endpoint": format!("{path}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{path}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "grant_types_supported": [
            "authorization_code", "refresh_token", "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "code_challenge_methods_supported": ["plain", "S256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": format!("{base}/{issued_by}/v2.0"),
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": format!("{base}/oidc/userinfo"),
        "authorization_endpoint": format!("{path}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{path}/oauth2/v2.0/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": false,
        "end_session_endpoint": format!("{path}/oauth2/v2.0/logout"),
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "ver",
            "oid", "email",
        ],
        "tenant_region_scope": null,
    });
    answer(document)
}

/// `/{tenant}/.well-known/openid-configuration`: of version 1.0, whose issuer is that of access tokens.
pub(crate) async fn get_v1(
    authority: web::Data<Authority>,
    segment: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    let parsed = TenantSegment::parse(&authority, &segment);
    authority.record(authority.entry("discovery"), &parsed);
    let issued_by = match &parsed {
        Ok(named) => named.issuing(),
        Err(problem) => return token::refusal(&authority, &request, problem),
    };
    let base = authority.base(&request);
    let path = format!("{base}/{segment}");
    answer(json!({
        "issuer": format!("https://sts.windows.net/{issued_by}/"),
        "authorization_endpoint": format!("{path}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{path}/oauth2/v2.0/token"),
        "device_authorization_endpoint": format!("{path}/oauth2/v2.0/devicecode"),
        "end_session_endpoint": format!("{path}/oauth2/v2.0/logout"),
        "userinfo_endpoint": format!("{base}/oidc/userinfo"),
        "jwks_uri": format!("{path}/discovery/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "nonce", "amr", "upn", "unique_name", "name", "oid",
            "tid", "ver",
        ],
        "http_logout_supported": true,
        "tenant_region_scope": null,
    }))
}

fn answer(document: serde_json::Value) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((header::CACHE_CONTROL, "max-age=60, private"))
        .json(document)
}
