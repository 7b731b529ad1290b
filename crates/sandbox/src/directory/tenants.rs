//! All tenants of a sandbox, and the questions whose answer is in one of them.

use super::application::Application;
use super::mailbox::Mailbox;
use super::tenant::{PERSONAL_TENANT, Tenant, User};

/// Organizations, and the tenant of all personal accounts.
///
/// The first organization is the one meant where none is named. Mail addresses, domains and client ids are each found
/// in one tenant only.
#[derive(Clone, Debug)]
pub struct Tenants {
    first: Tenant,
    others: Vec<Tenant>,
    personal: Tenant,
}

/// Which of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TenantKey {
    First,
    /// Another organization, by its GUID.
    Other(String),
    Personal,
}

impl Tenants {
    pub(super) fn new(first: Tenant, others: Vec<Tenant>, personal: Tenant) -> Self {
        Self {
            first,
            others,
            personal,
        }
    }

    /// The organization that is meant where none is named.
    #[must_use]
    pub fn first(&self) -> &Tenant {
        &self.first
    }

    /// The tenant of all personal accounts.
    #[must_use]
    pub fn personal(&self) -> &Tenant {
        &self.personal
    }

    /// Every organization, the first one first.
    pub fn organizations(&self) -> impl Iterator<Item = &Tenant> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Every tenant, that of personal accounts last.
    pub fn iter(&self) -> impl Iterator<Item = &Tenant> {
        self.organizations().chain(std::iter::once(&self.personal))
    }

    /// The tenant of that GUID or domain.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Tenant> {
        self.iter().find(|tenant| tenant.is_named(name))
    }

    /// The tenant in which that application is registered.
    #[must_use]
    pub fn home_of(&self, client_id: &str) -> Option<&Tenant> {
        self.organizations()
            .find(|tenant| tenant.application(client_id).is_some())
    }

    /// The registration of that client id, in whatever tenant.
    #[must_use]
    pub fn application(&self, client_id: &str) -> Option<&Application> {
        self.home_of(client_id)?.application(client_id)
    }

    /// The application as a tenant has it: the registration, with the tenant's own enterprise application.
    #[must_use]
    pub fn application_in(&self, tenant: &Tenant, client_id: &str) -> Option<Application> {
        let home = self.home_of(client_id)?;
        let registered = home.application(client_id)?;
        match home.id == tenant.id {
            true => Some(registered.clone()),
            false => Some(tenant.with_enterprise_application(registered)),
        }
    }

    /// The applications of which a tenant has an enterprise application, as it has them.
    #[must_use]
    pub fn enterprise_applications_of(&self, tenant: &Tenant) -> Vec<Application> {
        let own = tenant.applications.iter().map(|own| &own.client_id);
        let foreign = tenant.enterprise_applications.iter();
        own.chain(foreign.map(|foreign| &foreign.application))
            .filter_map(|client_id| self.application_in(tenant, client_id))
            .filter(|application| application.enterprise_application)
            .collect()
    }

    /// The person who signs in with that name or address.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&User> {
        self.iter().find_map(|tenant| tenant.user(name))
    }

    /// The person of that object id.
    #[must_use]
    pub fn user_by_object_id(&self, object_id: &str) -> Option<&User> {
        self.iter()
            .find_map(|tenant| tenant.user_by_object_id(object_id))
    }

    /// The tenant that a person's account is in.
    #[must_use]
    pub fn of(&self, person: &User) -> &Tenant {
        self.iter()
            .find(|tenant| tenant.id == person.tenant)
            // A person who was looked up here is of one of them.
            .unwrap_or(&self.first)
    }

    /// The mailbox of that address, or of the person with that user principal name, and the tenant it is in.
    #[must_use]
    pub fn mailbox(&self, name: &str) -> Option<(&Tenant, &Mailbox)> {
        self.iter()
            .find_map(|tenant| Some((tenant, tenant.mailbox(name)?)))
    }

    /// Every mailbox there is.
    pub fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.iter().flat_map(|tenant| &tenant.mailboxes)
    }

    /// Whether mail to a domain stays here.
    #[must_use]
    pub fn has_domain(&self, domain: &str) -> bool {
        self.iter()
            .flat_map(|tenant| &tenant.domains)
            .any(|own| own.eq_ignore_ascii_case(domain))
    }

    /// Which tenant that name means.
    pub(crate) fn key(&self, name: &str) -> Option<TenantKey> {
        if name.eq_ignore_ascii_case(PERSONAL_TENANT) {
            return Some(TenantKey::Personal);
        }
        let named = self.named(name)?;
        Some(match named.id == self.first.id {
            true => TenantKey::First,
            false => TenantKey::Other(named.id.clone()),
        })
    }

    pub(crate) fn get(&self, key: &TenantKey) -> Option<&Tenant> {
        match key {
            TenantKey::First => Some(&self.first),
            TenantKey::Personal => Some(&self.personal),
            TenantKey::Other(id) => self.others.iter().find(|tenant| tenant.id == *id),
        }
    }

    pub(super) fn get_mut(&mut self, key: &TenantKey) -> Option<&mut Tenant> {
        match key {
            TenantKey::First => Some(&mut self.first),
            TenantKey::Personal => Some(&mut self.personal),
            TenantKey::Other(id) => self.others.iter_mut().find(|tenant| tenant.id == *id),
        }
    }

    pub(super) fn first_mut(&mut self) -> &mut Tenant {
        &mut self.first
    }
}

impl TenantKey {
    /// As the journal has it: nothing for the first, which may have another id in the next file.
    pub(super) fn written(&self) -> Option<String> {
        match self {
            Self::First => None,
            Self::Personal => Some(PERSONAL_TENANT.to_owned()),
            Self::Other(id) => Some(id.clone()),
        }
    }

    pub(super) fn read(written: Option<&str>) -> Self {
        match written {
            None => Self::First,
            Some(PERSONAL_TENANT) => Self::Personal,
            Some(id) => Self::Other(id.to_owned()),
        }
    }
}
