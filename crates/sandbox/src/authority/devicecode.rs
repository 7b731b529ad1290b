//! `/{tenant}/oauth2/v2.0/devicecode` (RFC 8628 §3.1, §3.2)

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::device::{DeviceRequest, INTERVAL, LIFETIME};
use super::params::Params;
use super::problem::Problem;
use super::scopes::RequestedScopes;
use super::state::Authority;
use super::tenant::TenantSegment;
use super::token;

pub(crate) async fn post(
    authority: web::Data<Authority>,
    segment: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let mut entry = authority.entry("device_code");
    entry.tenant = Some(segment.to_string());
    let read = Params::parse(&body).and_then(|params| {
        entry.client_id = params.get("client_id").map(str::to_owned);
        read(&authority, &segment, &params)
    });
    authority.record(entry, &read);
    match read {
        Ok(asked) => answer(&authority, asked),
        Err(problem) => token::refusal(&authority, &request, &problem),
    }
}

fn read(authority: &Authority, segment: &str, params: &Params) -> Result<DeviceRequest, Problem> {
    let tenant = TenantSegment::parse(authority, segment)?;
    let application = tenant.application(authority, params.required("client_id")?)?;
    let tenants = authority.directory.tenants();
    let directory = &tenant.tenant(&tenants).display_name;
    let scopes = RequestedScopes::parse(params.required("scope")?, &application, directory)?;
    Ok(DeviceRequest {
        client_id: application.client_id,
        segment: segment.to_owned(),
        scopes,
        issued_at: authority.now(),
    })
}

/// Like Entra's: with a sentence for the person, and without `verification_uri_complete`.
fn answer(authority: &Authority, asked: DeviceRequest) -> HttpResponse {
    let (device_code, user_code) = authority.devices.issue(asked, &*authority.random);
    // In plain HTTP whatever the device speaks: the person's browser may not know the sandbox's CA.
    let uri = format!("{}/device", authority.addresses.plain);
    HttpResponse::Ok()
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((header::CACHE_CONTROL, "no-store, no-cache"))
        .json(json!({
            "user_code": user_code,
            "device_code": device_code.expose(),
            "verification_uri": uri,
            "expires_in": LIFETIME.as_secs(),
            "interval": INTERVAL.as_secs(),
            "message": format!(
                "To sign in, use a web browser to open the page {uri} and enter the code {user_code} to authenticate."
            ),
        }))
}
