//! The authority's metadata: discovered, or as configured.

use std::sync::Arc;

use mailgrant_core::discovery::{self, Metadata};
use mailgrant_core::endpoint::Endpoint;
use mailgrant_core::provider::{Endpoints, Provider};
use mailgrant_core::token::{TokenError, TokenResponse};

use crate::cache::Cache;
use crate::error::{Error, ErrorKind, Step};
use crate::transport::{Repeat, Transport};

pub(crate) enum Source {
    Fixed(Arc<Metadata>),
    Discovered {
        /// With `{tenant}` in it.
        template: String,
        tenant: String,
        cache: Cache<Metadata>,
    },
}

impl Source {
    pub(crate) fn new(provider: &Provider, tenant: &str) -> Self {
        match &provider.endpoints {
            Endpoints::Explicit {
                authorization_endpoint,
                token_endpoint,
                jwks_uri,
                device_authorization_endpoint,
                userinfo_endpoint,
                ..
            } => {
                let mut metadata =
                    Metadata::new(authorization_endpoint.clone(), token_endpoint.clone());
                metadata.issuer = provider.issuer(tenant);
                metadata.jwks_uri.clone_from(jwks_uri);
                metadata
                    .device_authorization_endpoint
                    .clone_from(device_authorization_endpoint);
                metadata.userinfo_endpoint.clone_from(userinfo_endpoint);
                Self::Fixed(Arc::new(metadata))
            }
            Endpoints::Discovery { issuer } => Self::Discovered {
                template: issuer.clone(),
                tenant: tenant.to_owned(),
                cache: Cache::new(),
            },
        }
    }

    pub(crate) async fn get(&self, transport: &Transport) -> Result<Arc<Metadata>, Error> {
        match self {
            Self::Fixed(metadata) => Ok(Arc::clone(metadata)),
            Self::Discovered {
                template,
                tenant,
                cache,
            } => {
                cache
                    .get(transport.policy.metadata_ttl, async || {
                        discover(transport, template, tenant).await
                    })
                    .await
            }
        }
    }
}

/// Asks for OpenID Connect's document, then for RFC 8414's where there is none.
async fn discover(transport: &Transport, template: &str, tenant: &str) -> Result<Metadata, Error> {
    for url in discovery::urls(&template.replace("{tenant}", tenant)) {
        let url = Endpoint::new(url).map_err(|error| Error::configuration(error.to_string()))?;
        let found = transport
            .send(
                Step::Discovery,
                Repeat::Always,
                |http| Ok((http.get(url.as_str()), ())),
                |(), status, body| read(status, body),
            )
            .await?;
        if let Some(metadata) = found {
            metadata
                .check_issuer(template, tenant)
                .map_err(|error| Error::metadata(&error))?;
            return Ok(metadata);
        }
    }
    Err(Error::new(
        Step::Discovery,
        ErrorKind::Configuration,
        "the issuer publishes no discovery document (HTTP 404): check the issuer, or configure \
         authorization_endpoint and token_endpoint",
    ))
}

/// `None`: not there.
fn read(status: u16, body: &[u8]) -> Result<Option<Metadata>, Error> {
    match status {
        200 => Metadata::parse(body)
            .map(Some)
            .map_err(|error| Error::metadata(&error)),
        404 => Ok(None),
        // Entra refuses an unknown tenant with an error response.
        _ => match TokenResponse::parse(status, body) {
            Err(refused @ TokenError::Refused(_)) => {
                Err(Error::token(Step::Discovery, status, refused))
            }
            _ => Err(Error::new(
                Step::Discovery,
                ErrorKind::NotJson { status },
                format!(
                    "no discovery document (HTTP {status}): check the issuer and any proxy before it"
                ),
            )),
        },
    }
}
