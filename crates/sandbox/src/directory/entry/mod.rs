//! The entries of a tenant file, each kind in its own file. The control API takes and shows the same entries as JSON,
//! and the journal keeps them, so a key that is added to one is there in all three.
//!
//! An entry may leave keys out; what is [shown](Entry::all) is whole, so that putting it back changes nothing.

mod application;
mod consent;
mod enterprise_application;
mod mailbox_permission;
mod personal_account;
mod policies;
mod service_principal;
mod shared_mailbox;
mod tenant;
mod user;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use application::{ApplicationEntry, RedirectUriEntry, SecretEntry};
pub(crate) use consent::ConsentEntry;
pub(crate) use enterprise_application::EnterpriseApplicationEntry;
pub(crate) use mailbox_permission::MailboxPermissionEntry;
pub(crate) use personal_account::PersonalAccountEntry;
pub(crate) use service_principal::ServicePrincipalEntry;
pub(crate) use shared_mailbox::SharedMailboxEntry;
pub(crate) use tenant::TenantEntry;
pub(crate) use user::UserEntry;

use super::policy::{ConditionalAccess, Policies};
use super::secrets::Secrets;
use super::tenant::Tenant;
use crate::Error;

/// One kind of entry.
pub(crate) trait Entry: Serialize + DeserializeOwned {
    /// The collection's name in the control API's paths and in the journal, such as `users`.
    const COLLECTION: &'static str;
    /// Keys whose values stay when an entry that leaves them out is put in place of another.
    const KEPT: &'static [&'static str] = &[];
    /// Whether there is exactly one, which cannot be removed.
    const SINGLE: bool = false;
    /// Whether its entries are of the tenant of personal accounts, wherever they are written.
    const PERSONAL: bool = false;

    /// What it is found by. Keys are compared without regard to case.
    fn key(&self) -> String;

    /// The key under which a tenant will have it: people have two names, and one of them counts.
    fn key_in(&self, _tenant: &Tenant) -> String {
        self.key()
    }

    /// All that the tenant has, with nothing left out.
    fn all(tenant: &Tenant) -> Vec<Self>;

    /// Puts it into the tenant, in place of the one with the same key if there is one.
    fn put(self, tenant: &mut Tenant, secrets: &Secrets) -> Result<(), Error>;

    /// Takes the one with that key out, with what hangs on it.
    fn remove(tenant: &mut Tenant, key: &str);

    /// The one with that key.
    fn find(tenant: &Tenant, key: &str) -> Option<Self> {
        Self::all(tenant)
            .into_iter()
            .find(|entry| entry.key().eq_ignore_ascii_case(key))
    }
}

/// A kind of entry, chosen by its name.
pub(crate) struct Collection {
    pub name: &'static str,
    pub kept: &'static [&'static str],
    pub single: bool,
    pub personal: bool,
    pub key: fn(&Value, &Tenant) -> Result<String, Error>,
    pub all: fn(&Tenant) -> Vec<(String, Value)>,
    pub put: fn(Value, &mut Tenant, &Secrets) -> Result<(), Error>,
    pub remove: fn(&mut Tenant, &str),
}

/// Every kind there is, in the order in which one refers to another.
pub(crate) static COLLECTIONS: &[Collection] = &[
    Collection::of::<TenantEntry>(),
    Collection::of::<UserEntry>(),
    Collection::of::<PersonalAccountEntry>(),
    Collection::of::<SharedMailboxEntry>(),
    Collection::of::<ApplicationEntry>(),
    Collection::of::<EnterpriseApplicationEntry>(),
    Collection::of::<ServicePrincipalEntry>(),
    Collection::of::<MailboxPermissionEntry>(),
    Collection::of::<ConsentEntry>(),
    Collection::of::<Policies>(),
    Collection::of::<ConditionalAccess>(),
];

impl Collection {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        COLLECTIONS
            .iter()
            .find(|collection| collection.name == name)
    }

    /// The entry with that key, under the key as it is spelt there.
    pub(crate) fn find(&self, tenant: &Tenant, key: &str) -> Option<(String, Value)> {
        (self.all)(tenant)
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(key))
    }

    pub(crate) const fn of<E: Entry>() -> Self {
        Self {
            name: E::COLLECTION,
            kept: E::KEPT,
            single: E::SINGLE,
            personal: E::PERSONAL,
            key: |entry, tenant| Ok(read::<E>(entry.clone())?.key_in(tenant)),
            all: |tenant| {
                let entries = E::all(tenant).into_iter();
                entries
                    .map(|entry| (entry.key(), written(&entry)))
                    .collect()
            },
            put: |entry, tenant, secrets| read::<E>(entry)?.put(tenant, secrets),
            remove: E::remove,
        }
    }
}

/// An entry as the journal keeps it.
pub(crate) fn written(entry: &impl Serialize) -> Value {
    // Structs of text, numbers and lists: nothing in them that JSON has no form for.
    serde_json::to_value(entry).unwrap_or_default()
}

fn read<E: Entry>(entry: Value) -> Result<E, Error> {
    serde_json::from_value(entry).map_err(|error| Error::tenant(error.to_string()))
}

/// Shows a password or secret: the people and applications of a sandbox do not exist.
mod exposed {
    use mailgrant_core::secret::Secret;
    use serde::Serializer;

    pub(super) fn secret<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(super) fn option<S: Serializer>(
        secret: &Option<Secret>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match secret {
            Some(secret) => serializer.serialize_some(secret.expose()),
            None => serializer.serialize_none(),
        }
    }
}

fn yes() -> bool {
    true
}

/// Puts `new` in place of the item that `same` picks, or at the end.
fn replace<T>(items: &mut Vec<T>, new: T, same: impl Fn(&T) -> bool) {
    match items.iter_mut().find(|item| same(item)) {
        Some(item) => *item = new,
        None => items.push(new),
    }
}
