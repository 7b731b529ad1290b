//! What a token says about itself: unverified, for diagnosis and display.
//!
//! ```
//! use mailgrant_core::claims::{Claims, TokenKind};
//!
//! // {"aud":"https://outlook.office365.com","roles":["IMAP.AccessAsApp"],"ver":"1.0"}
//! let token = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL291dGxvb2sub2ZmaWNlMzY1LmNvbSIsInJvbGVzIjpb\
//!              IklNQVAuQWNjZXNzQXNBcHAiXSwidmVyIjoiMS4wIn0.c2ln";
//! let TokenKind::Jwt(claims) = Claims::unverified(token) else { panic!() };
//! assert_eq!(claims.roles, ["IMAP.AccessAsApp"]);
//!
//! // Tokens of personal accounts are opaque.
//! assert!(matches!(Claims::unverified("EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA"), TokenKind::Opaque));
//! ```

use serde::Serialize;

use crate::encoding;
use crate::json::{self, Object};
use crate::scope::Scopes;
use crate::time::UnixTime;

/// What can be seen of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenKind {
    /// A JWT (RFC 7519).
    Jwt(Box<Claims>),
    /// Anything else: personal Microsoft accounts, Google, encrypted tokens.
    Opaque,
}

/// The claims of a JWT that matter here, of Entra's versions 1.0 and 2.0 and of OpenID Connect.
///
/// Nothing here is verified: use it to explain, never to decide.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Claims {
    /// For whom the token is: one or several.
    pub aud: Vec<String>,
    /// Who issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The person or application, in the issuer's terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<UnixTime>,
    /// When it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<UnixTime>,
    /// When it was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<UnixTime>,
    /// Entra: the tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tid: Option<String>,
    /// Entra: the person or service principal in the tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oid: Option<String>,
    /// Entra 1.0: the sign-in name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upn: Option<String>,
    /// Entra 1.0: a name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_name: Option<String>,
    /// The sign-in name, of which nothing is promised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// The mail address, where the authority gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of the authorization request. Never shown in JSON.
    #[serde(skip)]
    pub nonce: Option<String>,
    /// Delegated permissions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scp: Option<Scopes>,
    /// Application permissions. An app-only token without any was issued before consent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Entra 1.0: the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appid: Option<String>,
    /// Entra 2.0 and OpenID Connect: the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azp: Option<String>,
    /// Entra: `1.0` or `2.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ver: Option<String>,
}

impl Claims {
    /// Reads a token without checking its signature. Never fails: what is no JWT is opaque.
    #[must_use]
    pub fn unverified(token: &str) -> TokenKind {
        let mut parts = token.split('.');
        // Three parts; five are an encrypted token (RFC 7516).
        let (Some(header), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return TokenKind::Opaque;
        };
        let part = |text| encoding::base64url_lenient(text).and_then(|bytes| json::object(&bytes));
        match (part(header), part(payload)) {
            (Some(_), Some(payload)) => TokenKind::Jwt(Box::new(Self::from_object(&payload))),
            _ => TokenKind::Opaque,
        }
    }

    /// Reads a payload that was verified by the caller; `None` when it is no JSON object.
    #[must_use]
    pub fn from_payload(payload: &[u8]) -> Option<Self> {
        json::object(payload).map(|object| Self::from_object(&object))
    }

    fn from_object(object: &Object) -> Self {
        let text = |name| json::string(object, name);
        let time = |name| json::integer(object, name).map(UnixTime);
        Self {
            aud: json::strings(object, "aud").unwrap_or_default(),
            iss: text("iss"),
            sub: text("sub"),
            exp: time("exp"),
            nbf: time("nbf"),
            iat: time("iat"),
            tid: text("tid"),
            oid: text("oid"),
            upn: text("upn"),
            unique_name: text("unique_name"),
            preferred_username: text("preferred_username"),
            email: text("email"),
            name: text("name"),
            nonce: text("nonce"),
            scp: json::strings(object, "scp").map(|scopes| Scopes::lenient(&scopes.join(" "))),
            roles: json::strings(object, "roles").unwrap_or_default(),
            appid: text("appid"),
            azp: text("azp"),
            ver: text("ver"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::base64url;
    use proptest::prelude::*;

    fn jwt(payload: &str) -> String {
        format!(
            "{}.{}.c2ln",
            base64url(br#"{"alg":"RS256"}"#),
            base64url(payload.as_bytes())
        )
    }

    fn claims(payload: &str) -> Claims {
        match Claims::unverified(&jwt(payload)) {
            TokenKind::Jwt(claims) => *claims,
            TokenKind::Opaque => panic!("opaque: {payload}"),
        }
    }

    #[test]
    fn odd_types_cost_only_their_claim() {
        let read = claims(
            r#"{"aud":["a",7,"b"],"exp":"1700000000","iat":1.5e9,"oid":{},"name":null,"roles":"one"}"#,
        );
        assert_eq!(read.aud, ["a", "b"]);
        assert_eq!(read.exp, Some(UnixTime(1_700_000_000)));
        assert_eq!(read.iat, Some(UnixTime(1_500_000_000)));
        assert_eq!((read.oid, read.name), (None, None));
        assert_eq!(read.roles, ["one"]);
    }

    #[test]
    fn padding_is_tolerated() {
        let token = jwt(r#"{"a":1}"#).replace(".c2ln", "==.c2ln");
        assert!(matches!(Claims::unverified(&token), TokenKind::Jwt(_)));
    }

    #[test]
    fn what_is_no_jwt_is_opaque() {
        let encrypted = "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d";
        for token in [
            "",
            ".",
            "..",
            "a.b.c",
            "a.b",
            "ya29.a0AfH6",
            encrypted,
            "e30.W10.e30",
            "e30.bnVsbA.",
        ] {
            assert_eq!(Claims::unverified(token), TokenKind::Opaque, "{token}");
        }
        assert!(matches!(Claims::unverified("e30.e30."), TokenKind::Jwt(_)));
    }

    #[test]
    fn the_nonce_is_not_in_the_json() {
        let read = claims(r#"{"nonce":"canary","ver":"2.0"}"#);
        assert_eq!(
            serde_json::to_string(&read).unwrap(),
            r#"{"aud":[],"ver":"2.0"}"#
        );
    }

    proptest! {
        #[test]
        fn reading_never_panics(text: String, payload: Vec<u8>) {
            let _ = Claims::unverified(&text);
            let _ = Claims::unverified(&format!("e30.{}.", base64url(&payload)));
            let _ = Claims::from_payload(&payload);
        }
    }
}
