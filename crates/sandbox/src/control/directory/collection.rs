//! `/control/directory/{collection}` and `…/{key}`

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::Value;

use super::{InTenant, mailboxes, of_tenant, refused};
use crate::authority::Authority;
use crate::control::{failure, refusal};
use crate::directory::{COLLECTIONS, ChangeRefusal, Collection, TenantDirectory};
use crate::mailstore::MailStore;

/// `?sample_mail=true` fills the mailbox of a new user or shared mailbox.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    #[serde(default)]
    sample_mail: bool,
    #[serde(default)]
    tenant: Option<String>,
}

/// Answers every entry; of `tenant` the one there is.
pub(super) async fn list(
    authority: web::Data<Authority>,
    collection: web::Path<String>,
    place: web::Query<InTenant>,
) -> HttpResponse {
    let found = named(&collection).and_then(|collection| {
        let directory = place.directory(&authority)?;
        Ok((collection.single, directory.entries(collection)))
    });
    match found {
        Ok((single, entries)) => {
            let mut entries = entries.into_iter().map(|(_, entry)| entry);
            match single {
                true => HttpResponse::Ok().json(entries.next()),
                false => HttpResponse::Ok().json(entries.collect::<Vec<_>>()),
            }
        }
        Err(reason) => refused(&reason),
    }
}

/// Answers one entry.
pub(super) async fn get(
    authority: web::Data<Authority>,
    path: web::Path<(String, String)>,
    place: web::Query<InTenant>,
) -> HttpResponse {
    let (collection, key) = path.into_inner();
    answer(named(&collection).and_then(|collection| {
        let directory = place.directory(&authority)?;
        directory.entry(collection, &key)
    }))
}

/// Creates an entry (201) or replaces it (200), and answers it whole.
pub(super) async fn put(
    authority: web::Data<Authority>,
    store: web::Data<MailStore>,
    collection: web::Path<String>,
    options: web::Query<Options>,
    entry: web::Json<Value>,
) -> HttpResponse {
    let put = named(&collection).and_then(|collection| {
        let directory = of_tenant(&authority, options.tenant.as_deref())?;
        directory.put(collection, entry.into_inner())
    });
    let put = match put {
        Ok(put) => put,
        Err(reason) => return refused(&reason),
    };
    if let Err(error) = mailboxes::open(&authority, store, options.sample_mail).await {
        return failure(&error);
    }
    match put.created {
        true => HttpResponse::Created().json(put.entry),
        false => HttpResponse::Ok().json(put.entry),
    }
}

/// The same, with the key in the path too.
pub(super) async fn put_named(
    authority: web::Data<Authority>,
    store: web::Data<MailStore>,
    path: web::Path<(String, String)>,
    options: web::Query<Options>,
    entry: web::Json<Value>,
) -> HttpResponse {
    let (name, key) = path.into_inner();
    let own = named(&name).and_then(|collection| {
        of_tenant(&authority, options.tenant.as_deref())?.key_of(collection, &entry)
    });
    match own {
        Ok(own) if own.eq_ignore_ascii_case(&key) => {
            put(authority, store, web::Path::from(name), options, entry).await
        }
        Ok(own) => refusal(&format!("the path says \"{key}\" and the entry \"{own}\"")),
        Err(reason) => refused(&reason),
    }
}

/// Changes some keys of an entry, and answers it whole.
pub(super) async fn patch(
    authority: web::Data<Authority>,
    path: web::Path<(String, String)>,
    place: web::Query<InTenant>,
    patch: web::Json<Value>,
) -> HttpResponse {
    let (collection, key) = path.into_inner();
    answer(
        named(&collection)
            .and_then(|collection| change(&place.directory(&authority)?, collection, &key, &patch)),
    )
}

/// The same for what there is one of.
pub(super) async fn patch_single(
    authority: web::Data<Authority>,
    collection: web::Path<String>,
    place: web::Query<InTenant>,
    patch: web::Json<Value>,
) -> HttpResponse {
    answer(named(&collection).and_then(|collection| {
        if !collection.single {
            let problem = "name the entry to change in the path";
            return Err(ChangeRefusal::Invalid(problem.to_owned()));
        }
        change(&place.directory(&authority)?, collection, "", &patch)
    }))
}

/// Removes an entry, with what hangs on it. Mail stays, for whoever gets the address next.
pub(super) async fn delete(
    authority: web::Data<Authority>,
    path: web::Path<(String, String)>,
    place: web::Query<InTenant>,
) -> HttpResponse {
    let (collection, key) = path.into_inner();
    let removed = named(&collection)
        .and_then(|collection| place.directory(&authority)?.remove(collection, &key));
    match removed {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(reason) => refused(&reason),
    }
}

fn change(
    directory: &TenantDirectory,
    collection: &Collection,
    key: &str,
    patch: &Value,
) -> Result<Value, ChangeRefusal> {
    if !patch.is_object() {
        let problem = "send an object with the keys to change";
        return Err(ChangeRefusal::Invalid(problem.to_owned()));
    }
    directory.patch(collection, key, patch)
}

fn answer(entry: Result<Value, ChangeRefusal>) -> HttpResponse {
    match entry {
        Ok(entry) => HttpResponse::Ok().json(entry),
        Err(reason) => refused(&reason),
    }
}

fn named(name: &str) -> Result<&'static Collection, ChangeRefusal> {
    Collection::named(name).ok_or_else(|| {
        let known: Vec<&str> = COLLECTIONS.iter().map(|known| known.name).collect();
        ChangeRefusal::NotFound(format!(
            "no collection \"{name}\"; there are {}",
            known.join(", ")
        ))
    })
}
