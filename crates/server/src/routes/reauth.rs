//! `/reauth/{token}`: the link by which a person signs in again, so that an account of theirs works again.

use actix_web::{HttpRequest, HttpResponse, get, post, web::Data};
use serde::Deserialize;

use super::connect::Answer;
use crate::{
    connect,
    http::{Form, Path},
    state::Gateway,
};

#[derive(Debug, Deserialize)]
pub(crate) struct Link {
    token: String,
}

/// Shows which mailbox is meant and who must sign in. Changes nothing, so that it may be opened by anything.
#[utoipa::path(tag = "connect pages", operation_id = "open_reauth_link", params(("token" = String, Path)),
    responses(
        (status = 200, description = "The question", content_type = "text/html", body = String),
        (status = 404, description = "No such link, or it has served", content_type = "text/html", body = String),
    ))]
#[get("/reauth/{token}")]
pub(crate) async fn get(
    gateway: Data<Gateway>,
    request: HttpRequest,
    link: Path<Link>,
) -> HttpResponse {
    connect::reopen(&gateway, &request, &link.0.token)
        .await
        .unwrap_or_else(connect::Page::respond)
}

/// The person has answered the question with yes.
#[utoipa::path(tag = "connect pages", operation_id = "confirm_reauth_link", params(("token" = String, Path)),
    responses(
        (status = 303, description = "Onward to the authority"),
        (status = 403, description = "The form was not sent by the page of this browser", content_type = "text/html", body = String),
        (status = 404, description = "No such link, or it has served", content_type = "text/html", body = String),
        (status = 429, description = "Used too often in a short while", content_type = "text/html", body = String),
    ))]
#[post("/reauth/{token}")]
pub(crate) async fn post(
    gateway: Data<Gateway>,
    request: HttpRequest,
    link: Path<Link>,
    answer: Option<Form<Answer>>,
) -> HttpResponse {
    let form_token = Answer::form_token(answer);
    connect::resume(&gateway, &request, &link.0.token, &form_token)
        .await
        .unwrap_or_else(connect::Page::respond)
}
