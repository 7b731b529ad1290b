//! Changes of the tenant that last: entries put and removed, written down before they are answered.

mod merge;
mod record;
mod replay;

use std::sync::PoisonError;

use serde_json::{Map, Value};

use self::merge::merge;
use self::record::Change;
pub(super) use self::replay::replay;
use super::check::{check_installed, check_tenants};
use super::entry::{Collection, ConsentEntry, EnterpriseApplicationEntry, Entry, written};
use super::secrets::Secrets;
use super::tenant::Tenant;
use super::tenants::{TenantKey, Tenants};
use super::{Directory, TenantDirectory};
use crate::Error;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeRefusal {
    /// The entry is not valid, or something would point nowhere; names the key.
    #[error("{0}")]
    Invalid(String),
    /// There is no such entry.
    #[error("{0}")]
    NotFound(String),
    /// It could not be written down.
    #[error(transparent)]
    Failed(Error),
}

/// An entry that was put.
pub(crate) struct Put {
    /// The whole entry as it is now.
    pub entry: Value,
    /// Whether there was none with its key before.
    pub created: bool,
}

impl TenantDirectory {
    /// Every entry of a collection, under its key.
    pub(crate) fn entries(&self, collection: &Collection) -> Vec<(String, Value)> {
        let tenants = self.directory.tenants();
        let places = self.places(collection).into_iter();
        places
            .filter_map(|place| tenants.get(&place))
            .flat_map(collection.all)
            .collect()
    }

