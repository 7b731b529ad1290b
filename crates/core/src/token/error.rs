//! Error responses, of the token endpoint and in callbacks.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::InvalidValue;
use crate::json::{self, Object};
use crate::value::{self, Problem};

/// An error response (RFC 6749 §5.2), with what Entra adds to it.
///
/// Decide on [`error`](Self::error) and the HTTP status; show the rest to people. The text is the
/// authority's and changes without notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ErrorResponse {
    /// What went wrong.
    pub error: ErrorCode,
    /// Text for people; at Entra it begins with `AADSTSnnnnn:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// A page about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_uri: Option<String>,
    /// Entra's numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub error_codes: Vec<u32>,
    /// Entra: when, `YYYY-MM-DD HH:MM:SSZ`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    /// Entra: for its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Entra: for its support, and for the tenant's sign-in log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Entra: a finer error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suberror: Option<String>,
    /// Entra: the claims challenge to repeat in an authorization request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<String>,
}

impl ErrorResponse {
    /// An error with nothing but its code.
    #[must_use]
    pub fn new(error: ErrorCode) -> Self {
        Self {
            error,
            error_description: None,
            error_uri: None,
            error_codes: Vec::new(),
            timestamp: None,
            trace_id: None,
            correlation_id: None,
            suberror: None,
            claims: None,
        }
    }

    /// The first of Entra's numbers: from `error_codes`, else from the description's `AADSTS`.
    #[must_use]
    pub fn aadsts(&self) -> Option<u32> {
        self.error_codes.first().copied().or_else(|| {
            let (_, rest) = self.error_description.as_deref()?.split_once("AADSTS")?;
            let digits = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            rest.get(..digits)?.parse().ok()
        })
    }

    /// Replaces every occurrence of a secret that the authority echoed. Secrets under eight
    /// bytes are left: they are found in ordinary words.
    pub fn redact(&mut self, secret: &str) {
        if secret.len() < 8 {
            return;
        }
        let Self {
            error_description,
            error_uri,
            timestamp,
            trace_id,
            ..
        } = self;
        let Self {
            correlation_id,
            suberror,
            claims,
            ..
        } = self;
        let texts = [
            error_description,
            error_uri,
            timestamp,
            trace_id,
            correlation_id,
            suberror,
            claims,
        ];
        for text in texts.into_iter().flatten() {
            if text.contains(secret) {
                *text = text.replace(secret, "…");
            }
        }
        if self.error.as_str().contains(secret) {
            self.error = ErrorCode(Cow::Borrowed("…"));
        }
    }

    /// `None`: not an error response.
    pub(crate) fn from_object(object: &Object) -> Option<Self> {
        let code = json::string(object, "error").and_then(|code| ErrorCode::new(code).ok())?;
        let text = |name| json::string(object, name).map(bounded);
        Some(Self {
            error_description: text("error_description"),
            error_uri: text("error_uri"),
            error_codes: numbers(object, "error_codes"),
            timestamp: text("timestamp"),
            trace_id: text("trace_id"),
            correlation_id: text("correlation_id"),
            suberror: text("suberror"),
            claims: text("claims"),
            ..Self::new(code)
        })
    }
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.error.as_str())?;
        if let Some(number) = self.aadsts() {
            write!(formatter, " (AADSTS{number})")?;
        }
        Ok(())
    }
}

