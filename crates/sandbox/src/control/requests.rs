//! `/control/requests`: what was asked, what was answered, and what that means.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Entry, refusal};
use crate::authority::Authority;
use crate::console::{Explanation, explain};

/// Which requests are wanted.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wanted {
    /// Only those after this id.
    after: u64,
    /// How many seconds to wait for the first of them.
    wait: u64,
}

pub(super) async fn get(
    authority: web::Data<Authority>,
    wanted: web::Query<Wanted>,
) -> HttpResponse {
    if wanted.wait > LONGEST_WAIT {
        return refusal(&format!("wait: at most {LONGEST_WAIT} seconds"));
    }
    if wanted.wait > 0 {
        let patience = Duration::from_secs(wanted.wait);
        authority.log.wait(wanted.after, patience).await;
    }
    let excerpt = authority.log.since(wanted.after);
    let tenants = authority.directory.tenants();
    let requests: Vec<Explained<'_>> = excerpt
        .entries
        .iter()
        .map(|entry| {
            let application = entry
                .client_id
                .as_deref()
                .and_then(|client_id| tenants.application(client_id))
                .map(|application| application.display_name.as_str());
            Explained {
                entry,
                application,
                explanation: explain(entry, application),
            }
        })
        .collect();
    HttpResponse::Ok().json(json!({
        "requests": requests,
        "counts": excerpt.counts,
        "last": excerpt.last,
        "oldest": excerpt.oldest,
    }))
}

pub(super) async fn delete(authority: web::Data<Authority>) -> HttpResponse {
    authority.log.clear();
    HttpResponse::NoContent().finish()
}

/// A request with its meaning.
#[derive(Serialize)]
struct Explained<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    /// The application's name, when the directory knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<&'a str>,
    explanation: Explanation,
}

/// A proxy or a test's own deadline may end a longer one first.
const LONGEST_WAIT: u64 = 30;
