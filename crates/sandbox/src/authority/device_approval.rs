//! `/device`: where a person types the code that a device shows, and says whether to let it in (RFC 8628 §3.3).

use actix_web::{HttpRequest, HttpResponse, web};

use super::browser::Browser;
use super::device::{Decision, DeviceKey, DeviceRequest};
use super::flow::{Flow, FlowKind};
use super::gate;
use super::pages::{self, Prefill};
use super::params::Params;
use super::problem::{Problem, consent, device, request as malformed};
use super::state::Authority;
use super::step;
use super::tenant::TenantSegment;
use crate::directory::{SignInFlow, User};

/// A device's request in the hands of a person.
#[derive(Clone, Debug)]
pub(crate) struct DeviceApproval {
    pub key: DeviceKey,
    pub request: DeviceRequest,
    /// Whether the person has said that it is their device.
    pub confirmed: bool,
}

/// The form for the code, filled in by `?otc=`.
pub(crate) async fn get(authority: web::Data<Authority>, request: HttpRequest) -> HttpResponse {
    let code = Params::of_query(&request)
        .ok()
        .and_then(|params| params.get("otc").map(str::to_owned));
    let (browser, cookie) = Browser::of_request(&authority, &request);
    let code: String = code.unwrap_or_default().chars().take(LONGEST).collect();
    let mut response = pages::device_code(&authority, &browser, &code, None);
    if let Some(error) = cookie.and_then(|cookie| response.add_cookie(&cookie).err()) {
        tracing::error!(%error, "the session cookie could not be set");
    }
    response
}

/// The code that was typed.
pub(crate) async fn post(
    authority: web::Data<Authority>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let form = Params::parse(&body).and_then(|form| {
        let browser = Browser::of_form(&authority, &request, &form)?;
        Ok((form, browser))
    });
    let (form, browser) = match form {
        Ok(form) => form,
        Err(problem) => return pages::error(&authority, &request, &problem),
    };
    let typed = form.get("otc").unwrap_or_default();
    let found = authority.devices.find(typed, authority.now());
    if found.is_err() {
        authority.record(authority.entry("device_approval"), &found);
    }
    let begun = found.and_then(|(key, asked)| {
        let application = TenantSegment::parse(&authority, &asked.segment)?
            .application(&authority, &asked.client_id)?;
        let segment = asked.segment.clone();
        let kind = FlowKind::Device(Box::new(DeviceApproval {
            key,
            request: asked,
            confirmed: false,
        }));
        Ok(Flow::begin(
            &authority,
            &browser,
            &segment,
            application,
            kind,
        ))
    });
    match begun {
        Ok(flow) => step::next(&authority, &request, &browser, flow),
        Err(problem) => {
            let typed: String = typed.chars().take(LONGEST).collect();
            pages::device_code(&authority, &browser, &typed, Some(&problem))
        }
    }
}

/// Whether it is the person's device: `decision=accept` or `decline`.
pub(crate) async fn confirm(
    authority: web::Data<Authority>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let read = Params::parse(&body).and_then(|form| {
        let browser = Browser::of_form(&authority, &request, &form)?;
        let flow = Flow::resume(&authority, &browser, &form)?;
        let accepted = match form.get("decision") {
            Some("accept") => true,
            Some("decline") => false,
            _ => return Err(malformed::MALFORMED.problem()),
        };
        match flow.kind.clone() {
            FlowKind::Device(asked) => Ok((browser, flow, asked, accepted)),
            _ => Err(malformed::FLOW_LOST.problem()),
        }
    });
    match read {
        Ok((browser, mut flow, mut asked, true)) => {
            asked.confirmed = true;
            flow.kind = FlowKind::Device(asked);
            authority.flows.insert(flow.clone());
            step::next(&authority, &request, &browser, flow)
        }
        Ok((_, flow, asked, false)) => refuse(
            &authority,
            &request,
            &flow,
            &asked,
            device::DECLINED.problem(),
        ),
        Err(problem) => pages::error(&authority, &request, &problem),
    }
}

