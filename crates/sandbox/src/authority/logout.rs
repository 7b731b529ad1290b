//! `/{tenant}/oauth2/v2.0/logout` (OpenID Connect RP-Initiated Logout 1.0 §2)

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::browser::Browser;
use super::pages;
use super::params::Params;
use super::redirect_uri;
use super::state::Authority;

pub(crate) async fn get(authority: web::Data<Authority>, request: HttpRequest) -> HttpResponse {
    let (browser, _) = Browser::of_request(&authority, &request);
    authority.browsers.sign_out(&browser.key);
    let mut entry = authority.entry("logout");
    let params = Params::of_query(&request);
    let back = params.as_ref().ok().and_then(|params| {
        entry.client_id = params.get("client_id").map(str::to_owned);
        registered(&authority, params)
    });
    authority.log.record(entry);
    match back {
        Some(url) => HttpResponse::Found()
            .insert_header((header::LOCATION, url))
            .finish(),
        None => pages::done(
            &authority,
            "Signed out",
            "You are signed out. You may close this page.",
        ),
    }
}

/// The address to return to, if some application (or the one named) has registered it: never anybody else's.
fn registered(authority: &Authority, params: &Params) -> Option<String> {
    let mut url = url::Url::parse(params.get("post_logout_redirect_uri")?).ok()?;
    let tenants = authority.directory.tenants();
    tenants
        .organizations()
        .flat_map(|tenant| &tenant.applications)
        .filter(|application| {
            params
                .get("client_id")
                .is_none_or(|id| application.client_id.eq_ignore_ascii_case(id))
        })
        .find(|application| redirect_uri::find(application, url.as_str()).is_some())?;
    if let Some(state) = params.get("state") {
        url.query_pairs_mut().append_pair("state", state);
    }
    Some(url.into())
}
