//! Client authentication (RFC 6749 §2.3)

use actix_web::HttpRequest;
use actix_web::http::header;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use url::form_urlencoded;

use crate::authority::params::Params;
use crate::authority::problem::{Problem, client, request};
use crate::directory::Application;

/// Who the client says it is, and how it proves it.
pub(super) struct ClientAuthentication {
    pub client_id: Option<String>,
    pub secret: Option<Secret>,
    assertion: bool,
}

impl ClientAuthentication {
    /// Reads the body, or the `Authorization` header: one of the two (RFC 6749 §2.3).
    pub(super) fn of(request: &HttpRequest, params: &Params) -> Result<Self, Problem> {
        let in_body = Self {
            client_id: params.get("client_id").map(str::to_owned),
            secret: params.get("client_secret").map(Secret::new),
            assertion: params.get("client_assertion").is_some(),
        };
        let Some(header) = request.headers().get(header::AUTHORIZATION) else {
            return Ok(in_body);
        };
        let (client_id, secret) = header
            .to_str()
            .ok()
            .and_then(basic)
            .ok_or(request::MALFORMED.problem())?;
        let same = in_body
            .client_id
            .as_ref()
            .is_none_or(|in_body| *in_body == client_id);
        if !same || in_body.secret.is_some() || in_body.assertion {
            return Err(request::MALFORMED.problem());
        }
        Ok(Self {
            client_id: Some(client_id),
            secret: Some(secret),
            assertion: false,
        })
    }

    /// Checks the proof against what is registered.
    pub(super) fn check(&self, application: &Application, now: UnixTime) -> Result<(), Problem> {
        let client_id = || application.client_id.as_str();
        match &self.secret {
            _ if application.is_public() => match self.secret.is_some() || self.assertion {
                true => Err(client::PUBLIC_CLIENT_SECRET.problem()),
                false => Ok(()),
            },
            // No application can register a certificate yet, so none can be right.
            None if self.assertion => Err(client::ASSERTION_KEY_NOT_FOUND.problem()),
            None => Err(client::MISSING_SECRET.problem()),
            Some(sent) => {
                let known = application
                    .secrets
                    .iter()
                    .find(|known| known.value == *sent)
                    .ok_or_else(|| client::INVALID_SECRET.with([client_id()]))?;
                match known.expires {
                    Some(expires) if now >= expires => {
                        Err(client::EXPIRED_SECRET.with([client_id()]))
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

/// `Basic`: both halves are form-encoded first (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, Secret)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, secret) = text.split_once(':')?;
    Some((form_decoded(client_id)?, Secret::new(form_decoded(secret)?)))
}

fn form_decoded(text: &str) -> Option<String> {
    let pair = format!("v={}", text.replace('&', "%26"));
    let decoded = form_urlencoded::parse(pair.as_bytes())
        .next()?
        .1
        .into_owned();
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_form_decoded() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let (id, secret) = basic(&header("my%20client:a%3Ab~c%2B")).unwrap();
        assert_eq!((id.as_str(), secret.expose()), ("my client", "a:b~c+"));
        assert!(basic("Bearer abc").is_none());
        assert!(basic(&header("no colon")).is_none());
        assert!(basic("Basic !!!").is_none());
    }
}
