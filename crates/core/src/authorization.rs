//! The authorization request and the callback that answers it (RFC 6749 §4.1, RFC 9207).
//!
//! ```
//! use mailgrant_core::authorization::{AuthorizationRequest, Callback, Nonce, State};
//! use mailgrant_core::endpoint::Endpoint;
//! use mailgrant_core::pkce::CodeVerifier;
//! use mailgrant_core::scope::Scopes;
//! use mailgrant_core::token::ClientId;
//!
//! let (state, nonce) = (State::from_random([1; 32]), Nonce::from_random([2; 32]));
//! let verifier = CodeVerifier::from_random([3; 32]);
//! let url = AuthorizationRequest {
//!     client_id: &ClientId::new("6731de76").unwrap(),
//!     redirect_uri: "https://mail.example.com/oauth/callback",
//!     scopes: &Scopes::parse("openid offline_access").unwrap(),
//!     state: &state,
//!     nonce: Some(&nonce),
//!     code_challenge: &verifier.challenge(),
//!     login_hint: Some("ada@example.com"),
//!     prompt: None,
//!     extra: &[],
//! }
//! .url(&Endpoint::new("https://login.example.com/authorize").unwrap());
//! assert!(url.starts_with("https://login.example.com/authorize?response_type=code&client_id="));
//!
//! // The browser comes back:
//! match Callback::parse(&format!("code=0.AR8A&state={}", state.expose())).unwrap() {
//!     Callback::Code { code, state: returned, .. } => {
//!         assert_eq!(returned, state);
//!         assert_eq!(code.expose(), "0.AR8A");
//!     }
//!     other => panic!("{other:?}"),
//! }
//! ```

use crate::endpoint::Endpoint;
use crate::pkce::CodeChallenge;
use crate::scope::Scopes;
use crate::secret::secret_newtype;
use crate::token::ClientId;
use crate::value;

pub(crate) mod admin_consent;
mod callback;

pub use admin_consent::{AdminConsentRequest, admin_consent_url};
pub use callback::{Callback, CallbackError};

secret_newtype! {
    /// `state`: ties the callback to the browser that began (RFC 6749 §10.12).
    State, "state", value::vschar
}

secret_newtype! {
    /// `nonce`: ties the ID token to the request (OpenID Connect Core §3.1.2.1).
    Nonce, "nonce", value::vschar
}

macro_rules! random_text {
    ($name:ident) => {
        impl $name {
            /// 32 random bytes in 43 characters.
            #[must_use]
            pub fn from_random(bytes: [u8; 32]) -> Self {
                Self(crate::secret::Secret::new(crate::encoding::base64url(
                    &bytes,
                )))
            }

            /// Reads one that was stored or received.
            ///
            /// # Errors
            ///
            /// When it is empty or not printable ASCII.
            pub fn parse(text: &str) -> Result<Self, crate::InvalidValue> {
                Self::new(text)
            }
        }
    };
}

random_text!(State);
random_text!(Nonce);

/// An authorization request with the code flow and PKCE.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationRequest<'a> {
    /// Whose registration it is.
    pub client_id: &'a ClientId,
    /// Where the browser comes back; registered at the authority, compared to the letter.
    pub redirect_uri: &'a str,
    /// What is asked for.
    pub scopes: &'a Scopes,
    /// To be compared in the callback.
    pub state: &'a State,
    /// To be compared in the ID token; None when no ID token is asked for.
    pub nonce: Option<&'a Nonce>,
    /// Of the verifier that will redeem the code.
    pub code_challenge: &'a CodeChallenge,
    /// The address the person is expected to sign in with.
    pub login_hint: Option<&'a str>,
    /// `login`, `consent`, `select_account`, `none`.
    pub prompt: Option<&'a str>,
    /// What the provider needs besides
    /// ([`Provider::authorization_parameters`](crate::provider::Provider)). They never replace a
    /// parameter of the request.
    pub extra: &'a [(String, String)],
}

