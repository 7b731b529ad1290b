//! `/{tenant}/stay`: whether the browser stays signed in when it is closed.

use actix_web::{HttpRequest, HttpResponse, web};

use super::browser::Browser;
use super::flow::Flow;
use super::pages;
use super::params::Params;
use super::problem::request as malformed;
use super::state::Authority;
use super::step;

pub(crate) async fn post(
    authority: web::Data<Authority>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let read = Params::parse(&body).and_then(|form| {
        let browser = Browser::of_form(&authority, &request, &form)?;
        let flow = Flow::resume(&authority, &browser, &form)?;
        match form.get("decision") {
            Some("yes") => Ok((browser, flow, true)),
            Some("no") => Ok((browser, flow, false)),
            _ => Err(malformed::MALFORMED.problem()),
        }
    });
    let (browser, flow, stays) = match read {
        Ok(read) => read,
        Err(problem) => return pages::error(&authority, &request, &problem),
    };
    let cookie = Browser::stay(&authority, &request, stays);
    let mut response = step::next(&authority, &request, &browser, flow);
    if let Some(error) = cookie.and_then(|cookie| response.add_cookie(&cookie).err()) {
        tracing::error!(%error, "the session cookie could not be set");
    }
    response
}
