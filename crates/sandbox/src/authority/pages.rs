//! The authority's pages: plain HTML that works without script, under a strict policy.

use std::collections::BTreeSet;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::browser::Browser;
use super::flow::{Flow, FlowKind};
use super::problem::{Problem, meaning};
use super::state::{Authority, Trace};
use super::tenant::TenantSegment;
use crate::directory::{Permission, User};

/// What the sign-in form is filled in with.
#[derive(Default)]
pub(crate) struct Prefill {
    name: String,
    with_password: bool,
    problem: Option<Problem>,
}

impl Prefill {
    /// The client's `login_hint`.
    pub(crate) fn hint(hint: Option<&str>) -> Self {
        Self {
            name: hint.unwrap_or_default().to_owned(),
            ..Self::default()
        }
    }

    /// An account of the list, with its password.
    pub(crate) fn account(account: Option<&str>) -> Self {
        Self {
            with_password: account.is_some(),
            ..Self::hint(account)
        }
    }

    /// What was typed before, and why it was refused.
    pub(crate) fn refused(name: &str, problem: Problem) -> Self {
        Self {
            problem: Some(problem),
            ..Self::hint(Some(name))
        }
    }
}

pub(crate) fn sign_in(
    authority: &Authority,
    browser: &Browser,
    flow: &Flow,
    prefill: Prefill,
) -> HttpResponse {
    let segment = TenantSegment::parse(authority, &flow.segment);
    let tenants = authority.directory.tenants();
    let may_sign_in = |user: &&User| {
        let admitted = segment
            .as_ref()
            .is_ok_and(|segment| segment.admits(&tenants, &flow.application, user).is_ok());
        user.enabled && admitted
    };
    let showing = tenants.iter().filter(|tenant| match tenant.is_personal() {
        true => tenants.first().show_accounts,
        false => tenant.show_accounts,
    });
    let accounts: Vec<&User> = showing
        .flat_map(|tenant| &tenant.users)
        .filter(may_sign_in)
        .collect();
    let organization = segment
        .as_ref()
        .map_or(tenants.first(), |segment| segment.tenant(&tenants));
    let password = accounts
        .iter()
        .find(|user| prefill.with_password && user.address.eq_ignore_ascii_case(&prefill.name))
        .map_or("", |user| user.password.expose());
    let page = SignIn {
        frame: Frame::of(&organization.display_name),
        step: Step::of(browser, flow),
        name: &prefill.name,
        password,
        problem: prefill.problem.as_ref().map(|problem| Explained {
            code: problem.code(),
            meaning: problem.meaning(),
        }),
        accounts: &accounts,
        for_administrator: matches!(flow.kind, FlowKind::AdminConsent(_)),
    };
    render(StatusCode::OK, &page)
}

/// Whether to be asked for the password less often.
pub(crate) fn stay_signed_in(
    authority: &Authority,
    browser: &Browser,
    flow: &Flow,
    person: &User,
) -> HttpResponse {
    let tenants = authority.directory.tenants();
    let tenant = tenants.of(person);
    let page = StaySignedIn {
        frame: Frame::of(&tenant.display_name),
        step: Step::of(browser, flow),
        person,
    };
    render(StatusCode::OK, &page)
}

pub(crate) fn pick_account(
    authority: &Authority,
    browser: &Browser,
    flow: &Flow,
    people: &[User],
) -> HttpResponse {
    let segment = TenantSegment::parse(authority, &flow.segment);
    let tenants = authority.directory.tenants();
    let tenant = segment.map_or(tenants.first(), |segment| segment.tenant(&tenants));
    let page = PickAccount {
        frame: Frame::of(&tenant.display_name),
        step: Step::of(browser, flow),
        people,
    };
    render(StatusCode::OK, &page)
}

pub(crate) fn consent(
    authority: &Authority,
    browser: &Browser,
    flow: &Flow,
    person: &User,
    permissions: &BTreeSet<Permission>,
) -> HttpResponse {
    let tenants = authority.directory.tenants();
    let tenant = tenants.of(person);
    let page = Consent {
        frame: Frame::of(&tenant.display_name),
        step: Step::of(browser, flow),
        person,
        permissions,
    };
    render(StatusCode::OK, &page)
}

