//! The authority's pages: plain HTML that works without script, under a strict policy.

mod consent;
mod device;
mod sign_in;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

pub(crate) use self::consent::{admin_consent, consent, need_approval};
pub(crate) use self::device::{device_code, device_confirm};
pub(crate) use self::sign_in::{Prefill, pick_account, second_step, sign_in, stay_signed_in};
use super::browser::Browser;
use super::flow::Flow;
use super::problem::{Problem, meaning};
use super::state::{Authority, Trace};

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