impl AuthorizationRequest<'_> {
    /// The URL to send the browser to.
    ///
    /// A `prompt` of the request goes before one among the extra parameters; what the provider
    /// makes of it is told by [`Provider::prompt`](crate::provider::Provider::prompt).
    #[must_use]
    pub fn url(&self, authorization_endpoint: &Endpoint) -> String {
        let scope = self.scopes.to_string();
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", self.redirect_uri),
            ("scope", &scope),
            ("state", self.state.expose()),
        ];
        if let Some(nonce) = self.nonce {
            pairs.push(("nonce", nonce.expose()));
        }
        pairs.push(("code_challenge", self.code_challenge.as_str()));
        pairs.push(("code_challenge_method", CodeChallenge::METHOD));
        if let Some(hint) = self.login_hint.filter(|hint| !hint.is_empty()) {
            pairs.push(("login_hint", hint));
        }
        if let Some(prompt) = self.prompt {
            pairs.push(("prompt", prompt));
        }
        for (name, value) in self.extra {
            if pairs.iter().all(|(taken, _)| taken != name) {
                pairs.push((name, value));
            }
        }
        authorization_endpoint.with_query(pairs.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding;
    use crate::pkce::CodeVerifier;
    use proptest::prelude::*;

    fn parameters(
        hint: Option<&str>,
        prompt: Option<&str>,
        extra: &[(&str, &str)],
    ) -> Vec<(String, String)> {
        let extra: Vec<_> = extra
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let url = AuthorizationRequest {
            client_id: &ClientId::new("id").unwrap(),
            redirect_uri: "https://a.test/cb",
            scopes: &Scopes::parse("openid b").unwrap(),
            state: &State::parse("s").unwrap(),
            nonce: None,
            code_challenge: &CodeVerifier::from_random([0; 32]).challenge(),
            login_hint: hint,
            prompt,
            extra: &extra,
        }
        .url(&Endpoint::new("https://login.test/authorize").unwrap());
        encoding::form_pairs(url.split_once('?').unwrap().1).unwrap()
    }

    fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Vec<&'a str> {
        pairs
            .iter()
            .filter(|(each, _)| each == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    #[test]
    fn extra_parameters_replace_nothing() {
        let extra = [
            ("access_type", "offline"),
            ("prompt", "consent"),
            ("state", "evil"),
            ("client_id", "evil"),
        ];
        let pairs = parameters(None, Some("login"), &extra);
        assert_eq!(value(&pairs, "access_type"), ["offline"]);
        assert_eq!(value(&pairs, "prompt"), ["login"]);
        assert_eq!(value(&pairs, "state"), ["s"]);
        assert_eq!(value(&pairs, "client_id"), ["id"]);
        assert_eq!(value(&pairs, "scope"), ["openid b"]);
        assert_eq!(
            value(&parameters(None, None, &extra), "prompt"),
            ["consent"]
        );
    }

    #[test]
    fn an_empty_hint_is_none() {
        let pairs = parameters(Some("a&b@c.test"), Some("login"), &[]);
        assert_eq!(value(&pairs, "login_hint"), ["a&b@c.test"]);
        assert!(value(&parameters(Some(""), None, &[]), "login_hint").is_empty());
    }

    #[test]
    fn debug_shows_neither_state_nor_nonce() {
        let shown = format!(
            "{:?} {:?}",
            State::parse("canary").unwrap(),
            Nonce::parse("canary").unwrap()
        );
        assert_eq!(shown, "State(…) Nonce(…)");
    }

    proptest! {
        #[test]
        fn any_hint_stays_in_its_parameter(hint: String) {
            let pairs = parameters(Some(&hint), None, &[]);
            let expected: &[&str] = if hint.is_empty() { &[] } else { &[&hint] };
            prop_assert_eq!(value(&pairs, "login_hint"), expected);
            prop_assert_eq!(value(&pairs, "state"), ["s"]);
        }
    }
}
