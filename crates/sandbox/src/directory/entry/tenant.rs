use serde::{Deserialize, Serialize};

use super::super::guid::guid;
use super::super::secrets::Secrets;
use super::super::submission::Submission;
use super::super::tenant::{ImapLimits, Tenant};
use super::Entry;
use crate::Error;

/// `[tenant]`: the organization and its policies.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantEntry {
    pub id: String,
    pub display_name: String,
    pub domains: Vec<String>,
    #[serde(default)]
    pub admin_consent_required: bool,
    #[serde(default)]
    pub show_accounts: bool,
    #[serde(default)]
    pub stay_signed_in: bool,
    #[serde(default)]
    pub smtp_auth: bool,
    #[serde(default)]
    pub submission: Submission,
    #[serde(default)]
    pub imap_limits: ImapLimits,
}

impl TenantEntry {
    pub(crate) fn of(tenant: &Tenant) -> Self {
        Self {
            id: tenant.id.clone(),
            display_name: tenant.display_name.clone(),
            domains: tenant.domains.clone(),
            admin_consent_required: tenant.admin_consent_required,
            show_accounts: tenant.show_accounts,
            stay_signed_in: tenant.stay_signed_in,
            smtp_auth: tenant.smtp_auth,
            submission: tenant.submission.clone(),
            imap_limits: tenant.imap_limits,
        }
    }
}

impl Entry for TenantEntry {
    const COLLECTION: &'static str = "tenant";
    const SINGLE: bool = true;

    fn key(&self) -> String {
        String::new()
    }

    fn all(tenant: &Tenant) -> Vec<Self> {
        vec![Self::of(tenant)]
    }

    fn put(self, tenant: &mut Tenant, _secrets: &Secrets) -> Result<(), Error> {
        if self.domains.is_empty() {
            return Err(Error::tenant("[tenant] domains: name at least one domain"));
        }
        tenant.id = guid("[tenant] id", &self.id)?;
        for user in &mut tenant.users {
            user.tenant.clone_from(&tenant.id);
        }
        tenant.display_name = self.display_name;
        tenant.domains = self.domains;
        tenant.admin_consent_required = self.admin_consent_required;
        tenant.show_accounts = self.show_accounts;
        tenant.stay_signed_in = self.stay_signed_in;
        tenant.smtp_auth = self.smtp_auth;
        tenant.submission = self.submission;
        tenant.imap_limits = self.imap_limits;
        Ok(())
    }

    fn remove(_tenant: &mut Tenant, _key: &str) {}
}
