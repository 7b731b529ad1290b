//! The tenant in memory, and the questions one asks of it.

use std::collections::BTreeSet;

use mailgrant_core::secret::Secret;
use serde::{Deserialize, Serialize};

use super::application::Application;
use super::guid::derived_guid;
use super::journal::Event;
use super::mailbox::{Mailbox, MailboxPermission, MailboxRight, ServicePrincipal};
use super::permission::Permission;
use super::policy::{ConditionalAccess, Policies, SignInConditions};
use super::submission::Submission;

/// One tenant. Addresses, domains and ids are compared without regard to case.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// The directory's GUID: `tid`.
    pub id: String,
    /// The organization's name on the pages.
    pub display_name: String,
    /// Its verified domains, the main one first.
    pub domains: Vec<String>,
    /// Whether only administrators may agree to what opens mail (the policy that Microsoft manages, since November
    /// 2025).
    pub admin_consent_required: bool,
    /// Whether the sign-in page lists the accounts with their passwords.
    pub show_accounts: bool,
    /// Whether people are asked, after the password, whether to stay signed in.
    pub stay_signed_in: bool,
    /// Whether SMTP submission by authentication is on for mailboxes that do not say.
    pub smtp_auth: bool,
    /// How mail is handed in.
    pub submission: Submission,
    /// What IMAP allows each mailbox.
    pub imap_limits: ImapLimits,
    /// People who can sign in.
    pub users: Vec<User>,
    /// Mailboxes: one for each user, and the shared ones.
    pub mailboxes: Vec<Mailbox>,
    /// Application registrations.
    pub applications: Vec<Application>,
    /// Enterprise applications whose registration is in another tenant.
    pub enterprise_applications: Vec<EnterpriseApplication>,
    /// What Exchange was told of applications.
    pub service_principals: Vec<ServicePrincipal>,
    /// Who else may open which mailbox.
    pub mailbox_permissions: Vec<MailboxPermission>,
    /// What the organization demands of everybody.
    pub policies: Policies,
    /// Its Conditional Access policies.
    pub conditional_access: Vec<ConditionalAccess>,
    /// Makes the `sub` of a person different for each application.
    pub pairwise_salt: Secret,
    pub(super) consents: Vec<Consent>,
}

/// What IMAP allows each mailbox (Exchange's throttling policy). No numbers are published; 20 connections at once is
/// what people met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImapLimits {
    /// Connections at once. One more logs in and gets `BAD User is authenticated but not connected.`
    pub connections: u32,
    /// Logins a minute, after which the mailbox is throttled; any number when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logins_per_minute: Option<u32>,
    /// Commands a minute, after which the mailbox is throttled; any number when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commands_per_minute: Option<u32>,
    /// How long a mailbox is throttled.
    pub backoff_seconds: u32,
}

impl Default for ImapLimits {
    fn default() -> Self {
        Self {
            connections: 20,
            logins_per_minute: None,
            commands_per_minute: None,
            backoff_seconds: 300,
        }
    }
}

/// A person of the tenant.
#[derive(Clone, Debug)]
pub struct User {
    /// The object id: `oid`.
    pub object_id: String,
    /// The user principal name, which is typed at sign-in: `upn`.
    pub user_principal_name: String,
    /// The primary mail address.
    pub address: String,
    /// The person's name.
    pub display_name: String,
    /// The password.
    pub password: Secret,
    /// Whether sign-in is allowed.
    pub enabled: bool,
    /// Whether the person may agree for the whole organization.
    pub administrator: bool,
    /// The GUID of the tenant that the account is in: `tid`.
    pub tenant: String,
    /// What is the matter with the account.
    pub sign_in: SignInConditions,
}

/// What a tenant has of an application that is registered in another one (`Get-MgServicePrincipal`); the first consent
/// makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnterpriseApplication {
    /// The application's client id.
    pub application: String,
    /// Its object id, another in each tenant: `oid` of app-only tokens, and the id that Exchange wants to be told.
    pub object_id: String,
    /// Whether sign-in to it is allowed here (AADSTS1000031).
    pub enabled: bool,
}

/// The tenant of all personal accounts.
pub const PERSONAL_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// What was agreed to, by one person or for everybody.
#[derive(Clone, Debug)]
pub(super) struct Consent {
    pub client_id: String,
    pub person: Option<String>,
    pub permissions: BTreeSet<Permission>,
}

