//! What can be wrong with a request, in Entra's words and numbers.
//!
//! One file an area, each a table: number, OAuth error, text, and what it means in plain words. Clients decide on
//! `error` and the HTTP status; people look the number up. Texts follow the public error reference and what issue
//! trackers quote.

pub(crate) mod application;
pub(crate) mod assertion;
pub(crate) mod client;
pub(crate) mod consent;
pub(crate) mod device;
pub(crate) mod grant;
pub(crate) mod person;
pub(crate) mod policy;
pub(crate) mod request;
pub(crate) mod scope;
pub(crate) mod service;
pub(crate) mod tenant;

use std::fmt;

use actix_web::http::StatusCode;
use mailgrant_core::time::UnixTime;

/// A row of the tables: something that can be wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// AADSTSnnnnn
    pub code: u32,
    /// RFC 6749 §5.2, §4.1.2.1; OpenID Connect Core §3.1.2.6
    error: &'static str,
    /// The finer class that clients such as MSAL look at.
    suberror: Option<&'static str>,
    status: StatusCode,
    /// What follows the number, with `{0}`, `{1}` where the values go.
    text: &'static str,
    /// What it means and who can mend it.
    pub meaning: &'static str,
}

/// Something wrong with a request. Its text is what follows `AADSTSnnnnn: `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    kind: &'static Kind,
    values: Vec<String>,
    claims: Option<String>,
}

/// The first row of that number.
pub(crate) fn find(code: u32) -> Option<&'static Kind> {
    TABLES
        .iter()
        .flat_map(|table| table.iter())
        .copied()
        .find(|kind| kind.code == code)
}

/// What a number means, in plain words.
pub(crate) fn meaning(code: u32) -> &'static str {
    find(code).map_or("The sandbox does not know this number.", |kind| {
        kind.meaning
    })
}

impl Kind {
    /// The problem, with the values of its text in order.
    pub(crate) fn with<const N: usize>(&'static self, values: [&str; N]) -> Problem {
        debug_assert_eq!(self.places(), N, "values of AADSTS{}", self.code);
        Problem {
            kind: self,
            values: values
                .iter()
                .map(|value| value.chars().take(LONGEST_VALUE).collect())
                .collect(),
            claims: None,
        }
    }

    /// The problem, when its text has no values.
    pub(crate) fn problem(&'static self) -> Problem {
        self.with([])
    }

    /// The problem out of nowhere, as a fault shows it: its values are made up.
    pub(crate) fn staged(&'static self) -> Problem {
        Problem {
            kind: self,
            values: vec!["sandbox".to_owned(); self.places()],
            claims: None,
        }
    }

    fn places(&self) -> usize {
        (0..9_usize)
            .take_while(|index| self.text.contains(&format!("{{{index}}}")))
            .count()
    }

    const fn new(
        code: u32,
        error: &'static str,
        text: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self {
            code,
            error,
            suberror: None,
            status: StatusCode::BAD_REQUEST,
            text,
            meaning,
        }
    }

    const fn suberror(mut self, suberror: &'static str) -> Self {
        self.suberror = Some(suberror);
        self
    }

    const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

impl Problem {
    /// The number: AADSTSnnnnn.
    pub(crate) fn code(&self) -> u32 {
        self.kind.code
    }

    /// Whether it is of that row.
    pub(crate) fn is(&self, kind: &'static Kind) -> bool {
        std::ptr::eq(self.kind, kind)
    }

    /// The OAuth error at the token endpoint.
    pub(crate) fn error(&self) -> &'static str {
        self.kind.error
    }

