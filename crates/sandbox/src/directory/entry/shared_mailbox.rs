use serde::{Deserialize, Serialize};

use super::super::check::check_address;
use super::super::mailbox::{Mailbox, MailboxSwitches};
use super::super::secrets::Secrets;
use super::super::tenant::Tenant;
use super::{Entry, replace};
use crate::Error;

/// `[[shared_mailbox]]`: a mailbox that nobody signs in to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SharedMailboxEntry {
    pub address: String,
    pub display_name: String,
    #[serde(default)]
    pub mailbox: MailboxSwitches,
}

impl Entry for SharedMailboxEntry {
    const COLLECTION: &'static str = "shared_mailboxes";
    const KEPT: &'static [&'static str] = &["mailbox"];

    fn key(&self) -> String {
        self.address.clone()
    }

    fn all(tenant: &Tenant) -> Vec<Self> {
        let shared = tenant
            .mailboxes
            .iter()
            .filter(|mailbox| mailbox.owner.is_none());
        shared
            .map(|mailbox| Self {
                address: mailbox.address.clone(),
                display_name: mailbox.display_name.clone(),
                mailbox: mailbox.switches,
            })
            .collect()
    }

    fn put(self, tenant: &mut Tenant, _secrets: &Secrets) -> Result<(), Error> {
        check_address("[[shared_mailbox]] address", &self.address)?;
        let address = self.address.clone();
        let mailbox = Mailbox {
            address: self.address,
            display_name: self.display_name,
            owner: None,
            switches: self.mailbox,
        };
        replace(&mut tenant.mailboxes, mailbox, |known| {
            known.owner.is_none() && known.address.eq_ignore_ascii_case(&address)
        });
        Ok(())
    }

    fn remove(tenant: &mut Tenant, key: &str) {
        tenant.mailboxes.retain(|mailbox| {
            mailbox.owner.is_some() || !mailbox.address.eq_ignore_ascii_case(key)
        });
        tenant.drop_stray_permissions();
    }
}
