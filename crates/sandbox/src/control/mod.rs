//! The control API: moves the clock, breaks things, looks at what happened.
//!
//! On the plain authority's port, under `/control`. Every request must carry `X-Sandbox-Control: 1`, must name the
//! host `localhost` or `127.0.0.1` and must not come from a web page (no `Origin`, no `Sec-Fetch-Site`), unless that
//! is the sandbox's own at `/`: a page that a browser of this machine happens to show can reach the port, but not the
//! API. Changes are written to the request log as `control`.
//!
//! | request | body | answer |
//! | --- | --- | --- |
//! | `GET /control/requests` | | `{"requests": […], "counts": {"token.refresh_token": 2, …}, "last": 7, "oldest": 1}` |
//! | `GET /control/requests?after=7&wait=30` | | the same, of requests after number 7; waits for the first of them |
//! | `DELETE /control/requests` | | 204 |
//! | `GET /control/clock`, `POST /control/clock` | `{"advance_seconds": 3600}` or `{"offset_seconds": 0}` | `{"now", "offset_seconds"}` |
//! | `GET /control/faults`, `POST /control/faults` | a [`FaultPlan`] | the plan in force |
//! | `GET /control/imap/sessions` | | `{"open": [{"mailbox", "sessions"}]}` |
//! | `POST /control/imap/end` | `{"mailbox"}`, `{"bye": "Session invalidated - AccessTokenExpired"}`; neither is needed | `{"ended": 3}`: these were told `* BYE` |
//! | `POST /control/revoke` | `{"user": "ada.finch@tarnbrook.test"}` | 204; the person's refresh tokens answer AADSTS50173 |
//! | `POST /control/token-lifetime` | `{"seconds": 60}` | 204 |
//! | `POST /control/consent` | `{"require_admin": true}` and, or, `{"withdraw": CLIENT_ID}`; of one `tenant` | 204 |
//! | `POST /control/keys/rotate` | `{}` or `{"retire": true}` | 204; signs with the key published for it; `retire` makes what was signed before invalid |
//! | `GET /control/outbox`, `DELETE /control/outbox` | | `{"sent": [{"id", "at", "user", "client_id", "mail_from", "recipients", …}]}`; 204 |
//! | `GET`, `DELETE /control/outbox/{id}`, `GET /control/outbox/{id}/raw` | | one of them; 204; the message as it was handed in |
//! | `POST /control/expire` | `{"access_tokens": true}`, `refresh_tokens`, `authorization_codes`; of one `user` or `application` | 204; what was issued so far has ended |
//! | `POST /control/deliver` | `{"mailbox", "from", "subject", "text"}`, or `raw` or `raw_base64`; `folder`, `flags`, `received_at`; or a list of them | `{"delivered": [{"mailbox", "folder", "uid", "uid_validity"}]}` |
//! | `POST /control/folder` | `{"mailbox"}` with `create`, `delete`, `rename` and `to`, or `recreate` (another UIDVALIDITY) | the folder |
//! | `/control/directory/…` | the tenant file's entries as JSON | see [`directory`] |
//! | `POST /control/workload-token` | `{"subject": "system:serviceaccount:mail:reader"}`; `audience`, `seconds` | `{"issuer", "token"}` for a federated credential |
//! | `GET /control/cmdlets`, `POST /control/cmdlets/{name}` | a cmdlet's parameters | see [`cmdlets`] |
//!
//! An error is `{"error": TEXT}` with status 400, 403 or 404. What changes something is in the log of requests, under
//! its method and path.

mod clock;
pub mod cmdlets;
mod consent;
mod deliver;
pub mod directory;
mod expire;
mod fault_plan;
mod faults;
mod folder;
mod guard;
mod imap_sessions;
mod keys;
mod log;
mod outbox;
mod requests;
mod revoke;
mod token_lifetime;
mod workload_token;

use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::mailstore::StoreError;

pub use crate::imap::fault::{Distortion, ImapFault, ImapRule, Preset};
pub use crate::net::fault::{Garbage, TransportFault};
pub use crate::net::rule::ReplyRule;
pub use crate::pop3::Pop3Fault;
pub use crate::smtp::SmtpFault;
pub use fault_plan::{AuthorityFault, FaultPlan, Faults};
pub use log::{Entry, RequestLog};

/// Routes of the control API.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    let queries = web::QueryConfig::default().error_handler(|error, _| {
        let response = refusal(&error.to_string());
        actix_web::error::InternalError::from_response(error, response).into()
    });
    config.service(
        web::scope("/control")
            .wrap(from_fn(guard::check))
            .app_data(json_bodies(64 * 1024))
            .app_data(queries)
            .route("/requests", web::get().to(requests::get))
            .route("/requests", web::delete().to(requests::delete))
            .route("/clock", web::get().to(clock::get))
            .route("/clock", web::post().to(clock::post))
            .route("/faults", web::get().to(faults::get))
            .route("/faults", web::post().to(faults::post))
            .route("/imap/sessions", web::get().to(imap_sessions::get))
            .route("/imap/end", web::post().to(imap_sessions::end))
            .route("/revoke", web::post().to(revoke::post))
            .route("/token-lifetime", web::post().to(token_lifetime::post))
            .route("/consent", web::post().to(consent::post))
            .route("/workload-token", web::post().to(workload_token::post))
            .route("/keys/rotate", web::post().to(keys::rotate))
            .route("/outbox", web::get().to(outbox::list))
            .route("/outbox", web::delete().to(outbox::clear))
            .route("/outbox/{id}", web::get().to(outbox::get))
            .route("/outbox/{id}", web::delete().to(outbox::delete))
            .route("/outbox/{id}/raw", web::get().to(outbox::raw))
            .route("/expire", web::post().to(expire::post))
            .route("/folder", web::post().to(folder::post))
            .service(
                web::resource("/deliver")
                    .app_data(json_bodies(deliver::LARGEST))
                    .post(deliver::post),
            )
            .configure(directory::configure)
            .route("/cmdlets", web::get().to(cmdlets::list))
            .route("/cmdlets/{name}", web::post().to(cmdlets::post)),
    );
}

fn json_bodies(limit: usize) -> web::JsonConfig {
    web::JsonConfig::default()
        .limit(limit)
        .error_handler(|error, _| {
            let response = refusal(&error.to_string());
            actix_web::error::InternalError::from_response(error, response).into()
        })
}

/// A mailbox that did not do what it was asked.
fn store_refusal(error: &StoreError) -> HttpResponse {
    let body = json!({ "error": error.to_string() });
    match error {
        StoreError::NoSuchFolder { .. } => HttpResponse::NotFound().json(body),
        StoreError::Io { .. } | StoreError::InUse { .. } => {
            HttpResponse::InternalServerError().json(body)
        }
        _ => HttpResponse::BadRequest().json(body),
    }
}

fn refusal(problem: &str) -> HttpResponse {
    HttpResponse::BadRequest().json(json!({ "error": problem }))
}

/// Something could not be written down.
fn failure(error: &crate::Error) -> HttpResponse {
    HttpResponse::InternalServerError().json(json!({ "error": error.to_string() }))
}
