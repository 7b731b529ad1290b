//! The cookie that ties an attempt to one browser, and the form token derived from it.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
};
use mailgrant_core::secret::Secret;
use mailgrant_storage::{Random, SecretHash, random_secret};
use subtle::ConstantTimeEq;

use super::CONSENT_LIFETIME;

/// What one browser knows, and no other.
pub(super) struct Binding(Secret);

impl Binding {
    /// The browser's own, or a new one. One browser may run several attempts at a time, so it keeps its value.
    pub(super) fn of(request: &HttpRequest, https: bool, random: &dyn Random) -> Self {
        Self::found(request, https).unwrap_or_else(|| Self(random_secret("", random)))
    }

    /// The value that the browser shows.
    pub(super) fn found(request: &HttpRequest, https: bool) -> Option<Self> {
        let cookie = request.cookie(name(https))?;
        let value = cookie.value();
        let sound = value.len() == 43
            && value
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        sound.then(|| Self(Secret::new(value)))
    }

    pub(super) fn hash(&self) -> SecretHash {
        SecretHash::of(self.0.expose())
    }

    /// `__Host-` (RFC 6265bis §4.1.3.2): only this host over https may have set it.
    pub(super) fn cookie(&self, https: bool) -> Cookie<'static> {
        Cookie::build(name(https), self.0.expose().to_owned())
            .path("/")
            .http_only(true)
            .secure(https)
            .same_site(SameSite::Lax)
            .max_age(time::Duration::seconds(
                i64::try_from(CONSENT_LIFETIME.as_secs()).unwrap_or(i64::MAX),
            ))
            .finish()
    }

    /// Proves that a form was sent by our own page in this browser: other sites cannot read the cookie.
    pub(super) fn form_token(&self, client_token: &str) -> String {
        let hash = SecretHash::of(&format!("form\n{}\n{client_token}", self.0.expose()));
        hash.as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    pub(super) fn has_sent(&self, form_token: &str, client_token: &str) -> bool {
        self.form_token(client_token)
            .as_bytes()
            .ct_eq(form_token.as_bytes())
            .into()
    }
}

const fn name(https: bool) -> &'static str {
    if https {
        "__Host-mailgrant"
    } else {
        "mailgrant"
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use mailgrant_storage::SystemRandom;

    use super::*;

    #[test]
    fn a_cookie_is_as_closed_as_it_can_be() {
        let binding = Binding::of(
            &TestRequest::default().to_http_request(),
            true,
            &SystemRandom,
        );
        let text = binding.cookie(true).to_string();
        for part in [
            "__Host-mailgrant=",
            "HttpOnly",
            "Secure",
            "SameSite=Lax",
            "Path=/",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(!text.contains("Domain"));
    }

    #[test]
    fn a_browser_keeps_its_value_and_garbage_is_replaced() {
        let first = Binding::of(
            &TestRequest::default().to_http_request(),
            false,
            &SystemRandom,
        );
        let request = TestRequest::default()
            .cookie(first.cookie(false))
            .to_http_request();
        assert_eq!(
            Binding::of(&request, false, &SystemRandom).hash(),
            first.hash()
        );
        let request = TestRequest::default()
            .cookie(Cookie::new("mailgrant", "x"))
            .to_http_request();
        assert!(Binding::found(&request, false).is_none());
    }

    #[test]
    fn a_form_token_is_good_for_one_browser_and_session() {
        let fresh = || {
            Binding::of(
                &TestRequest::default().to_http_request(),
                false,
                &SystemRandom,
            )
        };
        let (mine, other) = (fresh(), fresh());
        let token = mine.form_token("a");
        assert!(mine.has_sent(&token, "a"));
        assert!(!mine.has_sent(&token, "b"));
        assert!(!other.has_sent(&token, "a"));
        assert!(!mine.has_sent("", "a"));
    }
}
