//! A device without a browser of its own is let in.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::{Explained, Frame, Step, render};
use crate::authority::browser::Browser;
use crate::authority::flow::Flow;
use crate::authority::problem::Problem;
use crate::authority::state::Authority;
use crate::directory::User;

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
