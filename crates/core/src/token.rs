//! Tokens, the request for them and its answers (RFC 6749 §4.1.3, §4.4, §5, §6).
//!
//! ```
//! use mailgrant_core::token::{
//!     ClientAuthentication, ClientId, ClientSecret, GrantRequest, RefreshToken, TokenRequest,
//!     TokenResponse,
//! };
//!
//! let secret = ClientSecret::new("s3cr3t").unwrap();
//! let refresh_token = RefreshToken::new("0.AR8A").unwrap();
//! let client_id = ClientId::new("6731de76-14a6-49ae-97bc-6eba6914391e").unwrap();
//! let request = TokenRequest {
//!     client_id: &client_id,
//!     authentication: ClientAuthentication::SecretPost(&secret),
//!     grant: GrantRequest::RefreshToken { refresh_token: &refresh_token, scope: None },
//! };
//! assert!(request.body().starts_with("grant_type=refresh_token&refresh_token=0.AR8A&client_id="));
//!
//! // … sent by the caller; then:
//! let response = TokenResponse::parse(
//!     200,
//!     br#"{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ0.eyJh.c2ln"}"#,
//! ).unwrap();
//! assert_eq!(response.access_token.expose(), "eyJ0.eyJh.c2ln");
//! assert!(response.refresh_token.is_none(), "keep the old one");
//! ```

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::InvalidValue;
use crate::secret::secret_newtype;
use crate::value;

mod error;
mod request;
mod response;

pub(crate) use error::bounded;
pub use error::{ErrorCode, ErrorResponse};
pub use request::{ClientAuthentication, GrantRequest, TokenRequest};
pub use response::{TokenError, TokenResponse, TokenType};

secret_newtype! {
    /// `access_token`: what the mail server is shown. Opaque: read it with
    /// [`Claims::unverified`](crate::claims::Claims::unverified) for diagnosis only.
    ///
    /// Printable ASCII without spaces, so that it fits `Authorization: Bearer` (RFC 6750 §2.1) and
    /// SASL whole.
    AccessToken, "access token", value::graphic
}

secret_newtype! {
    /// `refresh_token` (RFC 6749 §1.5, appendix A.17: `1*VSCHAR`).
    RefreshToken, "refresh token", value::vschar
}

secret_newtype! {
    /// `id_token` (OpenID Connect Core §2): a signed JWT.
    IdToken, "ID token", value::graphic
}

secret_newtype! {
    /// `code` (RFC 6749 §4.1.2, appendix A.11: `1*VSCHAR`): single use, good for minutes.
    AuthorizationCode, "authorization code", value::vschar
}

secret_newtype! {
    /// `client_secret` (RFC 6749 §2.3.1, appendix A.2: printable ASCII).
    ClientSecret, "client secret", value::vschar
}

secret_newtype! {
    /// `client_assertion` (RFC 7523 §2.2): a signed JWT that stands for the client's secret.
    ClientAssertion, "client assertion", value::graphic
}

secret_newtype! {
    /// `assertion` (RFC 7523 §2.1): a signed JWT that is itself the grant.
    Assertion, "assertion", value::graphic
}

/// `client_id` (RFC 6749 §2.2, appendix A.1): public.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ClientId(String);

impl ClientId {
    /// Checks the grammar.
    ///
    /// # Errors
    ///
    /// When it is empty or not printable ASCII.
    pub fn new(value: impl Into<String>) -> Result<Self, InvalidValue> {
        let value = value.into();
        value::vschar("client id", &value)?;
        Ok(Self(value))
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ClientId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
