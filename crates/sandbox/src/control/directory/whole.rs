//! `/control/directory`: everything, as JSON or as a tenant file.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::authority::Authority;
use crate::control::failure;
use crate::directory::{COLLECTIONS, TenantFile};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    #[serde(default)]
    format: Format,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    Json,
    Toml,
}

/// `{"tenant": {…}, "users": […], …}`; with `?format=toml` the file for `mailgrant sandbox --tenant`.
pub(super) async fn get(
    authority: web::Data<Authority>,
    options: web::Query<Options>,
) -> HttpResponse {
    let tenant = authority.directory.tenant();
    match options.format {
        Format::Json => {
            let collections = COLLECTIONS.iter().map(|collection| {
                let mut entries = (collection.all)(&tenant)
                    .into_iter()
                    .map(|(_, entry)| entry);
                let entries = match collection.single {
                    true => entries.next().unwrap_or_default(),
                    false => Value::Array(entries.collect()),
                };
                (collection.name.to_owned(), entries)
            });
            HttpResponse::Ok().json(collections.collect::<Map<String, Value>>())
        }
        Format::Toml => match TenantFile::of(&tenant).to_toml() {
            Ok(text) => HttpResponse::Ok()
                .content_type("application/toml; charset=utf-8")
                .body(text),
            Err(error) => failure(&error),
        },
    }
}
