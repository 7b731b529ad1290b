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

use std::time::Duration;

use crate::InvalidValue;
use crate::authorization::admin_consent::check_tenant;
use crate::endpoint;
use crate::scope::{ScopeProblem, Scopes, check_mail_scope_for};
use crate::value::Problem;

mod cloud;
mod endpoints;
mod mail_host;
mod presets;
mod quirks;
#[cfg(test)]
mod tests;

pub use cloud::{CLOUDS, Cloud};
pub use endpoints::Endpoints;
pub use mail_host::{MailHost, Tls};
pub use presets::PRESETS;
pub use quirks::{AddressClaim, AppOnly, CredentialKind, HttpRedirects, SecretMethod, Unfit};

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
    /// Which of Microsoft's clouds it is, or is like.
    pub cloud: Option<&'static Cloud>,

    /// For the tenant when the application names none.
    pub default_tenant: Option<String>,
    /// Words in the place of a tenant that stand for many: nothing app-only can be asked there.
    pub tenant_aliases: &'static [&'static str],
    /// Whether administrators can consent by a link
    /// ([`admin_consent_url`](crate::authorization::admin_consent_url)).
    pub admin_consent: bool,

    /// What a delegated grant asks for: identity, refresh token, IMAP.
    pub scopes: Scopes,
    /// Besides, where sending is wanted. Empty: the others do.
    pub smtp_scopes: Scopes,
    /// Besides, where POP is wanted. Empty: the others do.
    pub pop3_scopes: Scopes,
    /// What app-only tokens are asked for; empty where there is no such flow.
    pub app_only_scopes: Scopes,

    /// The IMAP server.
    pub imap: MailHost,
    /// The submission server.
    pub smtp: Option<MailHost>,
    /// The POP server.
    pub pop3: Option<MailHost>,

    /// For the authorization request, besides the standard ones.
    pub authorization_parameters: Vec<(String, String)>,
    /// Whether `login_hint` and `prompt=select_account` exclude each other.
    pub login_hint_excludes_account_picker: bool,
    /// Which redirect URIs need no `https`.
    pub http_redirects: HttpRedirects,

    /// What applications may prove themselves with.
    pub credentials: &'static [CredentialKind],
    /// How client secrets are sent. None: as the discovery document has it, in the body if it can
    /// be; authorities compare it with each client's registration.
    pub secret_method: Option<SecretMethod>,
    /// How mailboxes are opened without anybody signing in.
    pub app_only: AppOnly,
    /// How long a client secret may live.
    pub max_secret_lifetime: Option<Duration>,
    /// Whether newcomers get no registration that may read mail.
    pub registration_closed: bool,

    /// Whether a refresh has to name its scopes. Elsewhere it must not: what was granted holds
    /// (RFC 6749 §6), and naming more than was granted is refused.
    pub refresh_names_scopes: bool,
    /// Whether each refresh gives a new refresh token.
    pub refresh_token_rotates: bool,
    /// How long a refresh token lives that nobody uses; None: not known.
    pub refresh_token_idle_lifetime: Option<Duration>,
    /// Whether access tokens say nothing to the client.
    pub opaque_access_tokens: bool,

    /// The ID token's claims that may name the mailbox, the likeliest first. Empty: there is no
    /// ID token, and the mailbox has to be named by whoever starts the sign-in.
    pub address_claims: Vec<AddressClaim>,
    /// Whether the userinfo endpoint takes tokens that were made for mail.
    pub userinfo: bool,
}

impl Provider {
    /// A provider by the id of its preset (see [`PRESETS`]).
    #[must_use]
    pub fn preset(id: &str) -> Option<Self> {
        presets::preset(id)
    }

