//! What is sent to the token endpoint.

use zeroize::Zeroizing;

use super::{Assertion, AuthorizationCode, ClientAssertion, ClientId, ClientSecret, RefreshToken};
use crate::device::DeviceCode;
use crate::encoding;
use crate::pkce::CodeVerifier;
use crate::scope::Scopes;

/// How the client proves who it is (RFC 6749 §2.3, RFC 7523 §2.2).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ClientAuthentication<'a> {
    /// A public client: `client_id` alone.
    None,
    /// `client_secret_post`: the secret in the body.
    SecretPost(&'a ClientSecret),
    /// `client_secret_basic`: the secret in the `Authorization` header.
    SecretBasic(&'a ClientSecret),
    /// `private_key_jwt`, and federated credentials.
    Assertion(&'a ClientAssertion),
}

impl<'a> ClientAuthentication<'a> {
    /// What of it belongs into the body, with the client's id.
    pub(crate) fn push(self, client_id: &'a ClientId, pairs: &mut Vec<(&'a str, &'a str)>) {
        match self {
            // The header says it all (RFC 6749 §2.3: one method in a request).
            Self::SecretBasic(_) => {}
            Self::None => pairs.push(("client_id", client_id.as_str())),
            Self::SecretPost(secret) => {
                pairs.push(("client_id", client_id.as_str()));
                pairs.push(("client_secret", secret.expose()));
            }
            Self::Assertion(assertion) => {
                pairs.push(("client_id", client_id.as_str()));
                pairs.push(("client_assertion_type", ASSERTION_TYPE));
                pairs.push(("client_assertion", assertion.expose()));
            }
        }
    }

    /// The value of the `Authorization` header, if this way of authentication has one.
    ///
    /// Both parts are form-encoded before they are joined (RFC 6749 §2.3.1).
    #[must_use]
    pub fn header(self, client_id: &ClientId) -> Option<Zeroizing<String>> {
        let Self::SecretBasic(secret) = self else {
            return None;
        };
        let (client_id, secret) = (client_id.as_str(), secret.expose());
        let capacity = 3 * (client_id.len() + secret.len()) + 1;
        let mut pair = Zeroizing::new(String::with_capacity(capacity));
        encoding::form_component(&mut pair, client_id);
        pair.push(':');
        encoding::form_component(&mut pair, secret);
        let encoded = encoding::base64(pair.as_bytes());
        let mut header = Zeroizing::new(String::with_capacity("Basic ".len() + encoded.len()));
        header.push_str("Basic ");
        header.push_str(&encoded);
        Some(header)
    }
}

/// What the client asks a token for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum GrantRequest<'a> {
    /// RFC 6749 §4.1.3 with RFC 7636 §4.5.
    AuthorizationCode {
        /// From the callback.
        code: &'a AuthorizationCode,
        /// The very one of the authorization request.
        redirect_uri: &'a str,
        /// The one whose challenge was in the authorization request.
        code_verifier: &'a CodeVerifier,
    },
    /// RFC 6749 §6.
    RefreshToken {
        /// The newest one.
        refresh_token: &'a RefreshToken,
        /// None: as granted. Entra: of one resource only.
        scope: Option<&'a Scopes>,
    },
    /// RFC 6749 §4.4.
    ClientCredentials {
        /// Entra: exactly `{resource}/.default`.
        scope: &'a Scopes,
    },
    /// RFC 8628 §3.4.
    DeviceCode {
        /// From the device authorization response.
        device_code: &'a DeviceCode,
    },
    /// RFC 7523 §2.1: somebody else's word, as of Google's service accounts.
    JwtBearer {
        /// Signed by whoever is believed; names the subject.
        assertion: &'a Assertion,
        /// RFC 7521 §4.1. Google reads the assertion's own `scope` instead.
        scope: Option<&'a Scopes>,
    },
}

/// A token request.
///
/// ```text
/// POST /token
/// Content-Type: application/x-www-form-urlencoded
///
/// grant_type=authorization_code&code=…&redirect_uri=…&code_verifier=…&client_id=…&client_secret=…
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TokenRequest<'a> {
    /// Whose registration it is.
    pub client_id: &'a ClientId,
    /// How the client proves it.
    pub authentication: ClientAuthentication<'a>,
    /// What is asked for.
    pub grant: GrantRequest<'a>,
}

