//! Sessions that hang, or ended, between the gateway and the authority.
//!
//! What an authority refuses on a page of its own (an unknown redirect URI, a person whom a policy stops) never comes
//! back to the gateway. All that is known is that somebody was sent there, and when.

use std::time::Duration;

use mailgrant_core::provider::AppOnly;
use mailgrant_core::time::UnixTime;
use mailgrant_storage::{ConnectPhase, ConnectSession, ConnectStatus};

use super::Diagnosis;
use crate::settings::Application;

/// A session, and what a remedy has to name.
pub(crate) struct Unfinished<'a> {
    pub(crate) session: &'a ConnectSession,
    /// None when the settings no longer have it.
    pub(crate) application: Option<&'a Application>,
    pub(crate) redirect_uri: &'a str,
}

impl Unfinished<'_> {
    /// Its time ran out.
    pub(crate) fn expired(&self) -> Diagnosis {
        // A session that waits for an administrator holds the link.
        let asked = self.session.diagnosis.as_ref();
        let asked = asked.and_then(Diagnosis::from_json);
        match (asked, self.session.sent_at) {
            (Some(asked), None) if asked.admin_consent_url.is_some() => Diagnosis {
                admin_consent_url: asked.admin_consent_url,
                error_codes: asked.error_codes,
                ..Diagnosis::new(
                    EXPIRED,
                    "No administrator agreed in time",
                    "the tenant wants an administrator's consent, and the session's time ran out without one",
                    &[
                        "An administrator opens the administrator consent link; it holds for everybody who comes afterwards.",
                        "Then start a new connect session.",
                    ],
                )
            },
            (_, Some(sent)) => self.not_returned(sent, AFTERWARDS),
            (_, None) => Diagnosis::new(
                EXPIRED,
                "The sign-in was not finished in time",
                "nobody was on the way to the authority when the session's time ran out",
                &[AFTERWARDS],
            ),
        }
    }

    /// The person gave up, or the window was closed.
    pub(crate) fn cancelled(&self) -> Diagnosis {
        const TITLE: &str = "The person gave up";
        const AGAIN: &str = "Press the button again to start anew.";
        match self.session.sent_at {
            None => Diagnosis::new(
                CANCELLED,
                TITLE,
                "the sign-in was closed before it was finished",
                &[AGAIN],
            ),
            Some(sent) => Diagnosis {
                detail: format!(
                    "the person was sent to the authority at {} and closed the sign-in without having come back: either \
                     they did not want to, or the authority showed them an error page",
                    written(sent)
                ),
                ..Diagnosis {
                    code: CANCELLED.to_owned(),
                    title: TITLE.to_owned(),
                    ..self.not_returned(sent, AGAIN)
                }
            },
        }
    }

    /// Somebody was sent to the authority a while ago, and the session still has time.
    pub(crate) fn waiting(&self, now: UnixTime) -> Option<Diagnosis> {
        let under_way = self.session.status == ConnectStatus::Pending
            && self.session.phase == ConnectPhase::Started;
        let sent = self.session.sent_at.filter(|_| under_way)?;
        (now >= sent + A_WHILE).then(|| {
            self.not_returned(
                sent,
                "Otherwise wait: a sign-in with a second step takes its time.",
            )
        })
    }

    fn not_returned(&self, sent: UnixTime, last: &str) -> Diagnosis {
        let mut remedy = self.pages();
        remedy.push(last.to_owned());
        Diagnosis {
            remedy,
            ..Diagnosis::new(
                NOT_RETURNED,
                "The person did not come back from the authority",
                format!(
                    "the person was sent to the authority at {} and did not come back: either they closed the window, or \
                     the authority showed them an error page, of which the gateway hears nothing",
                    written(sent)
                ),
                &[],
            )
        }
    }

    /// What to do, by what the authority's page said.
    fn pages(&self) -> Vec<String> {
        let uri = self.redirect_uri;
        let Some(application) = self.application else {
            return vec![redirect_uri(uri)];
        };
        let client_id = application.client_id.as_str();
        let provider = &application.provider;
        let by_command = format!(
            "`mailgrant setup --application {} --flow delegated` prints the commands",
            application.id
        );
        if provider.app_only == AppOnly::ServiceAccount {
            return vec![
                "Ask the person what the page said; Google writes an error's name on it.".to_owned(),
                format!("redirect_uri_mismatch: Google Cloud console > Google Auth Platform > Clients > {client_id} > Authorized redirect URIs must have exactly {uri}"),
                "access_denied, the app is being tested: add the person under Google Auth Platform > Audience > Test users, or publish the app.".to_owned(),
                "org_internal: the consent screen is for one Workspace organization only (Google Auth Platform > Audience > User type Internal), and the person is of another.".to_owned(),
                format!("admin_policy_enforced: an administrator of the person's domain admits {client_id}: Admin console > Security > Access and data control > API controls > Manage app access."),
            ];
        }
        if provider.cloud.is_none() && !provider.admin_consent {
            return vec![redirect_uri(uri)];
        }
        vec![
            "Ask the person what the page said; Microsoft writes a number on it.".to_owned(),
            format!(
                "AADSTS50011: the redirect URI registered must be exactly {uri} (type Web): App registrations > {client_id} > Authentication > Add a platform > Web; {by_command} (step redirect-uri)."
            ),
            format!(
                "AADSTS700016: the tenant does not know {client_id}: check client_id and tenant of application `{}`; {by_command} (step registration).",
                application.id
            ),
            "AADSTS50020, AADSTS50194: the account is of another tenant than the application is for: sign in with another one, or register it for any organizational directory.".to_owned(),
            format!(
                "AADSTS90094, AADSTS90095, AADSTS65001: an administrator must agree first; {by_command} and the link (step consent)."
            ),
            format!(
                "AADSTS50105: an administrator adds the person at Enterprise applications > {client_id} > Users and groups. AADSTS53003: a Conditional Access policy stops them; the sign-in log says which."
            ),
        ]
    }
}

/// Whether that is one of the findings about sessions that ran out.
pub(crate) fn is_of_an_expired_session(diagnosis: &Diagnosis) -> bool {
    [EXPIRED, NOT_RETURNED].contains(&diagnosis.code.as_str())
}

fn redirect_uri(uri: &str) -> String {
    format!(
        "If the authority's page spoke of the redirect URI, register exactly {uri} for the client there."
    )
}

fn written(time: UnixTime) -> String {
    match jiff::Timestamp::from_second(time.0) {
        Ok(moment) => moment.to_string(),
        Err(_) => "a time that cannot be written".to_owned(),
    }
}

const CANCELLED: &str = "cancelled";
const EXPIRED: &str = "expired";
const NOT_RETURNED: &str = "not_returned";
const AFTERWARDS: &str = "Start a new connect session.";
/// After so long with the authority something may be wrong there.
const A_WHILE: Duration = Duration::from_secs(3 * 60);

#[cfg(test)]
mod tests;
