//! The OAuth 2.0 and OpenID Connect authority, one endpoint a file.

mod admin_consent;
mod answer;
mod assertion;
mod assets;
mod authorize;
mod browser;
mod code;
mod consent;
mod credentials;
mod device;
mod device_approval;
mod devicecode;
mod discovery;
mod fault;
mod flow;
mod gate;
mod headers;
mod instance_discovery;
mod keys;
mod logout;
mod loops;
mod pages;
mod params;
mod problem;
mod redirect_uri;
mod scopes;
mod second_step;
mod sign_in;
mod state;
mod stay;
mod step;
mod tenant;
mod token;
mod tokens;
mod userinfo;
pub(crate) mod workload;

use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

pub(crate) use problem::meaning;
pub(crate) use state::{Addresses, Authority};

/// Routes of the authority; those without a tenant first.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("")
            .wrap(from_fn(fault::show))
            .wrap(from_fn(headers::add))
            .route("/assets/{file}", web::get().to(assets::get))
            .route("/error", web::get().to(explain))
            .route(
                "/workload/.well-known/openid-configuration",
                web::get().to(workload::discovery),
            )
            .route("/workload/keys", web::get().to(workload::keys))
            .route("/oidc/userinfo", web::get().to(userinfo::get))
            .route("/oidc/userinfo", web::post().to(userinfo::get))
            .route(
                "/{tenant}/v2.0/.well-known/openid-configuration",
                web::get().to(discovery::get),
            )
            .route(
                "/{tenant}/.well-known/openid-configuration",
                web::get().to(discovery::get_v1),
            )
            .route(
                "/{tenant}/discovery/instance",
                web::get().to(instance_discovery::get),
            )
            .route("/{tenant}/discovery/v2.0/keys", web::get().to(keys::get))
            .route("/{tenant}/discovery/keys", web::get().to(keys::get))
            .route(
                "/{tenant}/oauth2/v2.0/authorize",
                web::get().to(authorize::get),
            )
            .route(
                "/{tenant}/oauth2/v2.0/authorize",
                web::post().to(authorize::post),
            )
            .route("/{tenant}/oauth2/v2.0/token", web::post().to(token::post))
            .route(
                "/{tenant}/oauth2/v2.0/token",
                web::get().to(token::wrong_verb),
            )
            .route(
                "/{tenant}/oauth2/v2.0/devicecode",
                web::post().to(devicecode::post),
            )
            .route("/device", web::get().to(device_approval::get))
            .route("/device", web::post().to(device_approval::post))
            .route(
                "/{tenant}/oauth2/deviceauth",
                web::get().to(device_approval::get),
            )
            .route(
                "/{tenant}/deviceconfirm",
                web::post().to(device_approval::confirm),
            )
            .route("/{tenant}/oauth2/v2.0/logout", web::get().to(logout::get))
            .route("/{tenant}/adminconsent", web::get().to(admin_consent::get))
            .route(
                "/{tenant}/v2.0/adminconsent",
                web::get().to(admin_consent::get),
            )
            .route("/{tenant}/login", web::get().to(sign_in::get))
            .route("/{tenant}/login", web::post().to(sign_in::post))
            .route("/{tenant}/stay", web::post().to(stay::post))
            .route("/{tenant}/select", web::post().to(sign_in::pick))
            .route("/{tenant}/second-step", web::post().to(second_step::post))
            .route("/{tenant}/consent", web::post().to(consent::post))
            .route("/{tenant}/resume", web::post().to(consent::resume)),
    );
}

/// Whether an AADSTS number can be answered with.
pub(crate) fn knows(code: u32) -> bool {
    problem::find(code).is_some()
}

#[derive(Deserialize)]
struct Explain {
    code: u32,
}

/// `/error?code=…`: what a number means.
async fn explain(authority: web::Data<Authority>, query: web::Query<Explain>) -> HttpResponse {
    pages::explanation(&authority, query.code)
}
