//! `/{tenant}/login`: the sign-in page, and the account picker.

use actix_web::{HttpRequest, HttpResponse, web};

use super::browser::Browser;
use super::credentials;
use super::flow::{Flow, FlowKind};
use super::pages::{self, Prefill};
use super::params::Params;
use super::problem::Problem;
use super::state::Authority;
use super::step;
use super::tenant::TenantSegment;

/// The form again: with another account, or filled in with one of the list.
pub(crate) async fn get(authority: web::Data<Authority>, request: HttpRequest) -> HttpResponse {
    let (browser, _) = Browser::of_request(&authority, &request);
    let flow = Params::of_query(&request).and_then(|params| {
        let flow = Flow::resume(&authority, &browser, &params)?;
        Ok((flow, params.get("account").map(str::to_owned)))
    });
    match flow {
        Ok((flow, account)) => pages::sign_in(
            &authority,
            &browser,
            &flow,
            Prefill::account(account.as_deref()),
        ),
        Err(problem) => pages::error(&authority, &request, &problem),
    }
}

pub(crate) async fn post(
    authority: web::Data<Authority>,
    segment: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let resumed = Params::parse(&body).and_then(|form| {
        let browser = Browser::of_form(&authority, &request, &form)?;
        let flow = Flow::resume(&authority, &browser, &form)?;
        Ok((form, browser, flow))
    });
    let (form, browser, mut flow) = match resumed {
        Ok(resumed) => resumed,
        Err(problem) => return pages::error(&authority, &request, &problem),
    };
    let name = form.get("login").unwrap_or_default().trim();
    let password = form.get("password").unwrap_or_default();
    let signed_in = check(&authority, &segment, &flow, name, password);
    let mut entry = authority.entry("sign_in");
    entry.client_id = Some(flow.application.client_id.clone());
    entry.user = Some(name.to_owned());
    authority.record(entry, &signed_in);
    match signed_in {
        Ok(person) => {
            authority.browsers.sign_in(&browser.key, &person);
            flow.person = Some(person);
            authority.flows.insert(flow.clone());
            match step::person(&authority, &flow) {
                Some(person) if authority.directory.tenants().of(&person).stay_signed_in => {
                    pages::stay_signed_in(&authority, &browser, &flow, &person)
                }
                _ => step::next(&authority, &request, &browser, flow),
            }
        }
        Err(problem) => {
            pages::sign_in(&authority, &browser, &flow, Prefill::refused(name, problem))
        }
    }
}

/// One of the accounts that are signed in already.
pub(crate) async fn pick(
    authority: web::Data<Authority>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let picked = Params::parse(&body).and_then(|form| {
        let browser = Browser::of_form(&authority, &request, &form)?;
        let flow = Flow::resume(&authority, &browser, &form)?;
        let person = form.get("account").map(str::to_owned);
        Ok((browser, flow, person))
    });
    match picked {
        Ok((browser, mut flow, Some(person)))
            if !matches!(flow.kind, FlowKind::AdminConsent(_))
                && step::signed_in(&authority, &browser, &flow)
                    .iter()
                    .any(|known| known.object_id == person) =>
        {
            flow.person = Some(person);
            authority.flows.insert(flow.clone());
            step::next(&authority, &request, &browser, flow)
        }
        Ok((browser, flow, _)) => pages::sign_in(&authority, &browser, &flow, Prefill::default()),
        Err(problem) => pages::error(&authority, &request, &problem),
    }
}

/// The object id of the person with that name and password.
fn check(
    authority: &Authority,
    segment: &str,
    flow: &Flow,
    name: &str,
    password: &str,
) -> Result<String, Problem> {
    let segment = TenantSegment::parse(authority, segment)?;
    let user = credentials::check(authority, &segment, &flow.application, name, password)?;
    segment.admits(&authority.directory.tenants(), &flow.application, &user)?;
    Ok(user.object_id)
}
