//! One tenant of the directory, to look at and to change.

use std::ops::Deref;
use std::sync::{PoisonError, RwLockReadGuard};

use super::Directory;
use super::tenant::Tenant;
use super::tenants::{TenantKey, Tenants};

/// The directory as an administrator of one tenant has it. Its changes are in `change`.
#[derive(Clone)]
pub(crate) struct TenantDirectory {
    pub(super) directory: Directory,
    pub(super) key: TenantKey,
}

/// A tenant as it is now. Keep it no longer than needed: changes wait.
pub struct TenantGuard<'d> {
    tenants: RwLockReadGuard<'d, Tenants>,
    key: TenantKey,
}

impl Directory {
    /// Every tenant as it is now. Keep it no longer than needed: changes wait.
    pub fn tenants(&self) -> RwLockReadGuard<'_, Tenants> {
        self.0
            .tenants
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The first organization as it is now. Keep it no longer than needed: changes wait.
    #[must_use]
    pub fn tenant(&self) -> TenantGuard<'_> {
        TenantGuard {
            tenants: self.tenants(),
            key: TenantKey::First,
        }
    }

    /// The tenant of that GUID or domain; without a name the first.
    pub(crate) fn of_tenant(&self, name: Option<&str>) -> Option<TenantDirectory> {
        let key = match name {
            None => TenantKey::First,
            Some(name) => self.tenants().key(name)?,
        };
        Some(TenantDirectory {
            directory: self.clone(),
            key,
        })
    }

    /// The first organization.
    pub(crate) fn first(&self) -> TenantDirectory {
        TenantDirectory {
            directory: self.clone(),
            key: TenantKey::First,
        }
    }
}

impl TenantDirectory {
    /// The tenant as it is now.
    pub(crate) fn tenant(&self) -> TenantGuard<'_> {
        TenantGuard {
            tenants: self.directory.tenants(),
            key: self.key.clone(),
        }
    }

    /// The whole directory.
    pub(crate) fn whole(&self) -> &Directory {
        &self.directory
    }
}

impl TenantGuard<'_> {
    /// Every tenant, at the same moment.
    #[must_use]
    pub fn all(&self) -> &Tenants {
        &self.tenants
    }
}

impl Deref for TenantGuard<'_> {
    type Target = Tenant;

    fn deref(&self) -> &Tenant {
        // Tenants come and go with the tenant file only, so a key that was found stays good.
        self.tenants
            .get(&self.key)
            .unwrap_or_else(|| self.tenants.first())
    }
}
