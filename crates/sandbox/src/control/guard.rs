//! Who may use the control API: programs on this machine, not web pages.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};
use serde_json::json;

use super::Entry;
use crate::authority::Authority;

pub(super) async fn check(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match problem(&request) {
        None => {
            let record = record(&request);
            let response = next.call(request).await?.map_into_boxed_body();
            if let Some((authority, mut entry)) = record {
                if response.status().is_client_error() || response.status().is_server_error() {
                    entry.outcome = "refused".to_owned();
                }
                authority.log.record(entry);
            }
            Ok(response)
        }
        Some(problem) => {
            let response = HttpResponse::Forbidden().json(json!({ "error": problem }));
            Ok(request.into_response(response))
        }
    }
}

/// What the log shall say: the method and the path, never the body. Looking at things, and at the log, goes unsaid.
fn record(request: &ServiceRequest) -> Option<(web::Data<Authority>, Entry)> {
    if request.method() == Method::GET || request.path() == "/control/requests" {
        return None;
    }
    let authority = request.app_data::<web::Data<Authority>>()?.clone();
    let mut entry = authority.entry("control");
    entry.detail = Some(format!("{} {}", request.method(), request.path()));
    Some((authority, entry))
}

fn problem(request: &ServiceRequest) -> Option<&'static str> {
    let headers = request.headers();
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    if headers.contains_key(header::ORIGIN) {
        return Some("web pages may not use the control API (the request has an Origin)");
    }
    if !matches!(host, "localhost" | "127.0.0.1") {
        return Some("the control API answers to the host names localhost and 127.0.0.1 only");
    }
    if headers
        .get("x-sandbox-control")
        .is_none_or(|value| value != "1")
    {
        return Some("send the header X-Sandbox-Control: 1");
    }
    None
}
