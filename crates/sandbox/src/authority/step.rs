//! What comes next for a browser in the middle of a flow: a page, or the answer.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse};

use super::admin_consent;
use super::authorize::{AuthorizeRequest, Prompt};
use super::browser::Browser;
use super::code::CodeGrant;
use super::device_approval;
use super::flow::{Flow, FlowKind};
use super::gate::{self, Visit};
use super::pages;
use super::problem::{Problem, consent, request};
use super::scopes::RequestedScopes;
use super::state::Authority;
use super::tenant::TenantSegment;
use super::token::client_info;
use crate::directory::{Application, Permission, Resource, SignInFlow, User};

/// The next page of a flow, or its end.
pub(crate) fn next(
    authority: &Authority,
    request: &HttpRequest,
    browser: &Browser,
    flow: Flow,
) -> HttpResponse {
    match flow.kind.clone() {
        FlowKind::Authorize(asked) => authorize(authority, request, browser, flow, &asked),
        FlowKind::AdminConsent(asked) => {
            admin_consent::next(authority, request, browser, flow, &asked)
        }
        FlowKind::Device(asked) => device_approval::next(authority, request, browser, flow, &asked),
    }
}

fn authorize(
    authority: &Authority,
    request: &HttpRequest,
    browser: &Browser,
    mut flow: Flow,
    asked: &AuthorizeRequest,
) -> HttpResponse {
    if flow.person.is_none() {
        match choose(authority, browser, &flow, asked) {
            Choice::Person(person) => flow.person = Some(person),
            Choice::Several(people) => {
                return pages::pick_account(authority, browser, &flow, &people);
            }
            Choice::Nobody if asked.prompt == Some(Prompt::None) => {
                return refuse(
                    authority,
                    request,
                    &flow,
                    asked,
                    &consent::NOT_SIGNED_IN.problem(),
                );
            }
            Choice::Nobody => {
                return pages::sign_in(
                    authority,
                    browser,
                    &flow,
                    pages::Prefill::hint(asked.login_hint.as_deref()),
                );
            }
        }
        authority.flows.insert(flow.clone());
    }
    let Some(person) = person(authority, &flow) else {
        return pages::error(authority, request, &request::FLOW_LOST.problem());
    };
    if let Some(response) = stop(authority, request, browser, &flow, asked, &person) {
        return response;
    }
    let missing = missing_consent(authority, &flow, &asked.scopes, &person);
    let wanted = asked.prompt == Some(Prompt::Consent) && !flow.agreed;
    if missing.is_empty() && !wanted {
        return finish(authority, request, browser, &flow, asked, &person);
    }
    let problem = consent_problem(authority, &flow, &missing, &person);
    if asked.prompt == Some(Prompt::None) {
        return refuse(authority, request, &flow, asked, &problem);
    }
    match problem.is(&consent::MISSING) {
        false => {
            let mut entry = authority.entry("consent");
            entry.client_id = Some(flow.application.client_id.clone());
            entry.user = Some(person.address.clone());
            let code = problem.code();
            authority.record::<()>(entry, &Err(problem));
            pages::need_approval(authority, request, browser, &flow, &person, &missing, code)
        }
        true => pages::consent(
            authority,
            browser,
            &flow,
            &person,
            &asked.scopes.permissions(),
        ),
    }
}

/// Whose sign-in is used.
enum Choice {
    Person(String),
    Several(Vec<User>),
    Nobody,
}

fn choose(
    authority: &Authority,
    browser: &Browser,
    flow: &Flow,
    asked: &AuthorizeRequest,
) -> Choice {
    let mut people = signed_in(authority, browser, flow);
    if let Some(hint) = &asked.domain_hint {
        people.retain(|user| is_of(user, hint));
    }
    if asked.prompt == Some(Prompt::Login) || people.is_empty() {
        return Choice::Nobody;
    }
    if asked.prompt == Some(Prompt::SelectAccount) {
        return Choice::Several(people);
    }
    if let Some(hint) = &asked.login_hint {
        people.retain(|user| {
            user.user_principal_name.eq_ignore_ascii_case(hint)
                || user.address.eq_ignore_ascii_case(hint)
        });
    }
    match people.as_slice() {
        [] => Choice::Nobody,
        [one] => Choice::Person(one.object_id.clone()),
        // Without a page, nobody can be asked which.
        _ if asked.prompt == Some(Prompt::None) => Choice::Nobody,
        _ => Choice::Several(people),
    }
}

/// Whether an account is of the sort or domain that `domain_hint` names.
fn is_of(user: &User, hint: &str) -> bool {
    match hint {
        "consumers" => user.is_personal(),
        "organizations" => !user.is_personal(),
        domain => user
            .user_principal_name
            .rsplit_once('@')
            .is_some_and(|(_, own)| own.eq_ignore_ascii_case(domain)),
    }
}

/// The people signed in in this browser who may go on with this flow.
pub(crate) fn signed_in(authority: &Authority, browser: &Browser, flow: &Flow) -> Vec<User> {
    let Ok(segment) = TenantSegment::parse(authority, &flow.segment) else {
        return Vec::new();
    };
    let tenants = authority.directory.tenants();
    browser
        .signed_in
        .iter()
        .filter_map(|id| tenants.user_by_object_id(id))
        .filter(|user| user.enabled)
        .filter(|user| segment.admits(&tenants, &flow.application, user).is_ok())
        .cloned()
        .collect()
}

/// The person of a flow, as the directory knows them now.
pub(crate) fn person(authority: &Authority, flow: &Flow) -> Option<User> {
    let tenants = authority.directory.tenants();
    let person = tenants.user_by_object_id(flow.person.as_deref()?)?;
    person.enabled.then(|| person.clone())
}

