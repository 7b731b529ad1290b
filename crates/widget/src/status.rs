//! The gateway's answer about a connect session, as the page reads it.
//!
//! ```text
//! GET /connect/{client_token}/status?wait=20&since=pending.started
//!
//! 200 {"status": "pending", "phase": "finishing", "version": "pending.finishing", "connect_session": "cs_…"}
//! 200 {"status": "awaiting_admin_consent", "admin_consent_url": "https://…"}
//! 200 {"status": "connected", "connect_session": "cs_…", "account_id": "acc_…"}
//! 200 {"status": "failed", "diagnosis": {"code": "…", "title": "…", "detail": "…"}}
//! ```
//!
//! `DELETE /connect/{client_token}` answers in the same form, with the two further states `given_up` (the session
//! ended by this request) and `finishing` (too late: the authority's answer has already come back).
//!
//! Read tolerantly, as `serde_json::Value`: an odd type in one field does not cost the whole answer, and a derived
//! deserializer would be a good part of the WebAssembly.

use serde_json::Value;

/// Where a connect session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The person has not finished.
    Pending,
    /// The authority has answered, the gateway is checking the mailbox.
    Finishing,
    /// An administrator of the tenant has to agree first.
    AwaitingAdminConsent,
    /// The mailbox is connected.
    Connected,
    /// It ended without a mailbox; the diagnosis says why.
    Failed,
    /// Nobody finished it in time.
    Expired,
    /// Ended at the page's request.
    GivenUp,
}

/// What went wrong, in the gateway's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// Stable, for programs.
    pub code: String,
    /// One line, for people.
    pub title: String,
    /// What it means and what to do.
    pub detail: String,
}

/// A connect session's state with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Where it stands.
    pub state: State,
    /// The gateway's own word for the step it is at.
    pub phase: Option<String>,
    /// What to give back, so that the next answer waits for another.
    pub version: Option<String>,
    /// Public id of the session (`cs_…`).
    pub connect_session: Option<String>,
    /// Public id of the connected account (`acc_…`).
    pub account_id: Option<String>,
    /// Why it failed.
    pub diagnosis: Option<Diagnosis>,
    /// Link for the administrator; always `https:` or `http:`.
    pub admin_consent_url: Option<String>,
}

/// What one answer of the gateway amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A status.
    Status(Status),
    /// A passing fault: ask again later.
    Later,
    /// The gateway will not speak about this session.
    Refused(Diagnosis),
}

impl Answer {
    /// Reads an HTTP status and body.
    ///
    /// ```
    /// use mailgrant_widget::status::{Answer, State};
    ///
    /// let answer = Answer::read(200, r#"{"status": "connected"}"#);
    /// assert!(matches!(answer, Answer::Status(status) if status.state == State::Connected));
    /// assert_eq!(Answer::read(503, "<html>"), Answer::Later);
    /// ```
    #[must_use]
    pub fn read(http: u16, body: &str) -> Self {
        let body = serde_json::from_str(body).unwrap_or_default();
        match http {
            204 => Self::Status(Status::bare(State::GivenUp)),
            200..=299 => Status::read(&body).map_or(Self::Later, Self::Status),
            409 => Self::Status(Status::bare(State::Finishing)),
            410 => Self::Status(Status::bare(State::Expired)),
            408 | 425 | 429 | 500.. => Self::Later,
            _ => Self::Refused(Diagnosis::read(&body).unwrap_or_else(|| {
                let code = if http == 404 {
                    "session_unknown"
                } else {
                    "refused"
                };
                Diagnosis {
                    code: String::from(code),
                    title: text(&body, "title").unwrap_or_default(),
                    detail: text(&body, "detail").unwrap_or_default(),
                }
            })),
        }
    }
}

impl Status {
    fn bare(state: State) -> Self {
        Self {
            state,
            phase: None,
            version: None,
            connect_session: None,
            account_id: None,
            diagnosis: None,
            admin_consent_url: None,
        }
    }

