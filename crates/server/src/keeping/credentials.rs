//! Credentials that end: an outage with a date, told of before it comes.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use mailgrant_core::time::UnixTime;
use mailgrant_storage::{EventKind, NewEvent};
use serde_json::json;

use crate::{representation::Moment, settings::Application, state::Gateway};

/// What this process has told of each application's credential.
#[derive(Default)]
pub(super) struct Watch(Mutex<BTreeMap<String, Told>>);

/// What was told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    /// Of the credential that ends then.
    ends_at: UnixTime,
    notice: Notice,
}

/// What there is to tell about an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notice {
    /// It is not more than so many days away: one of [`DAYS`].
    Ahead(u64),
    /// It was so many days ago.
    Over(u64),
}

/// Tells of the credentials that end soon: as an event 30, 7 and 1 days ahead, once each, whatever restarts and however many
/// replicas there are; of those that have ended, in the log, at start and once a day.
pub(super) async fn watch(gateway: &Gateway) {
    for application in &gateway.settings.applications {
        // It may have been replaced since a token was last asked for.
        application.credential.reread(gateway.now()).await;
        if let Some(ends_at) = application.credential_ends_at() {
            look(gateway, application, ends_at).await;
        }
    }
}

async fn look(gateway: &Gateway, application: &Application, ends_at: UnixTime) {
    let Some(notice) = Notice::at(gateway.now(), ends_at) else {
        return;
    };
    let told = Told { ends_at, notice };
    let watch = &gateway.keeping.credentials;
    if watch.has_told(&application.id, told) {
        return;
    }
    let kind = application.credential.kind();
    match notice {
        Notice::Over(days) => {
            tracing::error!(
                application = application.id,
                kind,
                days,
                "the application's credential has expired, and it gets no tokens; make a new one at the provider"
            );
        }
        Notice::Ahead(threshold) => {
            if let Err(error) = tell(gateway, application, ends_at, threshold).await {
                tracing::warn!(application = application.id, %error, "credential.expiring was not stored");
                return;
            }
        }
    }
    watch.tell(&application.id, told);
}

async fn tell(
    gateway: &Gateway,
    application: &Application,
    ends_at: UnixTime,
    threshold: u64,
) -> Result<(), mailgrant_storage::Error> {
    let (id, kind, now) = (
        &application.id,
        application.credential.kind(),
        gateway.now(),
    );
    let days_left = ends_at.since(now).as_secs().div_ceil(DAY.as_secs());
    tracing::warn!(
        application = id,
        kind,
        days_left,
        "the application's credential ends soon; make a new one at the provider"
    );
    let event = NewEvent {
        site: None,
        kind: EventKind::CredentialExpiring,
        account: None,
        connect_session: None,
        data: json!({
            "application": id,
            "kind": kind,
            "expires_at": Moment(ends_at),
            "days_left": days_left,
        }),
    };
    let once = format!(
        "credential.expiring\n{id}\n{kind}\n{}\n{threshold}",
        ends_at.0
    );
    gateway.storage.events().add_once(event, &once, now).await?;
    Ok(())
}

impl Watch {
    fn has_told(&self, application: &str, what: Told) -> bool {
        self.lock().get(application) == Some(&what)
    }

    fn tell(&self, application: &str, what: Told) {
        self.lock().insert(application.to_owned(), what);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notice {
    fn at(now: UnixTime, ends_at: UnixTime) -> Option<Self> {
        if ends_at <= now {
            return Some(Self::Over(now.since(ends_at).as_secs() / DAY.as_secs()));
        }
        let left = ends_at.since(now);
        let threshold = DAYS
            .into_iter()
            .find(|days| left <= Duration::from_secs(days * DAY.as_secs()));
        threshold.map(Self::Ahead)
    }
}

/// How many days ahead it is told.
const DAYS: [u64; 3] = [1, 7, 30];
const DAY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_thirty_seven_and_one_days_ahead_and_each_day_after() {
        let day = |days: i64| UnixTime(days * 86_400);
        let end = day(100);
        for (now, notice) in [
            (UnixTime(day(70).0 - 1), None),
            (day(70), Some(Notice::Ahead(30))),
            (UnixTime(day(93).0 - 1), Some(Notice::Ahead(30))),
            (day(93), Some(Notice::Ahead(7))),
            (day(99), Some(Notice::Ahead(1))),
            (UnixTime(end.0 - 1), Some(Notice::Ahead(1))),
            (end, Some(Notice::Over(0))),
            (day(103), Some(Notice::Over(3))),
        ] {
            assert_eq!(Notice::at(now, end), notice, "{}", now.0);
        }
    }
}
