//! What every endpoint of the authority works with.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::HttpRequest;
use mailgrant_core::time::UnixTime;

use super::browser::Browsers;
use super::code::Codes;
use super::device::DeviceCodes;
use super::flow::Flows;
use super::loops::{LOCK_WINDOW, LOOP_WINDOW, Recent};
use super::problem::{Problem, timestamp};
use super::second_step::SecondSteps;
use crate::control::{Entry, Faults, RequestLog};
use crate::imap::Sessions;
use crate::{Clock, Directory, Random};

/// The authority's state: the directory, and what lives only as long as the process.
pub(crate) struct Authority {
    pub directory: Directory,
    pub clock: Clock,
    pub random: Arc<dyn Random>,
    pub addresses: Addresses,
    pub log: RequestLog,
    pub faults: Faults,
    /// Who is connected by IMAP.
    pub imap_sessions: Sessions,
    pub flows: Flows,
    pub browsers: Browsers,
    pub codes: Codes,
    pub devices: DeviceCodes,
    pub second_steps: SecondSteps,
    /// Token requests, and wrong passwords by person.
    pub token_requests: Recent,
    pub wrong_passwords: Recent,
    lifetime: Arc<AtomicU64>,
}

/// Where the authority is, without the tenant and without a slash at the end.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub plain: String,
    pub tls: String,
}

impl Authority {
    pub(crate) fn new(
        directory: Directory,
        clock: Clock,
        random: Arc<dyn Random>,
        addresses: Addresses,
        lifetime: Duration,
    ) -> Self {
        Self {
            directory,
            clock,
            random,
            addresses,
            log: RequestLog::default(),
            faults: Faults::default(),
            imap_sessions: Sessions::default(),
            flows: Flows::default(),
            browsers: Browsers::default(),
            codes: Codes::default(),
            devices: DeviceCodes::default(),
            second_steps: SecondSteps::default(),
            token_requests: Recent::within(LOOP_WINDOW),
            wrong_passwords: Recent::within(LOCK_WINDOW),
            lifetime: Arc::new(AtomicU64::new(lifetime.as_secs())),
        }
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// How long access tokens last.
    pub(crate) fn access_token_lifetime(&self) -> Duration {
        Duration::from_secs(self.lifetime.load(Ordering::Relaxed))
    }

    pub(crate) fn set_access_token_lifetime(&self, lifetime: Duration) {
        self.lifetime.store(lifetime.as_secs(), Ordering::Relaxed);
    }

    /// The address under which this request reached the authority: the issuer must be the one the client looked up.
    pub(crate) fn base(&self, request: &HttpRequest) -> &str {
        if request.app_config().secure() {
            &self.addresses.tls
        } else {
            &self.addresses.plain
        }
    }

    /// An entry for the log, at the present time.
    pub(crate) fn entry(&self, kind: &'static str) -> Entry {
        Entry::new(self.now(), kind)
    }

    /// Writes the outcome of a request to the log.
    pub(crate) fn record<T>(&self, mut entry: Entry, outcome: &Result<T, Problem>) {
        if let Err(problem) = outcome {
            entry.outcome = problem.error().to_owned();
            entry.code = Some(problem.code());
        }
        self.log.record(entry);
    }
}

/// The marks by which support finds a request again.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub trace_id: String,
    pub correlation_id: String,
    pub timestamp: String,
}

impl Trace {
    /// Takes the correlation over from the client when it sent one, as MSAL does.
    pub(crate) fn of(authority: &Authority, request: &HttpRequest) -> Self {
        let correlation_id = correlation(request).unwrap_or_else(|| authority.random.uuid());
        Self {
            trace_id: authority.random.uuid().to_string(),
            correlation_id: correlation_id.to_string(),
            timestamp: timestamp(authority.now()),
        }
    }

    /// The whole `error_description`.
    pub(crate) fn description(&self, problem: &Problem) -> String {
        format!(
            "AADSTS{}: {problem}\r\nTrace ID: {}\r\nCorrelation ID: {}\r\nTimestamp: {}",
            problem.code(),
            self.trace_id,
            self.correlation_id,
            self.timestamp
        )
    }
}

/// The caller's own mark of a request: a header, or in the query where a browser cannot send one.
pub(crate) fn correlation(request: &HttpRequest) -> Option<uuid::Uuid> {
    let by_header = request
        .headers()
        .get("client-request-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| uuid::Uuid::try_parse(value).ok());
    by_header.or_else(|| {
        url::form_urlencoded::parse(request.query_string().as_bytes())
            .find(|(name, _)| name == "client-request-id")
            .and_then(|(_, value)| uuid::Uuid::try_parse(&value).ok())
    })
}
