//! `/{tenant}/consent`: what the person decided, and `/{tenant}/resume`: whether an administrator has.

use actix_web::{HttpRequest, HttpResponse, web};

use super::admin_consent;
use super::browser::Browser;
use super::device_approval;
use super::flow::{Flow, FlowKind};
use super::pages;
use super::params::Params;
use super::problem::{Problem, consent, device, request, service};
use super::state::Authority;
use super::step;

pub(crate) async fn post(
    authority: web::Data<Authority>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    decide(&authority, &request, &body)
        .unwrap_or_else(|problem| pages::error(&authority, &request, &problem))
}

/// Looks again whether the flow can go on.
pub(crate) async fn resume(
    authority: web::Data<Authority>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let resumed = Params::parse(&body).and_then(|form| {
        let browser = Browser::of_form(&authority, &request, &form)?;
        let flow = Flow::resume(&authority, &browser, &form)?;
        Ok((browser, flow))
    });
    match resumed {
        Ok((browser, flow)) => step::next(&authority, &request, &browser, flow),
        Err(problem) => pages::error(&authority, &request, &problem),
    }
}

fn decide(
    authority: &Authority,
    request: &HttpRequest,
    body: &[u8],
) -> Result<HttpResponse, Problem> {
    let form = Params::parse(body)?;
    let browser = Browser::of_form(authority, request, &form)?;
    let mut flow = Flow::resume(authority, &browser, &form)?;
    let person = step::person(authority, &flow).ok_or(request::FLOW_LOST.problem())?;
    let accepted = match form.get("decision") {
        Some("accept") => true,
        Some("decline") => false,
        _ => return Err(request::MALFORMED.problem()),
    };
    let kind = flow.kind.clone();
    let scopes = match &kind {
        FlowKind::Authorize(asked) => &asked.scopes,
        FlowKind::Device(asked) => &asked.request.scopes,
        FlowKind::AdminConsent(asked) => {
            return admin_consent::decide(authority, request, &flow, asked, &person, accepted);
        }
    };
    if !accepted {
        // At the end of the page that wants an administrator, giving up means something else than a refusal.
        let problem = match form.get("reason") {
            Some("approval") => step::approval_needed(authority, &flow.application, &person),
            _ if matches!(kind, FlowKind::Device(_)) => device::DECLINED.problem(),
            _ => consent::DECLINED.problem(),
        };
        return Ok(match &kind {
            FlowKind::Authorize(asked) => step::refuse(authority, request, &flow, asked, &problem),
            FlowKind::Device(asked) => {
                device_approval::refuse(authority, request, &flow, asked, problem)
            }
            // Decided above.
            FlowKind::AdminConsent(_) => pages::error(authority, request, &problem),
        });
    }
    let permissions: Vec<_> = scopes.permissions().into_iter().collect();
    if step::is_reserved(authority, &flow.application, &person, &permissions) {
        // The page was not shown; somebody made the form up, or the policy has just changed.
        return Ok(step::next(authority, request, &browser, flow));
    }
    let everybody = person.administrator && form.get("organization").is_some();
    let holder = (!everybody).then_some(person.object_id.as_str());
    authority
        .directory
        .consent(
            &person.tenant,
            &flow.application.client_id,
            holder,
            &permissions,
        )
        .map_err(|error| {
            tracing::error!(%error, "a consent could not be written down");
            service::DIRECTORY_UNAVAILABLE.problem()
        })?;
    let mut entry = authority.entry("consent");
    entry.client_id = Some(flow.application.client_id.clone());
    entry.user = Some(person.address.clone());
    authority.record(entry, &Ok::<(), Problem>(()));
    flow.agreed = true;
    authority.flows.insert(flow.clone());
    Ok(step::next(authority, request, &browser, flow))
}
