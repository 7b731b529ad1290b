//! The tenant file: TOML, every key checked, what is left out made up.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::check::{check_installed, check_tenants};
use super::entry::{
    ApplicationEntry, ConsentEntry, EnterpriseApplicationEntry, Entry, MailboxPermissionEntry,
    PersonalAccountEntry, ServicePrincipalEntry, SharedMailboxEntry, TenantEntry, UserEntry,
};
use super::policy::{ConditionalAccess, Policies};
use super::secrets::Secrets;
use super::tenant::Tenant;
use super::tenants::Tenants;
use crate::Error;

/// Tenants as they are written in a file. See the crate's README for the form.
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
        rename = "enterprise_application",
        skip_serializing_if = "Vec::is_empty"
    )]
    enterprise_applications: Vec<EnterpriseApplicationEntry>,
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
    /// Other organizations, each written as the first is.
    #[serde(
        default,
        rename = "organization",
        skip_serializing_if = "Vec::is_empty"
    )]
    organizations: Vec<TenantFile>,
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
        file.read_certificates(directory)?;
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

    /// The file that describes all tenants as they are, passwords and secrets included.
    #[must_use]
    pub fn of(tenants: &Tenants) -> Self {
        let mut file = Self::of_one(tenants.first());
        let personal = tenants.personal();
        file.personal_accounts = Entry::all(personal);
        file.consents.extend(ConsentEntry::all(personal));
        let others = tenants.organizations().skip(1);
        file.organizations = others.map(Self::of_one).collect();
        file
    }

    fn of_one(tenant: &Tenant) -> Self {
        Self {
            tenant: TenantEntry::of(tenant),
            users: Entry::all(tenant),
            personal_accounts: Vec::new(),
            shared_mailboxes: Entry::all(tenant),
            applications: Entry::all(tenant),
            enterprise_applications: Entry::all(tenant),
            service_principals: Entry::all(tenant),
            mailbox_permissions: Entry::all(tenant),
            consents: Entry::all(tenant),
            policies: tenant.policies.clone(),
            conditional_access: Entry::all(tenant),
            organizations: Vec::new(),
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
    pub(super) fn resolve(mut self, secrets: &Secrets) -> Result<Tenants, Error> {
        let mut personal = Tenant::of_personal_accounts(secrets.pairwise_salt());
        let accounts = std::mem::take(&mut self.personal_accounts);
        put_each("personal_account", accounts, &mut personal, secrets)?;
        let (of_accounts, own) = std::mem::take(&mut self.consents)
            .into_iter()
            .partition(|consent| personal.has_person(&consent.user));
        self.consents = own;
        put_each("consent", of_accounts, &mut personal, secrets)?;
        let others = std::mem::take(&mut self.organizations)
            .into_iter()
            .map(|other| other.resolve_other(secrets))
            .collect::<Result<_, _>>()?;
        let tenants = Tenants::new(self.resolve_one(secrets)?, others, personal);
        check_tenants(&tenants)?;
        check_installed(&tenants)?;
        Ok(tenants)
    }

    fn resolve_other(self, secrets: &Secrets) -> Result<Tenant, Error> {
        if !self.personal_accounts.is_empty() {
            return Err(Error::tenant(
                "[[organization.personal_account]]: personal accounts are of no organization; write [[personal_account]]",
            ));
        }
        if !self.organizations.is_empty() {
            return Err(Error::tenant(
                "[[organization.organization]]: organizations are not nested; write [[organization]]",
            ));
        }
        self.resolve_one(secrets)
    }

    fn resolve_one(self, secrets: &Secrets) -> Result<Tenant, Error> {
        let mut tenant = Tenant::empty(secrets.pairwise_salt());
        let whole = &mut tenant;
        self.tenant.put(whole, secrets)?;
        put_each("user", self.users, whole, secrets)?;
        put_each("shared_mailbox", self.shared_mailboxes, whole, secrets)?;
        put_each("application", self.applications, whole, secrets)?;
        put_each(
            "enterprise_application",
            self.enterprise_applications,
            whole,
            secrets,
        )?;
        put_each("service_principal", self.service_principals, whole, secrets)?;
        put_each(
            "mailbox_permission",
            self.mailbox_permissions,
            whole,
            secrets,
        )?;
        put_each("consent", self.consents, whole, secrets)?;
        self.policies.put(whole, secrets)?;
        put_each(
            "conditional_access",
            self.conditional_access,
            whole,
            secrets,
        )?;
        Ok(tenant)
    }

    fn read_certificates(&mut self, directory: &Path) -> Result<(), Error> {
        for application in &mut self.applications {
            for certificate in &mut application.certificates {
                certificate.read(directory)?;
            }
        }
        let mut others = self.organizations.iter_mut();
        others.try_for_each(|other| other.read_certificates(directory))
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
