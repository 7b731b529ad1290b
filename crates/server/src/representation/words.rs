//! The closed lists of words in the API's description, from where the words are.

use mailgrant_storage::{AccountState, ConnectStatus, EventKind, Flow};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

pub(crate) fn state() -> Schema {
    list(
        "`reauth_required`: the person has to sign in again; `degraded`: a passing fault, tried again by the gateway.",
        AccountState::ALL.iter().map(|state| state.as_str()),
    )
}

pub(crate) fn flow() -> Schema {
    list(
        "Whether a person signed in (`delegated`) or the application opens the mailbox by itself (`app_only`).",
        Flow::ALL.iter().map(|flow| flow.as_str()),
    )
}

pub(crate) fn status() -> Schema {
    list(
        "`pending` and `awaiting_admin_consent` may still change; the others are final.",
        ConnectStatus::ALL.iter().map(|status| status.as_str()),
    )
}

pub(crate) fn standing() -> Schema {
    let words = ConnectStatus::ALL.iter().map(|status| status.as_str());
    list(
        "As the session's; `given_up` as the answer to giving up.",
        words.chain(["given_up"]),
    )
}

pub(crate) fn phase() -> Schema {
    list(
        "How far the person has come.",
        ["created", "started", "finishing", "finished"].into_iter(),
    )
}

pub(crate) fn credential_kind() -> Schema {
    let kinds = [
        "none",
        "secret",
        "certificate",
        "federated",
        "service_account",
    ];
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some(
            "Null when the settings no longer have the application.",
        ))
        .enum_values(Some(kinds.into_iter().map(Some).chain([None])))
        .into()
}

/// Not a closed list: a client that refuses others would break with the next one.
pub(crate) fn event_kind() -> Schema {
    let words: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let listed = words.join("`, `");
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(format!(
            "What happened: `{listed}`. There will be more: pass over what you do not know."
        )))
        .examples(words)
        .into()
}

fn list(description: &str, words: impl Iterator<Item = &'static str>) -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(words))
        .into()
}
