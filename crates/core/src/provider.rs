//! Providers: where mail and its authority are, and what they want.
//!
//! ```
//! use mailgrant_core::provider::Provider;
//!
//! let provider = Provider::preset("microsoft365").unwrap();
//! assert_eq!(provider.imap.host, "outlook.office365.com");
//! assert_eq!(
//!     provider.issuer("contoso.onmicrosoft.com").unwrap(),
//!     "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0",
//! );
//! ```
//!
//! What no preset covers is made by [`Provider::custom`]:
//!
//! ```
//! use mailgrant_core::provider::{Endpoints, MailHost, Provider, Tls};
//! use mailgrant_core::scope::Scopes;
//!
//! let mut provider = Provider::custom(
//!     "corp",
//!     Endpoints::Discovery { issuer: "https://login.corp.test".into() },
//!     Scopes::parse("openid email offline_access mail").unwrap(),
//!     MailHost::new("imap.corp.test", 993, Tls::Implicit).unwrap(),
//! );
//! provider.smtp = Some(MailHost::new("smtp.corp.test", 587, Tls::StartTls).unwrap());
//! ```

use serde::{Deserialize, Serialize};

use crate::InvalidValue;
use crate::authorization::admin_consent::check_tenant;
use crate::endpoint::Endpoint;
use crate::scope::{ScopeProblem, Scopes, check_mail_scope_for};
use crate::value::Problem;

mod presets;

pub use presets::PRESETS;

/// A provider of mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provider {
    /// `microsoft365`, `google`, …
    pub id: String,
    /// For people.
    pub display_name: String,
    /// Its authority.
    pub endpoints: Endpoints,
    /// For the tenant when the application names none.
    pub default_tenant: Option<String>,
    /// What a delegated grant asks for: identity, refresh token, IMAP.
    pub scopes: Scopes,
    /// Besides, where sending is wanted.
    pub smtp_scopes: Scopes,
    /// Besides, where POP is wanted.
    pub pop3_scopes: Scopes,
    /// What client credentials ask for; empty where there is no such flow.
    pub app_only_scopes: Scopes,
    /// The IMAP server.
    pub imap: MailHost,
    /// The submission server.
    pub smtp: Option<MailHost>,
    /// The POP server.
    pub pop3: Option<MailHost>,
    /// For the authorization request, besides the standard ones.
    pub authorization_parameters: Vec<(String, String)>,
    /// Whether administrators can consent by a link
    /// ([`admin_consent_url`](crate::authorization::admin_consent_url)).
    pub admin_consent: bool,
}

impl Provider {
    /// A provider by the id of its preset (see [`PRESETS`]).
    #[must_use]
    pub fn preset(id: &str) -> Option<Self> {
        presets::preset(id)
    }

    /// A provider that no preset covers: a delegated flow and IMAP; set the other fields as
    /// needed.
    #[must_use]
    pub fn custom(id: &str, endpoints: Endpoints, scopes: Scopes, imap: MailHost) -> Self {
        Self {
            id: id.to_owned(),
            display_name: id.to_owned(),
            endpoints,
            default_tenant: None,
            scopes,
            smtp_scopes: Scopes::default(),
            pop3_scopes: Scopes::default(),
            app_only_scopes: Scopes::default(),
            imap,
            smtp: None,
            pop3: None,
            authorization_parameters: Vec::new(),
            admin_consent: false,
        }
    }

    /// The issuer, with the tenant put in its place. `None` where it is not known.
    #[must_use]
    pub fn issuer(&self, tenant: &str) -> Option<String> {
        self.endpoints
            .issuer()
            .map(|issuer| issuer.replace(TENANT, tenant))
    }

    /// Whether the authority is one of several tenants.
    #[must_use]
    pub fn has_tenants(&self) -> bool {
        self.endpoints
            .issuer()
            .is_some_and(|issuer| issuer.contains(TENANT))
    }

    /// The tenant to use: the application's, else the provider's usual one, else none (empty).
    ///
    /// # Errors
    ///
    /// When it is not one path segment, or missing where the issuer needs one.
    pub fn tenant<'a>(&'a self, configured: Option<&'a str>) -> Result<&'a str, InvalidValue> {
        match configured.or(self.default_tenant.as_deref()) {
            Some(tenant) if self.has_tenants() => check_tenant(tenant).map(|()| tenant),
            None if self.has_tenants() => Err(InvalidValue::new("tenant", Problem::Empty)),
            tenant => Ok(tenant.unwrap_or_default()),
        }
    }

    /// Refuses scopes whose token the mail servers of this provider would refuse.
    ///
    /// # Errors
    ///
    /// Carries the scope that was meant, in this provider's cloud.
    pub fn check_scopes(&self, scopes: &Scopes) -> Result<(), ScopeProblem> {
        // The resource of the cloud is what the preset's own IMAP scope begins with.
        let resource = self
            .scopes
            .iter()
            .find_map(|scope| scope.as_str().strip_suffix("/IMAP.AccessAsUser.All"))
            .unwrap_or("https://outlook.office.com");
        scopes
            .iter()
            .try_for_each(|scope| check_mail_scope_for(scope.as_str(), resource))
    }
}

/// Where the authority's endpoints are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoints {
    /// In the issuer's discovery document.
    Discovery {
        /// May hold `{tenant}`.
        issuer: String,
    },
    /// Here: for authorities that publish no document.
    Explicit {
        /// For checking `iss`, where known.
        issuer: Option<String>,
        /// Where the browser goes.
        authorization_endpoint: Endpoint,
        /// Where codes and refresh tokens are redeemed.
        token_endpoint: Endpoint,
        /// The keys of ID tokens.
        jwks_uri: Option<Endpoint>,
        /// RFC 8628.
        device_authorization_endpoint: Option<Endpoint>,
    },
}

