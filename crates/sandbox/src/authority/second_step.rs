//! `/{tenant}/second-step`: the second step of a sign-in, as a person would confirm it on their telephone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use mailgrant_core::time::UnixTime;

use super::browser::Browser;
use super::flow::Flow;
use super::params::Params;
use super::problem::{Problem, person, request};
use super::state::Authority;
use super::{pages, step};

/// When whom did a second step in which browser.
#[derive(Default)]
pub(crate) struct SecondSteps(Mutex<HashMap<(Vec<u8>, String), UnixTime>>);

impl SecondSteps {
    /// When the person last did one in this browser.
    pub(crate) fn at(&self, browser: &Browser, person: &str) -> Option<UnixTime> {
        let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps
            .get(&(browser.key.clone(), person.to_owned()))
            .copied()
    }

    fn done(&self, browser: &Browser, person: &str, now: UnixTime) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps.retain(|_, at| now.since(*at) < REMEMBERED);
        if steps.len() < MOST {
            steps.insert((browser.key.clone(), person.to_owned()), now);
        }
    }
}

/// What the person decided.
pub(crate) async fn post(
    authority: web::Data<Authority>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    decide(&authority, &request, &body)
        .unwrap_or_else(|problem| pages::error(&authority, &request, &problem))
}

fn decide(
    authority: &Authority,
    request: &HttpRequest,
    body: &[u8],
) -> Result<HttpResponse, Problem> {
    let form = Params::parse(body)?;
    let browser = Browser::of_form(authority, request, &form)?;
    let flow = Flow::resume(authority, &browser, &form)?;
    let person = step::person(authority, &flow).ok_or_else(|| request::FLOW_LOST.problem())?;
    let mut entry = authority.entry("second_step");
    entry.client_id = Some(flow.application.client_id.clone());
    entry.user = Some(person.address.clone());
    let decision = match form.get("decision") {
        Some("approve") if person.sign_in.mfa.is_set_up() => Ok(()),
        _ => Err(person::SECOND_STEP_FAILED.problem()),
    };
    authority.record(entry, &decision);
    decision?;
    authority
        .second_steps
        .done(&browser, &person.object_id, authority.now());
    Ok(step::next(authority, request, &browser, flow))
}

/// As long as a browser is remembered, and longer than any policy asks.
const REMEMBERED: Duration = Duration::from_secs(90 * 24 * 60 * 60);
const MOST: usize = 10_000;
