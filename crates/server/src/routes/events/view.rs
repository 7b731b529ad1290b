//! An event as the API shows it.

use mailgrant_storage::{Event, EventKind};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    representation::{Moment, words},
    state::Gateway,
};

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event, example = json!({
    "id": "evt_0197b4c1a2b37c5e8f9a0b1c2d3e4f50", "type": "account.reauth_required", "occurred_at": "2026-11-22T15:04:05Z",
    "account_id": "acc_0197b4c1a2b37c5e8f9a0b1c2d3e4f50", "connect_session_id": null,
    "data": {
        "application": "contoso", "flow": "delegated", "imap_user": "ada@contoso.example", "previous_state": "connected",
        "state": "reauth_required", "reauth_url": "https://mail.example.com/reauth/mgr_…",
        "diagnosis": {
            "code": "grant_revoked", "title": "The grant was revoked", "detail": "…", "remedy": ["…"], "error_codes": [50173]
        }
    }
}))]
pub(crate) struct EventView {
    /// `evt_…`; later events have greater ids.
    #[schema(example = "evt_0197b4c1a2b37c5e8f9a0b1c2d3e4f50")]
    pub(super) id: String,
    #[serde(rename = "type")]
    #[schema(schema_with = words::event_kind)]
    pub(super) kind: &'static str,
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Moment,
    /// The account it happened to, which may be deleted meanwhile.
    account_id: Option<String>,
    /// The connect session it happened to.
    connect_session_id: Option<String>,
    /// What is to be known about it.
    ///
    /// `account.*`: `application`, `flow`, `imap_user`, `state` (null of a deleted account), `previous_state`, and
    /// `diagnosis` where something is wrong. `account.reauth_required` also has `reauth_url`, the link for the person: null once it is void.
    /// `import.failed`: `application`, `imap_user`, `diagnosis`; only when the gateway went on with it by itself.
    /// `connect_session.completed`: `application`, `status`, `account_id` and the `diagnosis`'s code.
    /// `credential.expiring`: `application`, `kind`, `expires_at`, `days_left`.
    #[schema(value_type = Object)]
    data: Value,
}

impl EventView {
    pub(super) fn of(gateway: &Gateway, event: Event) -> Self {
        let mut data = event.data;
        if event.kind == EventKind::AccountReauthRequired
            && let Some(data) = data.as_object_mut()
        {
            let url = event
                .reauth_link
                .map(|link| crate::connect::reauth_url(gateway, &link));
            data.insert("reauth_url".to_owned(), url.into());
        }
        Self {
            id: event.id.to_string(),
            kind: event.kind.as_str(),
            occurred_at: Moment(event.occurred_at),
            account_id: event.account.map(String::from),
            connect_session_id: event.connect_session.map(String::from),
            data,
        }
    }
}