impl Endpoints {
    /// The issuer, `{tenant}` still in it.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        match self {
            Self::Discovery { issuer } => Some(issuer),
            Self::Explicit { issuer, .. } => issuer.as_deref(),
        }
    }
}

/// A mail server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "UncheckedMailHost")]
pub struct MailHost {
    /// A DNS name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
}

impl MailHost {
    /// Checks the host.
    ///
    /// # Errors
    ///
    /// When it is neither a DNS name nor an address, or the port is 0.
    pub fn new(host: impl Into<String>, port: u16, tls: Tls) -> Result<Self, InvalidValue> {
        let host = host.into();
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_name = !host.is_empty() && host.len() <= 253 && host.bytes().all(letters);
        if !is_name && host.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(InvalidValue::new(
                "mail host",
                Problem::Form("a host name or address"),
            ));
        }
        if port == 0 {
            return Err(InvalidValue::new(
                "mail port",
                Problem::Form("between 1 and 65535"),
            ));
        }
        Ok(Self { host, port, tls })
    }
}

/// How a mail connection is protected; there is no way without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// From the first byte (RFC 8314).
    Implicit,
    /// After a command; nothing that was said before counts.
    StartTls,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncheckedMailHost {
    host: String,
    port: u16,
    tls: Tls,
}

impl TryFrom<UncheckedMailHost> for MailHost {
    type Error = InvalidValue;

    fn try_from(unchecked: UncheckedMailHost) -> Result<Self, InvalidValue> {
        Self::new(unchecked.host, unchecked.port, unchecked.tls)
    }
}

const TENANT: &str = "{tenant}";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_preset_is_sound() {
        for id in PRESETS {
            let provider = Provider::preset(id).unwrap();
            assert_eq!(provider.id, id);
            let groups = [
                &provider.scopes,
                &provider.smtp_scopes,
                &provider.pop3_scopes,
                &provider.app_only_scopes,
            ];
            for scopes in groups {
                assert_eq!(provider.check_scopes(scopes), Ok(()), "{id}");
            }
            assert!(!provider.scopes.is_empty(), "{id}");
            for host in [
                Some(&provider.imap),
                provider.smtp.as_ref(),
                provider.pop3.as_ref(),
            ] {
                let Some(host) = host else { continue };
                MailHost::new(host.host.clone(), host.port, host.tls).unwrap();
            }
            let tenant = provider.tenant(None).unwrap();
            if let Some(issuer) = provider.issuer(tenant) {
                Endpoint::new(issuer).unwrap();
            }
            assert_eq!(
                provider.admin_consent,
                provider.has_tenants() && id != "outlook",
                "{id}"
            );
        }
        assert!(Provider::preset("unknown").is_none());
    }

    #[test]
    fn scopes_are_corrected_in_their_cloud() {
        let scopes = Scopes::parse("openid IMAP.AccessAsUser.All").unwrap();
        let corrected = |id| {
            Provider::preset(id)
                .unwrap()
                .check_scopes(&scopes)
                .unwrap_err()
                .corrected
        };
        assert_eq!(
            corrected("microsoft365"),
            "https://outlook.office.com/IMAP.AccessAsUser.All"
        );
        assert_eq!(
            corrected("microsoft365-gcc-high"),
            "https://outlook.office365.us/IMAP.AccessAsUser.All"
        );
        assert_eq!(
            corrected("microsoft365-china"),
            "https://partner.outlook.cn/IMAP.AccessAsUser.All"
        );
    }

    #[test]
    fn tenants() {
        let entra = Provider::preset("microsoft365").unwrap();
        assert_eq!(entra.tenant(None), Ok("organizations"));
        assert_eq!(entra.tenant(Some("contoso.com")), Ok("contoso.com"));
        assert!(entra.tenant(Some("../evil")).is_err());
        let google = Provider::preset("google").unwrap();
        assert_eq!(google.tenant(None), Ok(""));
        assert!(!google.has_tenants());
    }

    #[test]
    fn mail_hosts_read_from_configuration() {
        let host: MailHost =
            serde_json::from_str(r#"{"host":"imap.corp.test","port":143,"tls":"starttls"}"#)
                .unwrap();
        assert_eq!(
            host,
            MailHost::new("imap.corp.test", 143, Tls::StartTls).unwrap()
        );
        for text in [
            r#"{"host":"a b","port":1,"tls":"implicit"}"#,
            r#"{"host":"a\r\nb","port":1,"tls":"implicit"}"#,
            r#"{"host":"a","port":0,"tls":"implicit"}"#,
            r#"{"host":"a","port":1,"tls":"none"}"#,
            r#"{"host":"a","port":1,"tls":"implicit","ssl":true}"#,
        ] {
            assert!(serde_json::from_str::<MailHost>(text).is_err(), "{text}");
        }
        assert!(MailHost::new("::1", 993, Tls::Implicit).is_ok());
        assert!(MailHost::new("127.0.0.1", 993, Tls::Implicit).is_ok());
    }

    proptest! {
        #[test]
        fn nothing_panics(text: String, port: u16) {
            let _ = MailHost::new(text.clone(), port, Tls::Implicit);
            let provider = Provider::preset("microsoft365").unwrap();
            let _ = provider.tenant(Some(&text));
            let _ = Provider::preset(&text);
        }
    }
}
