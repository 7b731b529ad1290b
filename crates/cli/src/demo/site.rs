//! The demonstration site's own server: pages, and a backend that keeps the key.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::body::{BoxBody, EitherBody};
use actix_web::dev::{ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::{DefaultHeaders, Next, from_fn};
use actix_web::{App, Error, HttpServer, web};
use mailgrant_core::secret::Secret;
use mailgrant_sandbox::directory::Flow;
use mailgrant_sandbox::running::{Description, SharedMailboxDescription, UserDescription};
use mailgrant_server::Environment;
use mailgrant_storage::Random;
use serde::Serialize;
use tokio::task::JoinHandle;

use super::upstream::{Upstream, problem};
use super::visitors::Visitors;
use super::{files, pages};
use crate::failure::{Exit, Failure};

/// What the site's requests share.
pub(super) struct Site {
    /// The gateway's base URL, as browsers call it.
    pub gateway: String,
    /// The site's own origin.
    pub origin: String,
    /// The gateway's application that people connect with.
    pub application: String,
    /// Who can sign in at the sandbox, and what they may open.
    pub organizations: Vec<Organization>,
    /// The sandbox's control API.
    pub control: String,
    /// Who visits.
    pub visitors: Visitors,
    /// The gateway's API.
    pub upstream: Upstream,
    /// For cookies.
    pub random: Arc<dyn Random>,
}

/// People as the page names them: those of an organization, or those without one.
#[derive(Serialize)]
pub(super) struct Organization {
    display_name: String,
    users: Vec<UserDescription>,
    shared_mailboxes: Vec<SharedMailboxDescription>,
}

impl Organization {
    fn all(sandbox: &Description) -> Vec<Self> {
        let of =
            |name: &str, users: &[UserDescription], shared: &[SharedMailboxDescription]| Self {
                display_name: name.to_owned(),
                users: users.to_vec(),
                shared_mailboxes: shared.to_vec(),
            };
        let first = of(
            &sandbox.display_name,
            &sandbox.users,
            &sandbox.shared_mailboxes,
        );
        let others = sandbox
            .organizations
            .iter()
            .map(|other| of(&other.display_name, &other.users, &other.shared_mailboxes));
        std::iter::once(first)
            .chain(others)
            .chain([of(
                "With an account of their own",
                &sandbox.personal_accounts,
                &[],
            )])
            .filter(|organization| !organization.users.is_empty())
            .collect()
    }
}

impl Site {
    /// The site at `origin` for the gateway at `gateway`.
    ///
    /// # Errors
    /// When the sandbox has no application that people can sign in to.
    pub fn new(
        origin: &str,
        gateway: &str,
        key: &Secret,
        sandbox: &Description,
        surroundings: &Environment,
    ) -> Result<Self, Failure> {
        let application = sandbox
            .applications
            .iter()
            .find(|application| application.flow == Flow::Delegated)
            .ok_or_else(|| {
                Failure::configuration(
                    "the sandbox's tenant has no application for people to sign in to",
                )
            })?;
        Ok(Self {
            gateway: gateway.to_owned(),
            origin: origin.to_owned(),
            application: application.id.clone(),
            organizations: Organization::all(sandbox),
            control: sandbox.control.clone(),
            visitors: Visitors::default(),
            upstream: Upstream::new(gateway, key)?,
            random: Arc::clone(&surroundings.random),
        })
    }

    /// Serves the site on `listener`, which is at its origin.
    ///
    /// # Errors
    /// When the socket cannot be used.
    pub fn start(self, listener: TcpListener) -> Result<RunningSite, Failure> {
        let url = self.origin.clone();
        let site = web::Data::new(self);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(site.clone())
                .wrap(from_fn(refuse_strangers))
                .wrap(headers(&site.gateway))
                .configure(routes)
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(1)
        .listen(listener)
        .map_err(|error| Failure::new(Exit::Failed, format!("the demonstration site: {error}")))?
        .run();
        let handle = server.handle();
        Ok(RunningSite {
            url,
            handle,
            serving: tokio::spawn(server),
        })
    }
}

/// A site that answers.
pub(super) struct RunningSite {
    /// Its origin.
    pub url: String,
    handle: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
}

impl RunningSite {
    /// Ends it.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        if let Err(error) = self.serving.await {
            tracing::warn!(%error, "the demonstration site did not end by itself");
        }
    }
}

/// The site's addresses.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/connect", web::get().to(pages::connect))
        .route("/api/connect-session", web::post().to(pages::begin))
        .route("/api/connect-session/{id}", web::get().to(pages::session))
        .route("/api/account", web::get().to(pages::account))
        .route("/api/disconnect", web::post().to(pages::disconnect))
        .route("/api/demo", web::get().to(pages::demo))
        .route("/api/mailboxes", web::get().to(pages::mailboxes))
        .route("/api/emails", web::get().to(pages::emails))
        .route("/api/emails/{email}", web::get().to(pages::email))
        .route("/api/emails/{email}/raw", web::get().to(pages::raw))
        .route(
            "/api/emails/{email}/attachments/{part}",
            web::get().to(pages::attachment),
        )
        .default_service(web::get().to(files::get));
}

/// What every answer carries. The page may load the widget from the gateway and nothing else from elsewhere.
pub(super) fn headers(gateway: &str) -> DefaultHeaders {
    let policy = format!(
        "default-src 'none'; script-src 'self' {gateway} 'wasm-unsafe-eval'; style-src 'self'; \
         connect-src 'self' {gateway}; img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types mailgrant-reader"
    );
    DefaultHeaders::new()
        .add((header::CONTENT_SECURITY_POLICY, policy))
        .add((header::REFERRER_POLICY, "strict-origin-when-cross-origin"))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add(("Cross-Origin-Opener-Policy", "same-origin-allow-popups"))
}

/// Answers to the site's own name only (a page elsewhere may have its name resolved to this machine),
/// and lets only the site's own pages change something.
pub(super) async fn refuse_strangers(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<EitherBody<BoxBody>>, Error> {
    let origin = request
        .app_data::<web::Data<Site>>()
        .map(|site| site.origin.clone())
        .unwrap_or_default();
    let host = origin.trim_start_matches("http://");
    if request
        .headers()
        .get(header::HOST)
        .is_none_or(|given| given.as_bytes() != host.as_bytes())
    {
        let detail = format!("This site is {origin}/.");
        let answer = problem(StatusCode::MISDIRECTED_REQUEST, "wrong_host", &detail);
        return Ok(request.into_response(answer).map_into_right_body());
    }
    let foreign = request
        .headers()
        .get(header::ORIGIN)
        .is_some_and(|given| given.as_bytes() != origin.as_bytes());
    if foreign && request.method() != Method::GET {
        let answer = problem(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "Another site's page asked for this.",
        );
        return Ok(request.into_response(answer).map_into_right_body());
    }
    next.call(request)
        .await
        .map(ServiceResponse::map_into_left_body)
}
