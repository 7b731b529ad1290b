//! Headers that every answer has: the marks of the request, and for what browsers may ask across origins, CORS.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};

use super::state::{Authority, correlation};

/// Answers preflight requests (Fetch §4.8), and gives every answer `x-ms-request-id` and the caller's own
/// `client-request-id`.
pub(crate) async fn add(
    authority: web::Data<Authority>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(response) = preflight(&request) {
        return Ok(request.into_response(response));
    }
    let correlation = correlation(request.request());
    let mut response = next.call(request).await?.map_into_boxed_body();
    let headers = response.headers_mut();
    if let Some(value) = correlation.and_then(|id| id.to_string().parse().ok()) {
        headers.insert(CLIENT_REQUEST_ID, value);
    }
    if !headers.contains_key(&REQUEST_ID)
        && let Ok(value) = authority.random.uuid().to_string().parse()
    {
        headers.insert(REQUEST_ID, value);
    }
    if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        let exposed = header::HeaderValue::from_static("x-ms-request-id, client-request-id");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    Ok(response)
}

fn preflight(request: &ServiceRequest) -> Option<HttpResponse> {
    let headers = request.headers();
    let asks = request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let (_, methods) = SHARED
        .iter()
        .find(|(path, _)| asks && request.path().ends_with(path))?;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, *methods))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "86400"));
    if let Some(wanted) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        response.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone()));
    }
    Some(response.finish())
}

/// What pages of other origins may ask: where the path ends, and by which methods.
const SHARED: &[(&str, &str)] = &[
    ("/.well-known/openid-configuration", "GET, OPTIONS"),
    ("/discovery/instance", "GET, OPTIONS"),
    ("/keys", "GET, OPTIONS"),
    ("/oauth2/v2.0/token", "POST, OPTIONS"),
    ("/oauth2/v2.0/devicecode", "POST, OPTIONS"),
    ("/oidc/userinfo", "GET, POST, OPTIONS"),
];

const REQUEST_ID: header::HeaderName = header::HeaderName::from_static("x-ms-request-id");
const CLIENT_REQUEST_ID: header::HeaderName = header::HeaderName::from_static("client-request-id");
