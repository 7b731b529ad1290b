//! HTTP with an end: deadlines, bounded answers, bounded repetition.

use std::time::Duration;

use reqwest::header::{ACCEPT, DATE, HeaderMap, RETRY_AFTER};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Step};
use crate::policy::Policy;

/// An HTTP client for authorities: follows no redirect, repeats nothing by itself, trusts the
/// platform's roots and those given.
///
/// `extra_ca_pem` holds one or more certificates in PEM form.
///
/// # Errors
///
/// [`ErrorKind::Configuration`] when the certificates cannot be read or TLS cannot be set up.
pub fn http_client(extra_ca_pem: Option<&[u8]>, policy: &Policy) -> Result<reqwest::Client, Error> {
    let extra = match extra_ca_pem {
        Some(pem) => certificates(pem)?,
        None => Vec::new(),
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that makes HTTP clients"
    )]
    let builder = reqwest::Client::builder();
    builder
        .user_agent(concat!("mailgrant/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(policy.connect_timeout)
        .timeout(policy.request_timeout)
        .tls_certs_merge(extra)
        .build()
        .map_err(|error| {
            Error::configuration(format!(
                "the HTTP client cannot be set up: {}",
                error.without_url()
            ))
        })
}

fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, Error> {
    let certificates = reqwest::Certificate::from_pem_bundle(pem)
        .map_err(|_| Error::configuration("the CA file is not a PEM bundle of certificates"))?;
    if certificates.is_empty() {
        return Err(Error::configuration("the CA file holds no certificate"));
    }
    Ok(certificates)
}

/// When a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Only when nothing can have reached the authority: a code is good for one use.
    Unsent,
    /// Also when the authority said that it did nothing (5xx, 429).
    Unserved,
    /// Whenever it may help: the request changes nothing.
    Always,
}

#[derive(Clone, Debug)]
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    pub(crate) policy: Policy,
}

impl Transport {
    /// Sends a request and reads its answer, within the deadline of the policy.
    ///
    /// `build` makes each attempt's request anew, with what `read` needs to know of it; `read` gets
    /// status and body of every answer that is neither 429 nor 5xx nor a redirect.
    pub(crate) async fn send<C, T>(
        &self,
        step: Step,
        repeat: Repeat,
        build: impl Fn(&reqwest::Client) -> Result<(reqwest::RequestBuilder, C), Error>,
        read: impl Fn(C, u16, &[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let deadline = Instant::now() + self.policy.deadline;
        let mut pause = self.policy.backoff;
        let mut attempt = 1;
        loop {
            let (request, context) = build(&self.http)?;
            let read = |status: u16, body: &[u8]| read(context, status, body);
            let sent = self.attempt(step, request, read);
            let error = match tokio::time::timeout_at(deadline, sent).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(_) => return Err(Error::timeout(step)),
            };
            tracing::debug!(?step, attempt, %error, "the authority did not serve the request");
            let wait = pause.max(error.retry_after().unwrap_or_default());
            let worthwhile = attempt < self.policy.attempts
                && may_repeat(repeat, &error)
                && wait <= self.policy.longest_pause
                && Instant::now() + wait < deadline;
            if !worthwhile {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
            pause = pause.saturating_mul(2).min(self.policy.longest_pause);
            attempt += 1;
        }
    }

    async fn attempt<T>(
        &self,
        step: Step,
        request: reqwest::RequestBuilder,
        read: impl FnOnce(u16, &[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let response = request
            .header(ACCEPT, "application/json")
            .timeout(self.policy.request_timeout)
            .send()
            .await
            .map_err(|error| Error::network(step, error))?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        match status {
            429 => return Err(Error::throttled(step, retry_after)),
            408 | 500..=599 => return Err(Error::unavailable(step, status, retry_after)),
            300..=399 => {
                return Err(Error::new(
                    step,
                    ErrorKind::Malformed,
                    format!(
                        "the authority redirects (HTTP {status}), which is not followed: \
                         configure the final address"
                    ),
                ));
            }
            _ => {}
        }
        let body = self.body(step, response).await?;
        read(status, &body)
    }

    /// The body, as far as it is not too large. Overwritten when dropped: it may hold tokens.
    async fn body(
        &self,
        step: Step,
        mut response: reqwest::Response,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let limit = self.policy.max_body;
        let too_large = || {
            let detail = format!("the authority's answer is larger than {limit} bytes");
            Error::new(step, ErrorKind::Malformed, detail)
        };
        let announced = response.content_length().unwrap_or(0);
        let announced = usize::try_from(announced)
            .ok()
            .filter(|length| *length <= limit);
        let mut body = Zeroizing::new(Vec::with_capacity(announced.ok_or_else(too_large)?));
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| Error::network(step, error))?
        {
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn may_repeat(repeat: Repeat, error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Network | ErrorKind::Timeout => error.is_unsent() || repeat == Repeat::Always,
        ErrorKind::Unavailable { .. } | ErrorKind::Throttled => repeat != Repeat::Unsent,
        ErrorKind::NotJson { .. } => repeat == Repeat::Always,
        _ => false,
    }
}

/// `Retry-After` in either form (RFC 9110 §10.2.3); a date counts from the answer's own `Date`.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let value = text(RETRY_AFTER)?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let date = httpdate::parse_http_date(text(DATE)?).ok()?;
    Some(until.duration_since(date).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(reqwest::header::HeaderName, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn retry_after_in_both_forms() {
        assert_eq!(retry_after(&headers(&[])), None);
        assert_eq!(
            retry_after(&headers(&[(RETRY_AFTER, "7")])),
            Some(Duration::from_secs(7))
        );
        assert_eq!(retry_after(&headers(&[(RETRY_AFTER, "-7")])), None);
        let date = (DATE, "Sun, 22 Nov 2026 10:00:00 GMT");
        let until = (RETRY_AFTER, "Sun, 22 Nov 2026 10:00:30 GMT");
        assert_eq!(
            retry_after(&headers(&[date.clone(), until.clone()])),
            Some(Duration::from_secs(30))
        );
        assert_eq!(retry_after(&headers(&[until])), None);
        let past = (RETRY_AFTER, "Sun, 22 Nov 2026 09:00:00 GMT");
        assert_eq!(retry_after(&headers(&[date, past])), Some(Duration::ZERO));
    }

    #[test]
    fn a_ca_file_without_certificates_is_refused() {
        for pem in [
            &b""[..],
            b"junk",
            b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----",
        ] {
            let error = http_client(Some(pem), &Policy::default()).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Configuration), "{error}");
        }
    }
}
