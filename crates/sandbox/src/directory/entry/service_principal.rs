use super::super::guid::guid;
use super::super::mailbox::ServicePrincipal;
use super::super::secrets::Secrets;
use super::super::tenant::Tenant;
use super::{Entry, replace};
use crate::Error;

/// `[[service_principal]]`: what Exchange was told of an application.
pub(crate) type ServicePrincipalEntry = ServicePrincipal;

impl Entry for ServicePrincipalEntry {
    const COLLECTION: &'static str = "service_principals";
    const KEPT: &'static [&'static str] = &["display_name"];

    fn key(&self) -> String {
        self.application.clone()
    }

    fn all(tenant: &Tenant) -> Vec<Self> {
        tenant.service_principals.clone()
    }

    fn put(self, tenant: &mut Tenant, _secrets: &Secrets) -> Result<(), Error> {
        // Exchange takes any ids, those of something else too; here they must at least be ids.
        let application = guid("[[service_principal]] application", &self.application)?;
        guid("[[service_principal]] object_id", &self.object_id)?;
        replace(&mut tenant.service_principals, self, |known| {
            known.application.eq_ignore_ascii_case(&application)
        });
        Ok(())
    }

    fn remove(tenant: &mut Tenant, key: &str) {
        tenant
            .service_principals
            .retain(|principal| !principal.application.eq_ignore_ascii_case(key));
        tenant.drop_stray_permissions();
    }
}
