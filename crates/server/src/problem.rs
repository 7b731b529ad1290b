//! Problem documents (RFC 9457): the one form in which the gateway says no.
//!
//! ```json
//! {"type": "/docs#problem-invalid_field", "title": "A field is invalid", "status": 422,
//!  "code": "invalid_field", "detail": "limit: must be between 1 and 100", "field": "limit"}
//! ```

mod code;
mod convert;

use std::{fmt, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use mailgrant_storage::AccountId;
use serde::Serialize;
use utoipa::ToSchema;

pub use self::code::Code;
use crate::diagnosis::Diagnosis;

/// The media type of RFC 9457.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// A refusal with everything the caller may know about it.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    status: StatusCode,
    detail: String,
    errors: Vec<FieldError>,
    diagnosis: Option<Box<Diagnosis>>,
    account: Option<Box<AccountId>>,
    retry_after: Option<Duration>,
    allow: Option<String>,
}

/// One wrong field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's path, such as `metadata` or `emails[0].name`; a query parameter's name.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Problem {
    /// A problem of this kind; the detail tells the caller what to do next.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            status: code.status(),
            detail: detail.into(),
            errors: Vec::new(),
            diagnosis: None,
            account: None,
            retry_after: None,
            allow: None,
        }
    }

    /// One field of the request is invalid.
    pub fn field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        let error = FieldError {
            field: field.into(),
            detail: detail.into(),
        };
        Self {
            errors: vec![error.clone()],
            ..Self::new(
                Code::InvalidField,
                format!("{}: {}", error.field, error.detail),
            )
        }
    }

    /// The thing asked for does not exist, or belongs to somebody else: the answer is the same.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}"))
    }

    /// Adds the field to blame, keeping the code.
    #[must_use]
    pub fn naming(mut self, field: impl Into<String>) -> Self {
        self.errors.push(FieldError {
            field: field.into(),
            detail: self.detail.clone(),
        });
        self
    }

    /// Adds what the doctor knows.
    #[must_use]
    pub fn diagnosed(mut self, diagnosis: Diagnosis) -> Self {
        self.diagnosis = Some(Box::new(diagnosis));
        self
    }

    /// The same, once more is known about it.
    pub(crate) fn rediagnosed(mut self, known: impl FnOnce(Diagnosis) -> Diagnosis) -> Self {
        if let Some(diagnosis) = self.diagnosis.take() {
            let diagnosis = known(*diagnosis);
            self.detail.clone_from(&diagnosis.detail);
            self.diagnosis = Some(Box::new(diagnosis));
        }
        self
    }

    /// Adds a sentence to the detail.
    #[must_use]
    pub(crate) fn adding(mut self, sentence: &str) -> Self {
        self.detail = format!("{}. {sentence}", self.detail.trim_end_matches('.'));
        self
    }

    /// Adds the account that is in the way.
    #[must_use]
    pub fn of_account(mut self, account: AccountId) -> Self {
        self.account = Some(Box::new(account));
        self
    }

    /// Adds when to come back; sent as `Retry-After` too.
    #[must_use]
    pub fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn allowing(mut self, methods: String) -> Self {
        self.allow = Some(methods);
        self
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What the caller reads.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What the doctor knows.
    #[must_use]
    pub fn diagnosis(&self) -> Option<&Diagnosis> {
        self.diagnosis.as_deref()
    }

    /// The account that is in the way.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        self.account.as_deref()
    }
}

/// The members of a problem document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document<'a> {
    /// Where this kind of problem is described.
    #[serde(rename = "type")]
    kind: String,
    /// The kind of problem in words; the same for every problem of a code.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The stable code that programs decide on.
    code: Code,
    /// What happened here, and what to do about it.
    detail: &'a str,
    /// The field to blame, when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// All the fields to blame.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    /// Why it does not work and how to mend it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnosis: Option<&'a Diagnosis>,
    /// The account that exists already, where that is the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'a str>,
    /// Seconds to wait before the next try.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code.title(), self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response
            .insert_header((header::CONTENT_TYPE, MEDIA_TYPE))
            .insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(seconds) = self.retry_after_seconds() {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Some(methods) = &self.allow {
            response.insert_header((header::ALLOW, methods.as_str()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"mailgrant\""));
        }
        response.json(self.document())
    }
}

impl Problem {
    /// As it stands in an answer's body.
    pub(crate) fn document(&self) -> Document<'_> {
        Document {
            kind: self.code.uri(),
            title: self.code.title(),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            field: match self.errors.as_slice() {
                [one] => Some(&one.field),
                _ => None,
            },
            errors: &self.errors,
            diagnosis: self.diagnosis.as_deref(),
            account_id: self.account.as_deref().map(AccountId::as_str),
            retry_after: self.retry_after_seconds(),
        }
    }

    /// At least one: a client that comes back at once is no help.
    fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(|wait| wait.as_secs().max(1))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use serde_json::{Value, json};

    use super::*;

    #[actix_web::test]
    async fn a_problem_is_sent_as_rfc_9457_says() {
        let response = Problem::field("limit", "must be between 1 and 100").error_response();
        assert_eq!(response.status(), 422);
        assert_eq!(response.headers().get("content-type").unwrap(), MEDIA_TYPE);
        let body: Value =
            serde_json::from_slice(&to_bytes(response.into_body()).await.unwrap()).unwrap();
        assert_eq!(
            body,
            json!({
                "type": "/docs#problem-invalid_field", "title": "A field is invalid", "status": 422,
                "code": "invalid_field", "detail": "limit: must be between 1 and 100", "field": "limit",
                "errors": [{"field": "limit", "detail": "must be between 1 and 100"}],
            })
        );
    }

    #[actix_web::test]
    async fn waiting_is_said_in_header_and_body() {
        let response = Problem::new(Code::Throttled, "the mail server asks for a pause")
            .retry_after(Some(Duration::from_secs(90)))
            .error_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers().get("retry-after").unwrap(), "90");
    }
}
