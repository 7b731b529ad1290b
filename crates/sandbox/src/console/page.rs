//! `/`: the sandbox as a page.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::view::View;
use super::{Console, caller};
use crate::authority::Authority;
use crate::outbox::Outbox;

pub(super) async fn get(
    authority: web::Data<Authority>,
    console: web::Data<Console>,
    outbox: web::Data<Outbox>,
    request: HttpRequest,
) -> HttpResponse {
    // The page shows passwords and holds what opens the control API: a stranger's host name must not get at it.
    if !caller::names_this_machine(request.headers()) {
        return HttpResponse::build(StatusCode::FORBIDDEN)
            .content_type("text/plain; charset=utf-8")
            .body("The sandbox's page answers to the host names localhost and 127.0.0.1 only.\n");
    }
    let view = View::of(&authority, &console, &outbox);
    match view.render() {
        Ok(html) => HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .insert_header((header::X_FRAME_OPTIONS, "DENY"))
            .insert_header(("cross-origin-opener-policy", "same-origin"))
            .insert_header(("cross-origin-resource-policy", "same-origin"))
            .body(html),
        Err(error) => {
            tracing::error!(%error, "the sandbox's page could not be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
