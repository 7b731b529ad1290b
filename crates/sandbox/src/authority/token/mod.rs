//! `/{tenant}/oauth2/v2.0/token` (RFC 6749 §3.2, §5)

mod authorization_code;
mod client;
mod client_credentials;
mod delegated;
mod device_code;
mod on_behalf_of;
mod password;
mod refresh_token;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::json;

use super::gate;
use super::params::Params;
use super::problem::{Problem, request, service, tenant as segment_problem};
use super::state::{Authority, Trace};
use super::tenant::TenantSegment;
use crate::directory::{Application, Platform};
use client::ClientAuthentication;
pub(crate) use client::ClientProof;
pub(crate) use delegated::client_info;

/// A request for a token that has passed client authentication.
struct TokenRequest<'a> {
    authority: &'a Authority,
    params: &'a Params,
    segment: TenantSegment,
    /// The tenant as the address names it.
    tenant: &'a str,
    application: Application,
    /// How the client proves who it is.
    proof: ClientProof,
    /// The authority's address as this client sees it.
    base: &'a str,
    /// Whether a browser asks.
    cross_origin: bool,
}

/// The answer (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
#[derive(Serialize)]
struct TokenAnswer {
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    expires_in: u64,
    ext_expires_in: u64,
    /// Of long-lived tokens: when to ask for the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_in: Option<u64>,
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_info: Option<String>,
}

pub(crate) async fn post(
    authority: web::Data<Authority>,
    segment: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let mut entry = authority.entry("token");
    entry.tenant = Some(segment.to_string());
    let answer = match Params::parse(&body) {
        Ok(params) => {
            let grant_type = params.get("grant_type");
            entry.grant_type = grant_type
                .map(|grant_type| grant_type.strip_prefix(REGISTERED).unwrap_or(grant_type))
                .map(str::to_owned);
            entry.client_id = params.get("client_id").map(str::to_owned);
            match ClientAuthentication::of(&request, &params) {
                Ok(sent) => {
                    entry.client_id = sent.client_id.clone();
                    grant(&authority, &segment, &request, &params, sent).await
                }
                Err(problem) => Err(problem),
            }
        }
        Err(problem) => Err(problem),
    };
    let client_id = entry.client_id.clone();
    authority.record(entry, &answer);
    match answer {
        Ok(answer) => {
            let mut response = HttpResponse::Ok();
            response
                .insert_header((header::CACHE_CONTROL, "no-store, no-cache"))
                .insert_header((header::PRAGMA, "no-cache"));
            if let Some(origin) = request.headers().get(header::ORIGIN) {
                response.insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()));
            }
            response.json(answer)
        }
        Err(problem) => {
            let mut response = refusal(&authority, &request, &problem);
            if let Some(origin) = reader(&authority, &request, client_id.as_deref()) {
                let headers = response.headers_mut();
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            }
            response
        }
    }
}

/// The origin whose page may read a refusal: of an application that has single-page redirect URIs.
fn reader(
    authority: &Authority,
    request: &HttpRequest,
    client_id: Option<&str>,
) -> Option<header::HeaderValue> {
    let origin = request.headers().get(header::ORIGIN)?;
    let tenants = authority.directory.tenants();
    let application = tenants.application(client_id?)?;
    let uris = &application.redirect_uris;
    uris.iter()
        .any(|redirect_uri| redirect_uri.platform == Platform::Spa)
        .then(|| origin.clone())
}

/// The endpoint is for POST (RFC 6749 §3.2).
pub(crate) async fn wrong_verb(
    authority: web::Data<Authority>,
    request: HttpRequest,
) -> HttpResponse {
    let code = Params::of_query(&request).is_ok_and(|params| params.get("code").is_some());
    let problem = match code {
        true => request::CODE_BY_GET.problem(),
        false => request::WRONG_VERB.with(["GET"]),
    };
    authority.record::<()>(authority.entry("token"), &Err(problem.clone()));
    refusal(&authority, &request, &problem)
}

