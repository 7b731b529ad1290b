//! `/connect/{client_token}/status`: how a connect session stands, for the page that shows the button.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError, get, http::header, options,
    web::Data,
};
use mailgrant_storage::{ConnectSession, SecretHash};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, timeout_at},
};
use utoipa::{IntoParams, ToSchema};

use super::connect::Token;
use crate::{
    connect,
    diagnosis::Diagnosis,
    http::{Path, Query},
    problem::Problem,
    representation::words,
    state::Gateway,
};

/// How a session stands, as much as the page may know.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Standing {
    #[schema(schema_with = words::standing)]
    status: &'static str,
    #[schema(schema_with = words::phase)]
    phase: &'static str,
    /// Names this status and phase; given back as `since`, the next answer waits for another.
    #[schema(example = "pending.started")]
    version: String,
    /// `cs_…`
    connect_session: String,
    /// `acc_…`, once connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    /// The link to send to an administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_consent_url: Option<String>,
    /// Why it failed or waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnosis: Option<Diagnosis>,
}

impl Standing {
    pub(super) fn of(gateway: &Gateway, session: &ConnectSession) -> Self {
        let diagnosis = connect::diagnosis(gateway, session);
        Self {
            status: session.status.as_str(),
            phase: connect::phase(session),
            version: version(session),
            connect_session: session.id.to_string(),
            account_id: session.account.as_ref().map(ToString::to_string),
            admin_consent_url: diagnosis
                .as_ref()
                .and_then(|diagnosis| diagnosis.admin_consent_url.clone()),
            diagnosis,
        }
    }

    pub(super) fn given_up(gateway: &Gateway, session: &ConnectSession) -> Self {
        Self {
            status: "given_up",
            ..Self::of(gateway, session)
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wait {
    /// Seconds to wait for a change, at most 60.
    #[param(minimum = 0, maximum = 60)]
    wait: Option<u64>,
    /// The `version` that is known already: answers at once when the session is past it. Without it, what changed between
    /// two questions is heard only with the change after.
    since: Option<String>,
}

/// How the session stands; waits for the next change when asked to.
#[utoipa::path(tag = "connect pages", operation_id = "connect_status", params(("client_token" = String, Path), Wait),
    responses(
        (status = 200, description = "How it stands", body = Standing),
        (status = 404, description = "Unknown session", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = 422, description = "`wait` is out of range", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[get("/connect/{client_token}/status")]
pub(crate) async fn get(
    gateway: Data<Gateway>,
    request: HttpRequest,
    token: Path<Token>,
    wait: Query<Wait>,
) -> Result<HttpResponse, Problem> {
    let Wait { wait, since } = wait.0;
    let wait = wait.unwrap_or(0);
    if wait > LONGEST_WAIT {
        return Err(Problem::field(
            "wait",
            format!("must be between 0 and {LONGEST_WAIT}"),
        ));
    }
    let wait = Duration::from_secs(wait);
    let session = match changed(&gateway, &token.0.client_token, since, wait).await {
        Ok(session) => session,
        Err(problem) => return Ok(readable_by_all(&problem)),
    };
    Ok(cors(&request, &session.origin, HttpResponse::Ok()).json(Standing::of(&gateway, &session)))
}

/// Tells browsers who may ask.
#[utoipa::path(tag = "connect pages", operation_id = "status_preflight", params(("client_token" = String, Path)),
    responses(
        (status = 204, description = "CORS"),
        (status = 404, description = "Unknown session", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[options("/connect/{client_token}/status")]
pub(crate) async fn options(
    gateway: Data<Gateway>,
    request: HttpRequest,
    token: Path<Token>,
) -> Result<HttpResponse, Problem> {
    preflight(&gateway, &request, &token.0.client_token).await
}

/// Where there is no session there is no site that alone may read, and a page that cannot read the answer takes it for
/// a network that is down and asks again.
fn readable_by_all(problem: &Problem) -> HttpResponse {
    let mut response = problem.error_response();
    response.headers_mut().insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        header::HeaderValue::from_static("*"),
    );
    response
}

/// Lets the session's own site read the answer, and nobody else.
pub(super) fn cors(
    request: &HttpRequest,
    origin: &str,
    mut response: HttpResponseBuilder,
) -> HttpResponseBuilder {
    response.insert_header((header::VARY, "Origin"));
    if request
        .headers()
        .get(header::ORIGIN)
        .is_some_and(|asking| asking.as_bytes() == origin.as_bytes())
    {
        response.insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin));
        response.insert_header((header::ACCESS_CONTROL_EXPOSE_HEADERS, "Retry-After"));
        response.insert_header(("Cross-Origin-Resource-Policy", "cross-origin"));
    }
    response
}

pub(super) async fn preflight(
    gateway: &Gateway,
    request: &HttpRequest,
    client_token: &str,
) -> Result<HttpResponse, Problem> {
    let session = lookup(gateway, client_token).await?;
    Ok(cors(request, &session.origin, HttpResponse::NoContent())
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, DELETE"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "accept"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"))
        .finish())
}

async fn lookup(gateway: &Gateway, client_token: &str) -> Result<ConnectSession, Problem> {
    gateway
        .storage
        .connect_sessions()
        .find_by_client_token(&SecretHash::of(client_token), gateway.now())
        .await?
        .ok_or_else(|| Problem::not_found("connect session"))
}

/// The session once it is at another version than `since` (by default the present one), or when the time is up. Replicas
/// do not hear of each other's changes, so it is also looked at now and then.
async fn changed(
    gateway: &Gateway,
    client_token: &str,
    since: Option<String>,
    wait: Duration,
) -> Result<ConnectSession, Problem> {
    let mut news = gateway.news.subscribe();
    let mut current = lookup(gateway, client_token).await?;
    let since = since.unwrap_or_else(|| version(&current));
    let deadline = Instant::now() + wait;
    while !wait.is_zero() && !current.status.is_final() && version(&current) == since {
        let next_look = deadline.min(Instant::now() + LOOK);
        let heard = async {
            loop {
                match news.recv().await {
                    Ok(session) if session == current.id => break,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            _ = timeout_at(next_look, heard) => {}
            () = gateway.stopping.cancelled() => break,
        }
        current = lookup(gateway, client_token).await?;
        if Instant::now() >= deadline {
            break;
        }
    }
    Ok(current)
}

fn version(session: &ConnectSession) -> String {
    format!("{}.{}", session.status.as_str(), connect::phase(session))
}

const LONGEST_WAIT: u64 = 60;
const LOOK: Duration = Duration::from_secs(2);
