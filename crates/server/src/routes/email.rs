//! `/v1/accounts/{account}/emails/{email}`: one email, taken apart.

use actix_web::web::Data;
use actix_web::{HttpResponse, get, web};
use mailgrant_mail::message::{self, Email, Facts, HtmlForm};
use serde::Deserialize;
use utoipa::IntoParams;

use super::account;
use crate::{
    email_id::EmailId,
    http::{Caller, MailRead, Path, Query},
    problem::{Code, Problem},
    reading,
    state::Gateway,
};

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    pub(super) account: String,
    pub(super) email: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Form {
    /// `raw`: `htmlBody` as the sender wrote it, not safe to show. Left out: sanitised.
    #[param(value_type = Option<String>)]
    html: Option<Html>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Html {
    Raw,
    Sanitised,
}

/// One email.
#[utoipa::path(tag = "mail", operation_id = "get_email", params(("account" = String, Path), ("email" = String, Path), Form), security(("api_key" = ["mail:read"])),
    responses(
        (status = 200, description = "The email", body = Email),
        (status = 410, description = "`uidvalidity_changed`: the mailbox was rebuilt", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "4XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[get("/accounts/{account}/emails/{email}")]
pub(crate) async fn get(
    caller: Caller<MailRead>,
    gateway: Data<Gateway>,
    which: Path<Which>,
    form: Query<Form>,
) -> Result<HttpResponse, Problem> {
    let html = match form.0.html {
        Some(Html::Raw) => HtmlForm::Raw,
        Some(Html::Sanitised) | None => HtmlForm::Sanitised,
    };
    let (facts, raw) = whole(&gateway, &caller.site, &which.0).await?;
    let email = apart(move || message::email(&raw, facts, html)).await?;
    Ok(HttpResponse::Ok().json(email))
}

/// Reads the email that the path names.
pub(super) async fn whole(
    gateway: &Gateway,
    site: &str,
    which: &Which,
) -> Result<(Facts, Vec<u8>), Problem> {
    let id = id(which)?;
    let account = account::find(gateway, site, &which.account).await?;
    let _turn = gateway
        .readers
        .acquire()
        .await
        .map_err(|_| Problem::new(Code::Busy, "the gateway is stopping"))?;
    gateway
        .pool
        .run(&account, async |session| reading::whole(session, &id).await)
        .await?
}

pub(super) fn id(which: &Which) -> Result<EmailId, Problem> {
    EmailId::decode(&which.email).map_err(|_| Problem::not_found("email"))
}

/// Takes an email apart where it holds nobody up.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    web::block(work).await.map_err(|_| {
        Problem::new(
            Code::Internal,
            "the email could not be taken apart; read it from …/raw",
        )
    })
}