/// Whether the person may use the application now, in this browser.
pub(crate) fn check_visit(
    authority: &Authority,
    browser: &Browser,
    flow: &Flow,
    scopes: &RequestedScopes,
    way: SignInFlow,
    person: &User,
) -> Result<(), Problem> {
    let target = scopes.targets.first();
    let visit = Visit {
        application: &flow.application,
        person,
        flow: way,
        audience: target.map_or(Resource::Graph.uri(), |target| target.audience),
        second_step_at: authority.second_steps.at(browser, &person.object_id),
    };
    visit.check(authority)
}

/// What the state of the account or a policy puts in the way: a page for the person, or an answer for a client that
/// wants none.
fn stop(
    authority: &Authority,
    request: &HttpRequest,
    browser: &Browser,
    flow: &Flow,
    asked: &AuthorizeRequest,
    person: &User,
) -> Option<HttpResponse> {
    let way = SignInFlow::Browser;
    let problem = check_visit(authority, browser, flow, &asked.scopes, way, person).err()?;
    if asked.prompt == Some(Prompt::None) {
        return Some(refuse(authority, request, flow, asked, &problem));
    }
    if gate::second_step_mends(&problem) {
        return Some(pages::second_step(authority, browser, flow, person));
    }
    let mut entry = authority.entry("sign_in");
    entry.client_id = Some(flow.application.client_id.clone());
    entry.user = Some(person.address.clone());
    authority.record::<()>(entry, &Err(problem.clone()));
    Some(pages::error(authority, request, &problem))
}

/// What the person, or an administrator for everybody, has not agreed to.
pub(crate) fn missing_consent(
    authority: &Authority,
    flow: &Flow,
    scopes: &RequestedScopes,
    person: &User,
) -> BTreeSet<Permission> {
    let tenants = authority.directory.tenants();
    let tenant = tenants.of(person);
    let given = tenant.consented(&flow.application.client_id, Some(&person.object_id));
    scopes.permissions().difference(&given).copied().collect()
}

/// What to say when something is missing: that the person agrees, or that only an administrator can.
pub(crate) fn consent_problem(
    authority: &Authority,
    flow: &Flow,
    missing: &BTreeSet<Permission>,
    person: &User,
) -> Problem {
    let missing: Vec<Permission> = missing.iter().copied().collect();
    if is_reserved(authority, &flow.application, person, &missing) {
        return approval_needed(authority, &flow.application, person);
    }
    consent::MISSING.with([&flow.application.client_id, &flow.application.display_name])
}

/// Whether a person may not agree to these permissions.
pub(crate) fn is_reserved(
    authority: &Authority,
    application: &Application,
    person: &User,
    permissions: &[Permission],
) -> bool {
    let tenants = authority.directory.tenants();
    let of_mail = tenants.of(person).admin_consent_required || application.admin_consent_required;
    let reserved = application.conditions.risky
        || of_mail && permissions.iter().any(|permission| permission.opens_mail());
    reserved && !person.administrator && !person.is_personal()
}

/// Only an administrator of the person's organization may agree to this application.
pub(crate) fn approval_needed(
    authority: &Authority,
    application: &Application,
    person: &User,
) -> Problem {
    let tenants = authority.directory.tenants();
    let tenant = tenants.of(person);
    if application.conditions.risky {
        return consent::RISKY_APPLICATION.problem();
    }
    if tenant.policies.consent_workflow {
        return consent::APPROVAL_REQUESTED.with([&application.display_name]);
    }
    consent::ADMINISTRATOR_NEEDED.with([
        &tenant.display_name,
        &application.display_name,
        &tenant.display_name,
    ])
}

/// Ends the flow with a code.
fn finish(
    authority: &Authority,
    request: &HttpRequest,
    browser: &Browser,
    flow: &Flow,
    asked: &AuthorizeRequest,
    person: &User,
) -> HttpResponse {
    if !authority.flows.end(&flow.id) {
        return pages::error(authority, request, &request::FLOW_LOST.problem());
    }
    let second_step_at = authority.second_steps.at(browser, &person.object_id);
    let audience = asked.scopes.targets.first().map(|target| target.audience);
    let code = authority.codes.issue(
        CodeGrant {
            client_id: flow.application.client_id.clone(),
            redirect_uri: asked.answer.redirect_uri.clone(),
            platform: asked.platform,
            segment: asked.segment.clone(),
            person: person.object_id.clone(),
            scopes: asked.scopes.permissions().into_iter().collect(),
            audience: audience
                .unwrap_or(crate::directory::Resource::Graph.uri())
                .to_owned(),
            nonce: asked.nonce.clone(),
            challenge: asked.challenge.clone(),
            issued_at: authority.now(),
            second_step_at,
        },
        &*authority.random,
    );
    let session_state = authority.random.uuid().to_string();
    let client_info = client_info(person);
    let mut parameters = vec![("code", code.expose()), ("session_state", &session_state)];
    if asked.client_info {
        parameters.push(("client_info", &client_info));
    }
    asked.answer.send(&parameters)
}

/// Ends the flow with an error for the client.
pub(crate) fn refuse(
    authority: &Authority,
    request: &HttpRequest,
    flow: &Flow,
    asked: &AuthorizeRequest,
    problem: &Problem,
) -> HttpResponse {
    if !authority.flows.end(&flow.id) {
        return pages::error(authority, request, &request::FLOW_LOST.problem());
    }
    let mut entry = authority.entry("consent");
    entry.client_id = Some(flow.application.client_id.clone());
    authority.record::<()>(entry, &Err(problem.clone()));
    asked.answer.refuse(authority, request, problem)
}
