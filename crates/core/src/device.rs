//! The device authorization grant (RFC 8628).
//!
//! ```
//! use mailgrant_core::device::DeviceAuthorizationResponse;
//!
//! let response = DeviceAuthorizationResponse::parse(200, br#"{
//!     "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
//!     "user_code": "WDJB-MJHT",
//!     "verification_uri": "https://example.com/device",
//!     "expires_in": 1800
//! }"#).unwrap();
//! assert_eq!(response.user_code, "WDJB-MJHT");
//! assert_eq!(response.interval.as_secs(), 5);
//! ```

use std::time::Duration;

use zeroize::Zeroizing;

use crate::encoding;
use crate::endpoint::Endpoint;
use crate::json;
use crate::scope::Scopes;
use crate::secret::secret_newtype;
use crate::token::{
    ClientAuthentication, ClientId, ErrorCode, ErrorResponse, TokenError, TokenResponse,
};
use crate::value;

secret_newtype! {
    /// `device_code`: who has it gets the token once the person has agreed.
    DeviceCode, "device code", value::vschar
}

/// A device authorization request (RFC 8628 §3.1).
#[derive(Clone, Copy, Debug)]
pub struct DeviceAuthorizationRequest<'a> {
    /// Whose registration it is.
    pub client_id: &'a ClientId,
    /// How the client proves it: a confidential one authenticates here too.
    pub authentication: ClientAuthentication<'a>,
    /// What is asked for.
    pub scopes: &'a Scopes,
}

impl DeviceAuthorizationRequest<'_> {
    /// The body, `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn body(&self) -> Zeroizing<String> {
        let scope = self.scopes.to_string();
        let mut pairs = Vec::with_capacity(4);
        self.authentication.push(self.client_id, &mut pairs);
        pairs.push(("scope", &scope));
        encoding::form(pairs.into_iter())
    }
}

/// What the person is to be shown, and what to ask with (RFC 8628 §3.2).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeviceAuthorizationResponse {
    /// To poll with.
    pub device_code: DeviceCode,
    /// To type in.
    pub user_code: String,
    /// Where to type it.
    pub verification_uri: Endpoint,
    /// The same with the code in it. Entra has none.
    pub verification_uri_complete: Option<Endpoint>,
    /// How long the codes are good.
    pub expires_in: Duration,
    /// The least time between polls.
    pub interval: Duration,
    /// Entra: the whole instruction as a sentence.
    pub message: Option<String>,
}

impl DeviceAuthorizationResponse {
    /// Reads the answer of the device authorization endpoint.
    ///
    /// # Errors
    ///
    /// As [`TokenResponse::parse`].
    pub fn parse(status: u16, body: &[u8]) -> Result<Self, TokenError> {
        let object = json::object(body).ok_or(TokenError::NotJson { status })?;
        if let Some(refused) = ErrorResponse::from_object(&object) {
            return Err(TokenError::Refused(Box::new(refused)));
        }
        let malformed = |reason| TokenError::Malformed { status, reason };
        if !(200..300).contains(&status) {
            return Err(malformed("an error without an error code"));
        }
        let seconds = |name| {
            json::integer(&object, name)
                .and_then(|seconds| u64::try_from(seconds).ok())
                .filter(|seconds| *seconds > 0)
                .map(Duration::from_secs)
        };
        let user_code = json::string(&object, "user_code")
            .filter(|code| value::text("user code", code).is_ok())
            .ok_or(malformed("user_code is missing"))?;
        Ok(Self {
            device_code: json::string(&object, "device_code")
                .and_then(|code| DeviceCode::new(code).ok())
                .ok_or(malformed("device_code is missing"))?,
            user_code,
            // Google's is still called verification_url.
            verification_uri: json::string(&object, "verification_uri")
                .or_else(|| json::string(&object, "verification_url"))
                .and_then(|uri| Endpoint::new(uri).ok())
                .ok_or(malformed("verification_uri is missing or not https"))?,
            verification_uri_complete: json::string(&object, "verification_uri_complete")
                .and_then(|uri| Endpoint::new(uri).ok()),
            expires_in: seconds("expires_in").ok_or(malformed("expires_in is missing"))?,
            interval: seconds("interval").unwrap_or(Duration::from_secs(5)),
            message: json::string(&object, "message"),
        })
    }
}

