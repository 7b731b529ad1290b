use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use serde::{Deserialize, Serialize};

use super::super::application::{
    Application, ApplicationSecret, Audience, Flow, Platform, RedirectUri,
};
use super::super::certificate::{CertificateEntry, FederatedCredential};
use super::super::check::check_redirect_uri;
use super::super::guid::{derived_guid, guid};
use super::super::permission::Permission;
use super::super::policy::ApplicationConditions;
use super::super::secrets::Secrets;
use super::super::tenant::Tenant;
use super::{Entry, exposed, replace, yes};
use crate::Error;

/// `[[application]]`: an app registration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplicationEntry {
    pub client_id: String,
    pub display_name: String,
    pub flow: Flow,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_principal_id: Option<String>,
    #[serde(default = "yes")]
    pub enterprise_application: bool,
    #[serde(default)]
    pub audience: Audience,
    #[serde(default)]
    pub redirect_uris: Vec<RedirectUriEntry>,
    #[serde(default)]
    pub public: bool,
    /// Absent: one is made up, unless it is public or proves itself in another way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<SecretEntry>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub federated_credentials: Vec<FederatedCredential>,
    #[serde(default)]
    pub permissions: Vec<Permission>,
    #[serde(default)]
    pub admin_consent: Vec<Permission>,
    #[serde(default)]
    pub admin_consent_required: bool,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default)]
    pub conditions: ApplicationConditions,
}

/// `"https://…"` or `{ uri = "https://…", platform = "spa" }`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum RedirectUriEntry {
    Plain(String),
    Full(RedirectUri),
}

/// `{ id, value, expires, display_name }`; `expires` in RFC 3339.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretEntry {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(serialize_with = "exposed::secret")]
    pub value: Secret,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

impl ApplicationEntry {
    /// A registration with nothing to prove its identity with yet.
    pub(crate) fn new(client_id: String, flow: Flow) -> Self {
        Self {
            display_name: client_id.clone(),
            client_id,
            flow,
            object_id: None,
            service_principal_id: None,
            enterprise_application: true,
            audience: Audience::default(),
            redirect_uris: Vec::new(),
            public: false,
            secrets: Some(Vec::new()),
            certificates: Vec::new(),
            federated_credentials: Vec::new(),
            permissions: Vec::new(),
            admin_consent: Vec::new(),
            admin_consent_required: false,
            enabled: true,
            conditions: ApplicationConditions::default(),
        }
    }
}

