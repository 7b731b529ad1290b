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

    fn key_in(&self, tenant: &Tenant) -> String {
        self.clone().with_addresses(tenant).key()
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
        let entry = self.with_addresses(tenant);
        let key = entry.key();
        replace(&mut tenant.mailbox_permissions, entry, |known| {
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

impl MailboxPermission {
    /// People and mailboxes by their address, however they were named.
    fn with_addresses(mut self, tenant: &Tenant) -> Self {
        if let Some(mailbox) = tenant.mailbox(&self.mailbox) {
            self.mailbox = mailbox.address.clone();
        }
        if let Some(user) = tenant.user(&self.trustee) {
            self.trustee = user.address.clone();
        }
        self
    }
}
