//! The operator's OAuth client at a provider.

use std::sync::Arc;

use mailgrant_core::endpoint::Endpoint;
use mailgrant_core::provider::{Endpoints, Provider};
use mailgrant_core::token::ClientId;

use crate::{Credential, Error, ErrorKind, Step};

/// A client registration.
#[derive(Clone, Debug)]
pub struct Registration {
    /// At which provider.
    pub provider: Arc<Provider>,
    /// Tenant id or domain, where the provider has tenants; None: the provider's usual one.
    pub tenant: Option<String>,
    /// As registered.
    pub client_id: ClientId,
    /// How the client proves who it is.
    pub credential: Credential,
    /// As registered, to the letter. Empty for app-only registrations.
    pub redirect_uri: String,
}

impl Registration {
    /// Checks what the configuration alone shows, and gives the tenant to use: that given, or the
    /// registration's own.
    pub(crate) fn check(&self, tenant: Option<&str>) -> Result<String, Error> {
        let refused = |name: &str, reason: &dyn std::fmt::Display| {
            Error::configuration(format!(
                "{name} of provider \"{}\": {reason}",
                self.provider.id
            ))
        };
        let tenant = self
            .provider
            .tenant(tenant.or(self.tenant.as_deref()))
            .map_err(|error| refused("the tenant", &error))?;
        if let Endpoints::Discovery { .. } = self.provider.endpoints {
            let issuer = self.provider.issuer(tenant).unwrap_or_default();
            Endpoint::new(issuer).map_err(|error| refused("the issuer", &error))?;
        }
        if !self.redirect_uri.is_empty() {
            Endpoint::new(self.redirect_uri.as_str())
                .map_err(|error| refused("the redirect URI", &error))?;
            self.provider
                .check_redirect_uri(&self.redirect_uri)
                .map_err(|error| refused("the redirect URI", &error))?;
        }
        Ok(tenant.to_owned())
    }

    /// Client credentials need a credential, and at Entra a tenant of their own.
    pub(crate) fn check_app_only(&self, tenant: &str) -> Result<(), Error> {
        if matches!(self.credential, Credential::None) {
            return Err(Error::configuration(
                "app-only access needs a credential: configure a client secret, a certificate, a \
                 federated credential or a service account",
            ));
        }
        if !self.credential.is_per_mailbox() && self.provider.is_tenant_alias(tenant) {
            return Err(Error::configuration(format!(
                "client credentials need the tenant's id or domain, not \"{tenant}\": set `tenant`"
            )));
        }
        Ok(())
    }

    /// What people and delegated grants need, and a service account is not.
    pub(crate) fn check_delegated(&self, step: Step) -> Result<(), Error> {
        if self.credential.is_per_mailbox() {
            return Err(Error::new(
                step,
                ErrorKind::Configuration,
                "a service account signs nobody in: use it for app-only accounts, and an \
                 application with a client id and secret for people",
            ));
        }
        Ok(())
    }
}
