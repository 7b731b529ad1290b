//! `/v1/connect-sessions/{connect_session}`: how it went.

use actix_web::{HttpResponse, get, web::Data};
use mailgrant_storage::ConnectSessionId;
use serde::Deserialize;

use crate::{
    http::{Caller, Connect, Path},
    problem::Problem,
    representation::ConnectSessionView,
    state::Gateway,
};

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    connect_session: String,
}

/// How a connect session stands.
#[utoipa::path(tag = "connect sessions", operation_id = "get_connect_session", params(("connect_session" = String, Path)), security(("api_key" = ["connect"])),
    responses(
        (status = 200, description = "The session", body = ConnectSessionView),
        (status = "4XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[get("/connect-sessions/{connect_session}")]
pub(crate) async fn get(
    caller: Caller<Connect>,
    gateway: Data<Gateway>,
    which: Path<Which>,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::not_found("connect session");
    let id: ConnectSessionId = which.0.connect_session.parse().map_err(|_| unknown())?;
    let session = gateway
        .storage
        .connect_sessions()
        .lookup(&caller.site, &id, gateway.now())
        .await?
        .ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().json(ConnectSessionView::of(&gateway, session)))
}