    /// The OAuth error in a redirect: what is mended by a sign-in is `interaction_required` there, or, when it is
    /// only the consent that lacks, `consent_required`.
    pub(crate) fn error_by_redirect(&self) -> &'static str {
        match (self.kind.error, self.kind.suberror) {
            ("invalid_grant", Some("consent_required")) => "consent_required",
            ("invalid_grant", _) => "interaction_required",
            (error, _) => error,
        }
    }

    /// What it means, in plain words.
    pub(crate) fn meaning(&self) -> &'static str {
        self.kind.meaning
    }

    /// The finer class that clients such as MSAL look at.
    pub(crate) fn suberror(&self) -> Option<&'static str> {
        self.kind.suberror
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.kind.status
    }

    /// The claims challenge that a new sign-in must carry (OpenID Connect Core §5.5).
    pub(crate) fn claims(&self) -> Option<&str> {
        self.claims.as_deref()
    }

    /// The same with a claims challenge.
    pub(crate) fn with_claims(mut self, claims: String) -> Self {
        self.claims = Some(claims);
        self
    }

    /// `Retry-After`, in seconds, when waiting helps.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        match self.kind.status {
            StatusCode::SERVICE_UNAVAILABLE => Some(1),
            StatusCode::TOO_MANY_REQUESTS => Some(30),
            _ => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.kind.text;
        for (index, value) in self.values.iter().enumerate() {
            // In order, so that a value that looks like a place is left alone.
            if let Some((before, after)) = rest.split_once(&format!("{{{index}}}")) {
                formatter.write_str(before)?;
                formatter.write_str(value)?;
                rest = after;
            }
        }
        formatter.write_str(rest)
    }
}

/// The form in which Entra writes moments: `2026-11-22 07:10:23Z`.
pub(crate) fn timestamp(at: UnixTime) -> String {
    jiff::Timestamp::from_second(at.0).map_or_else(
        |_| "1970-01-01 00:00:00Z".to_owned(),
        |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
    )
}

/// The rows of an area: constants to raise, and the table to look a number up in.
macro_rules! table {
    ($($(#[$doc:meta])* $name:ident = $row:expr;)*) => {
        $($(#[$doc])* pub(crate) static $name: $crate::authority::problem::Kind = $row;)*

        pub(super) static TABLE: &[&$crate::authority::problem::Kind] = &[$(&$name),*];
    };
}
use table;

static TABLES: &[&[&Kind]] = &[
    tenant::TABLE,
    application::TABLE,
    request::TABLE,
    client::TABLE,
    assertion::TABLE,
    scope::TABLE,
    consent::TABLE,
    person::TABLE,
    policy::TABLE,
    grant::TABLE,
    device::TABLE,
    service::TABLE,
];

const INVALID_REQUEST: &str = "invalid_request";
const INVALID_CLIENT: &str = "invalid_client";
const INVALID_GRANT: &str = "invalid_grant";
const INVALID_SCOPE: &str = "invalid_scope";
const INVALID_RESOURCE: &str = "invalid_resource";
const UNAUTHORIZED_CLIENT: &str = "unauthorized_client";
const UNSUPPORTED_GRANT_TYPE: &str = "unsupported_grant_type";
const UNSUPPORTED_RESPONSE_TYPE: &str = "unsupported_response_type";
const ACCESS_DENIED: &str = "access_denied";
const CONSENT_REQUIRED: &str = "consent_required";
const LOGIN_REQUIRED: &str = "login_required";
const SERVER_ERROR: &str = "server_error";
const TEMPORARILY_UNAVAILABLE: &str = "temporarily_unavailable";

/// Characters kept of what a client wrote.
const LONGEST_VALUE: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> impl Iterator<Item = &'static Kind> {
        TABLES.iter().flat_map(|table| table.iter()).copied()
    }

    #[test]
    fn every_row_has_a_text_and_a_meaning_for_people() {
        for row in rows() {
            assert!(row.text.ends_with(['.', ')', ']']), "{row:?}");
            assert!(row.meaning.ends_with('.'), "{row:?}");
            assert!(!row.meaning.contains("AADSTS"), "{row:?}");
            assert_eq!(
                meaning(row.code),
                find(row.code).unwrap().meaning,
                "{row:?}"
            );
        }
        assert!(meaning(1).contains("does not know"));
    }

    #[test]
    fn values_take_their_places_once() {
        let problem = application::NOT_FOUND.with(["{1}", "Tarnbrook"]);
        let text = problem.to_string();
        assert!(text.contains("identifier '{1}'"), "{text}");
        assert!(text.contains("directory 'Tarnbrook'"), "{text}");
        for row in rows() {
            let text = row.staged().to_string();
            assert!(!text.contains("{0}"), "{text}");
        }
    }
}