    fn read(body: &Value) -> Option<Self> {
        let phase = text(body, "phase");
        let state = match body.get("status")?.as_str()? {
            "pending" if phase.as_deref() == Some("finishing") => State::Finishing,
            "pending" => State::Pending,
            "finishing" => State::Finishing,
            "awaiting_admin_consent" => State::AwaitingAdminConsent,
            "connected" => State::Connected,
            "failed" => State::Failed,
            "expired" => State::Expired,
            "given_up" => State::GivenUp,
            _ => return None,
        };
        // The link is put into the page: nothing but a web address may come through.
        let admin_consent_url = text(body, "admin_consent_url")
            .filter(|url| url.starts_with("https://") || url.starts_with("http://"));
        Some(Self {
            state,
            phase,
            version: text(body, "version"),
            connect_session: text(body, "connect_session"),
            account_id: text(body, "account_id"),
            diagnosis: Diagnosis::read(body),
            admin_consent_url,
        })
    }
}

impl Diagnosis {
    /// The `diagnosis` of an answer, or the members of the same names of a problem (RFC 9457).
    fn read(body: &Value) -> Option<Self> {
        let why = body
            .get("diagnosis")
            .filter(|why| !why.is_null())
            .unwrap_or(body);
        Some(Self {
            code: text(why, "code")?,
            title: text(why, "title").unwrap_or_default(),
            detail: text(why, "detail").unwrap_or_default(),
        })
    }
}

fn text(object: &Value, name: &str) -> Option<String> {
    object.get(name)?.as_str().map(String::from)
}

#[cfg(test)]
mod tests {
    use super::{Answer, State, Status};

    fn status(body: &str) -> Status {
        match Answer::read(200, body) {
            Answer::Status(status) => status,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_state_of_the_contract() {
        for (word, state) in [
            ("pending", State::Pending),
            ("awaiting_admin_consent", State::AwaitingAdminConsent),
            ("connected", State::Connected),
            ("failed", State::Failed),
            ("expired", State::Expired),
            ("given_up", State::GivenUp),
            ("finishing", State::Finishing),
        ] {
            assert_eq!(status(&format!(r#"{{"status":"{word}"}}"#)).state, state);
        }
        assert_eq!(
            status(r#"{"status":"pending","phase":"finishing"}"#).state,
            State::Finishing
        );
    }

    #[test]
    fn reads_everything_that_belongs_to_it() {
        let status = status(
            r#"{"status":"failed","connect_session":"cs_1","account_id":null,"extra":[1.5],
                "diagnosis":{"code":"imap_disabled","title":"IMAP is off","detail":"Set-CASMailbox …"}}"#,
        );
        assert_eq!(status.connect_session.as_deref(), Some("cs_1"));
        assert_eq!(status.account_id, None);
        let diagnosis = status.diagnosis.unwrap();
        assert_eq!(
            (diagnosis.code.as_str(), diagnosis.title.as_str()),
            ("imap_disabled", "IMAP is off")
        );
    }

    #[test]
    fn a_link_that_is_no_web_address_is_dropped() {
        let link = |url: &str| {
            status(&format!(
                r#"{{"status":"awaiting_admin_consent","admin_consent_url":"{url}"}}"#
            ))
            .admin_consent_url
        };
        assert_eq!(link("javascript:alert(1)"), None);
        assert_eq!(
            link("https://login.example/adminconsent"),
            Some(String::from("https://login.example/adminconsent"))
        );
    }

    #[test]
    fn http_statuses() {
        for http in [408, 429, 500, 502, 503, 504] {
            assert_eq!(
                Answer::read(http, r#"{"status":"connected"}"#),
                Answer::Later,
                "{http}"
            );
        }
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"status":7}"#,
            r#"{"status":"unheard of"}"#,
        ] {
            assert_eq!(Answer::read(200, body), Answer::Later, "{body}");
        }
        for (http, state) in [
            (204, State::GivenUp),
            (409, State::Finishing),
            (410, State::Expired),
        ] {
            assert!(
                matches!(Answer::read(http, ""), Answer::Status(status) if status.state == state),
                "{http}"
            );
        }
        for (http, body, code) in [
            (404, "", "session_unknown"),
            (
                403,
                r#"{"code":"origin_not_allowed","detail":"…"}"#,
                "origin_not_allowed",
            ),
            (400, "nonsense", "refused"),
        ] {
            assert!(
                matches!(Answer::read(http, body), Answer::Refused(why) if why.code == code),
                "{http}"
            );
        }
    }
}