pub(crate) fn need_approval(
    authority: &Authority,
    request: &HttpRequest,
    browser: &Browser,
    flow: &Flow,
    person: &User,
    permissions: &BTreeSet<Permission>,
    code: u32,
) -> HttpResponse {
    let tenants = authority.directory.tenants();
    let tenant = tenants.of(person);
    let trace = Trace::of(authority, request);
    let link = format!(
        "{}/{}/adminconsent?client_id={}",
        authority.base(request),
        tenant.id,
        flow.application.client_id
    );
    let page = NeedApproval {
        frame: Frame::of(&tenant.display_name),
        step: Step::of(browser, flow),
        person,
        permissions,
        link: &link,
        code,
        trace: &trace,
    };
    render(StatusCode::OK, &page)
}

/// Where the code of a device is typed.
pub(crate) fn device_code(
    authority: &Authority,
    browser: &Browser,
    code: &str,
    problem: Option<&Problem>,
) -> HttpResponse {
    let tenant = authority.directory.tenant();
    let page = DeviceCode {
        frame: Frame::of(&tenant.display_name),
        csrf: browser.csrf.expose(),
        code,
        problem: problem.map(|problem| Explained {
            code: problem.code(),
            meaning: problem.meaning(),
        }),
    };
    render(StatusCode::OK, &page)
}

/// The second step of a sign-in.
pub(crate) fn second_step(
    authority: &Authority,
    browser: &Browser,
    flow: &Flow,
    person: &User,
) -> HttpResponse {
    let tenants = authority.directory.tenants();
    let tenant = tenants.of(person);
    let page = SecondStep {
        frame: Frame::of(&tenant.display_name),
        step: Step::of(browser, flow),
        person,
    };
    render(StatusCode::OK, &page)
}

/// Whether the person knows what they let in.
pub(crate) fn device_confirm(
    authority: &Authority,
    browser: &Browser,
    flow: &Flow,
    person: &User,
) -> HttpResponse {
    let tenants = authority.directory.tenants();
    let tenant = tenants.of(person);
    let page = DeviceConfirm {
        frame: Frame::of(&tenant.display_name),
        step: Step::of(browser, flow),
        person,
    };
    render(StatusCode::OK, &page)
}

pub(crate) fn admin_consent(
    authority: &Authority,
    browser: &Browser,
    flow: &Flow,
    person: &User,
    permissions: &BTreeSet<Permission>,
) -> HttpResponse {
    let tenants = authority.directory.tenants();
    let tenant = tenants.of(person);
    let page = AdminConsent {
        frame: Frame::of(&tenant.display_name),
        step: Step::of(browser, flow),
        person,
        permissions,
    };
    render(StatusCode::OK, &page)
}

/// An error that cannot or must not be sent to the client.
pub(crate) fn error(
    authority: &Authority,
    request: &HttpRequest,
    problem: &Problem,
) -> HttpResponse {
    let trace = Trace::of(authority, request);
    let text = problem.to_string();
    let tenant = authority.directory.tenant();
    let page = ErrorPage {
        frame: Frame::of(&tenant.display_name),
        code: problem.code(),
        meaning: problem.meaning(),
        text: &text,
        trace: Some(&trace),
    };
    render(problem.status(), &page)
}

/// What a number means: where `error_uri` leads.
pub(crate) fn explanation(authority: &Authority, code: u32) -> HttpResponse {
    let tenant = authority.directory.tenant();
    let page = ErrorPage {
        frame: Frame::of(&tenant.display_name),
        code,
        meaning: meaning(code),
        text: "",
        trace: None,
    };
    render(StatusCode::OK, &page)
}

/// The end of a flow that has no client to go back to.
pub(crate) fn done(authority: &Authority, title: &str, text: &str) -> HttpResponse {
    let tenant = authority.directory.tenant();
    let page = Done {
        frame: Frame::of(&tenant.display_name),
        title,
        text,
    };
    render(StatusCode::OK, &page)
}

