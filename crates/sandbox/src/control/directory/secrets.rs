//! `/control/directory/applications/{client_id}/secrets`: client secrets come, end and go.

use actix_web::{HttpResponse, web};
use mailgrant_core::secret::Secret;
use serde::Deserialize;
use serde_json::json;

use super::refused;
use crate::authority::Authority;
use crate::directory::{ApplicationEntry, ChangeRefusal, Entry, SecretEntry, TenantDirectory};
use crate::random::client_secret;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSecret {
    /// Made up when absent.
    value: Option<Secret>,
    display_name: Option<String>,
    /// RFC 3339
    expires: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// RFC 3339; in the past makes AADSTS7000222.
    expires: String,
}

/// Adds a secret (201), and answers it.
pub(super) async fn post(
    authority: web::Data<Authority>,
    client_id: web::Path<String>,
    new: web::Json<NewSecret>,
) -> HttpResponse {
    let new = new.into_inner();
    let random = &*authority.random;
    let secret = SecretEntry {
        id: Some(random.uuid().to_string()),
        value: new.value.unwrap_or_else(|| client_secret(random)),
        expires: new.expires,
        display_name: new.display_name,
    };
    let id = secret.id.clone();
    let added =
        home(&authority, &client_id).update::<ApplicationEntry>(&client_id, |application| {
            application.secrets.get_or_insert_default().push(secret);
        });
    match added.map(|()| find(&authority, &client_id, id.as_deref())) {
        Ok(Some(secret)) => HttpResponse::Created().json(secret),
        Ok(None) => HttpResponse::NoContent().finish(),
        Err(reason) => refused(&reason),
    }
}

/// Gives a secret another end, and answers it.
pub(super) async fn patch(
    authority: web::Data<Authority>,
    path: web::Path<(String, String)>,
    change: web::Json<Change>,
) -> HttpResponse {
    let (client_id, id) = path.into_inner();
    if find(&authority, &client_id, Some(&id)).is_none() {
        return unknown(&id);
    }
    let changed =
        home(&authority, &client_id).update::<ApplicationEntry>(&client_id, |application| {
            let secrets = application.secrets.iter_mut().flatten();
            for secret in secrets.filter(|secret| secret.is_called(&id)) {
                secret.expires = Some(change.expires.clone());
            }
        });
    match changed {
        Ok(()) => HttpResponse::Ok().json(find(&authority, &client_id, Some(&id))),
        Err(reason) => refused(&reason),
    }
}

/// Removes a secret.
pub(super) async fn delete(
    authority: web::Data<Authority>,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let (client_id, id) = path.into_inner();
    if find(&authority, &client_id, Some(&id)).is_none() {
        return unknown(&id);
    }
    let removed =
        home(&authority, &client_id).update::<ApplicationEntry>(&client_id, |application| {
            if let Some(secrets) = &mut application.secrets {
                secrets.retain(|secret| !secret.is_called(&id));
            }
        });
    match removed {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(reason) => refused(&reason),
    }
}

fn find(authority: &Authority, client_id: &str, id: Option<&str>) -> Option<SecretEntry> {
    ApplicationEntry::find(&home(authority, client_id).tenant(), client_id)?
        .secrets?
        .into_iter()
        .find(|secret| id.is_some_and(|id| secret.is_called(id)))
}

/// The tenant in which the application is registered; the first for one that is not there.
fn home(authority: &Authority, client_id: &str) -> TenantDirectory {
    let directory = &authority.directory;
    let home = directory
        .tenants()
        .home_of(client_id)
        .map(|home| home.id.clone());
    directory
        .of_tenant(home.as_deref())
        .unwrap_or_else(|| directory.first())
}

fn unknown(id: &str) -> HttpResponse {
    refused(&ChangeRefusal::NotFound(
        json!(id).to_string() + " is no secret of this application",
    ))
}
