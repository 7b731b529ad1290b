//! The tenant file: TOML, every key checked, what is left out made up.

use std::path::Path;

use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use serde::Deserialize;

use super::application::{Application, ApplicationSecret, Audience, Flow, RedirectUri};
use super::check::{check_address, check_redirect_uri, check_references, guid};
use super::mailbox::{Mailbox, MailboxPermission, MailboxSwitches, ServicePrincipal};
use super::permission::Permission;
use super::secrets::Secrets;
use super::tenant::{Tenant, User};
use crate::Error;

/// A tenant as it is written in a file. See the crate's README for the form.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantFile {
    tenant: Head,
    #[serde(default, rename = "user")]
    users: Vec<UserEntry>,
    #[serde(default, rename = "shared_mailbox")]
    shared_mailboxes: Vec<SharedMailboxEntry>,
    #[serde(default, rename = "application")]
    applications: Vec<ApplicationEntry>,
    #[serde(default, rename = "service_principal")]
    service_principals: Vec<ServicePrincipal>,
    #[serde(default, rename = "mailbox_permission")]
    mailbox_permissions: Vec<MailboxPermission>,
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

    /// Reads a tenant file.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is not valid; the key is named.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = crate::files::read(path)?
            .ok_or_else(|| Error::tenant(format!("there is no file {}", path.display())))?;
        Self::parse(&text)
    }

    /// Reads a tenant from TOML text.
    ///
    /// # Errors
    ///
    /// When it is not valid; the line and the key are named.
    pub fn parse(text: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| Error::tenant(error.message_with_line(text)))
    }

    /// Checks the whole and makes up what was left out. `redirect_uris` are added to every delegated application.
    pub(super) fn resolve(
        self,
        secrets: Secrets,
        redirect_uris: &[String],
    ) -> Result<Tenant, Error> {
        if self.tenant.domains.is_empty() {
            return Err(Error::tenant("[tenant] domains: name at least one domain"));
        }
        let id = guid("[tenant] id", &self.tenant.id)?;
        let mut tenant = Tenant {
            display_name: self.tenant.display_name,
            domains: self.tenant.domains,
            admin_consent_required: self.tenant.admin_consent_required,
            show_accounts: self.tenant.show_accounts,
            smtp_auth: self.tenant.smtp_auth,
            users: Vec::new(),
            mailboxes: Vec::new(),
            applications: Vec::new(),
            service_principals: self.service_principals,
            mailbox_permissions: self.mailbox_permissions,
            pairwise_salt: secrets.pairwise_salt(),
            consents: Vec::new(),
            id,
        };
        for entry in self.users {
            entry.resolve(&mut tenant, &secrets)?;
        }
        for entry in self.shared_mailboxes {
            check_address("[[shared_mailbox]] address", &entry.address)?;
            tenant.mailboxes.push(entry.resolve());
        }
        for entry in self.applications {
            entry.resolve(&mut tenant, &secrets, redirect_uris)?;
        }
        check_references(&tenant)?;
        Ok(tenant)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: String,
    display_name: String,
    domains: Vec<String>,
    #[serde(default)]
    admin_consent_required: bool,
    #[serde(default)]
    show_accounts: bool,
    #[serde(default)]
    smtp_auth: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserEntry {
    address: String,
    display_name: String,
    user_principal_name: Option<String>,
    object_id: Option<String>,
    password: Option<Secret>,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    administrator: bool,
    #[serde(default)]
    mailbox: MailboxSwitches,
}

impl UserEntry {
    fn resolve(self, tenant: &mut Tenant, secrets: &Secrets) -> Result<(), Error> {
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
        tenant.mailboxes.push(Mailbox {
            address: self.address.clone(),
            display_name: self.display_name.clone(),
            owner: Some(object_id.clone()),
            switches: self.mailbox,
        });
        tenant.users.push(User {
            object_id,
            user_principal_name,
            address: self.address,
            display_name: self.display_name,
            password,
            enabled: self.enabled,
            administrator: self.administrator,
        });
        Ok(())
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SharedMailboxEntry {
    address: String,
    display_name: String,
    #[serde(default)]
    mailbox: MailboxSwitches,
}

impl SharedMailboxEntry {
    fn resolve(self) -> Mailbox {
        Mailbox {
            address: self.address,
            display_name: self.display_name,
            owner: None,
            switches: self.mailbox,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplicationEntry {
    client_id: String,
    display_name: String,
    flow: Flow,
    service_principal_id: Option<String>,
    #[serde(default)]
    audience: Audience,
    #[serde(default)]
    redirect_uris: Vec<RedirectUriEntry>,
    #[serde(default)]
    public: bool,
    #[serde(default)]
    secrets: Vec<SecretEntry>,
    #[serde(default)]
    permissions: Vec<Permission>,
    #[serde(default)]
    admin_consent: Vec<Permission>,
    #[serde(default)]
    admin_consent_required: bool,
    #[serde(default = "yes")]
    enabled: bool,
}

impl ApplicationEntry {
    fn resolve(self, tenant: &mut Tenant, secrets: &Secrets, more: &[String]) -> Result<(), Error> {
        let client_id = guid("[[application]] client_id", &self.client_id)?;
        let service_principal_id = match &self.service_principal_id {
            Some(id) => guid("[[application]] service_principal_id", id)?,
            None => derived_guid(&tenant.id, "service principal", &client_id),
        };
        let mut redirect_uris: Vec<RedirectUri> = self
            .redirect_uris
            .into_iter()
            .map(RedirectUriEntry::resolve)
            .collect();
        if self.flow == Flow::Delegated {
            redirect_uris.extend(
                more.iter()
                    .map(|uri| RedirectUriEntry::Plain(uri.clone()).resolve()),
            );
        }
        for redirect_uri in &redirect_uris {
            check_redirect_uri(&redirect_uri.uri)?;
        }
        let secrets = match (self.public, self.secrets.is_empty()) {
            (true, true) => Vec::new(),
            (true, false) => {
                return Err(Error::tenant(
                    "[[application]] public: a public application has no secrets",
                ));
            }
            (false, true) => vec![secrets.application_secret(&client_id)],
            (false, false) => self
                .secrets
                .into_iter()
                .map(SecretEntry::resolve)
                .collect::<Result<_, _>>()?,
        };
        tenant.consent(&client_id, None, &self.admin_consent);
        tenant.applications.push(Application {
            client_id,
            display_name: self.display_name,
            service_principal_id,
            flow: self.flow,
            audience: self.audience,
            redirect_uris,
            secrets,
            permissions: self.permissions,
            admin_consent_required: self.admin_consent_required,
            enabled: self.enabled,
        });
        Ok(())
    }
}

/// `"https://…"` or `{ uri = "https://…", platform = "spa" }`
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum RedirectUriEntry {
    Plain(String),
    Full(RedirectUri),
}

impl RedirectUriEntry {
    fn resolve(self) -> RedirectUri {
        match self {
            Self::Plain(uri) => RedirectUri {
                uri,
                platform: Default::default(),
            },
            Self::Full(redirect_uri) => redirect_uri,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretEntry {
    id: Option<String>,
    value: Secret,
    /// RFC 3339
    expires: Option<String>,
}

impl SecretEntry {
    fn resolve(self) -> Result<ApplicationSecret, Error> {
        let expires = self
            .expires
            .map(|text| text.parse::<jiff::Timestamp>())
            .transpose()
            .map_err(|error| {
                Error::tenant(format!(
                    "[[application]] secrets.expires: {error}; write \"2027-06-01T00:00:00Z\""
                ))
            })?;
        Ok(ApplicationSecret {
            id: self
                .id
                .unwrap_or_else(|| derived_guid("", "secret", self.value.expose())),
            value: self.value,
            expires: expires.map(|at| UnixTime(at.as_second())),
        })
    }
}

/// A GUID that is always the same for the same thing.
pub(super) fn derived_guid(tenant: &str, kind: &str, name: &str) -> String {
    let text = format!("{tenant}\n{kind}\n{}", name.to_ascii_lowercase());
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let mut bytes = [0; 16];
    for (byte, of_digest) in bytes.iter_mut().zip(digest.as_ref()) {
        *byte = *of_digest;
    }
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

fn yes() -> bool {
    true
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