/// `error` (RFC 6749 §5.2, §4.1.2.1, RFC 8628 §3.5).
///
/// ```text
/// error = 1*( %x20-21 / %x23-5B / %x5D-7E )
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ErrorCode(Cow<'static, str>);

macro_rules! error_codes {
    ($($(#[$documentation:meta])* $name:ident = $text:literal;)*) => {
        impl ErrorCode {
            $($(#[$documentation])* pub const $name: Self = Self(Cow::Borrowed($text));)*
        }
    };
}

error_codes! {
    /// The grant (code, refresh token) is spent, expired or revoked: sign in anew.
    INVALID_GRANT = "invalid_grant";
    /// The client's id or credential is wrong or expired.
    INVALID_CLIENT = "invalid_client";
    /// The request is wrong.
    INVALID_REQUEST = "invalid_request";
    /// The scope is unknown or more than was granted.
    INVALID_SCOPE = "invalid_scope";
    /// Entra: the resource is unknown in the tenant.
    INVALID_RESOURCE = "invalid_resource";
    /// The client may not do this.
    UNAUTHORIZED_CLIENT = "unauthorized_client";
    /// The grant type is not supported.
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type";
    /// The response type is not supported.
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type";
    /// The person or the authority's policy said no.
    ACCESS_DENIED = "access_denied";
    /// Entra's admin consent: the administrator said no.
    PERMISSION_DENIED = "permission_denied";
    /// The authority is broken at the moment.
    SERVER_ERROR = "server_error";
    /// The authority is overloaded at the moment.
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable";
    /// The person must do something at the authority.
    INTERACTION_REQUIRED = "interaction_required";
    /// The person must consent.
    CONSENT_REQUIRED = "consent_required";
    /// The person must sign in.
    LOGIN_REQUIRED = "login_required";
    /// Device flow: the person has not answered yet.
    AUTHORIZATION_PENDING = "authorization_pending";
    /// Device flow: as before, and ask less often.
    SLOW_DOWN = "slow_down";
    /// Device flow: the code's time is over.
    EXPIRED_TOKEN = "expired_token";
    /// Device flow at Entra: the person said no.
    AUTHORIZATION_DECLINED = "authorization_declined";
    /// Device flow at Entra: the code is not one of its own.
    BAD_VERIFICATION_CODE = "bad_verification_code";
}

impl ErrorCode {
    /// Checks the grammar.
    ///
    /// # Errors
    ///
    /// When it is empty, or holds a quote, a backslash or anything but printable ASCII.
    pub fn new(code: impl Into<String>) -> Result<Self, InvalidValue> {
        let code = code.into();
        value::vschar("error code", &code)?;
        match code.find(['"', '\\']) {
            Some(at) => Err(InvalidValue::new("error code", Problem::Character { at })),
            None => Ok(Self(Cow::Owned(code))),
        }
    }

    /// The code as the wire has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// What others wrote for people: Entra's longest descriptions are under 2 KiB, nobody reads more; and on its way to logs
/// and terminals it must not command them.
pub(crate) fn bounded(mut text: String) -> String {
    const LIMIT: usize = 4096;
    if text.len() > LIMIT {
        text.truncate(text.floor_char_boundary(LIMIT));
    }
    let commands = |letter: char| letter.is_control() && !matches!(letter, '\r' | '\n' | '\t');
    if text.contains(commands) {
        text = text.replace(commands, "\u{fffd}");
    }
    text
}

fn numbers(object: &Object, name: &str) -> Vec<u32> {
    let Some(values) = object.get(name).and_then(serde_json::Value::as_array) else {
        return Vec::new();
    };
    values
        .iter()
        .filter_map(|value| value.as_u64().and_then(|number| u32::try_from(number).ok()))
        .take(16)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{TokenError, TokenResponse};

    #[test]
    fn echoed_secrets_are_redacted() {
        let mut refused = ErrorResponse::new(ErrorCode::INVALID_GRANT);
        refused.error_description =
            Some("token canary-token is not known, canary-token".to_owned());
        refused.redact("canary-token");
        refused.redact("grant");
        assert!(!format!("{refused:?}").contains("canary"));
        assert_eq!(refused.error, ErrorCode::INVALID_GRANT);
    }

    #[test]
    fn descriptions_are_bounded() {
        let body = format!(
            r#"{{"error":"x","error_description":"{}"}}"#,
            "\u{e9}".repeat(5000)
        );
        let Err(TokenError::Refused(refused)) = TokenResponse::parse(400, body.as_bytes()) else {
            panic!("not refused");
        };
        assert_eq!(refused.error_description.unwrap().len(), 4096);
    }

    #[test]
    fn descriptions_command_no_terminal() {
        let body =
            br#"{"error":"x","error_description":"AADSTS1: a\u001b]0;b\u0007\u009b2J\r\n\tc"}"#;
        let Err(TokenError::Refused(refused)) = TokenResponse::parse(400, body) else {
            panic!("not refused");
        };
        assert_eq!(
            refused.error_description.unwrap(),
            "AADSTS1: a\u{fffd}]0;b\u{fffd}\u{fffd}2J\r\n\tc"
        );
    }

    #[test]
    fn error_responses_round_trip_through_json() {
        let body = br#"{"error":"invalid_grant","error_description":"AADSTS700082: x","error_codes":[700082]}"#;
        let Err(TokenError::Refused(refused)) = TokenResponse::parse(400, body) else {
            panic!("not refused");
        };
        let stored = serde_json::to_string(&refused).unwrap();
        assert_eq!(stored.as_bytes(), body);
        assert_eq!(
            serde_json::from_str::<ErrorResponse>(&stored).unwrap(),
            *refused
        );
        assert_eq!(refused.to_string(), "invalid_grant (AADSTS700082)");
    }

    #[test]
    fn aadsts_from_the_description_alone() {
        let mut refused = ErrorResponse::new(ErrorCode::ACCESS_DENIED);
        assert_eq!(refused.aadsts(), None);
        refused.error_description = Some("AADSTS65004: User declined".to_owned());
        assert_eq!(refused.aadsts(), Some(65004));
    }
}
