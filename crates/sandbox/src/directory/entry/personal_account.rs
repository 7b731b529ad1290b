use mailgrant_core::secret::Secret;
use serde::{Deserialize, Serialize};

use super::super::guid::derived_guid;
use super::super::mailbox::MailboxSwitches;
use super::super::policy::SignInConditions;
use super::super::secrets::Secrets;
use super::super::tenant::{Tenant, User};
use super::{Entry, UserEntry, exposed, yes};
use crate::Error;

/// `[[personal_account]]`: somebody with an account of their own, as at Outlook.com, with its mailbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonalAccountEntry {
    pub address: String,
    pub display_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "exposed::option"
    )]
    pub password: Option<Secret>,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default)]
    pub mailbox: MailboxSwitches,
}

impl Entry for PersonalAccountEntry {
    const COLLECTION: &'static str = "personal_accounts";
    const KEPT: &'static [&'static str] = &["object_id", "password", "mailbox"];
    const PERSONAL: bool = true;

    fn key(&self) -> String {
        self.address.clone()
    }

    fn all(tenant: &Tenant) -> Vec<Self> {
        let entry = |user: &User| Self {
            address: user.address.clone(),
            display_name: user.display_name.clone(),
            object_id: Some(user.object_id.clone()),
            password: Some(user.password.clone()),
            enabled: user.enabled,
            mailbox: tenant
                .mailbox(&user.address)
                .map(|mailbox| mailbox.switches)
                .unwrap_or_default(),
        };
        match tenant.is_personal() {
            true => tenant.users.iter().map(entry).collect(),
            false => Vec::new(),
        }
    }

    fn put(self, tenant: &mut Tenant, secrets: &Secrets) -> Result<(), Error> {
        let object_id = self.object_id.unwrap_or_else(|| object_id(&self.address));
        UserEntry {
            address: self.address,
            display_name: self.display_name,
            user_principal_name: None,
            object_id: Some(object_id),
            password: self.password,
            enabled: self.enabled,
            administrator: false,
            sign_in: SignInConditions::default(),
            mailbox: self.mailbox,
        }
        .put(tenant, secrets)
    }

    fn remove(tenant: &mut Tenant, key: &str) {
        UserEntry::remove(tenant, key);
    }
}

/// Half zeros, as Microsoft makes them of an account's older, shorter number.
fn object_id(address: &str) -> String {
    let derived = derived_guid("", "personal account", address);
    let half = derived.get(19..).unwrap_or_default();
    format!("00000000-0000-0000-{half}")
}
