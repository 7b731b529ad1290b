//! What a browser is in the middle of: a request that waits for a person.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mailgrant_core::time::UnixTime;

use super::admin_consent::AdminConsentRequest;
use super::authorize::AuthorizeRequest;
use super::browser::Browser;
use super::device_approval::DeviceApproval;
use super::params::Params;
use super::problem::{Problem, request};
use super::state::Authority;
use crate::directory::Application;

/// A request on its way through the pages.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub id: String,
    /// The path segment it came under, which its pages keep.
    pub segment: String,
    pub application: Application,
    pub kind: FlowKind,
    /// The object id of the person, once chosen.
    pub person: Option<String>,
    /// Whether the person has agreed in this flow.
    pub agreed: bool,
    browser: Vec<u8>,
    began_at: UnixTime,
}

#[derive(Clone, Debug)]
pub(crate) enum FlowKind {
    Authorize(Box<AuthorizeRequest>),
    AdminConsent(Box<AdminConsentRequest>),
    Device(Box<DeviceApproval>),
}

impl Flow {
    pub(crate) fn begin(
        authority: &Authority,
        browser: &Browser,
        segment: &str,
        application: Application,
        kind: FlowKind,
    ) -> Self {
        let flow = Self {
            id: authority.random.token(24),
            segment: segment.to_owned(),
            application,
            kind,
            person: None,
            agreed: false,
            browser: browser.key.clone(),
            began_at: authority.now(),
        };
        authority.flows.insert(flow.clone());
        flow
    }

    /// The flow that a form or link of this browser goes on with.
    pub(crate) fn resume(
        authority: &Authority,
        browser: &Browser,
        params: &Params,
    ) -> Result<Self, Problem> {
        params
            .get("flow")
            .and_then(|id| authority.flows.lookup(id))
            .filter(|flow| flow.browser == browser.key)
            .ok_or_else(|| request::FLOW_LOST.problem())
            .and_then(
                |flow| match authority.now().since(flow.began_at) < LIFETIME {
                    true => Ok(flow),
                    false => Err(request::FLOW_EXPIRED.problem()),
                },
            )
    }
}

/// All flows that are not over.
#[derive(Default)]
pub(crate) struct Flows(Mutex<HashMap<String, Flow>>);

impl Flows {
    pub(crate) fn insert(&self, flow: Flow) {
        let mut flows = self.lock();
        if flows.len() >= MOST && !flows.contains_key(&flow.id) {
            flows.retain(|_, known| flow.began_at.since(known.began_at) < LIFETIME);
            let oldest = flows
                .values()
                .min_by_key(|known| known.began_at)
                .map(|known| known.id.clone());
            oldest.and_then(|id| flows.remove(&id));
        }
        flows.insert(flow.id.clone(), flow);
    }

    /// Ends a flow; whether it was still there, so that only one answer is ever given.
    pub(crate) fn end(&self, id: &str) -> bool {
        self.lock().remove(id).is_some()
    }

    fn lookup(&self, id: &str) -> Option<Flow> {
        self.lock().get(id).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Flow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An administrator may take a while; the person waits on the page.
const LIFETIME: Duration = Duration::from_secs(60 * 60);
const MOST: usize = 10_000;