/// The `iss` of access tokens of the tenant with that GUID (version 1.0).
#[must_use]
pub(crate) fn access_token_issuer(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

impl User {
    /// Whether it is a personal account, of no organization.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        self.tenant == PERSONAL_TENANT
    }

    /// Whether a name is the person's address or user principal name.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.user_principal_name.eq_ignore_ascii_case(name)
            || self.address.eq_ignore_ascii_case(name)
    }
}

impl Tenant {
    /// The tenant of all personal accounts, without any yet.
    pub(super) fn of_personal_accounts(pairwise_salt: Secret) -> Self {
        Self {
            id: PERSONAL_TENANT.to_owned(),
            display_name: "Personal accounts".to_owned(),
            smtp_auth: true,
            ..Self::empty(pairwise_salt)
        }
    }

    /// A tenant with nothing in it.
    pub(super) fn empty(pairwise_salt: Secret) -> Self {
        Self {
            id: String::new(),
            display_name: String::new(),
            domains: Vec::new(),
            admin_consent_required: false,
            show_accounts: false,
            stay_signed_in: false,
            smtp_auth: false,
            submission: Submission::default(),
            imap_limits: ImapLimits::default(),
            users: Vec::new(),
            mailboxes: Vec::new(),
            applications: Vec::new(),
            enterprise_applications: Vec::new(),
            service_principals: Vec::new(),
            mailbox_permissions: Vec::new(),
            policies: Policies::default(),
            conditional_access: Vec::new(),
            pairwise_salt,
            consents: Vec::new(),
        }
    }

    /// The `iss` of access tokens that Exchange reads (version 1.0).
    #[must_use]
    pub fn access_token_issuer(&self) -> String {
        access_token_issuer(&self.id)
    }

