//! What people see of the sandbox: the page at `/`, and every request in plain words.
//!
//! | path | what |
//! | --- | --- |
//! | `/` | what is there, what happened, the switches; readable without script |
//! | `/ca.pem` | the certificate authority to trust |
//! | `/console/…` | the page's style and script |
//!
//! The switches call the control API, as any program can; see [`caller`] for how the page proves that it is the
//! sandbox's own.

pub(crate) mod caller;
mod explain;
mod page;
mod presets;
mod remedies;
mod view;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use mailgrant_core::secret::Secret;

pub(crate) use explain::{Explanation, explain};

use crate::running::Description;
use crate::{Error, Random};

/// What the page knows besides the authority's state.
pub(crate) struct Console {
    /// As it was at the start: addresses and ports.
    description: Description,
    ca: String,
    /// Stands in the page, and nowhere else.
    token: Secret,
}

impl Console {
    /// # Errors
    ///
    /// When the certificate authority's file cannot be read.
    pub(crate) fn new(description: Description, random: &dyn Random) -> Result<Self, Error> {
        let ca = crate::files::read(&description.ca_file)?.unwrap_or_default();
        Ok(Self {
            description,
            ca,
            token: Secret::new(random.token(32)),
        })
    }

    /// What requests of the page carry.
    pub(crate) fn token(&self) -> &Secret {
        &self.token
    }
}

/// Routes of the page; before the authority's, which take any first segment for a tenant.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(page::get))
        .route("/ca.pem", web::get().to(certificate))
        .route("/console/{file}", web::get().to(asset));
}

async fn certificate(console: web::Data<Console>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/x-pem-file")
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"mailgrant-sandbox-ca.pem\"",
        ))
        .body(console.ca.clone())
}

/// The same style as the authority's pages, but out of reach of the authority's faults.
async fn asset(file: web::Path<String>) -> HttpResponse {
    let (content_type, content) = match file.as_str() {
        "sandbox.css" => (CSS, include_str!("../../static/sandbox.css")),
        "console.css" => (CSS, include_str!("../../static/console.css")),
        "mark.svg" => ("image/svg+xml", include_str!("../../static/mark.svg")),
        "console.js" => (SCRIPT, include_str!("../../static/console.js")),
        _ => return HttpResponse::NotFound().finish(),
    };
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header(("cross-origin-resource-policy", "same-origin"))
        .body(content)
}

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
