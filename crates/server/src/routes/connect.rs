//! `/connect/{client_token}`: the link behind the button.

use actix_web::{HttpRequest, HttpResponse, delete, get, options, post, web::Data};
use mailgrant_storage::{Outcome, SecretHash};
use serde::Deserialize;
use utoipa::ToSchema;

use super::connect_status::{Standing, cors, preflight};
use crate::{
    connect,
    http::{Form, Path},
    problem::Problem,
    state::Gateway,
};

#[derive(Debug, Deserialize)]
pub(crate) struct Token {
    pub(super) client_token: String,
}

/// Opens the connect link: leads on to the authority, or first asks whether the person meant to.
#[utoipa::path(tag = "connect pages", operation_id = "open_connect_link", params(("client_token" = String, Path)),
    responses(
        (status = 303, description = "Onward to the authority"),
        (status = 200, description = "A question, or how the session ended", content_type = "text/html", body = String),
        (status = 404, description = "Unknown link", content_type = "text/html", body = String),
    ))]
#[get("/connect/{client_token}")]
pub(crate) async fn get(
    gateway: Data<Gateway>,
    request: HttpRequest,
    token: Path<Token>,
) -> HttpResponse {
    connect::enter(&gateway, &request, &token.0.client_token)
        .await
        .unwrap_or_else(connect::Page::respond)
}

/// The form of the question.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Answer {
    /// Proves that the form was shown in this browser.
    #[serde(default)]
    form_token: String,
}

impl Answer {
    /// The form's proof; empty when there was no form, or none of ours.
    pub(super) fn form_token(answer: Option<Form<Self>>) -> String {
        answer.map(|form| form.0.form_token).unwrap_or_default()
    }
}

/// The person has answered the question with yes.
#[utoipa::path(tag = "connect pages", operation_id = "confirm_connect_link", params(("client_token" = String, Path)),
    responses(
        (status = 303, description = "Onward to the authority"),
        (status = 200, description = "How the session ended", content_type = "text/html", body = String),
        (status = 404, description = "Unknown link", content_type = "text/html", body = String),
        (status = 403, description = "The form was not sent by the page of this browser", content_type = "text/html", body = String),
    ))]
#[post("/connect/{client_token}")]
pub(crate) async fn post(
    gateway: Data<Gateway>,
    request: HttpRequest,
    token: Path<Token>,
    answer: Option<Form<Answer>>,
) -> HttpResponse {
    let form_token = Answer::form_token(answer);
    connect::confirm(&gateway, &request, &token.0.client_token, &form_token)
        .await
        .unwrap_or_else(connect::Page::respond)
}

/// The person gave up. Whoever is first decides: after the authority's answer has come back it is too late.
#[utoipa::path(tag = "connect pages", operation_id = "give_up", params(("client_token" = String, Path)),
    responses(
        (status = 200, description = "`given_up`, or how the session stands", body = Standing),
        (status = 404, description = "Unknown session", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[delete("/connect/{client_token}")]
pub(crate) async fn delete(
    gateway: Data<Gateway>,
    request: HttpRequest,
    token: Path<Token>,
) -> Result<HttpResponse, Problem> {
    let token = SecretHash::of(&token.0.client_token);
    let sessions = gateway.storage.connect_sessions();
    let session = sessions.find_by_client_token(&token, gateway.now()).await?;
    let session = session.ok_or_else(|| Problem::not_found("connect session"))?;
    let diagnosis = connect::cancelled(&gateway, &session);
    let outcome = sessions
        .give_up(&token, diagnosis.to_json(), gateway.now())
        .await?;
    let (session, standing) = match outcome {
        Outcome::Done(session) => {
            gateway.tell(&session.id);
            let standing = Standing::given_up(&gateway, &session);
            (session, standing)
        }
        Outcome::Refused(session) => {
            let standing = Standing::of(&gateway, &session);
            (*session, standing)
        }
        Outcome::Unknown => return Err(Problem::not_found("connect session")),
    };
    Ok(cors(&request, &session.origin, HttpResponse::Ok()).json(standing))
}

/// Tells browsers who may ask.
#[utoipa::path(tag = "connect pages", operation_id = "connect_preflight", params(("client_token" = String, Path)),
    responses(
        (status = 204, description = "CORS"),
        (status = 404, description = "Unknown session", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[options("/connect/{client_token}")]
pub(crate) async fn options(
    gateway: Data<Gateway>,
    request: HttpRequest,
    token: Path<Token>,
) -> Result<HttpResponse, Problem> {
    preflight(&gateway, &request, &token.0.client_token).await
}
