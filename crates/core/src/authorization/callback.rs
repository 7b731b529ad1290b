//! What the browser brings back.

use super::State;
use crate::encoding;
use crate::token::bounded;
use crate::token::{AuthorizationCode, ErrorCode, ErrorResponse};

/// The query of the redirect URI when the browser comes back.
///
/// ```text
/// ?code=…&state=…&iss=…                            RFC 6749 §4.1.2, RFC 9207
/// ?error=…&error_description=…&state=…             RFC 6749 §4.1.2.1
/// ?admin_consent=True&tenant=…&state=…             Entra's admin consent
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Callback {
    /// The person agreed.
    Code {
        /// To redeem, once.
        code: AuthorizationCode,
        /// To compare with the one that was sent.
        state: State,
        /// Who answers (RFC 9207): to compare with the issuer that was asked.
        iss: Option<String>,
    },
    /// The authority, the person or the administrator said no.
    Refused {
        /// Why.
        error: Box<ErrorResponse>,
        /// Absent when the authority did not get as far as reading it.
        state: Option<State>,
        /// Who answers (RFC 9207).
        iss: Option<String>,
    },
    /// An administrator answered for the whole tenant.
    AdminConsent {
        /// The tenant's id.
        tenant: Option<String>,
        /// Whether the answer was yes.
        granted: bool,
        /// Absent when the link was made without.
        state: Option<State>,
    },
}

impl Callback {
    /// Reads the query, with or without its `?`.
    ///
    /// An error goes before a code: what holds both is [`Callback::Refused`], so that nothing is
    /// redeemed.
    ///
    /// # Errors
    ///
    /// When it is none of the three forms, or a parameter stands in it twice (RFC 6749 §3.1).
    pub fn parse(query: &str) -> Result<Self, CallbackError> {
        let query = query.strip_prefix('?').unwrap_or(query);
        let pairs = encoding::form_pairs(query).ok_or(CallbackError::Encoding)?;
        let parameter = |name: &'static str| {
            let mut values = pairs
                .iter()
                .filter(|(each, _)| each == name)
                .map(|(_, value)| value);
            match (values.next(), values.next()) {
                (_, Some(_)) => Err(CallbackError::Repeated { name }),
                // Without a value: as if it were omitted (RFC 6749 §3.1).
                (value, None) => Ok(value.filter(|value| !value.is_empty())),
            }
        };
        let iss = parameter("iss")?.cloned();
        let state = match parameter("state")? {
            Some(state) => {
                Some(State::parse(state).map_err(|_| CallbackError::Invalid { name: "state" })?)
            }
            None => None,
        };
        let (error, code) = (parameter("error")?, parameter("code")?);
        if let Some(error) = error {
            let error =
                ErrorCode::new(error).map_err(|_| CallbackError::Invalid { name: "error" })?;
            let text = |name| parameter(name).map(|value| value.cloned().map(bounded));
            return Ok(Self::Refused {
                error: Box::new(ErrorResponse {
                    error_description: text("error_description")?,
                    error_uri: text("error_uri")?,
                    suberror: text("error_subcode")?,
                    ..ErrorResponse::new(error)
                }),
                state,
                iss,
            });
        }
        if let Some(code) = code {
            return Ok(Self::Code {
                code: AuthorizationCode::new(code)
                    .map_err(|_| CallbackError::Invalid { name: "code" })?,
                state: state.ok_or(CallbackError::Missing { name: "state" })?,
                iss,
            });
        }
        match parameter("admin_consent")? {
            Some(granted) => Ok(Self::AdminConsent {
                tenant: parameter("tenant")?.cloned(),
                granted: granted.eq_ignore_ascii_case("true"),
                state,
            }),
            None => Err(CallbackError::Missing { name: "code" }),
        }
    }

    /// The state it brings, whichever form it has.
    #[must_use]
    pub fn state(&self) -> Option<&State> {
        match self {
            Self::Code { state, .. } => Some(state),
            Self::Refused { state, .. } | Self::AdminConsent { state, .. } => state.as_ref(),
        }
    }

    /// The issuer it names (RFC 9207).
    #[must_use]
    pub fn iss(&self) -> Option<&str> {
        match self {
            Self::Code { iss, .. } | Self::Refused { iss, .. } => iss.as_deref(),
            Self::AdminConsent { .. } => None,
        }
    }
}

/// Why a query is no callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// Broken percent encoding.
    #[error("the callback's query is not correctly encoded; start the sign-in again")]
    Encoding,
    /// A parameter stands twice.
    #[error("the callback holds \"{name}\" twice; start the sign-in again")]
    Repeated {
        /// Which.
        name: &'static str,
    },
    /// A parameter is not there.
    #[error("the callback holds no \"{name}\"; start the sign-in again")]
    Missing {
        /// Which.
        name: &'static str,
    },
    /// A parameter holds what it cannot.
    #[error("the callback's \"{name}\" is not valid; start the sign-in again")]
    Invalid {
        /// Which.
        name: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_doubtful_queries() {
        for (query, expected) in [
            ("", CallbackError::Missing { name: "code" }),
            ("?", CallbackError::Missing { name: "code" }),
            ("state=s", CallbackError::Missing { name: "code" }),
            ("code=c", CallbackError::Missing { name: "state" }),
            ("code=c&state=", CallbackError::Missing { name: "state" }),
            (
                "code=c&code=d&state=s",
                CallbackError::Repeated { name: "code" },
            ),
            (
                "code=c&state=s&state=t",
                CallbackError::Repeated { name: "state" },
            ),
            (
                "code=c&state=s&iss=a&iss=b",
                CallbackError::Repeated { name: "iss" },
            ),
            (
                "code=c%0d%0a&state=s",
                CallbackError::Invalid { name: "code" },
            ),
            (
                "code=c&state=s%00",
                CallbackError::Invalid { name: "state" },
            ),
            (
                "error=%22&state=s",
                CallbackError::Invalid { name: "error" },
            ),
            ("code=%zz&state=s", CallbackError::Encoding),
        ] {
            assert_eq!(Callback::parse(query).unwrap_err(), expected, "{query}");
        }
    }

    #[test]
    fn an_error_goes_before_a_code() {
        let callback = Callback::parse("code=c&state=s&error=access_denied").unwrap();
        assert!(matches!(callback, Callback::Refused { .. }));
    }

    #[test]
    fn debug_shows_neither_code_nor_state() {
        let callback = Callback::parse("code=canary-code&state=canary-state").unwrap();
        assert!(!format!("{callback:?}").contains("canary"));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(query: String) {
            let _ = Callback::parse(&query);
        }

        #[test]
        fn any_code_and_state_come_back(code in "[ -~]{1,40}", state in "[ -~]{1,40}", iss: String) {
            let query = encoding::form(
                [("code", code.as_str()), ("state", state.as_str()), ("iss", iss.as_str())].into_iter(),
            );
            let callback = Callback::parse(&query).unwrap();
            prop_assert_eq!(callback.iss(), Some(iss.as_str()).filter(|iss| !iss.is_empty()));
            let Callback::Code { code: read, state: returned, .. } = callback else { panic!() };
            prop_assert_eq!(read.expose(), code);
            prop_assert_eq!(returned.expose(), state);
        }
    }
}
