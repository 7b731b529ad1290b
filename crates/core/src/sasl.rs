//! How a mail server is shown an access token: XOAUTH2 and OAUTHBEARER (RFC 7628).
//!
//! ```
//! use mailgrant_core::sasl::{FailureChallenge, InitialResponse, Mechanism};
//! use mailgrant_core::token::AccessToken;
//!
//! let token = AccessToken::new("EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA").unwrap();
//! let response = InitialResponse::xoauth2("test@contoso.onmicrosoft.com", &token).unwrap();
//! assert!(response.base64().starts_with("dXNlcj10ZXN0QGNvbnRvc28"));
//!
//! // The server says no with a challenge, and waits for the abort before it ends the command.
//! let challenge = FailureChallenge::parse_base64("eyJzdGF0dXMiOiI0MDEifQ==").unwrap();
//! assert_eq!(challenge.status, "401");
//! assert_eq!(Mechanism::Xoauth2.abort(), b"");
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::encoding;
use crate::json;
use crate::token::AccessToken;
use crate::value;

mod initial_response;

/// A SASL mechanism that carries an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Mechanism {
    /// Google's, and Microsoft's only one.
    ///
    /// ```text
    /// user=<user>^Aauth=Bearer <token>^A^A
    /// ```
    #[serde(rename = "XOAUTH2")]
    Xoauth2,
    /// RFC 7628.
    ///
    /// ```text
    /// n,a=<user>,^Ahost=<host>^Aport=<port>^Aauth=Bearer <token>^A^A
    /// ```
    #[serde(rename = "OAUTHBEARER")]
    OauthBearer,
}

impl Mechanism {
    /// The name as it stands in `AUTH=…` and after `AUTHENTICATE`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Xoauth2 => "XOAUTH2",
            Self::OauthBearer => "OAUTHBEARER",
        }
    }

    /// The best of what a server offers: XOAUTH2 where it is there, else OAUTHBEARER.
    ///
    /// Takes mechanism names, bare (`XOAUTH2`, as SMTP and POP list them) or as IMAP
    /// capabilities (`AUTH=XOAUTH2`).
    ///
    /// ```
    /// use mailgrant_core::sasl::Mechanism;
    ///
    /// let exchange = "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS";
    /// assert_eq!(Mechanism::choose(exchange.split(' ')), Some(Mechanism::Xoauth2));
    /// ```
    #[must_use]
    pub fn choose<'a>(capabilities: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut chosen = None;
        for capability in capabilities {
            let name = match capability.split_at_checked("AUTH=".len()) {
                Some((prefix, name)) if prefix.eq_ignore_ascii_case("AUTH=") => name,
                _ => capability,
            };
            if name.eq_ignore_ascii_case(Self::Xoauth2.as_str()) {
                return Some(Self::Xoauth2);
            }
            if name.eq_ignore_ascii_case(Self::OauthBearer.as_str()) {
                chosen = Some(Self::OauthBearer);
            }
        }
        chosen
    }

    /// What the client answers to a failure challenge, before encoding: nothing for XOAUTH2 (an
    /// empty line on the wire), one SOH for OAUTHBEARER (`AQ==`, RFC 7628 §3.2.3).
    #[must_use]
    pub fn abort(self) -> &'static [u8] {
        match self {
            Self::Xoauth2 => b"",
            Self::OauthBearer => b"\x01",
        }
    }

    /// Reads a client's decoded initial response: user and token. For servers.
    ///
    /// # Errors
    ///
    /// When it is not of this mechanism's form.
    pub fn parse_initial_response(self, bytes: &[u8]) -> Result<(String, AccessToken), SaslError> {
        match self {
            Self::Xoauth2 => initial_response::parse_xoauth2(bytes),
            Self::OauthBearer => initial_response::parse_oauthbearer(bytes),
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The first and only message of the client. Holds the token: hidden in `Debug`, overwritten when
/// dropped.
pub struct InitialResponse {
    mechanism: Mechanism,
    bytes: Zeroizing<Vec<u8>>,
}

impl InitialResponse {
    /// For XOAUTH2.
    ///
    /// # Errors
    ///
    /// When the user is empty or holds a control character: SOH would end the field, CR and LF
    /// the line.
    pub fn xoauth2(user: &str, token: &AccessToken) -> Result<Self, SaslError> {
        check_user(user)?;
        Ok(Self::join(
            Mechanism::Xoauth2,
            &[
                "user=",
                user,
                "\x01auth=Bearer ",
                token.expose(),
                "\x01\x01",
            ],
        ))
    }

    /// For OAUTHBEARER; host and port of the mail server, where known.
    ///
    /// # Errors
    ///
    /// When user or host is empty or holds a control character.
    pub fn oauthbearer(
        user: &str,
        token: &AccessToken,
        host: Option<(&str, u16)>,
    ) -> Result<Self, SaslError> {
        check_user(user)?;
        // RFC 5801 §4: "," and "=" of a saslname are escaped.
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let host = match host {
            Some((host, port)) => {
                value::text("host", host).map_err(|_| SaslError::Host)?;
                format!("\x01host={host}\x01port={port}")
            }
            None => String::new(),
        };
        Ok(Self::join(
            Mechanism::OauthBearer,
            &[
                "n,a=",
                &user,
                ",",
                &host,
                "\x01auth=Bearer ",
                token.expose(),
                "\x01\x01",
            ],
        ))
    }

    /// Which mechanism it belongs to.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// As the protocols send it: one line of base64.
    #[must_use]
    pub fn base64(&self) -> Zeroizing<String> {
        encoding::base64(&self.bytes)
    }

    /// Before encoding.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn join(mechanism: Mechanism, parts: &[&str]) -> Self {
        // Exact, so that growth leaves no copy of the token behind.
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        parts
            .iter()
            .for_each(|part| bytes.extend_from_slice(part.as_bytes()));
        Self {
            mechanism,
            bytes: Zeroizing::new(bytes),
        }
    }
}

impl fmt::Debug for InitialResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "InitialResponse({}, …)", self.mechanism)
    }
}