impl Entry for ApplicationEntry {
    const COLLECTION: &'static str = "applications";
    const KEPT: &'static [&'static str] = &[
        "object_id",
        "service_principal_id",
        "secrets",
        "certificates",
        "federated_credentials",
    ];

    fn key(&self) -> String {
        self.client_id.clone()
    }

    fn all(tenant: &Tenant) -> Vec<Self> {
        let entry = |application: &Application| Self {
            client_id: application.client_id.clone(),
            display_name: application.display_name.clone(),
            flow: application.flow,
            object_id: Some(application.object_id.clone()),
            service_principal_id: Some(application.service_principal_id.clone()),
            enterprise_application: application.enterprise_application,
            audience: application.audience,
            redirect_uris: application
                .redirect_uris
                .iter()
                .map(RedirectUriEntry::of)
                .collect(),
            public: application.public,
            secrets: (!application.public)
                .then(|| application.secrets.iter().map(SecretEntry::of).collect()),
            certificates: application
                .certificates
                .iter()
                .map(CertificateEntry::of)
                .collect(),
            federated_credentials: application.federated_credentials.clone(),
            permissions: application.permissions.clone(),
            admin_consent: tenant
                .consented(&application.client_id, None)
                .into_iter()
                .collect(),
            admin_consent_required: application.admin_consent_required,
            enabled: application.enabled,
            conditions: application.conditions.clone(),
        };
        tenant.applications.iter().map(entry).collect()
    }

    fn put(self, tenant: &mut Tenant, secrets: &Secrets) -> Result<(), Error> {
        let client_id = guid("[[application]] client_id", &self.client_id)?;
        let id = |key: &str, kind: &str, given: &Option<String>| match given {
            Some(id) => guid(&format!("[[application]] {key}"), id),
            None => Ok(derived_guid(&tenant.id, kind, &client_id)),
        };
        let object_id = id("object_id", "application", &self.object_id)?;
        let service_principal_id = id(
            "service_principal_id",
            "service principal",
            &self.service_principal_id,
        )?;
        let redirect_uris: Vec<RedirectUri> = self
            .redirect_uris
            .into_iter()
            .map(RedirectUriEntry::resolve)
            .collect();
        for redirect_uri in &redirect_uris {
            check_redirect_uri(&redirect_uri.uri)?;
        }
        let certificates = self
            .certificates
            .into_iter()
            .map(CertificateEntry::resolve)
            .collect::<Result<Vec<_>, _>>()?;
        let signs = !certificates.is_empty() || !self.federated_credentials.is_empty();
        if self.public && signs {
            return Err(Error::tenant(
                "[[application]] public: a public application has no certificates and no federated credentials",
            ));
        }
        let secrets = match self.secrets {
            Some(given) if self.public && !given.is_empty() => {
                return Err(Error::tenant(
                    "[[application]] public: a public application has no secrets",
                ));
            }
            Some(given) => given
                .into_iter()
                .map(SecretEntry::resolve)
                .collect::<Result<_, _>>()?,
            None if self.public || signs => Vec::new(),
            None => vec![secrets.application_secret(&client_id)],
        };
        if !self.enterprise_application && !self.admin_consent.is_empty() {
            return Err(Error::tenant(
                "[[application]] admin_consent: without an enterprise application there is nothing that holds it",
            ));
        }
        let application = Application {
            client_id,
            display_name: self.display_name,
            object_id,
            service_principal_id,
            enterprise_application: self.enterprise_application,
            flow: self.flow,
            audience: self.audience,
            redirect_uris,
            public: self.public,
            secrets,
            certificates,
            federated_credentials: self.federated_credentials,
            permissions: self.permissions,
            admin_consent_required: self.admin_consent_required,
            enabled: self.enabled,
            conditions: self.conditions,
        };
        let client_id = application.client_id.clone();
        match application.enterprise_application {
            true => tenant.withdraw_consent_for_everybody(&client_id),
            false => tenant.withdraw_consent(&client_id),
        }
        replace(&mut tenant.applications, application, |known| {
            known.client_id == client_id
        });
        if !self.admin_consent.is_empty() {
            tenant.consent(&client_id, None, &self.admin_consent);
        }
        Ok(())
    }

    fn remove(tenant: &mut Tenant, key: &str) {
        tenant
            .applications
            .retain(|application| !application.client_id.eq_ignore_ascii_case(key));
        // Exchange is not told: what it knows of the application stays.
        tenant.drop_stray_permissions();
        tenant.withdraw_consent(key);
    }
}

impl RedirectUriEntry {
    pub(crate) fn platform(&self) -> Platform {
        match self {
            Self::Plain(_) => Platform::default(),
            Self::Full(redirect_uri) => redirect_uri.platform,
        }
    }

    fn of(redirect_uri: &RedirectUri) -> Self {
        match redirect_uri.platform {
            Platform::Web => Self::Plain(redirect_uri.uri.clone()),
            _ => Self::Full(redirect_uri.clone()),
        }
    }

    fn resolve(self) -> RedirectUri {
        match self {
            Self::Plain(uri) => RedirectUri {
                uri,
                platform: Platform::default(),
            },
            Self::Full(redirect_uri) => redirect_uri,
        }
    }
}

impl SecretEntry {
    pub(crate) fn is_called(&self, id: &str) -> bool {
        self.id
            .as_ref()
            .is_some_and(|own| own.eq_ignore_ascii_case(id))
    }

    fn of(secret: &ApplicationSecret) -> Self {
        let expires = secret
            .expires
            .and_then(|at| jiff::Timestamp::from_second(at.0).ok());
        Self {
            id: Some(secret.id.clone()),
            value: secret.value.clone(),
            expires: expires.map(|at| at.to_string()),
            display_name: secret.display_name.clone(),
        }
    }

    fn resolve(self) -> Result<ApplicationSecret, Error> {
        let expires = self
            .expires
            .map(|text| text.parse::<jiff::Timestamp>())
            .transpose()
            .map_err(|error| {
                Error::tenant(format!(
                    "[[application]] secrets.expires: {error}; write \"2027-06-01T00:00:00Z\""
                ))
            })?;
        Ok(ApplicationSecret {
            id: self
                .id
                .unwrap_or_else(|| derived_guid("", "secret", self.value.expose())),
            value: self.value,
            expires: expires.map(|at| UnixTime(at.as_second())),
            display_name: self.display_name,
        })
    }
}
