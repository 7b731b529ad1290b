//! What an authority says of itself (OpenID Connect Discovery, RFC 8414).
//!
//! ```
//! use mailgrant_core::discovery::{self, Metadata};
//!
//! let issuer = "https://login.example.com";
//! assert_eq!(
//!     discovery::urls(issuer)[0],
//!     "https://login.example.com/.well-known/openid-configuration",
//! );
//! let metadata = Metadata::parse(br#"{
//!     "issuer": "https://login.example.com",
//!     "authorization_endpoint": "https://login.example.com/authorize",
//!     "token_endpoint": "https://login.example.com/token",
//!     "jwks_uri": "https://login.example.com/keys"
//! }"#).unwrap();
//! metadata.check_issuer(issuer, "").unwrap();
//! assert!(metadata.check_issuer("https://evil.example.com", "").is_err());
//! ```

use std::fmt;

use serde::Serialize;

use crate::endpoint::{self, Endpoint};
use crate::json;

/// An authority's metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Metadata {
    /// Who the authority is. Entra's, for several tenants, holds `{tenantid}`. None for providers
    /// whose endpoints are configured and whose issuer is not known.
    pub issuer: Option<String>,
    /// Where the browser goes.
    pub authorization_endpoint: Endpoint,
    /// Where codes and refresh tokens are redeemed.
    pub token_endpoint: Endpoint,
    /// The keys of ID tokens.
    pub jwks_uri: Option<Endpoint>,
    /// RFC 8628.
    pub device_authorization_endpoint: Option<Endpoint>,
    /// RFC 7009.
    pub revocation_endpoint: Option<Endpoint>,
    /// OpenID Connect RP-Initiated Logout.
    pub end_session_endpoint: Option<Endpoint>,
    /// OpenID Connect Core §5.3.
    pub userinfo_endpoint: Option<Endpoint>,
    /// How clients may prove who they are.
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// The scopes it knows, where it tells.
    pub scopes_supported: Option<Vec<String>>,
    /// RFC 7636.
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// How ID tokens may be signed.
    pub id_token_signing_alg_values_supported: Option<Vec<String>>,
    /// Whether callbacks carry `iss` (RFC 9207 §3): then one without is refused.
    pub authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Metadata of an authority that is configured instead of discovered.
    #[must_use]
    pub fn new(authorization_endpoint: Endpoint, token_endpoint: Endpoint) -> Self {
        Self {
            issuer: None,
            authorization_endpoint,
            token_endpoint,
            jwks_uri: None,
            device_authorization_endpoint: None,
            revocation_endpoint: None,
            end_session_endpoint: None,
            userinfo_endpoint: None,
            token_endpoint_auth_methods_supported: None,
            scopes_supported: None,
            code_challenge_methods_supported: None,
            id_token_signing_alg_values_supported: None,
            authorization_response_iss_parameter_supported: false,
        }
    }

    /// Reads a discovery document.
    ///
    /// # Errors
    ///
    /// When it is no JSON object, lacks a required member, or names an endpoint that is not
    /// `https` (loopback excepted).
    pub fn parse(document: &[u8]) -> Result<Self, MetadataError> {
        let object = json::object(document).ok_or(MetadataError::NotJson)?;
        let optional = |name: &'static str| {
            json::string(&object, name)
                .map(Endpoint::new)
                .transpose()
                .map_err(|_| MetadataError::Endpoint { name })
        };
        let required = |name| optional(name)?.ok_or(MetadataError::Missing { name });
        let list = |name| json::strings(&object, name);
        Ok(Self {
            issuer: Some(
                json::string(&object, "issuer").ok_or(MetadataError::Missing { name: "issuer" })?,
            ),
            jwks_uri: optional("jwks_uri")?,
            device_authorization_endpoint: optional("device_authorization_endpoint")?,
            revocation_endpoint: optional("revocation_endpoint")?,
            end_session_endpoint: optional("end_session_endpoint")?,
            userinfo_endpoint: optional("userinfo_endpoint")?,
            token_endpoint_auth_methods_supported: list("token_endpoint_auth_methods_supported"),
            scopes_supported: list("scopes_supported"),
            code_challenge_methods_supported: list("code_challenge_methods_supported"),
            id_token_signing_alg_values_supported: list("id_token_signing_alg_values_supported"),
            authorization_response_iss_parameter_supported: json::boolean(
                &object,
                "authorization_response_iss_parameter_supported",
            )
            .unwrap_or(false),
            ..Self::new(
                required("authorization_endpoint")?,
                required("token_endpoint")?,
            )
        })
    }

    /// Checks that the document belongs to the issuer that was asked (OpenID Connect Discovery
    /// §4.3), and that only a loopback issuer names endpoints on this machine or its link, where
    /// clouds keep their machines' credentials.
    ///
    /// `template` is the configured issuer, which may hold `{tenant}`. Entra answers an alias or
    /// a domain name with the tenant's id, and `common` and `organizations` with the literal
    /// `{tenantid}`: in the place of `{tenant}`, and only there, both are accepted.
    ///
    /// # Errors
    ///
    /// Carries both issuers.
    pub fn check_issuer(&self, template: &str, tenant: &str) -> Result<(), MetadataError> {
        let mismatch = || MetadataError::Issuer {
            expected: template.replace(TENANT, tenant),
            found: self.issuer.clone().unwrap_or_default(),
        };
        let issuer = self.issuer.as_deref().unwrap_or_default();
        if issuer != template.replace(TENANT, tenant) {
            let found = between(template, TENANT, issuer).ok_or_else(mismatch)?;
            let named_by_id = is_guid(tenant);
            let plausible = found == TENANT_ID || is_guid(found);
            if !plausible || named_by_id && !found.eq_ignore_ascii_case(tenant) {
                return Err(mismatch());
            }
        }
        if !endpoint::is_near(issuer) {
            let endpoints = [
                ("authorization_endpoint", Some(&self.authorization_endpoint)),
                ("token_endpoint", Some(&self.token_endpoint)),
                ("jwks_uri", self.jwks_uri.as_ref()),
                (
                    "device_authorization_endpoint",
                    self.device_authorization_endpoint.as_ref(),
                ),
                ("revocation_endpoint", self.revocation_endpoint.as_ref()),
                ("userinfo_endpoint", self.userinfo_endpoint.as_ref()),
            ];
            for (name, endpoint) in endpoints {
                if endpoint.is_some_and(|named| endpoint::is_near(named.as_str())) {
                    return Err(MetadataError::Endpoint { name });
                }
            }
        }
        Ok(())
    }
}

