//! `/control/directory`: the tenant, to look at and to change while it is used.
//!
//! The bodies are the tenant file's entries as JSON: what is `[[user]]` there is one of `users` here. A change is
//! checked as the file is, written down before it is answered, and made again at the next start.
//!
//! | collection | an entry | its key in the path |
//! | --- | --- | --- |
//! | `tenant` | `[tenant]` | none: there is one |
//! | `users` | `[[user]]` | the address |
//! | `personal_accounts` | `[[personal_account]]` | the address |
//! | `shared_mailboxes` | `[[shared_mailbox]]` | the address |
//! | `applications` | `[[application]]` | the client id |
//! | `enterprise_applications` | `[[enterprise_application]]` | the client id |
//! | `service_principals` | `[[service_principal]]` | the client id |
//! | `mailbox_permissions` | `[[mailbox_permission]]` | `MAILBOX/TRUSTEE` |
//! | `consents` | `[[consent]]` | `CLIENT_ID/USER` |
//!
//! | request | what | answer |
//! | --- | --- | --- |
//! | `GET /control/directory` | everything; with `?format=toml` a tenant file | `{"tenant": {…}, "users": […], …}` |
//! | `GET …/{collection}`, `GET …/{collection}/{key}` | all entries, one entry | whole entries: what was left out is there |
//! | `PUT …/{collection}`, `PUT …/{collection}/{key}` | makes an entry, or replaces the one with its key; `?sample_mail=true` fills a new mailbox | 201 or 200, the whole entry |
//! | `PATCH …/{collection}/{key}`, `PATCH …/tenant` | changes the keys it names; `null` leaves a key out (RFC 7396) | 200, the whole entry |
//! | `DELETE …/{collection}/{key}` | removes it with the permissions and consents that hang on it; mail stays | 204 |
//! | `POST …/applications/{client_id}/secrets` | `{"value", "display_name", "expires"}`, all of them optional | 201, the secret |
//! | `PATCH`, `DELETE …/applications/{client_id}/secrets/{id}` | `{"expires": "2026-01-01T00:00:00Z"}` | 200, the secret; 204 |
//!
//! `?tenant=` with an id or domain names the organization; without it the first is meant, beside which personal accounts
//! and their consents are shown. `GET /control/directory` without it has the others under `organizations`.
//!
//! A user that is replaced keeps the password, object id, user principal name and mailbox switches that the new entry
//! leaves out, an application its object ids, secrets and certificates. A new password ends the person's refresh
//! tokens.
//!
//! Passwords and secrets are shown, as on the sign-in page and in the ready file: nobody has them in earnest.

mod collection;
mod mailboxes;
mod secrets;
mod whole;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

pub(super) use mailboxes::open as open_mailboxes;

use super::{failure, refusal};
use crate::authority::Authority;
use crate::directory::{ChangeRefusal, TenantDirectory};

/// Routes below `/control`.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/directory", web::get().to(whole::get))
        .route(
            "/directory/applications/{client_id}/secrets",
            web::post().to(secrets::post),
        )
        .route(
            "/directory/applications/{client_id}/secrets/{id}",
            web::patch().to(secrets::patch),
        )
        .route(
            "/directory/applications/{client_id}/secrets/{id}",
            web::delete().to(secrets::delete),
        )
        .service(
            web::resource("/directory/{collection}")
                .get(collection::list)
                .put(collection::put)
                .patch(collection::patch_single),
        )
        .service(
            web::resource("/directory/{collection}/{key:.+}")
                .get(collection::get)
                .put(collection::put_named)
                .patch(collection::patch)
                .delete(collection::delete),
        );
}

/// `?tenant=`: which tenant, by id or domain; the first when it is left out.
#[derive(Default, Deserialize)]
pub(super) struct InTenant {
    #[serde(default)]
    tenant: Option<String>,
}

impl InTenant {
    /// The directory as an administrator of that tenant has it.
    pub(super) fn directory(
        &self,
        authority: &Authority,
    ) -> Result<TenantDirectory, ChangeRefusal> {
        of_tenant(authority, self.tenant.as_deref())
    }
}

/// The directory as an administrator of a tenant has it.
pub(super) fn of_tenant(
    authority: &Authority,
    name: Option<&str>,
) -> Result<TenantDirectory, ChangeRefusal> {
    authority.directory.of_tenant(name).ok_or_else(|| {
        ChangeRefusal::NotFound(format!(
            "tenant: none has the id or domain \"{}\"",
            name.unwrap_or_default()
        ))
    })
}

/// A change that was not made.
pub(super) fn refused(reason: &ChangeRefusal) -> HttpResponse {
    match reason {
        ChangeRefusal::Invalid(problem) => refusal(problem),
        ChangeRefusal::NotFound(problem) => {
            HttpResponse::NotFound().json(json!({ "error": problem }))
        }
        ChangeRefusal::Failed(error) => failure(error),
    }
}