/// The next page: who, whether it is their device, and what it may do.
pub(crate) fn next(
    authority: &Authority,
    request: &HttpRequest,
    browser: &Browser,
    flow: Flow,
    asked: &DeviceApproval,
) -> HttpResponse {
    let Some(person) = step::person(authority, &flow) else {
        let people = step::signed_in(authority, browser, &flow);
        return match people.is_empty() {
            true => pages::sign_in(authority, browser, &flow, Prefill::default()),
            false => pages::pick_account(authority, browser, &flow, &people),
        };
    };
    if !asked.confirmed {
        return pages::device_confirm(authority, browser, &flow, &person);
    }
    let scopes = &asked.request.scopes;
    let way = SignInFlow::DeviceCode;
    if let Err(problem) = step::check_visit(authority, browser, &flow, scopes, way, &person) {
        return match gate::second_step_mends(&problem) {
            true => pages::second_step(authority, browser, &flow, &person),
            false => refuse(authority, request, &flow, asked, problem),
        };
    }
    let missing = step::missing_consent(authority, &flow, scopes, &person);
    if missing.is_empty() {
        return approve(authority, request, browser, &flow, asked, &person);
    }
    let problem = step::consent_problem(authority, &flow, &missing, &person);
    match problem.is(&consent::MISSING) {
        false => {
            let mut entry = authority.entry("consent");
            entry.client_id = Some(flow.application.client_id.clone());
            entry.user = Some(person.address.clone());
            let code = problem.code();
            authority.record::<()>(entry, &Err(problem));
            pages::need_approval(authority, request, browser, &flow, &person, &missing, code)
        }
        true => pages::consent(authority, browser, &flow, &person, &scopes.permissions()),
    }
}

/// Ends the flow and lets the device in.
fn approve(
    authority: &Authority,
    request: &HttpRequest,
    browser: &Browser,
    flow: &Flow,
    asked: &DeviceApproval,
    person: &User,
) -> HttpResponse {
    let second_step_at = authority.second_steps.at(browser, &person.object_id);
    let decision = Decision::Approved(person.object_id.clone(), second_step_at);
    let text = format!(
        "You have signed in to {} on your device. You may close this page.",
        flow.application.display_name
    );
    end(
        authority,
        request,
        flow,
        asked,
        decision,
        Some(person),
        &text,
    )
}

/// Ends the flow; the device is told the problem when it asks next.
///
/// A policy that forbids the sign-in ends here too, with its own problem.
pub(crate) fn refuse(
    authority: &Authority,
    request: &HttpRequest,
    flow: &Flow,
    asked: &DeviceApproval,
    problem: Problem,
) -> HttpResponse {
    let text = "The device was not let in. You may close this page.";
    let decision = Decision::Refused(problem);
    end(authority, request, flow, asked, decision, None, text)
}

fn end(
    authority: &Authority,
    request: &HttpRequest,
    flow: &Flow,
    asked: &DeviceApproval,
    decision: Decision,
    person: Option<&User>,
    text: &str,
) -> HttpResponse {
    if !authority.flows.end(&flow.id) {
        return pages::error(authority, request, &malformed::FLOW_LOST.problem());
    }
    let (title, refused) = match &decision {
        Decision::Approved(..) => ("Signed in", Ok(())),
        Decision::Refused(problem) => ("Not signed in", Err(problem.clone())),
    };
    let mut entry = authority.entry("device_approval");
    entry.client_id = Some(flow.application.client_id.clone());
    entry.user = person.map(|person| person.address.clone());
    let decided = authority
        .devices
        .decide(&asked.key, decision, authority.now());
    authority.record(entry, &decided.clone().and(refused));
    match decided {
        Ok(()) => pages::done(authority, title, text),
        Err(problem) => pages::error(authority, request, &problem),
    }
}

/// Characters of a typed code that are shown again.
const LONGEST: usize = 32;
