//! Shows the faults that the control API has put in force.

use std::io;
use std::time::Duration;

use actix_web::body::{BodyStream, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::stream;

use super::problem::{self, Problem};
use super::state::Authority;
use super::{pages, token};
use crate::control::AuthorityFault;

/// Answers as a fault demands, or hands the request on.
pub(crate) async fn show(
    authority: web::Data<Authority>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(fault) = authority.faults.of_authority(request.path()) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    if fault.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    if let Some(kind) = fault.error.and_then(problem::find) {
        let problem = kind.staged();
        let mut entry = authority.entry("fault");
        entry.detail = Some(request.path().to_owned());
        authority.record::<()>(entry, &Err(problem.clone()));
        let mut response = refuse(&authority, request.request(), &problem);
        if let Some(seconds) = fault.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        return Ok(request.into_response(response));
    }
    match answer(&fault) {
        Some(response) => {
            let mut entry = authority.entry("fault");
            entry.outcome = "fault".to_owned();
            entry.detail = Some(request.path().to_owned());
            authority.log.record(entry);
            Ok(request.into_response(response))
        }
        None => Ok(next.call(request).await?.map_into_boxed_body()),
    }
}

/// In JSON where programs ask, as a page where people look.
fn refuse(authority: &Authority, request: &HttpRequest, problem: &Problem) -> HttpResponse {
    let for_people = [
        "/authorize",
        "/adminconsent",
        "/login",
        "/consent",
        "/logout",
    ];
    match for_people.iter().any(|end| request.path().ends_with(end)) {
        true => pages::error(authority, request, problem),
        false => token::refusal(authority, request, problem),
    }
}

fn answer(fault: &AuthorityFault) -> Option<HttpResponse> {
    if fault.down {
        // A body that breaks before its head was sent: the server closes the connection without a word.
        let broken = stream::once(async { Err::<Bytes, _>(io::Error::other("told to be down")) });
        return Some(
            HttpResponse::Ok()
                .force_close()
                .body(BodyStream::new(broken)),
        );
    }
    let status = fault
        .status
        .and_then(|status| StatusCode::from_u16(status).ok());
    if status.is_none() && !fault.html {
        return None;
    }
    let mut response = HttpResponse::build(status.unwrap_or(StatusCode::OK));
    if let Some(seconds) = fault.retry_after {
        response.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    Some(match fault.html {
        true => response
            .content_type("text/html; charset=utf-8")
            .body("<!doctype html><title>Service unavailable</title><h1>Our services aren't available right now</h1>"),
        false => response.finish(),
    })
}