    /// A provider that no preset covers: a delegated flow and IMAP, after the standards; set the
    /// other fields as needed.
    #[must_use]
    pub fn custom(id: &str, endpoints: Endpoints, scopes: Scopes, imap: MailHost) -> Self {
        Self {
            id: id.to_owned(),
            display_name: id.to_owned(),
            endpoints,
            cloud: None,
            default_tenant: None,
            tenant_aliases: &[],
            admin_consent: false,
            scopes,
            smtp_scopes: Scopes::default(),
            pop3_scopes: Scopes::default(),
            app_only_scopes: Scopes::default(),
            imap,
            smtp: None,
            pop3: None,
            authorization_parameters: Vec::new(),
            login_hint_excludes_account_picker: false,
            http_redirects: HttpRedirects::Loopback,
            credentials: &CredentialKind::ALL,
            secret_method: None,
            app_only: AppOnly::None,
            max_secret_lifetime: None,
            registration_closed: false,
            refresh_names_scopes: false,
            refresh_token_rotates: false,
            refresh_token_idle_lifetime: None,
            opaque_access_tokens: false,
            address_claims: vec![AddressClaim::PreferredUsername, AddressClaim::Email],
            userinfo: true,
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

    /// Whether that word stands for many tenants, as Entra's `organizations` does.
    #[must_use]
    pub fn is_tenant_alias(&self, tenant: &str) -> bool {
        let same = |alias: &&str| alias.eq_ignore_ascii_case(tenant);
        self.has_tenants() && self.tenant_aliases.iter().any(same)
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
        let [worldwide, ..] = &CLOUDS;
        let resource = self.cloud.unwrap_or(worldwide).resource;
        scopes
            .iter()
            .try_for_each(|scope| check_mail_scope_for(scope.as_str(), resource))
    }

    /// Refuses an application whose credential is of no use here.
    ///
    /// # Errors
    ///
    /// Says what is taken instead.
    pub fn check_credential(&self, kind: CredentialKind) -> Result<(), Unfit> {
        let fits = |kind: CredentialKind| {
            self.credentials.contains(&kind)
                && (kind != CredentialKind::ServiceAccount
                    || self.app_only == AppOnly::ServiceAccount)
        };
        if fits(kind) {
            return Ok(());
        }
        Err(Unfit::Credential {
            provider: self.display_name.clone(),
            found: kind,
            allowed: CredentialKind::ALL
                .into_iter()
                .filter(|&kind| fits(kind))
                .collect(),
        })
    }

    /// Refuses a redirect URI that cannot be registered here.
    ///
    /// # Errors
    ///
    /// Says what can.
    pub fn check_redirect_uri(&self, uri: &str) -> Result<(), Unfit> {
        let is_https = uri.starts_with("https://");
        let is_ipv6 = endpoint::origin(uri).contains("//[::1]");
        let problem = match self.http_redirects {
            HttpRedirects::Never if !is_https => {
                "takes redirect URIs with https only, even on this machine"
            }
            HttpRedirects::LoopbackIpv4 if is_ipv6 => {
                "does not take [::1] in a redirect URI: write localhost"
            }
            _ => return Ok(()),
        };
        Err(Unfit::Redirect {
            provider: self.display_name.clone(),
            problem,
        })
    }

    /// The `prompt` to send: with a `login_hint` there is no account picker where the two exclude
    /// each other, and a consent that the provider always needs is added to what the caller asks.
    ///
    /// ```
    /// use mailgrant_core::provider::Provider;
    ///
    /// let google = Provider::preset("google").unwrap();
    /// let prompt = google.prompt(None, Some("select_account"));
    /// assert_eq!(prompt.as_deref(), Some("consent select_account"));
    /// let entra = Provider::preset("microsoft365").unwrap();
    /// assert_eq!(entra.prompt(Some("ada@contoso.com"), Some("select_account")), None);
    /// ```
    #[must_use]
    pub fn prompt(&self, login_hint: Option<&str>, prompt: Option<&str>) -> Option<String> {
        let hinted = login_hint.is_some_and(|hint| !hint.is_empty());
        let usual = self
            .authorization_parameters
            .iter()
            .find(|(name, _)| name == "prompt")
            .map(|(_, value)| value.as_str());
        // `none` stands alone (OpenID Connect Core §3.1.2.1).
        if prompt == Some("none") {
            return Some("none".to_owned());
        }
        let mut words: Vec<&str> = Vec::new();
        for word in [usual, prompt]
            .into_iter()
            .flatten()
            .flat_map(|text| text.split(' '))
        {
            let excluded =
                word == "select_account" && hinted && self.login_hint_excludes_account_picker;
            if !word.is_empty() && !excluded && !words.contains(&word) {
                words.push(word);
            }
        }
        (!words.is_empty()).then(|| words.join(" "))
    }

    /// The addresses that an ID token's claims name, the likeliest mailbox first.
    ///
    /// Entra writes `live.com#` before the address of a personal account that is a guest.
    ///
    /// ```
    /// use mailgrant_core::provider::Provider;
    ///
    /// let outlook = Provider::preset("outlook").unwrap();
    /// let found = outlook.addresses(Some("live.com#ada@outlook.com"), Some("Ada@Outlook.com"));
    /// assert_eq!(found, ["ada@outlook.com"]);
    /// ```
    #[must_use]
    pub fn addresses(&self, preferred_username: Option<&str>, email: Option<&str>) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for claim in &self.address_claims {
            let value = match claim {
                AddressClaim::PreferredUsername => preferred_username,
                AddressClaim::Email => email,
            };
            let Some(value) = value else { continue };
            let address = value.strip_prefix(LIVE).unwrap_or(value);
            let known = found
                .iter()
                .any(|other| other.eq_ignore_ascii_case(address));
            if address.contains('@') && !known {
                found.push(address.to_owned());
            }
        }
        found
    }
}

const TENANT: &str = "{tenant}";
const LIVE: &str = "live.com#";
