//! `/control/directory/{collection}` and `…/{key}`

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::Value;

use super::{mailboxes, refused};
use crate::authority::Authority;
use crate::control::{failure, refusal};
use crate::directory::{COLLECTIONS, ChangeRefusal, Collection};
use crate::mailstore::MailStore;

/// `?sample_mail=true` fills the mailbox of a new user or shared mailbox.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    #[serde(default)]
    sample_mail: bool,
}

/// Answers every entry; of `tenant` the one there is.
pub(super) async fn list(
    authority: web::Data<Authority>,
    collection: web::Path<String>,
) -> HttpResponse {
    let collection = match named(&collection) {
        Ok(collection) => collection,
        Err(reason) => return refused(&reason),
    };
    let entries = (collection.all)(&authority.directory.tenant()).into_iter();
    let mut entries = entries.map(|(_, entry)| entry);
    match collection.single {
        true => HttpResponse::Ok().json(entries.next()),
        false => HttpResponse::Ok().json(entries.collect::<Vec<_>>()),
    }
}

/// Answers one entry.
pub(super) async fn get(
    authority: web::Data<Authority>,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let (collection, key) = path.into_inner();
    let collection = match named(&collection) {
        Ok(collection) => collection,
        Err(reason) => return refused(&reason),
    };
    let found = collection.find(&authority.directory.tenant(), &key);
    match found {
        Some((_, entry)) => HttpResponse::Ok().json(entry),
        None => refused(&ChangeRefusal::NotFound(format!(
            "{}: there is none called \"{key}\"",
            collection.name
        ))),
    }
}

/// Creates an entry (201) or replaces it (200), and answers it whole.
pub(super) async fn put(
    authority: web::Data<Authority>,
    store: web::Data<MailStore>,
    collection: web::Path<String>,
    options: web::Query<Options>,
    entry: web::Json<Value>,
) -> HttpResponse {
    let collection = match named(&collection) {
        Ok(collection) => collection,
        Err(reason) => return refused(&reason),
    };
    let put = match authority.directory.put(collection, entry.into_inner()) {
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
    let collection = match named(&name) {
        Ok(collection) => collection,
        Err(reason) => return refused(&reason),
    };
    let own = (collection.key)(&entry, &authority.directory.tenant());
    match own {
        Ok(own) if own.eq_ignore_ascii_case(&key) => {
            put(authority, store, web::Path::from(name), options, entry).await
        }
        Ok(own) => refusal(&format!("the path says \"{key}\" and the entry \"{own}\"")),
        Err(error) => refused(&error.into()),
    }
}

/// Changes some keys of an entry, and answers it whole.
pub(super) async fn patch(
    authority: web::Data<Authority>,
    path: web::Path<(String, String)>,
    patch: web::Json<Value>,
) -> HttpResponse {
    let (collection, key) = path.into_inner();
    match named(&collection) {
        Ok(collection) => change(&authority, collection, &key, &patch),
        Err(reason) => refused(&reason),
    }
}

/// The same for what there is one of.
pub(super) async fn patch_single(
    authority: web::Data<Authority>,
    collection: web::Path<String>,
    patch: web::Json<Value>,
) -> HttpResponse {
    match named(&collection) {
        Ok(collection) if collection.single => change(&authority, collection, "", &patch),
        Ok(_) => refusal("name the entry to change in the path"),
        Err(reason) => refused(&reason),
    }
}

/// Removes an entry, with what hangs on it. Mail stays, for whoever gets the address next.
pub(super) async fn delete(
    authority: web::Data<Authority>,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let (collection, key) = path.into_inner();
    let collection = match named(&collection) {
        Ok(collection) => collection,
        Err(reason) => return refused(&reason),
    };
    match authority.directory.remove(collection, &key) {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(reason) => refused(&reason),
    }
}

fn change(
    authority: &Authority,
    collection: &Collection,
    key: &str,
    patch: &Value,
) -> HttpResponse {
    if !patch.is_object() {
        return refusal("send an object with the keys to change");
    }
    match authority.directory.patch(collection, key, patch) {
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
