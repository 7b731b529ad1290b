//! What a running sandbox tells of itself: its part of the ready file.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::authority::Authority;
use crate::directory::{Application, Flow, MailboxRight, Tenant, User};
use crate::imap;
use crate::pki::Pki;
use crate::pop3;
use crate::smtp;

/// Everything a client needs.
///
/// ```json
/// {"authority": "http://localhost:40001", "authority_tls": "https://localhost:40002", "ca_file": "/tmp/s/ca.pem",
///  "tenant": "7c1e6a52-…", "applications": [{"id": "delegated", "flow": "delegated", "client_id": "…", …}],
///  "imap": {"host": "localhost", "port": 40003, "starttls_port": 40004}, "smtp": {"host": "localhost", "port": 40005}, "pop3": {"host": "localhost", "port": 40006, "starttls_port": 40007},
///  "control": "http://localhost:40001/control", "display_name": "Tarnbrook Instruments", "domains": ["tarnbrook.test"],
///  "users": [{"address": "…", "password": "…", "display_name": "…"}],
///  "shared_mailboxes": [{"address": "…", "display_name": "…", "people": ["…"]}], "personal_accounts": [{"address": "…", …}],
///  "organizations": [{"tenant": "…", "display_name": "…", "domains": ["…"], …}]}
/// ```
///
/// The JSON holds passwords and secrets, of people and applications that do not exist; `Debug` does not.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct Description {
    /// The authority in plain HTTP, without the tenant.
    pub authority: String,
    /// The authority in HTTPS, without the tenant.
    pub authority_tls: String,
    /// The certificate authority to trust (PEM).
    pub ca_file: PathBuf,
    /// The tenant's GUID.
    pub tenant: String,
    /// The organization's name.
    pub display_name: String,
    /// Its domains, the main one first.
    pub domains: Vec<String>,
    /// Registered applications.
    pub applications: Vec<ApplicationDescription>,
    /// IMAP.
    pub imap: MailServer,
    /// SMTP submission.
    pub smtp: SubmissionServer,
    /// POP3.
    pub pop3: MailServer,
    /// The control API.
    pub control: String,
    /// People of the organization who can sign in.
    pub users: Vec<UserDescription>,
    /// Mailboxes of the organization that are nobody's own.
    pub shared_mailboxes: Vec<SharedMailboxDescription>,
    /// People with accounts of their own.
    pub personal_accounts: Vec<UserDescription>,
    /// Organizations besides the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub organizations: Vec<OrganizationDescription>,
}

/// An organization besides the first.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct OrganizationDescription {
    /// The tenant's GUID.
    pub tenant: String,
    /// Its name.
    pub display_name: String,
    /// Its domains, the main one first.
    pub domains: Vec<String>,
    /// Applications that are registered there.
    pub applications: Vec<ApplicationDescription>,
    /// Its people.
    pub users: Vec<UserDescription>,
    /// Its mailboxes that are nobody's own.
    pub shared_mailboxes: Vec<SharedMailboxDescription>,
}

/// A registered application.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct ApplicationDescription {
    /// `delegated`, `app_only`, …; with a number when there are several.
    pub id: String,
    /// What it is for.
    pub flow: Flow,
    /// Its client id.
    pub client_id: String,
    /// Its first secret.
    pub client_secret: Option<String>,
    /// The last of its redirect URIs: the one that the settings added, if any.
    pub redirect_uri: Option<String>,
}

/// A mail server of the sandbox.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct MailServer {
    /// A name that its certificate is for.
    pub host: String,
    /// TLS from the first byte.
    pub port: u16,
    /// STARTTLS.
    pub starttls_port: u16,
}

/// SMTP submission.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SubmissionServer {
    /// A name that its certificate is for.
    pub host: String,
    /// STARTTLS.
    pub port: u16,
    /// TLS from the first byte, where it was asked for; Exchange Online does not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_port: Option<u16>,
}

/// A person who can sign in.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct UserDescription {
    /// The mail address, with which one signs in too.
    pub address: String,
    /// The password.
    pub password: String,
    /// The name.
    pub display_name: String,
}

/// A mailbox that people open with their own sign-in.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SharedMailboxDescription {
    /// Its address.
    pub address: String,
    /// Its name.
    pub display_name: String,
    /// The addresses of those who may open it.
    pub people: Vec<String>,
}

