//! People, mailboxes and applications as the page shows them.

mod applications;
mod mailboxes;

pub(super) use self::applications::{ApplicationCard, applications};
pub(super) use self::mailboxes::{MailboxCard, mailboxes};
use crate::directory::{Tenant, Tenants};

/// A tenant among all of them.
#[derive(Clone, Copy)]
struct Place<'t> {
    tenants: &'t Tenants,
    tenant: &'t Tenant,
}

impl<'t> Place<'t> {
    fn all(tenants: &'t Tenants) -> impl Iterator<Item = Self> {
        tenants.iter().map(move |tenant| Self { tenants, tenant })
    }

    fn is_first(self) -> bool {
        self.tenant.id == self.tenants.first().id
    }

    /// Its name, where it is not the first.
    fn name(self) -> Option<String> {
        (!self.is_first()).then(|| self.tenant.display_name.clone())
    }

    /// A path below the directory's.
    fn path(self, parts: &[&str]) -> String {
        let parts: Vec<String> = parts
            .iter()
            .map(|part| url::form_urlencoded::byte_serialize(part.as_bytes()).collect())
            .collect();
        let path = format!("/control/directory/{}", parts.join("/"));
        match self.is_first() || self.tenant.is_personal() {
            true => path,
            false => format!("{path}?tenant={}", self.tenant.id),
        }
    }
}
