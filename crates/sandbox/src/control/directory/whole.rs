//! `/control/directory`: everything, as JSON or as a tenant file.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{of_tenant, refused};
use crate::authority::Authority;
use crate::control::failure;
use crate::directory::{COLLECTIONS, TenantDirectory, TenantFile};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    #[serde(default)]
    format: Format,
    #[serde(default)]
    tenant: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    Json,
    Toml,
}

/// `{"tenant": {…}, "users": […], …, "organizations": [{"tenant": {…}, …}]}`: the first tenant, or the one that is named;
/// the others follow it. With `?format=toml` the file for `mailgrant sandbox --tenant`, which has them all.
pub(super) async fn get(
    authority: web::Data<Authority>,
    options: web::Query<Options>,
) -> HttpResponse {
    if let Format::Toml = options.format {
        return match TenantFile::of(&authority.directory.tenants()).to_toml() {
            Ok(text) => HttpResponse::Ok()
                .content_type("application/toml; charset=utf-8")
                .body(text),
            Err(error) => failure(&error),
        };
    }
    let directory = match of_tenant(&authority, options.tenant.as_deref()) {
        Ok(directory) => directory,
        Err(reason) => return refused(&reason),
    };
    let mut whole = collections(&directory);
    if options.tenant.is_none() {
        let others: Vec<String> = {
            let tenants = authority.directory.tenants();
            let others = tenants.organizations().skip(1);
            others.map(|tenant| tenant.id.clone()).collect()
        };
        let others = others
            .iter()
            .filter_map(|id| authority.directory.of_tenant(Some(id)))
            .map(|directory| Value::Object(collections(&directory)));
        whole.insert("organizations".to_owned(), others.collect());
    }
    HttpResponse::Ok().json(whole)
}

fn collections(directory: &TenantDirectory) -> Map<String, Value> {
    let collections = COLLECTIONS.iter().map(|collection| {
        let mut entries = directory
            .entries(collection)
            .into_iter()
            .map(|(_, entry)| entry);
        let entries = match collection.single {
            true => entries.next().unwrap_or_default(),
            false => Value::Array(entries.collect()),
        };
        (collection.name.to_owned(), entries)
    });
    collections.collect()
}
