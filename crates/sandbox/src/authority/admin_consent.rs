//! `/{tenant}/adminconsent` and `/{tenant}/v2.0/adminconsent`: an administrator agrees for everybody.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse, web};

use super::answer::{Answer, ResponseMode};
use super::browser::Browser;
use super::flow::{Flow, FlowKind};
use super::pages::{self, Prefill};
use super::params::Params;
use super::problem::{Problem, consent, request, service};
use super::redirect_uri;
use super::scopes::RequestedScopes;
use super::state::{Authority, Trace};
use super::step;
use super::tenant::TenantSegment;
use crate::directory::{Application, Permission, PermissionKind, Resource, User};

/// What an administrator is asked to agree to.
#[derive(Clone, Debug)]
pub(crate) struct AdminConsentRequest {
    /// Where the answer goes; without one, to a page of the sandbox.
    pub answer: Option<Answer>,
    pub permissions: BTreeSet<Permission>,
    /// Given back by the second version of the endpoint.
    pub scope: Option<String>,
}

pub(crate) async fn get(
    authority: web::Data<Authority>,
    segment: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    let mut entry = authority.entry("admin_consent");
    entry.tenant = Some(segment.to_string());
    let read = Params::of_query(&request).and_then(|params| {
        entry.client_id = params.get("client_id").map(str::to_owned);
        read(&authority, &segment, &params)
    });
    authority.record(entry, &read);
    match read {
        Ok((application, asked)) => {
            let (browser, cookie) = Browser::of_request(&authority, &request);
            let kind = FlowKind::AdminConsent(Box::new(asked));
            let flow = Flow::begin(&authority, &browser, &segment, application, kind);
            let mut response = step::next(&authority, &request, &browser, flow);
            if let Some(error) = cookie.and_then(|cookie| response.add_cookie(&cookie).err()) {
                tracing::error!(%error, "the session cookie could not be set");
            }
            response
        }
        Err(problem) => pages::error(&authority, &request, &problem),
    }
}

fn read(
    authority: &Authority,
    segment: &str,
    params: &Params,
) -> Result<(Application, AdminConsentRequest), Problem> {
    let segment = TenantSegment::parse(authority, segment)?;
    let application = segment.application(authority, params.required("client_id")?)?;
    let answer = match params.get("redirect_uri") {
        None => None,
        Some(requested) => {
            redirect_uri::find(&application, requested).ok_or_else(|| {
                request::REDIRECT_URI_MISMATCH.with([requested, &application.client_id])
            })?;
            Some(Answer {
                redirect_uri: requested.to_owned(),
                mode: ResponseMode::Query,
                state: params.get("state").map(str::to_owned),
            })
        }
    };
    let scope = params.get("scope").map(str::to_owned);
    let permissions = match &scope {
        None => application.permissions.iter().copied().collect(),
        Some(scope) => of_scope(authority, &segment, &application, scope)?,
    };
    Ok((
        application,
        AdminConsentRequest {
            answer,
            permissions,
            scope,
        },
    ))
}

/// What a scope means to an administrator: `.default` covers the application permissions too.
fn of_scope(
    authority: &Authority,
    segment: &TenantSegment,
    application: &Application,
    scope: &str,
) -> Result<BTreeSet<Permission>, Problem> {
    let tenants = authority.directory.tenants();
    let directory = &segment.tenant(&tenants).display_name;
    let requested = RequestedScopes::parse(scope, application, directory)?;
    let mut permissions = requested.permissions();
    for target in requested.targets.iter().filter(|target| target.is_default) {
        permissions.extend(application.configured(target.resource, PermissionKind::Application));
    }
    let signs_people_in = permissions
        .iter()
        .any(|permission| permission.kind() == PermissionKind::Delegated);
    if signs_people_in {
        // Else each person would still be asked for these.
        let identity = application.configured(Resource::Graph, PermissionKind::Delegated);
        permissions.extend(identity.filter(|permission| super::scopes::is_identity(*permission)));
    }
    Ok(permissions)
}

/// The next page: sign in as an administrator, then agree.
pub(crate) fn next(
    authority: &Authority,
    _request: &HttpRequest,
    browser: &Browser,
    flow: Flow,
    asked: &AdminConsentRequest,
) -> HttpResponse {
    match step::person(authority, &flow) {
        Some(person) if person.administrator => {
            pages::admin_consent(authority, browser, &flow, &person, &asked.permissions)
        }
        Some(person) => {
            let tenants = authority.directory.tenants();
            let directory = tenants.of(&person).display_name.clone();
            drop(tenants);
            let problem = consent::ADMINISTRATOR_NEEDED.with([
                &directory,
                &flow.application.display_name,
                &directory,
            ]);
            pages::sign_in(
                authority,
                browser,
                &flow,
                Prefill::refused(&person.address, problem),
            )
        }
        None => pages::sign_in(authority, browser, &flow, Prefill::default()),
    }
}

/// What the administrator decided.
pub(crate) fn decide(
    authority: &Authority,
    request: &HttpRequest,
    flow: &Flow,
    asked: &AdminConsentRequest,
    person: &User,
    accepted: bool,
) -> Result<HttpResponse, Problem> {
    if !person.administrator || !authority.flows.end(&flow.id) {
        return Err(request::FLOW_LOST.problem());
    }
    let mut entry = authority.entry("consent");
    entry.client_id = Some(flow.application.client_id.clone());
    entry.user = Some(person.address.clone());
    if !accepted {
        entry.outcome = "permission_denied".to_owned();
        authority.log.record(entry);
        return Ok(match &asked.answer {
            Some(answer) => {
                let trace = Trace::of(authority, request);
                let description = format!(
                    "AADSTS65004: The admin canceled the request. Trace ID: {}",
                    trace.trace_id
                );
                answer.send(&[
                    ("error", "permission_denied"),
                    ("error_description", &description),
                ])
            }
            None => pages::done(
                authority,
                "Not approved",
                "Nothing was changed. You may close this page.",
            ),
        });
    }
    let permissions: Vec<_> = asked.permissions.iter().copied().collect();
    authority
        .directory
        .consent(
            &person.tenant,
            &flow.application.client_id,
            None,
            &permissions,
        )
        .map_err(|error| {
            tracing::error!(%error, "a consent could not be written down");
            service::DIRECTORY_UNAVAILABLE.problem()
        })?;
    authority.record(entry, &Ok::<(), Problem>(()));
    Ok(match &asked.answer {
        Some(answer) => {
            let mut parameters = vec![
                ("admin_consent", "True"),
                ("tenant", person.tenant.as_str()),
            ];
            if let Some(scope) = &asked.scope {
                parameters.push(("scope", scope));
            }
            answer.send(&parameters)
        }
        None => pages::done(
            authority,
            "Approved",
            "People of this organization can connect their mailboxes with this application now. \
             You may close this page; whoever waits can try again.",
        ),
    })
}
