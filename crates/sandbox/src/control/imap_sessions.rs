//! `/control/imap/sessions`: who is connected, and ending it.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::refusal;
use crate::authority::Authority;

#[derive(Serialize)]
struct Open {
    mailbox: String,
    sessions: usize,
}

/// Whose sessions end, and with which words.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Ending {
    /// Everybody's when absent.
    mailbox: Option<String>,
    /// What stands behind `* BYE`.
    bye: Option<String>,
}

pub(super) async fn get(authority: web::Data<Authority>) -> HttpResponse {
    let open: Vec<Open> = authority
        .imap_sessions
        .counts()
        .into_iter()
        .map(|(mailbox, sessions)| Open { mailbox, sessions })
        .collect();
    HttpResponse::Ok().json(json!({ "open": open }))
}

pub(super) async fn end(
    authority: web::Data<Authority>,
    ending: web::Json<Ending>,
) -> HttpResponse {
    let bye = ending.bye.as_deref().unwrap_or(EXPIRED);
    if bye.is_empty() || bye.contains(char::is_control) {
        return refusal("bye: one line");
    }
    let ended = authority.imap_sessions.end(ending.mailbox.as_deref(), bye);
    HttpResponse::Ok().json(json!({ "ended": ended }))
}

const EXPIRED: &str = "Session invalidated - AccessTokenExpired";