    /// The entry with that key.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub(crate) fn entry(&self, collection: &Collection, key: &str) -> Result<Value, ChangeRefusal> {
        let tenants = self.directory.tenants();
        let (_, _, entry) = self.find(&tenants, collection, key)?;
        Ok(entry)
    }

    /// The key that an entry will have.
    ///
    /// # Errors
    ///
    /// When the entry is not valid.
    pub(crate) fn key_of(
        &self,
        collection: &Collection,
        entry: &Value,
    ) -> Result<String, ChangeRefusal> {
        let tenants = self.directory.tenants();
        let place = self.place_of(&tenants, collection, entry)?;
        Ok((collection.key)(entry, tenant_of(&tenants, &place)?)?)
    }

    /// Puts an entry into a collection, in place of the one with the same key. Of that one stay the keys that
    /// [`Entry::KEPT`] names and the new one leaves out. A new password ends the person's refresh tokens.
    ///
    /// # Errors
    ///
    /// When the entry is not valid or cannot be written down; then nothing has changed.
    pub(crate) fn put(
        &self,
        collection: &Collection,
        mut entry: Value,
    ) -> Result<Put, ChangeRefusal> {
        self.directory.commit(|tenants, secrets| {
            let place = self.place_of(tenants, collection, &entry)?;
            let tenant = tenants.get_mut(&place).ok_or_else(gone)?;
            let key = match collection.single {
                true => String::new(),
                false => (collection.key)(&entry, tenant)?,
            };
            let known = collection.find(tenant, &key);
            if let (Some((_, Value::Object(known))), Value::Object(entry)) = (&known, &mut entry) {
                keep(entry, known, collection.kept);
            }
            let made = put_value(collection, key, entry, tenant, secrets)?.in_tenant(&place);
            if collection.name == EnterpriseApplicationEntry::COLLECTION {
                check_installed(tenants)?;
            }
            let put = Put {
                entry: made.entry.clone().unwrap_or_default(),
                created: known.is_none(),
            };
            Ok((put, made))
        })
    }

    /// Changes some keys of an entry: a merge patch (RFC 7396), in which `null` stands for leaving the key out.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put), and when there is no such entry.
    pub(crate) fn patch(
        &self,
        collection: &Collection,
        key: &str,
        patch: &Value,
    ) -> Result<Value, ChangeRefusal> {
        self.directory.commit(|tenants, secrets| {
            let (place, key, mut entry) = self.find(tenants, collection, key)?;
            let tenant = tenants.get_mut(&place).ok_or_else(gone)?;
            merge(&mut entry, patch);
            if !(collection.key)(&entry, tenant)?.eq_ignore_ascii_case(&key) {
                return Err(ChangeRefusal::Invalid(format!(
                    "the name of an entry cannot change: {key}; put a new one and remove this"
                )));
            }
            let made = put_value(collection, key, entry, tenant, secrets)?.in_tenant(&place);
            Ok((made.entry.clone().unwrap_or_default(), made))
        })
    }

    /// Removes an entry, with the permissions and consents that hang on it.
    ///
    /// # Errors
    ///
    /// When there is no such entry, or it cannot be written down.
    pub(crate) fn remove(&self, collection: &Collection, key: &str) -> Result<(), ChangeRefusal> {
        self.directory.commit(|tenants, _| {
            if collection.single {
                return Err(not_found(collection.name, key));
            }
            let (place, key, _) = self.find(tenants, collection, key)?;
            let tenant = tenants.get_mut(&place).ok_or_else(gone)?;
            (collection.remove)(tenant, &key);
            Ok(((), Change::of(collection.name, key, None).in_tenant(&place)))
        })
    }

    /// Puts an entry whose type is known.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub(crate) fn put_entry<E: Entry>(&self, entry: E) -> Result<(), ChangeRefusal> {
        self.directory.commit(|tenants, secrets| {
            let tenant = tenants.get_mut(&self.key).ok_or_else(gone)?;
            let made = put_entry(entry, tenant, secrets)?.in_tenant(&self.key);
            Ok(((), made))
        })
    }

    /// Removes an entry whose type is known.
    ///
    /// # Errors
    ///
    /// As [`remove`](Self::remove).
    pub(crate) fn remove_entry<E: Entry>(&self, key: &str) -> Result<(), ChangeRefusal> {
        self.remove(&Collection::of::<E>(), key)
    }

    /// Changes the entry with that key.
    ///
    /// # Errors
    ///
    /// As [`patch`](Self::patch).
    pub(crate) fn update<E: Entry>(
        &self,
        key: &str,
        change: impl FnOnce(&mut E),
    ) -> Result<(), ChangeRefusal> {
        self.directory.commit(|tenants, secrets| {
            let tenant = tenants.get_mut(&self.key).ok_or_else(gone)?;
            let mut entry = E::find(tenant, key).ok_or_else(|| not_found(E::COLLECTION, key))?;
            change(&mut entry);
            Ok(((), put_entry(entry, tenant, secrets)?.in_tenant(&self.key)))
        })
    }

    /// The tenants whose entries are shown as this one's: personal accounts, and what they agreed to, are written
    /// beside the first organization's.
    fn places(&self, collection: &Collection) -> Vec<TenantKey> {
        match (&self.key, collection.name) {
            (TenantKey::First, _) if collection.personal => vec![TenantKey::Personal],
            (TenantKey::First, ConsentEntry::COLLECTION) => {
                vec![TenantKey::First, TenantKey::Personal]
            }
            (key, _) => vec![key.clone()],
        }
    }

    /// Where an entry belongs.
    fn place_of(
        &self,
        tenants: &Tenants,
        collection: &Collection,
        entry: &Value,
    ) -> Result<TenantKey, ChangeRefusal> {
        let organization = self.key != TenantKey::Personal;
        if collection.personal && !matches!(self.key, TenantKey::First | TenantKey::Personal) {
            return Err(ChangeRefusal::Invalid(
                "personal accounts are of no organization: leave the tenant out".to_owned(),
            ));
        }
        if !organization && !collection.personal && collection.name != ConsentEntry::COLLECTION {
            return Err(ChangeRefusal::Invalid(format!(
                "personal accounts have no {}: name an organization",
                collection.name
            )));
        }
        let person = entry.get("user").and_then(Value::as_str);
        let places = self.places(collection);
        let of_person = places.iter().find(|place| {
            let tenant = tenants.get(place);
            tenant.is_some_and(|tenant| person.is_some_and(|person| tenant.has_person(person)))
        });
        let place = of_person.or(places.first());
        Ok(place.unwrap_or(&self.key).clone())
    }

    fn find(
        &self,
        tenants: &Tenants,
        collection: &Collection,
        key: &str,
    ) -> Result<(TenantKey, String, Value), ChangeRefusal> {
        let places = self.places(collection).into_iter();
        places
            .filter_map(|place| {
                let (key, entry) = collection.find(tenants.get(&place)?, key)?;
                Some((place, key, entry))
            })
            .next()
            .ok_or_else(|| not_found(collection.name, key))
    }
}

