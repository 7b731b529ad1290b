//! What the journal is told of a change.

use serde_json::Value;

use crate::directory::entry::{ApplicationEntry, Entry};
use crate::directory::journal::{Changed, Event};
use crate::directory::tenants::TenantKey;

/// An entry as it is after the change; none where it was removed.
pub(super) struct Change {
    tenant: Option<String>,
    collection: &'static str,
    key: String,
    pub(super) entry: Option<Value>,
}

impl Change {
    pub(super) fn of(collection: &'static str, key: String, entry: Option<Value>) -> Self {
        Self {
            tenant: None,
            collection,
            key,
            entry,
        }
    }

    pub(super) fn in_tenant(self, place: &TenantKey) -> Self {
        Self {
            tenant: place.written(),
            ..self
        }
    }

    /// The redirect URIs of the settings may be others at the next start, so the fact is kept in their stead.
    pub(super) fn event(self, of_settings: &[String]) -> Event {
        let mut entry = self.entry;
        let settings_redirect_uris = self.collection == ApplicationEntry::COLLECTION
            && entry
                .as_mut()
                .is_some_and(|entry| without_redirect_uris(entry, of_settings));
        Event::Changed(Changed {
            tenant: self.tenant,
            collection: self.collection.to_owned(),
            key: self.key,
            entry,
            settings_redirect_uris,
        })
    }
}

/// Takes the redirect URIs of the settings out of an application's entry; whether there were any.
fn without_redirect_uris(entry: &mut Value, of_settings: &[String]) -> bool {
    let Some(uris) = entry.get_mut("redirect_uris").and_then(Value::as_array_mut) else {
        return false;
    };
    let before = uris.len();
    uris.retain(|uri| {
        !uri.as_str()
            .is_some_and(|uri| of_settings.iter().any(|of_settings| of_settings == uri))
    });
    uris.len() < before
}
