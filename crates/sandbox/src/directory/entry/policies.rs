use super::super::permission::Resource;
use super::super::policy::{ConditionalAccess, Policies};
use super::super::secrets::Secrets;
use super::super::tenant::Tenant;
use super::{Entry, replace};
use crate::Error;

impl Entry for Policies {
    const COLLECTION: &'static str = "policies";
    const SINGLE: bool = true;

    fn key(&self) -> String {
        String::new()
    }

    fn all(tenant: &Tenant) -> Vec<Self> {
        vec![tenant.policies.clone()]
    }

    fn put(self, tenant: &mut Tenant, _secrets: &Secrets) -> Result<(), Error> {
        let unknown = self
            .resources
            .keys()
            .find(|uri| Resource::find(uri).is_none());
        if let Some(uri) = unknown {
            return Err(Error::tenant(format!(
                "[policies] resources: no API is called {uri}; write https://outlook.office.com or \
                 https://graph.microsoft.com"
            )));
        }
        tenant.policies = self;
        Ok(())
    }

    fn remove(tenant: &mut Tenant, _key: &str) {
        tenant.policies = Policies::default();
    }
}

impl Entry for ConditionalAccess {
    const COLLECTION: &'static str = "conditional_access";

    fn key(&self) -> String {
        self.name.clone()
    }

    fn all(tenant: &Tenant) -> Vec<Self> {
        tenant.conditional_access.clone()
    }

    fn put(self, tenant: &mut Tenant, _secrets: &Secrets) -> Result<(), Error> {
        let name = self.name.clone();
        replace(&mut tenant.conditional_access, self, |known| {
            known.name.eq_ignore_ascii_case(&name)
        });
        Ok(())
    }

    fn remove(tenant: &mut Tenant, key: &str) {
        tenant
            .conditional_access
            .retain(|policy| !policy.name.eq_ignore_ascii_case(key));
    }
}
