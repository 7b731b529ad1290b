//! `/control/consent`: who may agree to applications, and what was agreed to.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::directory::{of_tenant, refused};
use super::{failure, refusal};
use crate::authority::Authority;
use crate::directory::TenantEntry;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// Whether only administrators may agree to what opens mail.
    require_admin: Option<bool>,
    /// The client id of an application whose consents are forgotten.
    withdraw: Option<String>,
    /// The tenant, by id or domain; the first when it is left out.
    tenant: Option<String>,
}

pub(super) async fn post(
    authority: web::Data<Authority>,
    change: web::Json<Change>,
) -> HttpResponse {
    if change.require_admin.is_none() && change.withdraw.is_none() {
        return refusal("send require_admin or withdraw");
    }
    let directory = match of_tenant(&authority, change.tenant.as_deref()) {
        Ok(directory) => directory,
        Err(reason) => return refused(&reason),
    };
    if let Some(client_id) = &change.withdraw {
        let known = authority
            .directory
            .tenants()
            .application(client_id)
            .map(|found| found.client_id.clone());
        let Some(client_id) = known else {
            return HttpResponse::NotFound()
                .json(json!({"error": "withdraw: no application has this client id"}));
        };
        let tenant = directory.tenant().id.clone();
        if let Err(error) = authority.directory.withdraw_consent(&tenant, &client_id) {
            return failure(&error);
        }
    }
    if let Some(required) = change.require_admin {
        let changed = directory.update::<TenantEntry>("", |tenant| {
            tenant.admin_consent_required = required;
        });
        if let Err(reason) = changed {
            return refused(&reason);
        }
    }
    HttpResponse::NoContent().finish()
}