/// Carries an answer to the client by a form that sends itself.
pub(crate) fn form_post(redirect_uri: &str, parameters: &[(&str, &str)]) -> HttpResponse {
    render(
        StatusCode::OK,
        &FormPost {
            redirect_uri,
            parameters,
        },
    )
}

/// What every page shows.
struct Frame<'a> {
    organization: &'a str,
}

impl<'a> Frame<'a> {
    fn of(organization: &'a str) -> Self {
        Self { organization }
    }
}

/// What every form of a flow carries.
struct Step<'a> {
    segment: &'a str,
    flow: &'a str,
    csrf: &'a str,
    application: &'a str,
}

impl<'a> Step<'a> {
    fn of(browser: &'a Browser, flow: &'a Flow) -> Self {
        Self {
            segment: &flow.segment,
            flow: &flow.id,
            csrf: browser.csrf.expose(),
            application: &flow.application.display_name,
        }
    }
}

struct Explained {
    code: u32,
    meaning: &'static str,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    frame: Frame<'a>,
    step: Step<'a>,
    name: &'a str,
    password: &'a str,
    problem: Option<Explained>,
    accounts: &'a [&'a User],
    for_administrator: bool,
}

#[derive(Template)]
#[template(path = "stay_signed_in.html")]
struct StaySignedIn<'a> {
    frame: Frame<'a>,
    step: Step<'a>,
    person: &'a User,
}

#[derive(Template)]
#[template(path = "pick_account.html")]
struct PickAccount<'a> {
    frame: Frame<'a>,
    step: Step<'a>,
    people: &'a [User],
}

#[derive(Template)]
#[template(path = "consent.html")]
struct Consent<'a> {
    frame: Frame<'a>,
    step: Step<'a>,
    person: &'a User,
    permissions: &'a BTreeSet<Permission>,
}

#[derive(Template)]
#[template(path = "need_approval.html")]
struct NeedApproval<'a> {
    frame: Frame<'a>,
    step: Step<'a>,
    person: &'a User,
    permissions: &'a BTreeSet<Permission>,
    link: &'a str,
    code: u32,
    trace: &'a Trace,
}

#[derive(Template)]
#[template(path = "second_step.html")]
struct SecondStep<'a> {
    frame: Frame<'a>,
    step: Step<'a>,
    person: &'a User,
}

#[derive(Template)]
#[template(path = "device_code.html")]
struct DeviceCode<'a> {
    frame: Frame<'a>,
    csrf: &'a str,
    code: &'a str,
    problem: Option<Explained>,
}

#[derive(Template)]
#[template(path = "device_confirm.html")]
struct DeviceConfirm<'a> {
    frame: Frame<'a>,
    step: Step<'a>,
    person: &'a User,
}

#[derive(Template)]
#[template(path = "admin_consent.html")]
struct AdminConsent<'a> {
    frame: Frame<'a>,
    step: Step<'a>,
    person: &'a User,
    permissions: &'a BTreeSet<Permission>,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    frame: Frame<'a>,
    code: u32,
    meaning: &'a str,
    text: &'a str,
    trace: Option<&'a Trace>,
}

#[derive(Template)]
#[template(path = "done.html")]
struct Done<'a> {
    frame: Frame<'a>,
    title: &'a str,
    text: &'a str,
}

#[derive(Template)]
#[template(path = "form_post.html")]
struct FormPost<'a> {
    redirect_uri: &'a str,
    parameters: &'a [(&'a str, &'a str)],
}

fn render(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(html) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .insert_header((header::X_FRAME_OPTIONS, "DENY"))
            // As on the real pages: whoever opened this window loses sight of it.
            .insert_header((
                header::HeaderName::from_static("cross-origin-opener-policy"),
                "same-origin",
            ))
            .body(html),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// No script but the one file that sends a form-post answer. `form-action` cannot be narrower: browsers apply it to
/// the redirects after a form too, and those lead to the client, which may lead on to anywhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
                      form-action 'self' http: https:; base-uri 'none'; frame-ancestors 'none'";