impl Description {
    pub(super) fn of(
        authority: &Authority,
        pki: &Pki,
        imap: &imap::Server,
        smtp: &smtp::Server,
        pop3: &pop3::Server,
    ) -> Self {
        let tenants = authority.directory.tenants();
        let tenant = tenants.first();
        Self {
            authority: authority.addresses.plain.clone(),
            authority_tls: authority.addresses.tls.clone(),
            ca_file: pki.ca_file().to_owned(),
            tenant: tenant.id.clone(),
            display_name: tenant.display_name.clone(),
            domains: tenant.domains.clone(),
            applications: applications(tenant),
            imap: MailServer {
                host: "localhost".to_owned(),
                port: imap.port(),
                starttls_port: imap.starttls_port(),
            },
            smtp: SubmissionServer {
                host: "localhost".to_owned(),
                port: smtp.port(),
                tls_port: smtp.tls_port(),
            },
            pop3: MailServer {
                host: "localhost".to_owned(),
                port: pop3.port(),
                starttls_port: pop3.starttls_port(),
            },
            control: format!("{}/control", authority.addresses.plain),
            users: people(tenant),
            shared_mailboxes: shared_mailboxes(tenant),
            personal_accounts: people(tenants.personal()),
            organizations: tenants
                .organizations()
                .skip(1)
                .map(OrganizationDescription::of)
                .collect(),
        }
    }
}

fn people(tenant: &Tenant) -> Vec<UserDescription> {
    tenant.users.iter().map(UserDescription::of).collect()
}

fn shared_mailboxes(tenant: &Tenant) -> Vec<SharedMailboxDescription> {
    let shared = tenant
        .mailboxes
        .iter()
        .filter(|mailbox| mailbox.owner.is_none());
    shared
        .map(|mailbox| SharedMailboxDescription {
            address: mailbox.address.clone(),
            display_name: mailbox.display_name.clone(),
            people: tenant
                .users
                .iter()
                .filter(|user| {
                    tenant.has_right(&mailbox.address, &user.address, MailboxRight::FullAccess)
                })
                .map(|user| user.address.clone())
                .collect(),
        })
        .collect()
}

fn applications(tenant: &Tenant) -> Vec<ApplicationDescription> {
    let mut applications: Vec<ApplicationDescription> = Vec::new();
    for application in &tenant.applications {
        let same = applications
            .iter()
            .filter(|known| known.flow == application.flow)
            .count();
        applications.push(ApplicationDescription::of(application, same));
    }
    applications
}

impl OrganizationDescription {
    fn of(tenant: &Tenant) -> Self {
        Self {
            tenant: tenant.id.clone(),
            display_name: tenant.display_name.clone(),
            domains: tenant.domains.clone(),
            applications: applications(tenant),
            users: people(tenant),
            shared_mailboxes: shared_mailboxes(tenant),
        }
    }
}

impl ApplicationDescription {
    fn of(application: &Application, same: usize) -> Self {
        let name = match application.flow {
            Flow::Delegated => "delegated",
            Flow::AppOnly => "app_only",
            Flow::Device => "device",
        };
        Self {
            id: match same {
                0 => name.to_owned(),
                _ => format!("{name}_{}", same.saturating_add(1)),
            },
            flow: application.flow,
            client_id: application.client_id.clone(),
            client_secret: application
                .secrets
                .first()
                .map(|secret| secret.value.expose().to_owned()),
            redirect_uri: application
                .redirect_uris
                .last()
                .map(|redirect| redirect.uri.clone()),
        }
    }
}

impl UserDescription {
    fn of(user: &User) -> Self {
        Self {
            address: user.address.clone(),
            password: user.password.expose().to_owned(),
            display_name: user.display_name.clone(),
        }
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Description")
            .field("authority", &self.authority)
            .field("authority_tls", &self.authority_tls)
            .field("tenant", &self.tenant)
            .field("imap", &self.imap)
            .field("smtp", &self.smtp)
            .field("pop3", &self.pop3)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ApplicationDescription {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApplicationDescription")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for UserDescription {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UserDescription")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for OrganizationDescription {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OrganizationDescription")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}
