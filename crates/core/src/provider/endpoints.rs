//! Where an authority is asked.

use crate::endpoint::Endpoint;

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
        /// OpenID Connect Core §5.3.
        userinfo_endpoint: Option<Endpoint>,
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