impl Directory {
    /// Makes a change on a copy, checks the whole, writes it down, and then lets everybody see it.
    fn commit<T>(
        &self,
        make: impl FnOnce(&mut Tenants, &Secrets) -> Result<(T, Change), ChangeRefusal>,
    ) -> Result<T, ChangeRefusal> {
        let mut current = self
            .0
            .tenants
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mut tenants = current.clone();
        let (made, change) = make(&mut tenants, &self.0.secrets)?;
        check_tenants(&tenants)?;
        self.journal()
            .append(&change.event(&self.0.redirect_uris))
            .map_err(ChangeRefusal::Failed)?;
        let users = current.iter().flat_map(|tenant| &tenant.users);
        let new_passwords: Vec<String> = users
            .filter(|user| {
                tenants
                    .user_by_object_id(&user.object_id)
                    .is_some_and(|now| now.password != user.password)
            })
            .map(|user| user.object_id.clone())
            .collect();
        *current = tenants;
        drop(current);
        self.changed();
        for person in new_passwords {
            self.revoke_refresh_tokens(&person)
                .map_err(ChangeRefusal::Failed)?;
        }
        Ok(made)
    }
}

fn tenant_of<'t>(tenants: &'t Tenants, key: &TenantKey) -> Result<&'t Tenant, ChangeRefusal> {
    tenants.get(key).ok_or_else(gone)
}

fn gone() -> ChangeRefusal {
    ChangeRefusal::NotFound("there is no such tenant".to_owned())
}

fn put_value(
    collection: &Collection,
    key: String,
    entry: Value,
    tenant: &mut Tenant,
    secrets: &Secrets,
) -> Result<Change, ChangeRefusal> {
    let id = tenant.id.clone();
    (collection.put)(entry.clone(), tenant, secrets)?;
    check_id(&id, tenant)?;
    let (key, entry) = collection.find(tenant, &key).unwrap_or((key, entry));
    Ok(Change::of(collection.name, key, Some(entry)))
}

fn put_entry<E: Entry>(
    entry: E,
    tenant: &mut Tenant,
    secrets: &Secrets,
) -> Result<Change, ChangeRefusal> {
    let (key, given) = (entry.key_in(tenant), written(&entry));
    entry.put(tenant, secrets)?;
    let entry = E::find(tenant, &key).map_or(given, |whole| written(&whole));
    Ok(Change::of(E::COLLECTION, key, Some(entry)))
}

/// People, tokens and the journal name a tenant by its id.
fn check_id(before: &str, tenant: &Tenant) -> Result<(), ChangeRefusal> {
    match tenant.id == before {
        true => Ok(()),
        false => Err(ChangeRefusal::Invalid(
            "tenant id: it cannot change while the sandbox runs; write it into the tenant file"
                .to_owned(),
        )),
    }
}

fn keep(entry: &mut Map<String, Value>, known: &Map<String, Value>, kept: &[&str]) {
    for name in kept {
        if let (false, Some(value)) = (entry.contains_key(*name), known.get(*name)) {
            entry.insert((*name).to_owned(), value.clone());
        }
    }
}

fn not_found(collection: &str, key: &str) -> ChangeRefusal {
    ChangeRefusal::NotFound(format!("{collection}: there is none called \"{key}\""))
}

impl From<Error> for ChangeRefusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Tenant { problem } => Self::Invalid(problem),
            other => Self::Failed(other),
        }
    }
}
