//! `mailgrant setup`: what an administrator does, in order, for one application and its mailboxes.
//!
//! ```
//! use mailgrant_core::{provider::Provider, time::UnixTime, token::ClientId};
//! use mailgrant_doctor::setup::{Access, Address, Proof, SetUp};
//!
//! let provider = Provider::preset("microsoft365").unwrap();
//! let client_id = ClientId::new("11111111-2222-3333-4444-555555555555").unwrap();
//! let guide = SetUp {
//!     application: "contoso",
//!     provider: &provider,
//!     tenant: Some("contoso.onmicrosoft.com"),
//!     foreign: false,
//!     client_id: &client_id,
//!     proof: Proof::Secret,
//!     access: Access::AppOnly,
//!     mailboxes: &[Address::new("orders@contoso.example").unwrap()],
//!     sends: false,
//!     gateway: "https://mail.example.com",
//!     now: UnixTime(1_795_000_000),
//! }
//! .guide()
//! .unwrap();
//! assert!(guide.script().contains("New-ServicePrincipal -AppId $clientId -ObjectId $principal.Id"));
//! ```

mod address;
mod app_only;
mod cloud;
mod consent;
mod credential;
mod date;
mod delegated;
mod exchange;
mod finish;
mod generic;
mod google;
mod guide;
mod outlook;
mod permissions;
mod registration;
mod script;
mod step;
mod text;

use mailgrant_core::{InvalidValue, provider::Provider, time::UnixTime, token::ClientId};

pub use address::{Address, InvalidAddress};
pub use guide::Guide;
pub use step::{Check, Line, Link, Place, Step};

use cloud::Cloud;

/// What shall be set up.
#[derive(Clone, Debug)]
pub struct SetUp<'a> {
    /// The application's id in the settings.
    pub application: &'a str,
    /// Its provider.
    pub provider: &'a Provider,
    /// The tenant whose mailboxes are opened; none where the provider has no such thing, or any administrator's.
    pub tenant: Option<&'a str>,
    /// Whether the app registration is in another tenant than that, the operator's own.
    pub foreign: bool,
    /// Its client id; [`UNREGISTERED`] when there is none yet.
    pub client_id: &'a ClientId,
    /// How it proves itself at the authority.
    pub proof: Proof,
    /// Who signs in.
    pub access: Access,
    /// The mailboxes.
    pub mailboxes: &'a [Address],
    /// Whether it also sends.
    pub sends: bool,
    /// The gateway's public URL.
    pub gateway: &'a str,
    /// The time of printing, from which end dates are counted.
    pub now: UnixTime,
}

/// The client id of an application that is yet to be registered: the set-up makes it.
pub const UNREGISTERED: &str = "00000000-0000-0000-0000-000000000000";

/// Who signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A person does, for their own mailbox or one they may open.
    Delegated,
    /// Nobody does: client credentials.
    AppOnly,
}

/// How an application proves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It does not: a public client.
    Nothing,
    /// By a client secret.
    Secret,
    /// By a certificate.
    Certificate {
        /// The certificate itself, in DER, in base64. It is public; its key is not here.
        base64: String,
        /// What tells it apart: some hexadecimal digits of its fingerprint.
        fingerprint: String,
    },
    /// By tokens of an issuer that the authority is told to trust.
    Federated {
        /// `iss` of those tokens.
        issuer: String,
        /// `sub`.
        subject: String,
        /// `aud`.
        audience: String,
    },
    /// As a Google service account.
    ServiceAccount {
        /// Its number, which the Workspace administrator enters; not known when the file does not say.
        client_id: Option<String>,
    },
}

impl SetUp<'_> {
    /// The steps, in order.
    ///
    /// # Errors
    ///
    /// When there is no such way in at this provider, or the tenant is missing or none.
    pub fn guide(&self) -> Result<Guide, Error> {
        if matches!(self.proof, Proof::ServiceAccount { .. }) {
            return Ok(google::service_account(self));
        }
        let cloud = Cloud::of(self.provider);
        match (self.access, cloud) {
            (_, Some(_)) if self.provider.id == "outlook" => match self.access {
                Access::Delegated => outlook::guide(self),
                Access::AppOnly => Err(Error::NoAppOnly(self.provider.display_name.clone())),
            },
            (Access::Delegated, Some(cloud)) => delegated::guide(self, &cloud),
            (Access::AppOnly, Some(cloud)) => app_only::guide(self, &cloud),
            (Access::Delegated, None) if self.provider.id == "google" => {
                Ok(google::delegated(self))
            }
            (Access::AppOnly, None) if self.provider.id == "google" => {
                Ok(google::service_account(self))
            }
            (Access::AppOnly, None) if self.provider.app_only_scopes.is_empty() => {
                Err(Error::NoAppOnly(self.provider.display_name.clone()))
            }
            (_, None) => Ok(generic::guide(self)),
        }
    }

    /// The tenant that is meant: the given one, or the one that the provider's issuer is of.
    fn tenant(&self) -> Option<&str> {
        self.tenant
            .or_else(|| cloud::tenant_of_issuer(self.provider))
    }

    /// Where the authority sends people back to.
    fn redirect_uri(&self) -> String {
        format!("{}/oauth/callback", self.gateway.trim_end_matches('/'))
    }

    /// The name under which an administrator sees the application.
    fn name(&self) -> String {
        format!("mailgrant {}", self.application)
    }

    fn is_registered(&self) -> bool {
        self.client_id.as_str() != UNREGISTERED
    }
}

/// Why there is no such set-up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The provider has no way in without a person.
    #[error("{0} has no access without a person: use --flow delegated")]
    NoAppOnly(String),
    /// Client credentials are asked for at one tenant.
    #[error(
        "app-only access belongs to one tenant: add --tenant with its id or domain, or `tenant` to the application in \
         the settings"
    )]
    NoTenant,
    /// The tenant or an address of the provider cannot be one.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),
}
