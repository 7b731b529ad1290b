use serde::{Deserialize, Serialize};

use super::super::guid::guid;
use super::super::permission::Permission;
use super::super::secrets::Secrets;
use super::super::tenant::{EnterpriseApplication, Tenant};
use super::{Entry, replace, yes};
use crate::Error;

/// `[[enterprise_application]]`: what a tenant has of an application that is registered in another one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnterpriseApplicationEntry {
    /// A client id.
    pub application: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
    #[serde(default)]
    pub admin_consent: Vec<Permission>,
    #[serde(default = "yes")]
    pub enabled: bool,
}

impl Entry for EnterpriseApplicationEntry {
    const COLLECTION: &'static str = "enterprise_applications";
    const KEPT: &'static [&'static str] = &["object_id", "admin_consent"];

    fn key(&self) -> String {
        self.application.clone()
    }

    fn all(tenant: &Tenant) -> Vec<Self> {
        let entry = |known: &EnterpriseApplication| Self {
            application: known.application.clone(),
            object_id: Some(known.object_id.clone()),
            admin_consent: tenant
                .consented_by(&known.application, None)
                .into_iter()
                .collect(),
            enabled: known.enabled,
        };
        tenant.enterprise_applications.iter().map(entry).collect()
    }

    fn put(self, tenant: &mut Tenant, _secrets: &Secrets) -> Result<(), Error> {
        let application = guid("[[enterprise_application]] application", &self.application)?;
        if tenant.application(&application).is_some() {
            return Err(Error::tenant(format!(
                "[[enterprise_application]] {application} is registered in this tenant: set enterprise_application of \
                 its [[application]]"
            )));
        }
        let object_id = match &self.object_id {
            Some(object_id) => guid("[[enterprise_application]] object_id", object_id)?,
            None => tenant.principal_id(&application),
        };
        let made = EnterpriseApplication {
            application: application.clone(),
            object_id,
            enabled: self.enabled,
        };
        replace(&mut tenant.enterprise_applications, made, |known| {
            known.application == application
        });
        tenant.withdraw_consent_for_everybody(&application);
        if !self.admin_consent.is_empty() {
            tenant.consent(&application, None, &self.admin_consent);
        }
        Ok(())
    }

    /// With it goes what was agreed to. Exchange is not told: what it knows of the application stays.
    fn remove(tenant: &mut Tenant, key: &str) {
        tenant
            .enterprise_applications
            .retain(|known| !known.application.eq_ignore_ascii_case(key));
        tenant.drop_stray_permissions();
        tenant.withdraw_consent(key);
    }
}
