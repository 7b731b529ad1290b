//! `/common/discovery/instance`: whether a host is an authority, under which names, and where its metadata is.
//!
//! ```text
//! GET /common/discovery/instance?api-version=1.1&authorization_endpoint=https://localhost:PORT/TENANT/oauth2/v2.0/authorize
//! {"tenant_discovery_endpoint":"https://localhost:PORT/TENANT/v2.0/.well-known/openid-configuration",
//!  "api-version":"1.1","metadata":[{"preferred_network":"localhost:PORT","preferred_cache":"localhost:PORT","aliases":[…]}]}
//! ```

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use url::Url;

use super::params::Params;
use super::problem::{Problem, tenant};
use super::state::Authority;
use super::tenant::TenantSegment;
use super::token;

pub(crate) async fn get(authority: web::Data<Authority>, request: HttpRequest) -> HttpResponse {
    let found = Params::of_query(&request).and_then(|params| {
        let endpoint = params.required("authorization_endpoint")?;
        find(&authority, endpoint, params.get("api-version"))
    });
    authority.record(authority.entry("instance_discovery"), &found);
    match found {
        Ok(document) => HttpResponse::Ok()
            .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
            .insert_header((header::CACHE_CONTROL, "max-age=60, private"))
            .json(document),
        Err(problem) => token::refusal(&authority, &request, &problem),
    }
}

fn find(authority: &Authority, endpoint: &str, version: Option<&str>) -> Result<Value, Problem> {
    let unknown = || tenant::UNKNOWN_INSTANCE.problem();
    let endpoint = Url::parse(endpoint).map_err(|_| unknown())?;
    let addresses = &authority.addresses;
    let base = [&addresses.plain, &addresses.tls]
        .into_iter()
        .find(|base| is_at(&endpoint, base))
        .ok_or_else(unknown)?;
    let segment = endpoint
        .path_segments()
        .and_then(|mut segments| segments.next())
        .filter(|segment| !segment.is_empty())
        .ok_or_else(unknown)?;
    TenantSegment::parse(authority, segment)?;
    let second = match endpoint.path().contains("/v2.0/") {
        true => "/v2.0",
        false => "",
    };
    let mut document = json!({
        "tenant_discovery_endpoint":
            format!("{base}/{segment}{second}/.well-known/openid-configuration"),
    });
    if let (Some("1.1"), Some(object)) = (version, document.as_object_mut()) {
        let host = host(base);
        object.insert("api-version".to_owned(), json!("1.1"));
        object.insert(
            "metadata".to_owned(),
            json!([{
                "preferred_network": host,
                "preferred_cache": host,
                "aliases": [host, host.replace("localhost", "127.0.0.1")],
            }]),
        );
    }
    Ok(document)
}

/// Whether a URL is under one of this authority's addresses, by name or by number.
fn is_at(url: &Url, base: &str) -> bool {
    Url::parse(base).is_ok_and(|base| {
        url.scheme() == base.scheme()
            && matches!(url.host_str(), Some("localhost" | "127.0.0.1"))
            && url.port_or_known_default() == base.port_or_known_default()
    })
}

/// With the port, as MSAL compares it.
fn host(base: &str) -> &str {
    base.split_once("://").map_or(base, |(_, host)| host)
}