/// Where an issuer's document may be: OpenID Connect Discovery §4, then RFC 8414 §3.
#[must_use]
pub fn urls(issuer: &str) -> [String; 2] {
    let issuer = issuer.trim_end_matches('/');
    let origin = endpoint::origin(issuer);
    let path = issuer.strip_prefix(origin).unwrap_or_default();
    [
        format!("{issuer}/.well-known/openid-configuration"),
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
    ]
}

/// Whether an `iss` is that of the authority whose metadata names `pattern`.
///
/// `{tenantid}` in the pattern stands for a tenant's id: for `tenant_id` where it is known, else
/// for any. Google's ID tokens may omit `https://` (its documentation says so).
///
/// ```
/// use mailgrant_core::discovery::issuer_matches;
///
/// let pattern = "https://login.microsoftonline.com/{tenantid}/v2.0";
/// let tenant = "8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd";
/// let issuer = format!("https://login.microsoftonline.com/{tenant}/v2.0");
/// assert!(issuer_matches(pattern, &issuer, Some(tenant)));
/// assert!(!issuer_matches(pattern, &issuer, Some("another")));
/// assert!(!issuer_matches(pattern, "https://evil.test/{tenantid}/v2.0", None));
/// ```
#[must_use]
pub fn issuer_matches(pattern: &str, iss: &str, tenant_id: Option<&str>) -> bool {
    if let Some(found) = between(pattern, TENANT_ID, iss) {
        return is_guid(found) && tenant_id.is_none_or(|id| id.eq_ignore_ascii_case(found));
    }
    !pattern.contains(TENANT_ID)
        && (pattern == iss
            || pattern == "https://accounts.google.com" && iss == "accounts.google.com")
}

/// Whether a text has the form `8-4-4-4-12` of hexadecimal digits.
#[must_use]
pub fn is_guid(text: &str) -> bool {
    let mut groups = text.split('-');
    [8, 4, 4, 4, 12].iter().all(|length| {
        groups.next().is_some_and(|group| {
            group.len() == *length && group.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    }) && groups.next().is_none()
}

/// Why a discovery document cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataError {
    /// No JSON object.
    NotJson,
    /// A required member is not there.
    Missing {
        /// Which.
        name: &'static str,
    },
    /// An endpoint is not `https`, or on this machine or its link at an issuer elsewhere.
    Endpoint {
        /// Which.
        name: &'static str,
    },
    /// The document is another issuer's.
    Issuer {
        /// As configured.
        expected: String,
        /// As the document says.
        found: String,
    },
}

impl fmt::Display for MetadataError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => {
                formatter.write_str("the discovery document is not JSON: check the issuer")
            }
            Self::Missing { name } => write!(formatter, "the discovery document lacks \"{name}\""),
            Self::Endpoint { name } => write!(
                formatter,
                "the discovery document's \"{name}\" is not an https URL that this issuer may name"
            ),
            Self::Issuer { expected, found } => write!(
                formatter,
                "the discovery document is that of issuer {found:?}, not of {expected:?}: \
                 if it is the right authority, configure its issuer to the letter"
            ),
        }
    }
}

impl std::error::Error for MetadataError {}

/// What stands in `text` where `template` has `placeholder`: one path segment.
fn between<'a>(template: &str, placeholder: &str, text: &'a str) -> Option<&'a str> {
    let (before, after) = template.split_once(placeholder)?;
    let found = text.strip_prefix(before)?.strip_suffix(after)?;
    (!found.is_empty() && !found.contains(['/', '?', '#'])).then_some(found)
}

