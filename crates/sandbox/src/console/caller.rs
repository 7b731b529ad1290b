//! Who calls: a program of this machine, the sandbox's own page, or a page of somebody else.
//!
//! Browsers let any page send requests to `localhost`. What keeps such a page out: it cannot name the host (DNS
//! rebinding), cannot give its requests this origin, and does not know the token that stands in the sandbox's own page.

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use mailgrant_core::secret::Secret;

/// Why a request may not use the control API.
///
/// # Errors
///
/// In words for whoever wrote the program.
pub(crate) fn check(request: &ServiceRequest, page_token: &Secret) -> Result<(), &'static str> {
    let headers = request.headers();
    if !names_this_machine(headers) {
        return Err("the control API answers to the host names localhost and 127.0.0.1 only");
    }
    if text(headers, &header::ORIGIN).is_some() || text(headers, &SEC_FETCH_SITE).is_some() {
        check_page(request, page_token)?;
    }
    match text(headers, &CONTROL) {
        Some("1") => Ok(()),
        _ => Err("send the header X-Sandbox-Control: 1"),
    }
}

/// Whether the request was sent to this machine by one of its own names. What rebinds its own name to 127.0.0.1 is a
/// stranger.
pub(crate) fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = text(headers, &header::HOST).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1")
}

/// A browser asks: it must be the sandbox's own page.
fn check_page(request: &ServiceRequest, page_token: &Secret) -> Result<(), &'static str> {
    let headers = request.headers();
    let scheme = match request.app_config().secure() {
        true => "https",
        false => "http",
    };
    let host = text(headers, &header::HOST).unwrap_or_default();
    let own = |origin| origin == format!("{scheme}://{host}");
    // A browser leaves the origin out when a page reads from where it came.
    let origin = match headers.get(header::ORIGIN) {
        Some(origin) => origin.to_str().is_ok_and(own),
        None => *request.method() == Method::GET,
    };
    if !origin || text(headers, &SEC_FETCH_SITE) != Some("same-origin") {
        return Err("only the sandbox's own page may use the control API from a browser");
    }
    let sent = Secret::new(text(headers, &PAGE).unwrap_or_default());
    if sent != *page_token {
        return Err("this page is from an earlier start of the sandbox: reload it");
    }
    let has_body = !matches!(*request.method(), Method::GET | Method::DELETE);
    let json = text(headers, &header::CONTENT_TYPE)
        .is_some_and(|content_type| content_type.starts_with("application/json"));
    match has_body && !json {
        true => Err("send application/json"),
        false => Ok(()),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or(""))
}

const CONTROL: HeaderName = HeaderName::from_static("x-sandbox-control");
const PAGE: HeaderName = HeaderName::from_static("x-sandbox-page");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