/// An error in JSON (RFC 6749 §5.2), with what Entra adds.
pub(crate) fn refusal(
    authority: &Authority,
    request: &HttpRequest,
    problem: &Problem,
) -> HttpResponse {
    let trace = Trace::of(authority, request);
    let mut body = json!({
        "error": problem.error(),
        "error_description": trace.description(problem),
        "error_codes": [problem.code()],
        "timestamp": trace.timestamp,
        "trace_id": trace.trace_id,
        "correlation_id": trace.correlation_id,
        "error_uri": format!("{}/error?code={}", authority.base(request), problem.code()),
    });
    if let Some(object) = body.as_object_mut() {
        let more = [
            ("suberror", problem.suberror()),
            ("claims", problem.claims()),
        ];
        for (name, value) in more {
            if let Some(value) = value {
                object.insert(name.to_owned(), json!(value));
            }
        }
    }
    let mut response = HttpResponse::build(problem.status());
    response.insert_header((header::CACHE_CONTROL, "no-store, no-cache"));
    response.insert_header(("x-ms-request-id", trace.trace_id));
    if let Some(seconds) = problem.retry_after() {
        response.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    let basic = request.headers().contains_key(header::AUTHORIZATION);
    if basic && problem.status() == actix_web::http::StatusCode::UNAUTHORIZED {
        response.insert_header((
            header::WWW_AUTHENTICATE,
            "Basic realm=\"mailgrant sandbox\"",
        ));
    }
    response.json(body)
}

async fn grant(
    authority: &Authority,
    tenant: &str,
    http: &HttpRequest,
    params: &Params,
    mut sent: ClientAuthentication,
) -> Result<TokenAnswer, Problem> {
    let segment = TenantSegment::parse(authority, tenant).map_err(|problem| {
        match problem.is(&segment_problem::NATIONAL_CLOUD) && sent.proof() != ClientProof::None {
            true => segment_problem::NATIONAL_CLOUD_CONFIDENTIAL.problem(),
            false => problem,
        }
    })?;
    check_load(authority, &segment, params)?;
    if params.get("resource").is_some() {
        return Err(request::RESOURCE_PARAMETER.problem());
    }
    let grant_type = params.required("grant_type")?;
    let client_id = sent
        .client_id
        .as_deref()
        .ok_or_else(|| request::MISSING_PARAMETER.with(["client_id"]))?;
    let application = segment.application(authority, client_id)?;
    if let Some(assertion) = &mut sent.assertion {
        assertion.prepare(authority, &application).await;
    }
    let request = TokenRequest {
        authority,
        params,
        segment,
        tenant,
        proof: sent.proof(),
        base: authority.base(http),
        cross_origin: http.headers().contains_key(header::ORIGIN),
        application,
    };
    match grant_type {
        "authorization_code" => authorization_code::answer(&request, &sent),
        "refresh_token" => refresh_token::answer(&request, &sent),
        "client_credentials" => client_credentials::answer(&request, &sent),
        ON_BEHALF_OF => on_behalf_of::answer(&request, &sent),
        DEVICE_CODE | "device_code" => device_code::answer(&request, &sent),
        "password" => password::answer(&request, &sent),
        other => Err(request::UNSUPPORTED_GRANT.with([other])),
    }
}

/// Whether the organization is being throttled, or a client sends the same again and again and the organization minds.
fn check_load(
    authority: &Authority,
    segment: &TenantSegment,
    params: &Params,
) -> Result<(), Problem> {
    let tenants = authority.directory.tenants();
    let tenant = segment.tenant(&tenants);
    gate::check_load(tenant)?;
    let most = tenant.policies.loop_detection;
    drop(tenants);
    let Some(most) = most.and_then(|most| usize::try_from(most).ok()) else {
        return Ok(());
    };
    let (same, now) = (params.fingerprint(), authority.now());
    authority.token_requests.add(&same, now);
    match authority.token_requests.count(&same, now) > most {
        true => Err(service::CLIENT_LOOP.problem()),
        false => Ok(()),
    }
}

impl TokenRequest<'_> {
    /// Who may redeem what a redirect URI of this platform got: a browser or a server.
    fn check_origin(&self, platform: Platform) -> Result<(), Problem> {
        match (platform, self.cross_origin) {
            (Platform::Spa, false) => Err(request::SPA_ONLY.problem()),
            (Platform::Web | Platform::Native, true) => Err(request::CROSS_ORIGIN.problem()),
            _ => Ok(()),
        }
    }

    /// The client must prove its identity, unless a browser cannot and PKCE stands in.
    fn check_client(&self, sent: &ClientAuthentication, platform: Platform) -> Result<(), Problem> {
        if platform == Platform::Spa && sent.proof() == ClientProof::None {
            return Ok(());
        }
        sent.check(self.authority, &self.application, self.tenant)
    }
}

/// Grant types beyond those of RFC 6749 are registered under this name (RFC 6755 §3).
const REGISTERED: &str = "urn:ietf:params:oauth:grant-type:";
const ON_BEHALF_OF: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Entra names a time to refresh ahead for tokens of two hours and more.
fn refresh_in(lifetime: u64) -> Option<u64> {
    (lifetime >= 7200).then_some(lifetime / 2)
}