/// The server's challenge when it refuses the token (RFC 7628 §3.2.2).
///
/// ```text
/// {"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailureChallenge {
    /// `invalid_token`, `insufficient_scope`, …; at Google an HTTP status.
    pub status: String,
    /// Google: which authorization schemes there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schemes: Option<String>,
    /// The scope that would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Where the authority describes itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openid_configuration: Option<String>,
}

impl FailureChallenge {
    /// Reads a decoded challenge.
    ///
    /// # Errors
    ///
    /// When it is not a JSON object with a `status`.
    pub fn parse(decoded: &[u8]) -> Result<Self, SaslError> {
        let object = json::object(decoded).ok_or(SaslError::Challenge)?;
        let text = |name| json::string(&object, name).map(crate::token::bounded);
        let status = text("status")
            .or_else(|| json::integer(&object, "status").map(|status| status.to_string()));
        Ok(Self {
            status: status.ok_or(SaslError::Challenge)?,
            schemes: text("schemes"),
            scope: text("scope"),
            openid_configuration: text("openid-configuration"),
        })
    }

    /// Reads a challenge as it stands on the line after `+ ` or `334 `, with its padding or
    /// without: Microsoft's own sample is one `=` short.
    ///
    /// # Errors
    ///
    /// When it is not base64, and as [`parse`](Self::parse).
    pub fn parse_base64(encoded: &str) -> Result<Self, SaslError> {
        let decoded = encoding::base64_lenient(encoded).ok_or(SaslError::Base64)?;
        Self::parse(&decoded)
    }
}

/// Why a SASL message cannot be built or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaslError {
    /// The user is empty, too long or holds a control character.
    #[error("the mail user is empty or holds a control character: give the mailbox's address")]
    User,
    /// The host is empty or holds a control character.
    #[error("the mail host is empty or holds a control character")]
    Host,
    /// Not base64.
    #[error("the SASL message is not base64")]
    Base64,
    /// Not a failure challenge.
    #[error("the server's challenge is not the JSON object that the mechanism prescribes")]
    Challenge,
    /// Not an initial response of the mechanism.
    #[error("the initial response is not of the mechanism's form")]
    InitialResponse,
}