/// What a poll of the token endpoint means (RFC 8628 §3.5).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DevicePoll {
    /// The person agreed.
    Granted(Box<TokenResponse>),
    /// Not answered yet: ask again after the interval.
    Pending,
    /// As `Pending`; the interval is five seconds longer from now on.
    SlowDown,
    /// The person said no.
    Declined,
    /// The time is over: begin anew.
    Expired,
    /// Anything else.
    Failed(TokenError),
}

impl From<Result<TokenResponse, TokenError>> for DevicePoll {
    fn from(answer: Result<TokenResponse, TokenError>) -> Self {
        match answer {
            Ok(response) => Self::Granted(Box::new(response)),
            Err(TokenError::Refused(refused)) => match &refused.error {
                code if *code == ErrorCode::AUTHORIZATION_PENDING => Self::Pending,
                code if *code == ErrorCode::SLOW_DOWN => Self::SlowDown,
                code if *code == ErrorCode::ACCESS_DENIED => Self::Declined,
                code if *code == ErrorCode::AUTHORIZATION_DECLINED => Self::Declined,
                code if *code == ErrorCode::EXPIRED_TOKEN => Self::Expired,
                _ => Self::Failed(TokenError::Refused(refused)),
            },
            Err(error) => Self::Failed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::ClientSecret;
    use proptest::prelude::*;

    fn poll(body: &[u8]) -> DevicePoll {
        TokenResponse::parse(400, body).into()
    }

    #[test]
    fn polls_are_told_apart() {
        assert!(matches!(
            poll(br#"{"error":"authorization_pending"}"#),
            DevicePoll::Pending
        ));
        assert!(matches!(
            poll(br#"{"error":"slow_down"}"#),
            DevicePoll::SlowDown
        ));
        assert!(matches!(
            poll(br#"{"error":"access_denied"}"#),
            DevicePoll::Declined
        ));
        assert!(matches!(
            poll(br#"{"error":"authorization_declined"}"#),
            DevicePoll::Declined
        ));
        assert!(matches!(
            poll(br#"{"error":"expired_token"}"#),
            DevicePoll::Expired
        ));
        assert!(matches!(
            poll(br#"{"error":"bad_verification_code"}"#),
            DevicePoll::Failed(_)
        ));
        assert!(matches!(
            poll(b"<html>"),
            DevicePoll::Failed(TokenError::NotJson { .. })
        ));
    }

    #[test]
    fn request_body() {
        let client_id = ClientId::new("1406020730").unwrap();
        let scopes = Scopes::parse("example_scope other").unwrap();
        let request = DeviceAuthorizationRequest {
            client_id: &client_id,
            authentication: ClientAuthentication::None,
            scopes: &scopes,
        };
        assert_eq!(
            *request.body(),
            "client_id=1406020730&scope=example_scope+other"
        );
        let secret = ClientSecret::new("s3cr3t").unwrap();
        let confidential = DeviceAuthorizationRequest {
            authentication: ClientAuthentication::SecretPost(&secret),
            ..request
        };
        assert_eq!(
            *confidential.body(),
            "client_id=1406020730&client_secret=s3cr3t&scope=example_scope+other"
        );
    }

    #[test]
    fn refuses_a_page_that_is_not_https() {
        let error = DeviceAuthorizationResponse::parse(
            200,
            br#"{"device_code":"d","user_code":"u","verification_uri":"javascript:x","expires_in":9}"#,
        )
        .unwrap_err();
        assert!(error.to_string().contains("verification_uri"));
    }

    #[test]
    fn debug_shows_no_device_code() {
        let response = DeviceAuthorizationResponse::parse(
            200,
            br#"{"device_code":"canary","user_code":"u","verification_url":"https://a.test/","expires_in":"900","interval":0}"#,
        )
        .unwrap();
        assert!(!format!("{response:?}").contains("canary"));
        assert_eq!(response.interval, Duration::from_secs(5));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(status: u16, body: Vec<u8>) {
            let _ = DeviceAuthorizationResponse::parse(status, &body);
        }
    }
}
