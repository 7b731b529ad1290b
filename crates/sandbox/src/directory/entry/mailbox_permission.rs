use super::super::mailbox::MailboxPermission;
use super::super::secrets::Secrets;
use super::super::tenant::Tenant;
use super::{Entry, replace};
use crate::Error;

/// `[[mailbox_permission]]`: who else may do what with a mailbox.
pub(crate) type MailboxPermissionEntry = MailboxPermission;

impl Entry for MailboxPermissionEntry {
    const COLLECTION: &'static str = "mailbox_permissions";

    /// `MAILBOX/TRUSTEE`
    fn key(&self) -> String {
        format!("{}/{}", self.mailbox, self.trustee)
    }

    fn all(tenant: &Tenant) -> Vec<Self> {
        tenant.mailbox_permissions.clone()
    }

    fn put(self, tenant: &mut Tenant, _secrets: &Secrets) -> Result<(), Error> {
        if self.rights.is_empty() {
            return Err(Error::tenant(
                "[[mailbox_permission]] rights: name at least one of full_access, send_as",
            ));
        }
        let key = self.key();
        replace(&mut tenant.mailbox_permissions, self, |known| {
            known.key().eq_ignore_ascii_case(&key)
        });
        Ok(())
    }

    fn remove(tenant: &mut Tenant, key: &str) {
        tenant
            .mailbox_permissions
            .retain(|permission| !permission.key().eq_ignore_ascii_case(key));
    }
}
