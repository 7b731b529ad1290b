//! The gateway's API, as the site's backend uses it: with the key that no browser sees.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder};
use mailgrant_core::secret::Secret;
use mailgrant_oauth::{Policy, http_client};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use url::Url;

use crate::failure::{Exit, Failure};

/// A client of the gateway's API.
pub(super) struct Upstream {
    http: reqwest::Client,
    base: Url,
    key: Secret,
}

/// The gateway gave no answer that can be passed on.
#[derive(Debug)]
pub(super) struct Unreachable;

impl Upstream {
    /// A client of the gateway at `base`.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(base: &str, key: &Secret) -> Result<Self, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(Exit::Failed, format!("the demonstration site: {error}"))
        };
        // An attachment may be large.
        let policy = Policy {
            request_timeout: Duration::from_secs(120),
            ..Policy::default()
        };
        Ok(Self {
            http: http_client(None, &policy).map_err(|error| failed(&error))?,
            base: Url::parse(base).map_err(|error| failed(&error))?,
            key: key.clone(),
        })
    }

    /// A request for `/v1/…`; each part becomes one segment of the path, whatever it holds.
    pub fn request(&self, method: Method, path: &[&str], query: &str) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().push("v1").extend(path);
        }
        url.set_query((!query.is_empty()).then_some(query));
        self.http
            .request(method, url)
            .bearer_auth(self.key.expose())
    }

    /// Status and JSON of an answer.
    ///
    /// # Errors
    /// When there is none.
    pub async fn json(&self, request: RequestBuilder) -> Result<(StatusCode, Value), Unreachable> {
        let answer = send(request).await?;
        let status = status(&answer);
        let body = answer.json().await.map_err(|error| tell(&error))?;
        Ok((status, body))
    }

    /// The answer as it is, streamed.
    pub async fn relay(&self, request: RequestBuilder) -> HttpResponse {
        let answer = match send(request).await {
            Ok(answer) => answer,
            Err(Unreachable) => return unreachable(),
        };
        let mut response = HttpResponseBuilder::new(status(&answer));
        for name in PASSED_ON {
            if let Some(value) = answer.headers().get(name) {
                response.insert_header((name, value.as_bytes()));
            }
        }
        if let Some(length) = answer.content_length() {
            response.no_chunking(length);
        }
        response.streaming(answer.bytes_stream())
    }
}

/// A problem (RFC 9457) in the gateway's form.
pub(super) fn problem(status: StatusCode, code: &str, detail: &str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("application/problem+json")
        .json(json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "code": code,
            "detail": detail,
        }))
}

/// The problem of a gateway that does not answer.
pub(super) fn unreachable() -> HttpResponse {
    problem(
        StatusCode::BAD_GATEWAY,
        "gateway_unreachable",
        "The site cannot reach its gateway.",
    )
}

async fn send(request: RequestBuilder) -> Result<Response, Unreachable> {
    request.send().await.map_err(|error| tell(&error))
}

fn tell(error: &reqwest::Error) -> Unreachable {
    // Only the kind: a URL may hold what the visitor searched for.
    tracing::warn!(
        timeout = error.is_timeout(),
        connect = error.is_connect(),
        "the gateway does not answer the site"
    );
    Unreachable
}

fn status(answer: &Response) -> StatusCode {
    StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY)
}

const PASSED_ON: [&str; 9] = [
    "cache-control",
    "content-disposition",
    "content-security-policy",
    "content-type",
    "etag",
    "last-modified",
    "retry-after",
    "vary",
    "x-content-type-options",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_visitor_writes_stays_one_segment() {
        let upstream = Upstream::new("http://localhost:1", &Secret::new("mgk_x")).unwrap();
        for (part, path) in [
            ("a/../../keys", "/v1/accounts/a%2F..%2F..%2Fkeys"),
            ("..", "/v1/accounts"),
            ("x?y#z", "/v1/accounts/x%3Fy%23z"),
        ] {
            let request = upstream
                .request(Method::GET, &["accounts", part], "")
                .build()
                .unwrap();
            assert_eq!(request.url().path(), path, "{part}");
            assert_eq!(request.url().query(), None);
        }
    }

    #[test]
    fn the_key_is_marked_as_a_secret() {
        let upstream = Upstream::new("http://localhost:1", &Secret::new("mgk_canary")).unwrap();
        let request = upstream
            .request(Method::GET, &["accounts"], "limit=1")
            .build()
            .unwrap();
        assert!(!format!("{request:?}").contains("canary"));
        assert_eq!(
            request.url().as_str(),
            "http://localhost:1/v1/accounts?limit=1"
        );
    }
}
