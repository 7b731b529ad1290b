//! Accounts and connect sessions as the API shows them.

mod account;
pub(crate) mod words;

use mailgrant_core::time::UnixTime;
use mailgrant_storage::ConnectSession;
use serde::{Serialize, Serializer};
use serde_json::Value;
use utoipa::ToSchema;

pub(crate) use self::account::AccountView;
use crate::{connect, diagnosis::Diagnosis, state::Gateway};

/// One attempt of one person to connect one mailbox.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectSession)]
pub(crate) struct ConnectSessionView {
    /// `cs_…`
    #[schema(example = "cs_0197b4c1a2b37c5e8f9a0b1c2d3e4f50")]
    id: String,
    #[schema(example = "contoso")]
    application: String,
    /// The site's page that holds the button.
    origin: String,
    user_label: Option<String>,
    login_hint: Option<String>,
    mailbox: Option<String>,
    /// The account that this session gives a new sign-in; it can change that one and no other.
    mends: Option<String>,
    return_url: Option<String>,
    #[schema(value_type = Object)]
    metadata: Value,
    #[schema(schema_with = words::status)]
    status: &'static str,
    #[schema(schema_with = words::phase)]
    phase: &'static str,
    /// The account, once `connected`.
    account_id: Option<String>,
    /// Why it failed or waits.
    diagnosis: Option<Diagnosis>,
    /// The link to send to an administrator, while `awaiting_admin_consent`.
    admin_consent_url: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Moment,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Moment,
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<Moment>,
}

impl ConnectSessionView {
    pub(crate) fn of(gateway: &Gateway, session: ConnectSession) -> Self {
        let phase = connect::phase(&session);
        let diagnosis = connect::diagnosis(gateway, &session);
        Self {
            id: session.id.to_string(),
            application: session.application,
            origin: session.origin,
            user_label: session.user_label,
            login_hint: session.login_hint,
            mailbox: session.mailbox,
            mends: session.mends.map(String::from),
            return_url: session.return_url,
            metadata: session.metadata,
            status: session.status.as_str(),
            phase,
            account_id: session.account.map(String::from),
            admin_consent_url: diagnosis
                .as_ref()
                .and_then(|diagnosis| diagnosis.admin_consent_url.clone()),
            diagnosis,
            created_at: Moment(session.created_at),
            expires_at: Moment(session.expires_at),
            completed_at: session.completed_at.map(Moment),
        }
    }
}

/// A moment, written as RFC 3339 in UTC. What is beyond all calendars, such as the end of a certificate without one
/// (RFC 5280 §4.1.2.5), is written as the calendar's last second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(pub(crate) UnixTime);

impl std::fmt::Display for Moment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_second(self.0.0) {
            Ok(moment) => moment.fmt(formatter),
            Err(_) => write!(formatter, "{} s after 1970", self.0.0),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use jiff::Timestamp;
        let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        let moment = Timestamp::from_second(self.0.0.clamp(first, last));
        serializer.collect_str(&moment.map_err(serde::ser::Error::custom)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_rfc_3339() {
        assert_eq!(
            serde_json::to_value(Moment(UnixTime(1_795_305_600))).unwrap(),
            "2026-11-22T00:00:00Z"
        );
        // 9999-12-31T23:59:59Z: "no well-defined expiration date".
        for beyond in [253_402_300_799, i64::MAX] {
            let text = serde_json::to_value(Moment(UnixTime(beyond))).unwrap();
            assert!(text.as_str().unwrap().starts_with("9999-12-30T"), "{text}");
        }
        assert!(serde_json::to_value(Moment(UnixTime(i64::MIN))).is_ok());
    }
}
