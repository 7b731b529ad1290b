//! `/control/workload-token`: a token of the sandbox's own workload issuer, to be sent as a client assertion.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::failure;
use crate::authority::{Authority, workload};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// `sub`
    subject: String,
    /// `aud`
    #[serde(default = "token_exchange")]
    audience: String,
    /// How long it holds.
    #[serde(default = "ten_minutes")]
    seconds: u32,
}

pub(super) async fn post(
    authority: web::Data<Authority>,
    wanted: web::Json<Wanted>,
) -> HttpResponse {
    let Wanted {
        subject,
        audience,
        seconds,
    } = wanted.into_inner();
    match workload::token(&authority, &subject, &audience, seconds.into()) {
        Ok(token) => HttpResponse::Ok().json(json!({
            "issuer": workload::issuer(&authority),
            "token": token,
        })),
        Err(error) => failure(&error),
    }
}

fn token_exchange() -> String {
    "api://AzureADTokenExchange".to_owned()
}

fn ten_minutes() -> u32 {
    600
}