const TENANT: &str = "{tenant}";
const TENANT_ID: &str = "{tenantid}";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEMPLATE: &str = "https://login.microsoftonline.com/{tenant}/v2.0";
    const ID: &str = "8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd";

    fn metadata(issuer: &str, token_endpoint: &str) -> Metadata {
        let document = format!(
            r#"{{"issuer":"{issuer}","authorization_endpoint":"https://a.test/a","token_endpoint":"{token_endpoint}"}}"#
        );
        Metadata::parse(document.as_bytes()).unwrap()
    }

    fn check(issuer: &str, tenant: &str) -> bool {
        metadata(issuer, "https://a.test/t")
            .check_issuer(TEMPLATE, tenant)
            .is_ok()
    }

    #[test]
    fn issuers_of_entra() {
        let of = |segment: &str| format!("https://login.microsoftonline.com/{segment}/v2.0");
        assert!(check(&of("{tenantid}"), "organizations"));
        assert!(check(&of(ID), "contoso.onmicrosoft.com"));
        assert!(check(&of(ID), ID));
        assert!(check(&of(&ID.to_uppercase()), ID));
        assert!(!check(&of("9188040d-6c67-4c5b-b112-36a304b66dad"), ID));
        assert!(!check(&of("anything"), "organizations"));
        assert!(!check(
            &format!("https://evil.test/{ID}/v2.0"),
            "organizations"
        ));
        assert!(!check(
            &format!("https://login.microsoftonline.com/{ID}/x/v2.0"),
            "organizations"
        ));
    }

    #[test]
    fn without_a_tenant_issuers_match_to_the_letter() {
        let found = metadata("https://accounts.google.com", "https://a.test/t");
        assert_eq!(
            found.check_issuer("https://accounts.google.com", ""),
            Ok(())
        );
        let error = found
            .check_issuer("https://accounts.google.com/", "")
            .unwrap_err();
        assert!(error.to_string().contains("to the letter"), "{error}");
    }

    #[test]
    fn no_issuer_elsewhere_leads_to_this_machine_or_its_link() {
        let issuer = "https://corp.test";
        for host in [
            "127.0.0.1",
            "127.9.9.9:8443",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0.0.0.0",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "169.254.169.254",
            "[::1]",
            "[::]:8443",
            "[::ffff:127.0.0.1]",
            "[::ffff:169.254.169.254]",
            "[fe80::1]",
        ] {
            let found = metadata(issuer, &format!("https://{host}/t"));
            assert!(found.check_issuer(issuer, "").is_err(), "{host}");
        }
        for host in [
            "login.corp.test",
            "10.1.2.3",
            "[2001:db8::1]",
            "localhost.corp.test",
            "0x.test",
        ] {
            let found = metadata(issuer, &format!("https://{host}/t"));
            assert_eq!(found.check_issuer(issuer, ""), Ok(()), "{host}");
        }
    }

    #[test]
    fn only_a_loopback_issuer_may_name_loopback_endpoints() {
        let found = metadata("https://corp.test", "http://127.0.0.1:9/t");
        assert_eq!(
            found.check_issuer("https://corp.test", ""),
            Err(MetadataError::Endpoint {
                name: "token_endpoint"
            })
        );
        let found = metadata("http://localhost:9/x", "http://[::1]:9/t");
        assert_eq!(found.check_issuer("http://localhost:9/x", ""), Ok(()));
    }

    #[test]
    fn documents_that_cannot_be_used() {
        let parse = |text: &str| Metadata::parse(text.as_bytes()).unwrap_err();
        assert_eq!(parse("<html>"), MetadataError::NotJson);
        assert_eq!(parse("[]"), MetadataError::NotJson);
        assert_eq!(
            parse(r#"{"issuer":"https://a.test","authorization_endpoint":"https://a.test/"}"#),
            MetadataError::Missing {
                name: "token_endpoint"
            }
        );
        assert_eq!(
            parse(r#"{"issuer":"https://a.test","jwks_uri":"http://169.254.169.254/latest"}"#),
            MetadataError::Endpoint { name: "jwks_uri" }
        );
    }

    #[test]
    fn issuers_in_tokens() {
        let google = "https://accounts.google.com";
        assert!(issuer_matches(google, google, None));
        assert!(issuer_matches(google, "accounts.google.com", None));
        assert!(!issuer_matches("https://corp.test", "corp.test", None));
        let pattern = "https://login.microsoftonline.com/{tenantid}/v2.0";
        assert!(
            !issuer_matches(pattern, pattern, None),
            "the template itself is nobody"
        );
        assert!(!issuer_matches(pattern, pattern, Some("{tenantid}")));
    }

    #[test]
    fn urls_of_both_documents() {
        assert_eq!(
            urls("https://corp.test/realms/mail/"),
            [
                "https://corp.test/realms/mail/.well-known/openid-configuration",
                "https://corp.test/.well-known/oauth-authorization-server/realms/mail",
            ]
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(document: Vec<u8>, template: String, text: String) {
            let _ = Metadata::parse(&document);
            let _ = issuer_matches(&template, &text, Some(&text));
            let _ = urls(&text);
            let _ = metadata("https://a.test", "https://a.test/t").check_issuer(&template, &text);
        }
    }
}
