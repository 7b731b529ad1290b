//! `/{tenant}/oauth2/v2.0/authorize` (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2, RFC 7636 §4.3)

use actix_web::{HttpRequest, HttpResponse, web};
use mailgrant_core::secret::Secret;

use super::answer::{Answer, ResponseMode};
use super::browser::Browser;
use super::code::Challenge;
use super::flow::{Flow, FlowKind};
use super::gate;
use super::pages;
use super::params::Params;
use super::problem::{Problem, request};
use super::redirect_uri;
use super::scopes::RequestedScopes;
use super::state::Authority;
use super::step;
use super::tenant::TenantSegment;
use crate::directory::{Application, Platform};

/// An authorization request that was understood.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizeRequest {
    pub segment: TenantSegment,
    pub answer: Answer,
    pub platform: Platform,
    pub scopes: RequestedScopes,
    pub nonce: Option<Secret>,
    pub challenge: Option<Challenge>,
    pub prompt: Option<Prompt>,
    pub login_hint: Option<String>,
    pub domain_hint: Option<String>,
    /// Whether the answer shall carry `client_info`, as MSAL asks.
    pub client_info: bool,
}

/// Which pages the client wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prompt {
    None,
    Login,
    Consent,
    SelectAccount,
}

pub(crate) async fn get(
    authority: web::Data<Authority>,
    segment: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    respond(&authority, &segment, &request, Params::of_query(&request))
}

/// The same request as a form (OpenID Connect Core §3.1.2.1).
pub(crate) async fn post(
    authority: web::Data<Authority>,
    segment: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    respond(&authority, &segment, &request, Params::parse(&body))
}

fn respond(
    authority: &Authority,
    segment: &str,
    request: &HttpRequest,
    params: Result<Params, Problem>,
) -> HttpResponse {
    let mut entry = authority.entry("authorize");
    entry.tenant = Some(segment.to_owned());
    let read = params.map_err(Refused::ByPage).and_then(|params| {
        entry.client_id = params.get("client_id").map(str::to_owned);
        read(authority, segment, &params)
    });
    let outcome = match &read {
        Ok(_) => Ok(()),
        Err(Refused::ByPage(problem) | Refused::ByRedirect(_, problem)) => Err(problem.clone()),
    };
    authority.record(entry, &outcome);
    match read {
        Ok((application, read)) => {
            let (browser, cookie) = Browser::of_request(authority, request);
            let flow = Flow::begin(
                authority,
                &browser,
                segment,
                application,
                FlowKind::Authorize(Box::new(read)),
            );
            let mut response = step::next(authority, request, &browser, flow);
            if let Some(cookie) = cookie {
                // The name and value are made by us of characters that a cookie may hold.
                if let Err(error) = response.add_cookie(&cookie) {
                    tracing::error!(%error, "the session cookie could not be set");
                }
            }
            response
        }
        Err(Refused::ByPage(problem)) => pages::error(authority, request, &problem),
        Err(Refused::ByRedirect(answer, problem)) => answer.refuse(authority, request, &problem),
    }
}

/// Where a refusal goes: to a page as long as the redirect URI is not known to be right, then to the client.
enum Refused {
    ByPage(Problem),
    ByRedirect(Box<Answer>, Problem),
}

fn read(
    authority: &Authority,
    segment: &str,
    params: &Params,
) -> Result<(Application, AuthorizeRequest), Refused> {
    let segment = TenantSegment::parse(authority, segment).map_err(Refused::ByPage)?;
    let client_id = params.required("client_id").map_err(Refused::ByPage)?;
    let application = segment
        .application(authority, client_id)
        .map_err(Refused::ByPage)?;
    if params.get("resource").is_some() {
        return Err(Refused::ByPage(request::RESOURCE_PARAMETER.problem()));
    }
    if application.redirect_uris.is_empty() {
        return Err(Refused::ByPage(
            request::NO_REPLY_ADDRESS_REGISTERED.problem(),
        ));
    }
    let requested = params
        .get("redirect_uri")
        .ok_or(Refused::ByPage(request::NO_REPLY_ADDRESS.problem()))?;
    let registered = redirect_uri::find(&application, requested).ok_or_else(|| {
        Refused::ByPage(request::REDIRECT_URI_MISMATCH.with([requested, &application.client_id]))
    })?;
    let platform = registered.platform;
    let mode = params.get("response_mode");
    let answer = Answer {
        redirect_uri: requested.to_owned(),
        // An unknown mode is reported in the usual one.
        mode: mode.and_then(ResponseMode::parse).unwrap_or_default(),
        state: params.get("state").map(str::to_owned),
    };
    let refuse = |problem| Refused::ByRedirect(Box::new(answer.clone()), problem);
    check_response_type(params).map_err(refuse)?;
    if let Some(mode) = mode.filter(|mode| ResponseMode::parse(mode).is_none()) {
        return Err(refuse(request::UNSUPPORTED_RESPONSE_MODE.with([mode])));
    }
    let prompt = params
        .get("prompt")
        .map(Prompt::parse)
        .transpose()
        .map_err(refuse)?;
    if prompt == Some(Prompt::SelectAccount) && params.get("login_hint").is_some() {
        return Err(refuse(request::PROMPT_AND_HINT.problem()));
    }
    let tenants = authority.directory.tenants();
    let tenant = segment.tenant(&tenants);
    let scopes = params
        .required("scope")
        .and_then(|scope| RequestedScopes::parse(scope, &application, &tenant.display_name))
        .map_err(refuse)?;
    for target in &scopes.targets {
        gate::check_resource(tenant, &application, target.resource).map_err(refuse)?;
    }
    drop(tenants);
    if platform == Platform::Spa && params.get("code_challenge").is_none() {
        return Err(refuse(request::PKCE_REQUIRED.problem()));
    }
    let challenge = Challenge::parse(
        params.get("code_challenge"),
        params.get("code_challenge_method"),
    )
    .map_err(refuse)?;
    let request = AuthorizeRequest {
        segment,
        platform,
        scopes,
        nonce: params.get("nonce").map(Secret::new),
        challenge,
        prompt,
        login_hint: params
            .get("login_hint")
            .map(|hint| hint.chars().take(254).collect()),
        domain_hint: params
            .get("domain_hint")
            .map(|hint| hint.chars().take(254).collect()),
        client_info: params.get("client_info") == Some("1"),
        answer,
    };
    Ok((application, request))
}

fn check_response_type(params: &Params) -> Result<(), Problem> {
    match params.required("response_type")? {
        "code" => Ok(()),
        "id_token" | "token" | "code id_token" | "id_token code" | "id_token token"
        | "token id_token" => Err(request::IMPLICIT_OFF.problem()),
        other => Err(request::UNSUPPORTED_RESPONSE.with([other])),
    }
}

impl Prompt {
    fn parse(prompt: &str) -> Result<Self, Problem> {
        match prompt {
            "none" => Ok(Self::None),
            "login" => Ok(Self::Login),
            "select_account" => Ok(Self::SelectAccount),
            "consent" => Ok(Self::Consent),
            other => Err(request::UNSUPPORTED_PROMPT.with([other])),
        }
    }
}