impl TokenRequest<'_> {
    /// The body, `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn body(&self) -> Zeroizing<String> {
        let mut pairs: Vec<(&str, &str)> = Vec::with_capacity(8);
        // Lives here because the pairs borrow it.
        let scope_text: String;
        let scope = match self.grant {
            GrantRequest::AuthorizationCode {
                code,
                redirect_uri,
                code_verifier,
            } => {
                pairs.push(("grant_type", "authorization_code"));
                pairs.push(("code", code.expose()));
                pairs.push(("redirect_uri", redirect_uri));
                pairs.push(("code_verifier", code_verifier.expose()));
                None
            }
            GrantRequest::RefreshToken {
                refresh_token,
                scope,
            } => {
                pairs.push(("grant_type", "refresh_token"));
                pairs.push(("refresh_token", refresh_token.expose()));
                scope
            }
            GrantRequest::ClientCredentials { scope } => {
                pairs.push(("grant_type", "client_credentials"));
                Some(scope)
            }
            GrantRequest::DeviceCode { device_code } => {
                pairs.push(("grant_type", "urn:ietf:params:oauth:grant-type:device_code"));
                pairs.push(("device_code", device_code.expose()));
                None
            }
            GrantRequest::JwtBearer { assertion, scope } => {
                pairs.push(("grant_type", JWT_BEARER_GRANT));
                pairs.push(("assertion", assertion.expose()));
                scope
            }
        };
        if let Some(scope) = scope.filter(|scope| !scope.is_empty()) {
            scope_text = scope.to_string();
            pairs.push(("scope", &scope_text));
        }
        // The assertion says who asks (RFC 7523 §3.1: `client_id` is not needed).
        let speaks_for_itself = matches!(
            (self.grant, self.authentication),
            (GrantRequest::JwtBearer { .. }, ClientAuthentication::None)
        );
        if !speaks_for_itself {
            self.authentication.push(self.client_id, &mut pairs);
        }
        encoding::form(pairs.iter().copied())
    }

    /// The value of the `Authorization` header, if this way of authentication has one.
    #[must_use]
    pub fn authorization_header(&self) -> Option<Zeroizing<String>> {
        self.authentication.header(self.client_id)
    }
}

const JWT_BEARER_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn client_id() -> ClientId {
        ClientId::new("s6BhdRkqt3").unwrap()
    }

    #[test]
    fn basic_header_is_that_of_rfc_6749() {
        let secret = ClientSecret::new("7Fjfp0ZBr1KtDRbnfVdmIw").unwrap();
        let scope = Scopes::default();
        let request = TokenRequest {
            client_id: &client_id(),
            authentication: ClientAuthentication::SecretBasic(&secret),
            grant: GrantRequest::ClientCredentials { scope: &scope },
        };
        let header = request.authorization_header().unwrap();
        assert_eq!(
            *header,
            "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"
        );
        assert_eq!(*request.body(), "grant_type=client_credentials");
    }

    #[test]
    fn code_exchange() {
        let code = AuthorizationCode::new("SplxlOBeZQQYbYS6WxSbIA").unwrap();
        let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        let secret = ClientSecret::new("a b~c&d=e+f").unwrap();
        let request = TokenRequest {
            client_id: &client_id(),
            authentication: ClientAuthentication::SecretPost(&secret),
            grant: GrantRequest::AuthorizationCode {
                code: &code,
                redirect_uri: "https://client.example.com/cb",
                code_verifier: &verifier,
            },
        };
        assert_eq!(
            *request.body(),
            "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA\
             &redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb\
             &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\
             &client_id=s6BhdRkqt3&client_secret=a+b%7Ec%26d%3De%2Bf"
        );
        assert!(request.authorization_header().is_none());
    }

    #[test]
    fn assertion_and_device_code() {
        let assertion = ClientAssertion::new("aa.bb.cc").unwrap();
        let device_code = DeviceCode::new("GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS").unwrap();
        let request = TokenRequest {
            client_id: &client_id(),
            authentication: ClientAuthentication::Assertion(&assertion),
            grant: GrantRequest::DeviceCode {
                device_code: &device_code,
            },
        };
        assert_eq!(
            *request.body(),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code\
             &device_code=GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS&client_id=s6BhdRkqt3\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &client_assertion=aa.bb.cc"
        );
    }

    #[test]
    fn an_assertion_as_grant_speaks_for_itself() {
        let assertion = Assertion::new("aa.bb.cc").unwrap();
        let scopes = Scopes::parse("mail").unwrap();
        let body = |authentication, scope| {
            let request = TokenRequest {
                client_id: &client_id(),
                authentication,
                grant: GrantRequest::JwtBearer {
                    assertion: &assertion,
                    scope,
                },
            };
            request.body().to_string()
        };
        assert_eq!(
            body(ClientAuthentication::None, None),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=aa.bb.cc"
        );
        let secret = ClientSecret::new("s").unwrap();
        assert_eq!(
            body(ClientAuthentication::SecretPost(&secret), Some(&scopes)),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=aa.bb.cc\
             &scope=mail&client_id=s6BhdRkqt3&client_secret=s"
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = ClientSecret::new("canary-secret").unwrap();
        let refresh_token = RefreshToken::new("canary-token").unwrap();
        let client_id = client_id();
        let request = TokenRequest {
            client_id: &client_id,
            authentication: ClientAuthentication::SecretBasic(&secret),
            grant: GrantRequest::RefreshToken {
                refresh_token: &refresh_token,
                scope: None,
            },
        };
        let shown = format!("{request:?}{request:#?}");
        assert!(!shown.contains("canary"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_secret_survives_the_body(secret in "[ -~]{1,80}", token in "[ -~]{1,80}") {
            let secret = ClientSecret::new(secret).unwrap();
            let refresh_token = RefreshToken::new(token).unwrap();
            let client_id = client_id();
            let request = TokenRequest {
                client_id: &client_id,
                authentication: ClientAuthentication::SecretPost(&secret),
                grant: GrantRequest::RefreshToken { refresh_token: &refresh_token, scope: None },
            };
            let pairs = encoding::form_pairs(&request.body()).unwrap();
            prop_assert_eq!(&pairs[1].1, refresh_token.expose());
            prop_assert_eq!(&pairs[3].1, secret.expose());
        }
    }
}
