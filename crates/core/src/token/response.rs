//! What the token endpoint answers.

use std::time::Duration;

use super::{AccessToken, ErrorResponse, IdToken, RefreshToken};
use crate::json::{self, Object};
use crate::scope::Scopes;

/// A successful token response (RFC 6749 §5.1).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenResponse {
    /// For the mail server.
    pub access_token: AccessToken,
    /// Always bearer: nothing else can be used.
    pub token_type: TokenType,
    /// The lifetime from the moment of the answer.
    pub expires_in: Option<Duration>,
    /// The next refresh token. None: the old one stays good, keep it.
    pub refresh_token: Option<RefreshToken>,
    /// What was granted, where the authority says. None: what was asked for.
    pub scope: Option<Scopes>,
    /// Who signed in, when `openid` was asked for.
    pub id_token: Option<IdToken>,
}

impl TokenResponse {
    /// Reads the answer of a token endpoint, whatever it is.
    ///
    /// Tolerant where authorities differ (a lifetime written as a string, a missing
    /// `token_type`), strict on what is used: a token the mail protocols cannot carry is refused.
    ///
    /// # Errors
    ///
    /// [`TokenError::Refused`] for an error response (RFC 6749 §5.2), also one with status 200;
    /// [`TokenError::NotJson`] for a page of a proxy or a broken authority;
    /// [`TokenError::Malformed`] for JSON that is neither.
    pub fn parse(status: u16, body: &[u8]) -> Result<Self, TokenError> {
        let object = json::object(body).ok_or(TokenError::NotJson { status })?;
        let malformed = |reason| TokenError::Malformed { status, reason };
        if let Some(refused) = ErrorResponse::from_object(&object) {
            return Err(TokenError::Refused(Box::new(refused)));
        }
        if !(200..300).contains(&status) {
            return Err(malformed("an error without an error code"));
        }
        let access_token =
            json::string(&object, "access_token").ok_or(malformed("access_token is missing"))?;
        Ok(Self {
            access_token: AccessToken::new(access_token)
                .map_err(|_| malformed("access_token holds what a token cannot"))?,
            token_type: TokenType::parse(&object).ok_or(malformed(
                "token_type is not Bearer, which is all that mail can use",
            ))?,
            expires_in: json::integer(&object, "expires_in")
                .map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(0))),
            refresh_token: json::string(&object, "refresh_token")
                .map(RefreshToken::new)
                .transpose()
                .map_err(|_| malformed("refresh_token holds what a token cannot"))?,
            scope: json::strings(&object, "scope").map(|scopes| Scopes::lenient(&scopes.join(" "))),
            id_token: json::string(&object, "id_token")
                .map(IdToken::new)
                .transpose()
                .map_err(|_| malformed("id_token holds what a token cannot"))?,
        })
    }
}

/// `token_type` (RFC 6749 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenType {
    /// RFC 6750.
    Bearer,
}

impl TokenType {
    fn parse(object: &Object) -> Option<Self> {
        match json::string(object, "token_type") {
            // Required, yet not sent by every authority, and there is no other type in use.
            None => Some(Self::Bearer),
            Some(name) if name.eq_ignore_ascii_case("bearer") => Some(Self::Bearer),
            Some(_) => None,
        }
    }
}

/// Why there is no token in an answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The authority said no, and why.
    #[error("the authority refused: {0}")]
    Refused(Box<ErrorResponse>),
    /// The answer is no JSON object: a proxy's or a broken authority's page.
    #[error("the answer (HTTP {status}) is not JSON: check the endpoint and any proxy before it")]
    NotJson {
        /// Of HTTP.
        status: u16,
    },
    /// JSON, but no answer of a token endpoint.
    #[error("the answer (HTTP {status}) is not that of a token endpoint: {reason}")]
    Malformed {
        /// Of HTTP.
        status: u16,
        /// What is missing or wrong.
        reason: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::ErrorCode;
    use proptest::prelude::*;

    const SUCCESS: &[u8] =
        br#"{"token_type":"Bearer","scope":"https://outlook.office.com/IMAP.AccessAsUser.All",
        "expires_in":3599,"ext_expires_in":3599,"access_token":"canary-access",
        "refresh_token":"canary-refresh","id_token":"canary.id.token"}"#;

    #[test]
    fn debug_shows_no_token() {
        let response = TokenResponse::parse(200, SUCCESS).unwrap();
        let shown = format!("{response:?}{response:#?}");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("IMAP.AccessAsUser.All"));
    }

    #[test]
    fn lifetimes_in_all_their_forms() {
        let lifetime = |value: &str| {
            let body = format!(r#"{{"access_token":"t","expires_in":{value}}}"#);
            TokenResponse::parse(200, body.as_bytes())
                .unwrap()
                .expires_in
        };
        assert_eq!(lifetime("3599"), Some(Duration::from_secs(3599)));
        assert_eq!(lifetime("\"3599\""), Some(Duration::from_secs(3599)));
        assert_eq!(lifetime("3599.9"), Some(Duration::from_secs(3599)));
        assert_eq!(lifetime("-1"), Some(Duration::ZERO));
        assert_eq!(
            lifetime("1e300"),
            Some(Duration::from_secs(i64::MAX.unsigned_abs()))
        );
        assert_eq!(lifetime("null"), None);
        assert_eq!(lifetime("\"soon\""), None);
    }

    #[test]
    fn an_error_with_status_200_is_an_error() {
        let error = TokenResponse::parse(200, br#"{"error":"bad_verification_code"}"#).unwrap_err();
        assert!(matches!(error, TokenError::Refused(refused)
            if refused.error == ErrorCode::BAD_VERIFICATION_CODE));
    }

    #[test]
    fn a_token_with_a_line_break_is_refused() {
        for body in [
            &br#"{"access_token":"a\r\nb"}"#[..],
            br#"{"access_token":"a","refresh_token":"a\u0000b"}"#,
            br#"{"access_token":"a","token_type":"mac"}"#,
            br#"{"access_token":""}"#,
            br#"{"access_token":7}"#,
            br#"{}"#,
        ] {
            let error = TokenResponse::parse(200, body).unwrap_err();
            assert!(
                matches!(error, TokenError::Malformed { status: 200, .. }),
                "{error}"
            );
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(status: u16, body: Vec<u8>) {
            let _ = TokenResponse::parse(status, &body);
        }

        #[test]
        fn parsing_objects_never_panics(
            status: u16,
            name in "access_token|expires_in|scope|error|error_codes|error_description",
            value in r#"null|true|-?[0-9]{1,30}|"[a-z \\n]{0,9}"|\[[0-9]{0,3}\]|\{\}"#,
        ) {
            let body = format!(r#"{{"{name}":{value},"access_token":"t"}}"#);
            let _ = TokenResponse::parse(status, body.as_bytes());
        }
    }
}
