//! A shorter journal that says the same: what was said again later is said once.

use std::collections::{BTreeMap, HashMap};

use super::expiry::IssuedTo;
use super::journal::{Changed, Event};
use super::refresh_tokens::RefreshTokenGrant;

/// Folds events together.
///
/// Of entries that were changed again and again the last form stands where the first stood, so that what refers to
/// them still finds them; a removal, or anything about consent where an entry carries some, ends such a row. Whether
/// the outcome is the same is for the caller to look at: names may have gone from one entry to another in between.
pub(super) fn compact(events: Vec<Event>) -> Vec<Event> {
    let mut kept: Vec<Option<Event>> = Vec::new();
    let mut rows: HashMap<(Option<String>, String, String), usize> = HashMap::new();
    let mut tokens: Vec<RefreshTokenGrant> = Vec::new();
    let mut revoked: BTreeMap<String, u64> = BTreeMap::new();
    let mut ended: Vec<(IssuedTo, mailgrant_core::time::UnixTime)> = Vec::new();
    for event in events {
        match event {
            Event::RefreshTokenIssued(grant) => tokens.push(grant),
            Event::RefreshTokensExpired { issued_to, at } => {
                for grant in &mut tokens {
                    grant.expire(&issued_to, at);
                }
            }
            Event::Revoked { person, generation } => {
                revoked.insert(person, generation);
            }
            Event::AccessTokensExpired { issued_to, until } => {
                match ended.iter_mut().find(|(known, _)| *known == issued_to) {
                    Some((_, known)) => *known = (*known).max(until),
                    None => ended.push((issued_to, until)),
                }
            }
            Event::Changed(changed) => {
                let key = row(&changed);
                if carries_consent(&changed.collection) {
                    rows.retain(|known, _| *known == key || !carries_consent(&known.1));
                }
                match (rows.get(&key), changed.entry.is_some()) {
                    (Some(at), true) => {
                        if let Some(place) = kept.get_mut(*at) {
                            *place = Some(Event::Changed(changed));
                        }
                    }
                    (_, there) => {
                        match there {
                            true => rows.insert(key, kept.len()),
                            // What hangs on the entry goes with it.
                            false => {
                                rows.clear();
                                None
                            }
                        };
                        kept.push(Some(Event::Changed(changed)));
                    }
                }
            }
            consent @ (Event::Consented { .. } | Event::ConsentWithdrawn { .. }) => {
                rows.retain(|known, _| !carries_consent(&known.1));
                kept.push(Some(consent));
            }
        }
    }
    let newest = newest(tokens);
    let revoked = revoked
        .into_iter()
        .map(|(person, generation)| Event::Revoked { person, generation });
    let ended = ended
        .into_iter()
        .map(|(issued_to, until)| Event::AccessTokensExpired { issued_to, until });
    kept.into_iter()
        .flatten()
        .chain(newest.into_iter().map(Event::RefreshTokenIssued))
        .chain(revoked)
        .chain(ended)
        .collect()
}

/// The newest tokens of each person and application. Entra lets the old ones live; nobody keeps so many of them.
fn newest(tokens: Vec<RefreshTokenGrant>) -> Vec<RefreshTokenGrant> {
    let mut counts: HashMap<(String, String), usize> = HashMap::new();
    let mut newest: Vec<RefreshTokenGrant> = tokens
        .into_iter()
        .rev()
        .filter(|grant| {
            let count = counts
                .entry((grant.person.clone(), grant.client_id.clone()))
                .or_default();
            *count += 1;
            *count <= MOST_TOKENS
        })
        .collect();
    newest.reverse();
    newest
}

fn row(changed: &Changed) -> (Option<String>, String, String) {
    (
        changed.tenant.clone(),
        changed.collection.clone(),
        changed.key.to_ascii_lowercase(),
    )
}

/// Whether entries of that collection say what was agreed to.
fn carries_consent(collection: &str) -> bool {
    ["applications", "enterprise_applications", "consents"].contains(&collection)
}

/// A month of refreshing every hour, and more.
const MOST_TOKENS: usize = 1_000;

#[cfg(test)]
mod tests {
    use mailgrant_core::time::UnixTime;
    use serde_json::json;

    use super::*;

    fn changed(collection: &str, key: &str, entry: Option<u32>) -> Event {
        Event::Changed(Changed {
            tenant: None,
            collection: collection.to_owned(),
            key: key.to_owned(),
            entry: entry.map(|number| json!(number)),
            settings_redirect_uris: false,
        })
    }

    fn consented() -> Event {
        Event::ConsentWithdrawn {
            tenant: None,
            client_id: "c".to_owned(),
        }
    }

    fn told(events: Vec<Event>) -> Vec<String> {
        let text = |event: &Event| match event {
            Event::Changed(changed) => format!(
                "{} {}",
                changed.key,
                changed
                    .entry
                    .as_ref()
                    .map_or("-".to_owned(), ToString::to_string)
            ),
            Event::Revoked { generation, .. } => format!("revoked {generation}"),
            Event::AccessTokensExpired { until, .. } => format!("ended {}", until.0),
            _ => "consent".to_owned(),
        };
        compact(events).iter().map(text).collect()
    }

    #[test]
    fn the_last_form_stands_where_the_first_stood() {
        let events = vec![
            changed("users", "ada", Some(1)),
            changed("mailbox_permissions", "ada/bruno", Some(2)),
            changed("users", "ADA", Some(3)),
            changed("users", "ada", Some(4)),
        ];
        assert_eq!(told(events), ["ada 4", "ada/bruno 2"]);
    }

    #[test]
    fn a_removal_and_a_consent_end_a_row() {
        let events = vec![
            changed("users", "ada", Some(1)),
            changed("users", "ada", None),
            changed("users", "ada", Some(2)),
        ];
        assert_eq!(told(events), ["ada 1", "ada -", "ada 2"]);
        let events = vec![
            changed("applications", "c", Some(1)),
            changed("users", "ada", Some(1)),
            consented(),
            changed("applications", "c", Some(2)),
            changed("users", "ada", Some(2)),
        ];
        assert_eq!(told(events), ["c 1", "ada 2", "consent", "c 2"]);
    }

    #[test]
    fn of_ends_and_revocations_the_last_counts() {
        let ended = |until| Event::AccessTokensExpired {
            issued_to: IssuedTo::default(),
            until: UnixTime(until),
        };
        let revoked = |generation| Event::Revoked {
            person: "p".to_owned(),
            generation,
        };
        let events = vec![ended(5), revoked(1), ended(3), revoked(2), ended(4)];
        assert_eq!(told(events), ["revoked 2", "ended 5"]);
    }
}
