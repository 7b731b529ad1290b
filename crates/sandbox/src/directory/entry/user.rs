use mailgrant_core::secret::Secret;
use serde::{Deserialize, Serialize};

use super::super::check::check_address;
use super::super::guid::{derived_guid, guid};
use super::super::mailbox::{Mailbox, MailboxSwitches};
use super::super::policy::SignInConditions;
use super::super::secrets::Secrets;
use super::super::tenant::{Tenant, User};
use super::{Entry, exposed, replace, yes};
use crate::Error;

/// `[[user]]`: a person with a mailbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserEntry {
    pub address: String,
    pub display_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_principal_name: Option<String>,
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
    pub administrator: bool,
    #[serde(default)]
    pub sign_in: SignInConditions,
    #[serde(default)]
    pub mailbox: MailboxSwitches,
}

impl Entry for UserEntry {
    const COLLECTION: &'static str = "users";
    const KEPT: &'static [&'static str] = &[
        "user_principal_name",
        "object_id",
        "password",
        "sign_in",
        "mailbox",
    ];

    fn key(&self) -> String {
        self.address.clone()
    }

    fn all(tenant: &Tenant) -> Vec<Self> {
        let entry = |user: &User| Self {
            address: user.address.clone(),
            display_name: user.display_name.clone(),
            user_principal_name: Some(user.user_principal_name.clone()),
            object_id: Some(user.object_id.clone()),
            password: Some(user.password.clone()),
            enabled: user.enabled,
            administrator: user.administrator,
            sign_in: user.sign_in.clone(),
            mailbox: tenant
                .mailbox(&user.address)
                .map(|mailbox| mailbox.switches)
                .unwrap_or_default(),
        };
        match tenant.is_personal() {
            true => Vec::new(),
            false => tenant.users.iter().map(entry).collect(),
        }
    }

    fn put(self, tenant: &mut Tenant, secrets: &Secrets) -> Result<(), Error> {
        check_address("[[user]] address", &self.address)?;
        let user_principal_name = self
            .user_principal_name
            .unwrap_or_else(|| self.address.clone());
        check_address("[[user]] user_principal_name", &user_principal_name)?;
        let object_id = match &self.object_id {
            Some(object_id) => guid("[[user]] object_id", object_id)?,
            None => derived_guid(&tenant.id, "user", &self.address),
        };
        let password = match self.password {
            Some(password) => password,
            None => secrets.password(&self.address),
        };
        let mailbox = Mailbox {
            address: self.address.clone(),
            display_name: self.display_name.clone(),
            owner: Some(object_id.clone()),
            switches: self.mailbox,
        };
        let user = User {
            object_id,
            user_principal_name,
            address: self.address.clone(),
            display_name: self.display_name,
            password,
            enabled: self.enabled,
            administrator: self.administrator,
            tenant: tenant.id.clone(),
            sign_in: self.sign_in,
        };
        let address = self.address;
        // A shared mailbox of that address stays, and is then found to be there twice.
        replace(&mut tenant.mailboxes, mailbox, |known| {
            known.owner.is_some() && known.address.eq_ignore_ascii_case(&address)
        });
        replace(&mut tenant.users, user, |known| {
            known.address.eq_ignore_ascii_case(&address)
        });
        Ok(())
    }

    fn remove(tenant: &mut Tenant, key: &str) {
        let Some(at) = tenant
            .users
            .iter()
            .position(|user| user.address.eq_ignore_ascii_case(key))
        else {
            return;
        };
        let user = tenant.users.remove(at);
        tenant
            .mailboxes
            .retain(|mailbox| !mailbox.address.eq_ignore_ascii_case(&user.address));
        tenant.drop_stray_permissions();
        tenant
            .consents
            .retain(|consent| consent.person.as_ref() != Some(&user.object_id));
    }
}
