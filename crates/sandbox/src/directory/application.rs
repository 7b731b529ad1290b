//! Application registrations: the operators' OAuth clients.

use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use serde::{Deserialize, Serialize};

use super::certificate::{ApplicationCertificate, FederatedCredential};
use super::check::check_redirect_uri;
use super::guid::derived_guid;
use super::permission::{Permission, PermissionKind, Resource};
use super::policy::ApplicationConditions;
use crate::Error;

/// An application registered in the tenant.
#[derive(Clone, Debug)]
pub struct Application {
    /// The `client_id`.
    pub client_id: String,
    /// Its name on the pages.
    pub display_name: String,
    /// The object id of its app registration, which is easily taken for the next one.
    pub object_id: String,
    /// The object id of its enterprise application: `oid` of its app-only tokens, and the id that Exchange wants to
    /// be told.
    pub service_principal_id: String,
    /// Whether the tenant has that enterprise application; the first consent makes it.
    pub enterprise_application: bool,
    /// What it is mainly for.
    pub flow: Flow,
    /// Whose accounts may sign in to it.
    pub audience: Audience,
    /// Where answers may be sent.
    pub redirect_uris: Vec<RedirectUri>,
    /// Whether it is a public client: one that cannot keep a secret.
    pub public: bool,
    /// Its secrets.
    pub secrets: Vec<ApplicationSecret>,
    /// Its certificates.
    pub certificates: Vec<ApplicationCertificate>,
    /// Whose tokens stand for it.
    pub federated_credentials: Vec<FederatedCredential>,
    /// The permissions it is configured with: what `.default` means.
    pub permissions: Vec<Permission>,
    /// Whether only an administrator may agree to it, whatever the tenant's policy says.
    pub admin_consent_required: bool,
    /// Whether it may be used at all.
    pub enabled: bool,
    /// What is the matter with it.
    pub conditions: ApplicationConditions,
}

impl Application {
    /// An application with nothing registered but its client id.
    #[must_use]
    pub fn new(client_id: impl Into<String>, flow: Flow) -> Self {
        let client_id = client_id.into();
        Self {
            display_name: client_id.clone(),
            object_id: derived_guid("", "application", &client_id),
            service_principal_id: derived_guid("", "service principal", &client_id),
            client_id,
            enterprise_application: true,
            flow,
            audience: Audience::default(),
            redirect_uris: Vec::new(),
            public: false,
            secrets: Vec::new(),
            certificates: Vec::new(),
            federated_credentials: Vec::new(),
            permissions: Vec::new(),
            admin_consent_required: false,
            enabled: true,
            conditions: ApplicationConditions::default(),
        }
    }

    /// Whether it has nothing to prove its identity with, by design.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.public
    }

    /// Adds web redirect URIs, unless it has them.
    pub(super) fn add_redirect_uris(&mut self, uris: &[String]) -> Result<(), Error> {
        for uri in uris {
            check_redirect_uri(uri)?;
            if !self.redirect_uris.iter().any(|known| known.uri == *uri) {
                self.redirect_uris.push(RedirectUri {
                    uri: uri.clone(),
                    platform: Platform::Web,
                });
            }
        }
        Ok(())
    }

    /// Its configured permissions of one kind at one resource.
    pub fn configured(
        &self,
        resource: Resource,
        kind: PermissionKind,
    ) -> impl Iterator<Item = Permission> + '_ {
        self.permissions.iter().copied().filter(move |permission| {
            permission.resource() == resource && permission.kind() == kind
        })
    }
}

/// The flow an application was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// A person signs in and agrees.
    Delegated,
    /// Client credentials; nobody signs in.
    AppOnly,
    /// A person signs in on another device.
    Device,
}

/// Whose accounts an application accepts (Entra: `signInAudience`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Only those of the tenant it is registered in; `common` and `organizations` are refused.
    MyOrganization,
    /// Those of every organization.
    #[default]
    AnyOrganization,
    /// Those of every organization, and personal ones.
    AnyOrganizationAndPersonal,
    /// Personal ones only.
    Personal,
}

impl Audience {
    /// Whether personal accounts may sign in.
    #[must_use]
    pub fn takes_personal_accounts(self) -> bool {
        matches!(self, Self::AnyOrganizationAndPersonal | Self::Personal)
    }

    /// Whether accounts of organizations may sign in.
    #[must_use]
    pub fn takes_organizations(self) -> bool {
        self != Self::Personal
    }
}

/// A registered redirect URI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedirectUri {
    /// The URI as it was registered.
    pub uri: String,
    /// The platform it was registered under.
    #[serde(default)]
    pub platform: Platform,
}

/// The platform of a redirect URI. It decides who may redeem a code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// A server: redeems without an `Origin`.
    #[default]
    Web,
    /// A single-page application: redeems in the browser, with PKCE; refresh tokens end after 24 hours.
    Spa,
    /// An installed program.
    Native,
}

/// A client secret of an application.
#[derive(Clone, Debug)]
pub struct ApplicationSecret {
    /// The secret's id, which people paste instead of its value.
    pub id: String,
    /// The value.
    pub value: Secret,
    /// When it ends.
    pub expires: Option<UnixTime>,
    /// What the administrator called it.
    pub display_name: Option<String>,
}
