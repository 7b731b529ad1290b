//! Who is signed in, in which browser: a cookie that names state kept here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite};
use aws_lc_rs::digest;
use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;

use super::params::Params;
use super::problem::{Problem, request};
use super::state::Authority;

/// A browser that has been here, as it was when it was looked up.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    /// The hash of its cookie.
    pub key: Vec<u8>,
    /// What every form of this browser must carry.
    pub csrf: Secret,
    /// The object ids of the people signed in, the latest first.
    pub signed_in: Vec<String>,
    seen_at: UnixTime,
    /// Whether somebody wished to stay signed in.
    stays: bool,
}

impl Browser {
    /// The browser of this request, or a new one with the cookie it must be given.
    pub(crate) fn of_request(
        authority: &Authority,
        request: &HttpRequest,
    ) -> (Self, Option<Cookie<'static>>) {
        if let Some(known) = Self::known(authority, request) {
            return (known, None);
        }
        let value = authority.random.token(32);
        let browser = Self {
            key: hash(&value),
            csrf: Secret::new(authority.random.token(32)),
            signed_in: Vec::new(),
            seen_at: authority.now(),
            stays: false,
        };
        authority.browsers.insert(browser.clone());
        (browser, Some(cookie(request, value)))
    }

    /// The cookie again, so that it outlives the browser's windows or does not.
    pub(crate) fn stay(
        authority: &Authority,
        request: &HttpRequest,
        stays: bool,
    ) -> Option<Cookie<'static>> {
        let value = request.cookie(&cookie_name(request))?.value().to_owned();
        authority.browsers.stay(&hash(&value), stays);
        let mut cookie = cookie(request, value);
        if stays {
            let days = i64::try_from(LONG_LIFETIME.as_secs()).unwrap_or(i64::MAX);
            cookie.set_max_age(actix_web::cookie::time::Duration::seconds(days));
        }
        Some(cookie)
    }

    /// The browser that posts a form, which must carry this browser's token.
    pub(crate) fn of_form(
        authority: &Authority,
        request: &HttpRequest,
        form: &Params,
    ) -> Result<Self, Problem> {
        let sent = Secret::new(form.get("csrf").unwrap_or_default());
        Self::known(authority, request)
            .filter(|browser| browser.csrf == sent)
            .ok_or(request::FLOW_LOST.problem())
    }

    fn is_known(&self, now: UnixTime) -> bool {
        let lifetime = match self.stays {
            true => LONG_LIFETIME,
            false => LIFETIME,
        };
        now.since(self.seen_at) < lifetime
    }

    fn known(authority: &Authority, request: &HttpRequest) -> Option<Self> {
        let cookie = request.cookie(&cookie_name(request))?;
        authority
            .browsers
            .lookup(&hash(cookie.value()), authority.now())
    }
}

/// All browsers that came by lately.
#[derive(Default)]
pub(crate) struct Browsers(Mutex<HashMap<Vec<u8>, Browser>>);

impl Browsers {
    /// Puts a person first among those signed in.
    pub(crate) fn sign_in(&self, key: &[u8], person: &str) {
        if let Some(browser) = self.lock().get_mut(key) {
            browser.signed_in.retain(|known| known != person);
            browser.signed_in.insert(0, person.to_owned());
        }
    }

    /// Keeps a browser longer, or no longer than others.
    fn stay(&self, key: &[u8], stays: bool) {
        if let Some(browser) = self.lock().get_mut(key) {
            browser.stays = stays;
        }
    }

    /// Signs everybody out.
    pub(crate) fn sign_out(&self, key: &[u8]) {
        self.lock().remove(key);
    }

    fn insert(&self, browser: Browser) {
        let mut browsers = self.lock();
        browsers.retain(|_, known| known.is_known(browser.seen_at));
        if browsers.len() >= MOST {
            let oldest = browsers
                .values()
                .min_by_key(|known| known.seen_at)
                .map(|known| known.key.clone());
            oldest.and_then(|key| browsers.remove(&key));
        }
        browsers.insert(browser.key.clone(), browser);
    }

    fn lookup(&self, key: &[u8], now: UnixTime) -> Option<Browser> {
        let mut browsers = self.lock();
        let browser = browsers.get_mut(key).filter(|known| known.is_known(now))?;
        browser.seen_at = now;
        Some(browser.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Browser>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where somebody wished to stay signed in.
const LONG_LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
const MOST: usize = 10_000;

fn cookie(request: &HttpRequest, value: String) -> Cookie<'static> {
    Cookie::build(cookie_name(request), value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(request.app_config().secure())
        .finish()
}

/// Cookies do not tell ports apart, so the name does: several sandboxes share `localhost`.
fn cookie_name(request: &HttpRequest) -> String {
    format!(
        "mailgrant-sandbox-{}",
        request.app_config().local_addr().port()
    )
}

fn hash(value: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, value.as_bytes())
        .as_ref()
        .to_vec()
}