    /// Whether a path segment names this tenant by GUID or domain.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        self.id.eq_ignore_ascii_case(name)
            || self
                .domains
                .iter()
                .any(|domain| domain.eq_ignore_ascii_case(name))
    }

    /// Whether it is that of personal accounts, and no organization.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        self.id == PERSONAL_TENANT
    }

    /// The main domain.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.domains.first().map_or("", String::as_str)
    }

    /// The application of that client id.
    #[must_use]
    pub fn application(&self, client_id: &str) -> Option<&Application> {
        self.applications
            .iter()
            .find(|application| application.client_id.eq_ignore_ascii_case(client_id))
    }

    pub(super) fn application_mut(&mut self, client_id: &str) -> Option<&mut Application> {
        self.applications
            .iter_mut()
            .find(|application| application.client_id.eq_ignore_ascii_case(client_id))
    }

    /// The enterprise application of a registration in another tenant.
    #[must_use]
    pub fn enterprise_application(&self, client_id: &str) -> Option<&EnterpriseApplication> {
        self.enterprise_applications
            .iter()
            .find(|known| known.application.eq_ignore_ascii_case(client_id))
    }

    /// Whether the tenant has anything to do with an application.
    pub(super) fn knows(&self, client_id: &str) -> bool {
        self.application(client_id).is_some() || self.enterprise_application(client_id).is_some()
    }

    /// A registration of another tenant as this one has it.
    pub(super) fn with_enterprise_application(&self, registered: &Application) -> Application {
        let mut application = registered.clone();
        let own = self.enterprise_application(&registered.client_id);
        // What was switched and assigned where it is registered holds there.
        let conditions = &mut application.conditions;
        conditions.assignment_required = false;
        conditions.assigned.clear();
        conditions.sign_in_disabled = own.is_some_and(|own| !own.enabled);
        application.admin_consent_required = false;
        application.enterprise_application = own.is_some();
        application.service_principal_id = match own {
            Some(own) => own.object_id.clone(),
            None => self.principal_id(&registered.client_id),
        };
        application
    }

    /// The object id that an enterprise application gets here.
    pub(super) fn principal_id(&self, client_id: &str) -> String {
        derived_guid(&self.id, "service principal", client_id)
    }

    /// The person who signs in with that name or address.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.is_called(name))
    }

    /// The person of that object id.
    #[must_use]
    pub fn user_by_object_id(&self, object_id: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.object_id.eq_ignore_ascii_case(object_id))
    }

    /// Whether that is the name, address or object id of one of its people.
    pub(super) fn has_person(&self, name: &str) -> bool {
        self.user(name).is_some() || self.user_by_object_id(name).is_some()
    }

    /// The mailbox of that address, or of the person with that user principal name.
    #[must_use]
    pub fn mailbox(&self, name: &str) -> Option<&Mailbox> {
        let address = self.user(name).map_or(name, |user| user.address.as_str());
        self.mailboxes
            .iter()
            .find(|mailbox| mailbox.address.eq_ignore_ascii_case(address))
    }

    /// What Exchange was told of the application.
    #[must_use]
    pub fn service_principal(&self, client_id: &str) -> Option<&ServicePrincipal> {
        self.service_principals
            .iter()
            .find(|principal| principal.application.eq_ignore_ascii_case(client_id))
    }

    /// Whether a permission can be given to that name: a user, an application, or what Exchange takes for one.
    pub(super) fn has_trustee(&self, name: &str) -> bool {
        self.user(name).is_some() || self.knows(name) || self.service_principal(name).is_some()
    }

    /// Takes out the mailbox permissions that point nowhere any more.
    pub(super) fn drop_stray_permissions(&mut self) {
        let mut permissions = std::mem::take(&mut self.mailbox_permissions);
        permissions.retain(|permission| {
            self.mailbox(&permission.mailbox).is_some() && self.has_trustee(&permission.trustee)
        });
        self.mailbox_permissions = permissions;
    }

    /// Whether a user (by address) or an application (by client id) holds a right on a mailbox.
    #[must_use]
    pub fn has_right(&self, mailbox: &str, trustee: &str, right: MailboxRight) -> bool {
        self.mailbox_permissions.iter().any(|permission| {
            permission.mailbox.eq_ignore_ascii_case(mailbox)
                && permission.trustee.eq_ignore_ascii_case(trustee)
                && permission.rights.contains(&right)
        })
    }

    /// What an application may do for this person (or by itself, when `person` is none): consents for everybody and
    /// the person's own.
    #[must_use]
    pub fn consented(&self, client_id: &str, person: Option<&str>) -> BTreeSet<Permission> {
        self.consents
            .iter()
            .filter(|consent| consent.client_id.eq_ignore_ascii_case(client_id))
            .filter(|consent| consent.person.is_none() || consent.person.as_deref() == person)
            .flat_map(|consent| consent.permissions.iter().copied())
            .collect()
    }

    /// What was agreed to by that person alone, or (when `person` is none) for everybody.
    #[must_use]
    pub fn consented_by(&self, client_id: &str, person: Option<&str>) -> BTreeSet<Permission> {
        self.consents
            .iter()
            .filter(|consent| consent.client_id.eq_ignore_ascii_case(client_id))
            .filter(|consent| consent.person.as_deref() == person)
            .flat_map(|consent| consent.permissions.iter().copied())
            .collect()
    }

    /// What was agreed or withdrawn; nothing else.
    pub(super) fn take_in(&mut self, event: &Event) {
        match event {
            Event::Consented {
                client_id,
                person,
                permissions,
                ..
            } => self.consent(client_id, person.as_deref(), permissions),
            Event::ConsentWithdrawn { client_id, .. } => self.withdraw_consent(client_id),
            _ => {}
        }
    }

    pub(super) fn consent(
        &mut self,
        client_id: &str,
        person: Option<&str>,
        permissions: &[Permission],
    ) {
        self.install(client_id);
        let known = self
            .consents
            .iter_mut()
            .find(|consent| consent.client_id == client_id && consent.person.as_deref() == person);
        match known {
            Some(consent) => consent.permissions.extend(permissions),
            None => self.consents.push(Consent {
                client_id: client_id.to_owned(),
                person: person.map(str::to_owned),
                permissions: permissions.iter().copied().collect(),
            }),
        }
    }

    /// Makes the enterprise application, unless it is there. Personal accounts do without.
    fn install(&mut self, client_id: &str) {
        if let Some(application) = self.application_mut(client_id) {
            application.enterprise_application = true;
        } else if !self.is_personal() && self.enterprise_application(client_id).is_none() {
            let object_id = self.principal_id(client_id);
            self.enterprise_applications.push(EnterpriseApplication {
                application: client_id.to_owned(),
                object_id,
                enabled: true,
            });
        }
    }

    /// Forgets what was agreed to for everybody.
    pub(super) fn withdraw_consent_for_everybody(&mut self, client_id: &str) {
        self.consents.retain(|consent| {
            consent.person.is_some() || !consent.client_id.eq_ignore_ascii_case(client_id)
        });
    }

    /// Forgets what one person agreed to.
    pub(super) fn withdraw_consent_of(&mut self, client_id: &str, person: &str) {
        self.consents.retain(|consent| {
            consent.person.as_deref() != Some(person)
                || !consent.client_id.eq_ignore_ascii_case(client_id)
        });
    }

    pub(super) fn withdraw_consent(&mut self, client_id: &str) {
        self.consents
            .retain(|consent| !consent.client_id.eq_ignore_ascii_case(client_id));
    }
}
