//! Who may use the control API: programs on this machine and the sandbox's own page. Writes down what was changed.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};
use serde_json::json;

use crate::authority::Authority;
use crate::console::{Console, caller};

pub(super) async fn check(
    authority: web::Data<Authority>,
    console: web::Data<Console>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Err(problem) = caller::check(&request, console.token()) {
        let response = HttpResponse::Forbidden().json(json!({ "error": problem }));
        return Ok(request.into_response(response));
    }
    let change = match *request.method() == Method::GET || request.path() == LOG {
        true => None,
        false => Some(format!("{} {}", request.method(), request.path())),
    };
    let response = next.call(request).await?.map_into_boxed_body();
    if let Some(change) = change {
        let mut entry = authority.entry("control");
        entry.detail = Some(change);
        if !response.status().is_success() {
            entry.outcome = "refused".to_owned();
        }
        authority.log.record(entry);
    }
    Ok(response)
}

/// To forget the log is no entry of it.
const LOG: &str = "/control/requests";
