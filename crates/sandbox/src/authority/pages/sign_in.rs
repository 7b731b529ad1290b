//! Who the person is: account, password, second step.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::{Explained, Frame, Step, render};
use crate::authority::browser::Browser;
use crate::authority::flow::{Flow, FlowKind};
use crate::authority::problem::Problem;
use crate::authority::state::Authority;
use crate::authority::tenant::TenantSegment;
use crate::directory::User;

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
#[template(path = "second_step.html")]
struct SecondStep<'a> {
    frame: Frame<'a>,
    step: Step<'a>,
    person: &'a User,
}
