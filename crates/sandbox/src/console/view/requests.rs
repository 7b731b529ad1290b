//! The last requests, newest first.

use mailgrant_core::time::UnixTime;

use super::moment;
use crate::console::explain;
use crate::console::remedies::KINDS;
use crate::control::Entry;
use crate::directory::Tenants;

/// A request as the page shows it.
#[derive(Default)]
pub(in crate::console) struct EntryRow {
    pub id: u64,
    pub time: String,
    pub kind: &'static str,
    pub class: &'static str,
    pub user: String,
    pub client_id: String,
    pub code: Option<u32>,
    pub is_mail: bool,
    pub asked: String,
    pub decided: String,
    pub why: String,
    pub next: &'static str,
}

/// The day is told only of other days than today's.
pub(super) fn rows(entries: &[Entry], tenants: &Tenants, now: UnixTime) -> Vec<EntryRow> {
    let now = moment(now.0);
    let today = now.split_once(' ').map_or("", |(day, _)| day);
    entries
        .iter()
        .rev()
        .take(SHOWN)
        .map(|entry| {
            let application = entry
                .client_id
                .as_deref()
                .and_then(|client_id| tenants.application(client_id))
                .map(|application| application.display_name.as_str());
            let explanation = explain(entry, application);
            EntryRow {
                id: entry.id,
                time: moment(entry.at.0)
                    .trim_start_matches(today)
                    .trim_start()
                    .to_owned(),
                kind: entry.kind,
                class: match entry.outcome.as_str() {
                    "ok" => "ok",
                    "fault" => "fault",
                    _ => "refused",
                },
                user: entry.user.clone().unwrap_or_default(),
                client_id: entry.client_id.clone().unwrap_or_default(),
                code: entry.code,
                is_mail: is_mail(entry.kind),
                asked: explanation.asked,
                decided: explanation.decided,
                why: explanation.why.unwrap_or_default(),
                next: explanation.next.unwrap_or_default(),
            }
        })
        .collect()
}

/// Every kind of request, for the filter.
pub(super) fn kinds() -> Vec<&'static str> {
    let mut kinds: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    kinds.dedup();
    kinds
}

/// Whether the wire keeps the reason to itself.
fn is_mail(kind: &str) -> bool {
    ["imap", "smtp", "pop3"]
        .iter()
        .any(|protocol| kind.starts_with(protocol))
}

/// More are not looked through; the control API has them all.
const SHOWN: usize = 200;