fn check_user(user: &str) -> Result<(), SaslError> {
    value::text("user", user).map_err(|_| SaslError::User)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn xoauth2_goes_first() {
        let choose = |list: &str| Mechanism::choose(list.split(' '));
        assert_eq!(
            choose("AUTH=OAUTHBEARER AUTH=XOAUTH2"),
            Some(Mechanism::Xoauth2)
        );
        assert_eq!(
            choose("IMAP4rev1 auth=oauthbearer"),
            Some(Mechanism::OauthBearer)
        );
        assert_eq!(choose("LOGIN XOAUTH2"), Some(Mechanism::Xoauth2));
        assert_eq!(
            choose("AUTH=PLAIN AUTH=XOAUTH SASL-IR \u{e9}\u{e9}\u{e9}"),
            None
        );
        assert_eq!(choose(""), None);
    }

    #[test]
    fn refuses_what_would_end_the_field_or_the_line() {
        let token = AccessToken::new("t").unwrap();
        for user in ["", "a\x01auth=Bearer x", "a\r\nA1 LOGOUT", "a\0b", "a\x7f"] {
            assert_eq!(
                InitialResponse::xoauth2(user, &token).unwrap_err(),
                SaslError::User
            );
            assert!(InitialResponse::oauthbearer(user, &token, None).is_err());
        }
        let host = Some(("a\x01b", 993));
        assert_eq!(
            InitialResponse::oauthbearer("u", &token, host).unwrap_err(),
            SaslError::Host
        );
    }

    #[test]
    fn debug_shows_no_token() {
        let token = AccessToken::new("canary").unwrap();
        let response = InitialResponse::xoauth2("user", &token).unwrap();
        assert_eq!(format!("{response:?}"), "InitialResponse(XOAUTH2, …)");
    }

    #[test]
    fn status_may_be_a_number() {
        let challenge = FailureChallenge::parse(br#"{"status":401}"#).unwrap();
        assert_eq!(challenge.status, "401");
        for other in [&b"{}"[..], b"[]", b"\"401\"", b"", b"\xff"] {
            assert_eq!(FailureChallenge::parse(other), Err(SaslError::Challenge));
        }
        assert_eq!(FailureChallenge::parse_base64("{}"), Err(SaslError::Base64));
    }

    proptest! {
        /// Any user and any token either come back as they were or are refused.
        #[test]
        fn round_trips_or_refuses(user: String, token: String, host in "\\PC{0,9}", port: u16) {
            let Ok(token) = AccessToken::new(token) else { return Ok(()) };
            let built = [
                InitialResponse::xoauth2(&user, &token),
                InitialResponse::oauthbearer(&user, &token, None),
                InitialResponse::oauthbearer(&user, &token, Some((&host, port))),
            ];
            for response in built.into_iter().flatten() {
                let (read_user, read_token) =
                    response.mechanism().parse_initial_response(response.bytes()).unwrap();
                prop_assert_eq!(&read_user, &user);
                prop_assert_eq!(read_token.expose(), token.expose());
            }
        }

        #[test]
        fn printable_users_and_tokens_are_accepted(user in "[^\\p{Cc}]{1,40}", token in "[!-~]{1,99}") {
            let token = AccessToken::new(token).unwrap();
            for response in [
                InitialResponse::xoauth2(&user, &token).unwrap(),
                InitialResponse::oauthbearer(&user, &token, Some(("host", 1))).unwrap(),
            ] {
                let (read_user, read_token) =
                    response.mechanism().parse_initial_response(response.bytes()).unwrap();
                prop_assert_eq!(&read_user, &user);
                prop_assert_eq!(read_token, token.clone());
                let one_line = response.base64();
                prop_assert!(one_line.bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }

        #[test]
        fn parsing_never_panics(bytes: Vec<u8>, text: String) {
            let _ = FailureChallenge::parse(&bytes);
            let _ = FailureChallenge::parse_base64(&text);
            let _ = Mechanism::Xoauth2.parse_initial_response(&bytes);
            let _ = Mechanism::OauthBearer.parse_initial_response(&bytes);
            let _ = Mechanism::choose(text.split(' '));
        }

        #[test]
        fn parsing_of_nearly_right_responses_never_panics(
            text in "(user=|n,a=|,|\u{1}|auth=Bearer |=2C|=3D|=|u|host=|\u{1}\u{1}){0,9}"
        ) {
            let _ = Mechanism::Xoauth2.parse_initial_response(text.as_bytes());
            let _ = Mechanism::OauthBearer.parse_initial_response(text.as_bytes());
        }
    }
}
