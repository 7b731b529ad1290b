//! Changes of the tenant that last: entries put and removed, written down before they are answered.

use std::sync::PoisonError;

use serde_json::{Map, Value};

use super::Directory;
use super::check::check_references;
use super::entry::{Collection, Entry, written};
use super::journal::Event;
use super::secrets::Secrets;
use super::tenant::Tenant;
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

impl Directory {
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
        self.commit(|tenant, secrets| {
            let key = match collection.single {
                true => String::new(),
                false => (collection.key)(&entry, tenant)?,
            };
            let known = collection.find(tenant, &key);
            if let (Some((_, Value::Object(known))), Value::Object(entry)) = (&known, &mut entry) {
                keep(entry, known, collection.kept);
            }
            let made = place(collection, key, entry, tenant, secrets)?;
            let put = Put {
                entry: made.entry.clone().unwrap_or_default(),
                created: known.is_none(),
            };
            Ok((put, vec![made]))
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
        self.commit(|tenant, secrets| {
            let (key, mut entry) = collection
                .find(tenant, key)
                .ok_or_else(|| not_found(collection.name, key))?;
            merge(&mut entry, patch);
            if !(collection.key)(&entry, tenant)?.eq_ignore_ascii_case(&key) {
                return Err(ChangeRefusal::Invalid(format!(
                    "the name of an entry cannot change: {key}; put a new one and remove this"
                )));
            }
            let made = place(collection, key, entry, tenant, secrets)?;
            Ok((made.entry.clone().unwrap_or_default(), vec![made]))
        })
    }

    /// Removes an entry, with the permissions and consents that hang on it.
    ///
    /// # Errors
    ///
    /// When there is no such entry, or it cannot be written down.
    pub(crate) fn remove(&self, collection: &Collection, key: &str) -> Result<(), ChangeRefusal> {
        self.commit(|tenant, _| {
            let (key, _) = collection
                .find(tenant, key)
                .filter(|_| !collection.single)
                .ok_or_else(|| not_found(collection.name, key))?;
            (collection.remove)(tenant, &key);
            let gone = Change {
                collection: collection.name,
                key,
                entry: None,
            };
            Ok(((), vec![gone]))
        })
    }

    /// Puts an entry whose type is known.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub(crate) fn put_entry<E: Entry>(&self, entry: E) -> Result<(), ChangeRefusal> {
        self.commit(|tenant, secrets| {
            let change = place_entry(entry, tenant, secrets)?;
            Ok(((), vec![change]))
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
        self.commit(|tenant, secrets| {
            let mut entry = E::find(tenant, key).ok_or_else(|| not_found(E::COLLECTION, key))?;
            change(&mut entry);
            let change = place_entry(entry, tenant, secrets)?;
            Ok(((), vec![change]))
        })
    }

    /// Makes changes on a copy, checks the whole, writes them down, and then lets everybody see them.
    fn commit<T>(
        &self,
        make: impl FnOnce(&mut Tenant, &Secrets) -> Result<(T, Vec<Change>), ChangeRefusal>,
    ) -> Result<T, ChangeRefusal> {
        let mut current = self
            .0
            .tenant
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mut tenant = current.clone();
        let (made, changes) = make(&mut tenant, &self.0.secrets)?;
        check_references(&tenant)?;
        let events: Vec<Event> = changes
            .into_iter()
            .map(|change| change.event(&self.0.redirect_uris))
            .collect();
        self.journal()
            .append_all(&events)
            .map_err(ChangeRefusal::Failed)?;
        let new_passwords: Vec<String> = current
            .users
            .iter()
            .filter(|user| {
                tenant
                    .user_by_object_id(&user.object_id)
                    .is_some_and(|now| now.password != user.password)
            })
            .map(|user| user.object_id.clone())
            .collect();
        *current = tenant;
        drop(current);
        self.changed();
        for person in new_passwords {
            self.revoke_refresh_tokens(&person)
                .map_err(ChangeRefusal::Failed)?;
        }
        Ok(made)
    }
}

/// Makes a change of an earlier run again. The tenant file may have changed since: what no longer fits is left out.
pub(super) fn replay(
    event: &Event,
    tenant: &mut Tenant,
    secrets: &Secrets,
    redirect_uris: &[String],
) {
    let Event::Changed {
        collection: name,
        key,
        entry,
        settings_redirect_uris,
    } = event
    else {
        return;
    };
    let Some(collection) = Collection::named(name) else {
        tracing::warn!(
            collection = name,
            "a change of an earlier run is of an unknown kind"
        );
        return;
    };
    let mut changed = tenant.clone();
    let again = match entry {
        None => {
            (collection.remove)(&mut changed, key);
            Ok(())
        }
        Some(entry) => (collection.put)(entry.clone(), &mut changed, secrets),
    };
    let added = again.and_then(|()| match changed.application_mut(key) {
        Some(application) if *settings_redirect_uris => {
            application.add_redirect_uris(redirect_uris)
        }
        _ => Ok(()),
    });
    match added.and_then(|()| check_references(&changed)) {
        Ok(()) => *tenant = changed,
        Err(error) => tracing::warn!(
            collection = name,
            key,
            %error,
            "a change of an earlier run does not fit the tenant file any more"
        ),
    }
}

/// What the journal is told.
struct Change {
    collection: &'static str,
    key: String,
    entry: Option<Value>,
}

impl Change {
    /// The redirect URIs of the settings may be others at the next start, so the fact is kept in their stead.
    fn event(self, of_settings: &[String]) -> Event {
        let mut settings_redirect_uris = false;
        let mut entry = self.entry;
        let uris = entry
            .as_mut()
            .filter(|_| self.collection == super::ApplicationEntry::COLLECTION)
            .and_then(|entry| entry.get_mut("redirect_uris"))
            .and_then(Value::as_array_mut);
        if let Some(uris) = uris {
            let before = uris.len();
            uris.retain(|uri| {
                !uri.as_str()
                    .is_some_and(|uri| of_settings.iter().any(|of_settings| of_settings == uri))
            });
            settings_redirect_uris = uris.len() < before;
        }
        Event::Changed {
            collection: self.collection.to_owned(),
            key: self.key,
            entry,
            settings_redirect_uris,
        }
    }
}

fn place(
    collection: &Collection,
    key: String,
    entry: Value,
    tenant: &mut Tenant,
    secrets: &Secrets,
) -> Result<Change, ChangeRefusal> {
    (collection.put)(entry.clone(), tenant, secrets)?;
    let (key, entry) = collection.find(tenant, &key).unwrap_or((key, entry));
    Ok(Change {
        collection: collection.name,
        key,
        entry: Some(entry),
    })
}

fn place_entry<E: Entry>(
    entry: E,
    tenant: &mut Tenant,
    secrets: &Secrets,
) -> Result<Change, ChangeRefusal> {
    let (key, given) = (entry.key_in(tenant), written(&entry));
    entry.put(tenant, secrets)?;
    let entry = E::find(tenant, &key).map_or(given, |whole| written(&whole));
    Ok(Change {
        collection: E::COLLECTION,
        key,
        entry: Some(entry),
    })
}

fn keep(entry: &mut Map<String, Value>, known: &Map<String, Value>, kept: &[&str]) {
    for name in kept {
        if let (false, Some(value)) = (entry.contains_key(*name), known.get(*name)) {
            entry.insert((*name).to_owned(), value.clone());
        }
    }
}

/// JSON Merge Patch (RFC 7396 §2).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            match value {
                Value::Null => {
                    target.remove(name);
                }
                value => merge(target.entry(name.clone()).or_insert(Value::Null), value),
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_examples_of_rfc_7396_appendix_a_hold() {
        for (target, patch, expected) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": "b"}),
                json!({"b": "c"}),
                json!({"a": "b", "b": "c"}),
            ),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (
                json!({"e": null}),
                json!({"a": 1}),
                json!({"e": null, "a": 1}),
            ),
            (
                json!([1, 2]),
                json!({"a": "b", "c": null}),
                json!({"a": "b"}),
            ),
            (
                json!({}),
                json!({"a": {"bb": {"ccc": null}}}),
                json!({"a": {"bb": {}}}),
            ),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, &patch);
            assert_eq!(merged, expected, "{target} {patch}");
        }
    }
}
