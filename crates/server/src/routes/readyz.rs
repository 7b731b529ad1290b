//! `/readyz`: can it serve?

use std::time::Duration;

use actix_web::{HttpResponse, get, web::Data};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::{
    problem::{Code, Problem},
    state::Gateway,
};

/// What was looked at.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// The database answers.
    storage: &'static str,
}

/// The gateway can serve: its database answers.
#[utoipa::path(tag = "gateway", operation_id = "readiness",
    responses(
        (status = 200, description = "Ready", body = Readiness),
        (status = 503, description = "Not ready", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[get("/readyz")]
pub(crate) async fn get(gateway: Data<Gateway>) -> Result<HttpResponse, Problem> {
    if gateway.stopping.is_cancelled() {
        return Err(Problem::new(Code::Busy, "the gateway is stopping"));
    }
    match timeout(PATIENCE, gateway.storage.ping()).await {
        Ok(pong) => pong?,
        Err(_) => {
            return Err(Problem::new(
                Code::StorageUnavailable,
                "the database does not answer in time",
            )
            .retry_after(Some(PATIENCE)));
        }
    }
    Ok(HttpResponse::Ok().json(Readiness { storage: "ok" }))
}

const PATIENCE: Duration = Duration::from_secs(3);
