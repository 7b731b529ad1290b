//! Changes of earlier runs, made again.

use super::super::check::check_tenants;
use super::super::entry::{Collection, ConsentEntry, Entry as _};
use super::super::journal::Changed;
use super::super::secrets::Secrets;
use super::super::tenants::{TenantKey, Tenants};
use super::{ChangeRefusal, gone};

/// Makes a change of an earlier run again; whether it fits the tenant file, which may have changed since. What no
/// longer does is left out.
pub(in crate::directory) fn replay(
    change: &Changed,
    tenants: &mut Tenants,
    secrets: &Secrets,
    redirect_uris: &[String],
) -> bool {
    let Changed {
        tenant,
        collection: name,
        key,
        entry,
        settings_redirect_uris,
    } = change;
    let Some(collection) = Collection::named(name) else {
        tracing::warn!(
            collection = name,
            "a change of an earlier run is of an unknown kind"
        );
        return false;
    };
    let mut changed = tenants.clone();
    let mut make = || -> Result<(), ChangeRefusal> {
        let directory = TenantKey::read(tenant.as_deref());
        let place = old_place(&changed, directory, collection, key);
        let tenant = changed.get_mut(&place).ok_or_else(gone)?;
        match entry {
            None => (collection.remove)(tenant, key),
            Some(entry) => (collection.put)(entry.clone(), tenant, secrets)?,
        }
        if let (true, Some(application)) = (*settings_redirect_uris, tenant.application_mut(key)) {
            application.add_redirect_uris(redirect_uris)?;
        }
        Ok(check_tenants(&changed)?)
    };
    match make() {
        Ok(()) => {
            *tenants = changed;
            true
        }
        Err(error) => {
            tracing::warn!(
                collection = name,
                key,
                %error,
                "a change of an earlier run does not fit the tenant file any more"
            );
            false
        }
    }
}

/// Personal accounts, and what they agreed to, were once written down among the first tenant's.
fn old_place(
    tenants: &Tenants,
    written: TenantKey,
    collection: &Collection,
    key: &str,
) -> TenantKey {
    let of_person = collection.name == ConsentEntry::COLLECTION
        && key
            .split_once('/')
            .is_some_and(|(_, person)| tenants.personal().has_person(person));
    match written {
        TenantKey::First if collection.personal || of_person => TenantKey::Personal,
        written => written,
    }
}
