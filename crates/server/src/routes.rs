//! The URL tree. One file for each URL, one function for each method.

mod access_token;
mod account;
mod accounts;
mod attachment;
mod callback;
mod connect;
mod connect_assets;
mod connect_session;
mod connect_sessions;
mod connect_status;
mod docs;
mod email;
mod emails;
mod events;
mod healthz;
mod mailboxes;
mod openapi;
mod raw;
mod readyz;
mod reauth;
mod widget;

use actix_web::middleware::from_fn;
use serde_json::json;
use utoipa::{
    OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_actix_web::{scope, service_config::ServiceConfig};

pub(crate) use self::events::Places;
use crate::{
    http::{authenticate, no_route},
    problem::Code,
};

/// All routes; the API's description is collected from the same list.
pub(crate) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(healthz::get)
        .service(readyz::get)
        .service(openapi::get)
        .service(docs::get)
        .service(docs::asset)
        .service(connect_assets::get)
        .service(connect_status::get)
        .service(connect_status::options)
        .service(connect::get)
        .service(connect::post)
        .service(connect::delete)
        .service(connect::options)
        .service(reauth::get)
        .service(reauth::post)
        .service(callback::get)
        .service(widget::get)
        .service(
            scope("/v1")
                .wrap(from_fn(authenticate))
                .configure(v1)
                .default_service(actix_web::web::to(no_route)),
        );
}

fn v1(config: &mut ServiceConfig<'_>) {
    config
        .service(connect_sessions::post)
        .service(connect_session::get)
        .service(accounts::get)
        .service(accounts::post)
        .service(account::get)
        .service(account::patch)
        .service(account::delete)
        .service(access_token::post)
        .service(mailboxes::get)
        .service(emails::get)
        .service(email::get)
        .service(raw::get)
        .service(attachment::get)
        .service(events::get);
}

/// The description's frame.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "mailgrant",
        description = "Mailboxes connected by OAuth 2.0, read through one API. Every error is a problem document (RFC 9457) with a stable `code`. Lists answer `items` and `next_cursor`; give the cursor back to get the next page.",
        license(name = "Apache-2.0 OR MIT"),
    ),
    tags(
        (name = "connect sessions", description = "Let a person connect a mailbox"),
        (name = "accounts", description = "Connected mailboxes"),
        (name = "mail", description = "Folders and emails"),
        (name = "events", description = "What happened, in order"),
        (name = "connect pages", description = "What the person's browser and the widget use; the client token is the credential"),
        (name = "gateway", description = "The gateway itself"),
    ),
    modifiers(&Security),
)]
pub(crate) struct Description;

struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let codes: Vec<_> = Code::ALL
            .iter()
            .map(|code| json!({"code": code.as_str(), "status": code.status().as_u16(), "title": code.title()}))
            .collect();
        api.extensions
            .get_or_insert_default()
            .insert("x-problem-codes".to_owned(), codes.into());
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description =
            Some("An API key: `mgk_…`. `mailgrant keys create --scope …` makes one.".to_owned());
        api.components
            .get_or_insert_default()
            .add_security_scheme("api_key", SecurityScheme::Http(scheme));
    }
}
