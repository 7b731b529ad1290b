use serde::{Deserialize, Serialize};

use super::super::guid::guid;
use super::super::permission::Permission;
use super::super::secrets::Secrets;
use super::super::tenant::{Consent, Tenant};
use super::Entry;
use crate::Error;

/// `[[consent]]`: what one person agreed to. What an administrator agreed to for everybody is `admin_consent` of the
/// application.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsentEntry {
    /// A client id.
    pub application: String,
    /// A user's address, or an object id.
    pub user: String,
    pub permissions: Vec<Permission>,
}

impl Entry for ConsentEntry {
    const COLLECTION: &'static str = "consents";

    /// `CLIENT_ID/USER`
    fn key(&self) -> String {
        format!("{}/{}", self.application, self.user)
    }

    fn key_in(&self, tenant: &Tenant) -> String {
        let user = tenant
            .user(&self.user)
            .or_else(|| tenant.user_by_object_id(&self.user));
        let user = user.map_or(&self.user, |user| &user.address);
        format!("{}/{user}", self.application)
    }

    fn all(tenant: &Tenant) -> Vec<Self> {
        let entry = |consent: &Consent| {
            let person = consent.person.as_ref()?;
            Some(Self {
                application: consent.client_id.clone(),
                user: match tenant.user_by_object_id(person) {
                    Some(user) => user.address.clone(),
                    None => person.clone(),
                },
                permissions: consent.permissions.iter().copied().collect(),
            })
        };
        tenant.consents.iter().filter_map(entry).collect()
    }

    fn put(self, tenant: &mut Tenant, _secrets: &Secrets) -> Result<(), Error> {
        let client_id = guid("[[consent]] application", &self.application)?;
        if !tenant.is_personal() && !tenant.knows(&client_id) {
            return Err(Error::tenant(format!(
                "[[consent]] application: no [[application]] has client_id {client_id}"
            )));
        }
        let person = match tenant.user(&self.user) {
            Some(user) => user.object_id.clone(),
            None => guid("[[consent]] user", &self.user).map_err(|_| {
                Error::tenant(format!(
                    "[[consent]] user: \"{}\" is neither a user's address nor an object id",
                    self.user
                ))
            })?,
        };
        tenant.withdraw_consent_of(&client_id, &person);
        tenant.consent(&client_id, Some(&person), &self.permissions);
        Ok(())
    }

    fn remove(tenant: &mut Tenant, key: &str) {
        let Some(entry) = Self::find(tenant, key) else {
            return;
        };
        let person = match tenant.user(&entry.user) {
            Some(user) => user.object_id.clone(),
            None => entry.user,
        };
        tenant.withdraw_consent_of(&entry.application, &person);
    }
}
