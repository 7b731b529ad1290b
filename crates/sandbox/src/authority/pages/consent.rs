//! What an application asks for, and who may agree to it.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{Frame, Step, render};
use crate::authority::browser::Browser;
use crate::authority::flow::Flow;
use crate::authority::state::{Authority, Trace};
use crate::directory::{Permission, User};

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
#[template(path = "admin_consent.html")]
struct AdminConsent<'a> {
    frame: Frame<'a>,
    step: Step<'a>,
    person: &'a User,
    permissions: &'a BTreeSet<Permission>,
}
