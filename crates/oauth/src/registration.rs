//! The operator's OAuth client at a provider.

use std::sync::Arc;

use mailgrant_core::endpoint::Endpoint;
use mailgrant_core::provider::{Endpoints, Provider};
use mailgrant_core::token::{ClientAuthentication, ClientId, ClientSecret};

use crate::Error;

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

/// How the client proves who it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credential {
    /// A public client.
    None,
    /// A client secret: its value, not its id.
    Secret(ClientSecret),
}

impl Registration {
    /// Checks what the configuration alone shows, and gives the tenant to use.
    pub(crate) fn check(&self) -> Result<String, Error> {
        let refused = |name: &str, reason: &dyn std::fmt::Display| {
            Error::configuration(format!(
                "{name} of provider \"{}\": {reason}",
                self.provider.id
            ))
        };
        let tenant = self
            .provider
            .tenant(self.tenant.as_deref())
            .map_err(|error| refused("the tenant", &error))?;
        if let Endpoints::Discovery { .. } = self.provider.endpoints {
            let issuer = self.provider.issuer(tenant).unwrap_or_default();
            Endpoint::new(issuer).map_err(|error| refused("the issuer", &error))?;
        }
        if !self.redirect_uri.is_empty() {
            Endpoint::new(self.redirect_uri.as_str())
                .map_err(|error| refused("the redirect URI", &error))?;
        }
        Ok(tenant.to_owned())
    }

    /// The way of authentication among those that the authority supports: the secret goes into
    /// the body unless the authority wants it in the header only.
    pub(crate) fn authentication(&self, supported: Option<&[String]>) -> ClientAuthentication<'_> {
        let supports = |name| supported.is_some_and(|names| names.iter().any(|each| each == name));
        match &self.credential {
            Credential::None => ClientAuthentication::None,
            Credential::Secret(secret)
                if supports("client_secret_basic") && !supports("client_secret_post") =>
            {
                ClientAuthentication::SecretBasic(secret)
            }
            Credential::Secret(secret) => ClientAuthentication::SecretPost(secret),
        }
    }

    /// Client credentials need a credential, and at Entra a tenant of their own.
    pub(crate) fn check_client_credentials(&self, tenant: &str) -> Result<(), Error> {
        if matches!(self.credential, Credential::None) {
            return Err(Error::configuration(
                "client credentials need a client secret: configure one",
            ));
        }
        if self.provider.has_tenants() && ["common", "organizations", "consumers"].contains(&tenant)
        {
            return Err(Error::configuration(format!(
                "client credentials need the tenant's id or domain, not \"{tenant}\": set `tenant`"
            )));
        }
        Ok(())
    }
}
