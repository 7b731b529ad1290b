//! The tenant file: TOML, every key checked, what is left out made up.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::check::check_references;
use super::entry::{
    ApplicationEntry, ConsentEntry, Entry, MailboxPermissionEntry, PersonalAccountEntry,
    ServicePrincipalEntry, SharedMailboxEntry, TenantEntry, UserEntry,
};
use super::policy::{ConditionalAccess, Policies};
use super::secrets::Secrets;
use super::tenant::Tenant;
use crate::Error;

/// A tenant as it is written in a file. See the crate's README for the form.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantFile {
    tenant: TenantEntry,
    #[serde(default, rename = "user", skip_serializing_if = "Vec::is_empty")]
    users: Vec<UserEntry>,
    #[serde(
        default,
        rename = "personal_account",
        skip_serializing_if = "Vec::is_empty"
    )]
    personal_accounts: Vec<PersonalAccountEntry>,
    #[serde(
        default,
        rename = "shared_mailbox",
        skip_serializing_if = "Vec::is_empty"
    )]
    shared_mailboxes: Vec<SharedMailboxEntry>,
    #[serde(default, rename = "application", skip_serializing_if = "Vec::is_empty")]
    applications: Vec<ApplicationEntry>,
    #[serde(
        default,
        rename = "service_principal",
        skip_serializing_if = "Vec::is_empty"
    )]
    service_principals: Vec<ServicePrincipalEntry>,
    #[serde(
        default,
        rename = "mailbox_permission",
        skip_serializing_if = "Vec::is_empty"
    )]
    mailbox_permissions: Vec<MailboxPermissionEntry>,
    #[serde(default, rename = "consent", skip_serializing_if = "Vec::is_empty")]
    consents: Vec<ConsentEntry>,
    #[serde(default, skip_serializing_if = "is_default")]
    policies: Policies,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conditional_access: Vec<ConditionalAccess>,
}

impl TenantFile {
    /// The tenant that comes with the sandbox.
    ///
    /// # Errors
    ///
    /// Never, as a test says.
    pub fn built_in() -> Result<Self, Error> {
        Self::parse(include_str!("built_in.toml"))
    }

    /// Reads a tenant file, and the files it names beside it.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is not valid; the key is named.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = crate::files::read(path)?
            .ok_or_else(|| Error::tenant(format!("there is no file {}", path.display())))?;
        let mut file = Self::parse(&text)?;
        let directory = path.parent().unwrap_or(Path::new(""));
        for application in &mut file.applications {
            for certificate in &mut application.certificates {
                certificate.read(directory)?;
            }
        }
        Ok(file)
    }

    /// Reads a tenant from TOML text.
    ///
    /// # Errors
    ///
    /// When it is not valid; the line and the key are named.
    pub fn parse(text: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| Error::tenant(error.message_with_line(text)))
    }

    /// The file that describes a tenant as it is, passwords and secrets included.
    #[must_use]
    pub fn of(tenant: &Tenant) -> Self {
        Self {
            tenant: TenantEntry::of(tenant),
            users: Entry::all(tenant),
            personal_accounts: Entry::all(tenant),
            shared_mailboxes: Entry::all(tenant),
            applications: Entry::all(tenant),
            service_principals: Entry::all(tenant),
            mailbox_permissions: Entry::all(tenant),
            consents: Entry::all(tenant),
            policies: tenant.policies.clone(),
            conditional_access: Entry::all(tenant),
        }
    }

    /// The file's text, which [`parse`](Self::parse) reads again.
    ///
    /// # Errors
    ///
    /// When a value has no form in TOML, which no tenant's has.
    pub fn to_toml(&self) -> Result<String, Error> {
        toml::to_string_pretty(self).map_err(|error| Error::tenant(error.to_string()))
    }

    /// Checks the whole and makes up what was left out.
    pub(super) fn resolve(self, secrets: &Secrets) -> Result<Tenant, Error> {
        let mut tenant = Tenant::empty(secrets.pairwise_salt());
        self.tenant.put(&mut tenant, secrets)?;
        put_each("user", self.users, &mut tenant, secrets)?;
        put_each(
            "personal_account",
            self.personal_accounts,
            &mut tenant,
            secrets,
        )?;
        put_each(
            "shared_mailbox",
            self.shared_mailboxes,
            &mut tenant,
            secrets,
        )?;
        put_each("application", self.applications, &mut tenant, secrets)?;
        put_each(
            "service_principal",
            self.service_principals,
            &mut tenant,
            secrets,
        )?;
        put_each(
            "mailbox_permission",
            self.mailbox_permissions,
            &mut tenant,
            secrets,
        )?;
        put_each("consent", self.consents, &mut tenant, secrets)?;
        self.policies.put(&mut tenant, secrets)?;
        put_each(
            "conditional_access",
            self.conditional_access,
            &mut tenant,
            secrets,
        )?;
        check_references(&tenant)?;
        Ok(tenant)
    }
}

/// Puts entries of one kind into the tenant, no two with the same key.
fn put_each<E: Entry>(
    heading: &str,
    entries: Vec<E>,
    tenant: &mut Tenant,
    secrets: &Secrets,
) -> Result<(), Error> {
    let mut seen = std::collections::BTreeSet::new();
    for entry in entries {
        let key = entry.key();
        if !seen.insert(key.to_ascii_lowercase()) {
            return Err(Error::tenant(format!("[[{heading}]] {key} is there twice")));
        }
        entry.put(tenant, secrets)?;
    }
    Ok(())
}

fn is_default(policies: &Policies) -> bool {
    *policies == Policies::default()
}

trait MessageWithLine {
    fn message_with_line(&self, text: &str) -> String;
}

impl MessageWithLine for toml::de::Error {
    /// The message and the line, but not the line's text: it may hold a password.
    fn message_with_line(&self, text: &str) -> String {
        let line = self
            .span()
            .and_then(|span| text.get(..span.start))
            .map(|before| before.matches('\n').count().saturating_add(1));
        match line {
            Some(line) => format!("line {line}: {}", self.message()),
            None => self.message().to_owned(),
        }
    }
}
