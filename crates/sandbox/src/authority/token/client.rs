//! Client authentication (RFC 6749 §2.3)

use actix_web::HttpRequest;
use actix_web::http::header;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mailgrant_core::secret::Secret;
use url::form_urlencoded;

use crate::authority::assertion::Assertion;
use crate::authority::params::Params;
use crate::authority::problem::{Problem, client, request};
use crate::authority::state::Authority;
use crate::directory::Application;

/// Who the client says it is, and how it proves it.
pub(super) struct ClientAuthentication {
    pub client_id: Option<String>,
    pub secret: Option<Secret>,
    pub assertion: Option<Assertion>,
}

/// How a client proved who it is: `appidacr` of its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientProof {
    /// It did not: a public client.
    None,
    /// By a secret.
    Secret,
    /// By a signature.
    Assertion,
}

impl ClientProof {
    /// As access tokens of version 1.0 say it.
    pub(crate) fn claim(self) -> &'static str {
        match self {
            Self::None => "0",
            Self::Secret => "1",
            Self::Assertion => "2",
        }
    }
}

impl ClientAuthentication {
    /// Reads the body, or the `Authorization` header: one of the two, and one proof (RFC 6749 §2.3).
    pub(super) fn of(request: &HttpRequest, params: &Params) -> Result<Self, Problem> {
        let in_body = Self {
            client_id: params.get("client_id").map(str::to_owned),
            secret: params.get("client_secret").map(Secret::new),
            assertion: Assertion::of(params)?,
        };
        if in_body.secret.is_some() && in_body.assertion.is_some() {
            return Err(request::MALFORMED.problem());
        }
        let Some(header) = request.headers().get(header::AUTHORIZATION) else {
            return Ok(in_body);
        };
        let (client_id, secret) = header
            .to_str()
            .ok()
            .and_then(basic)
            .ok_or_else(|| request::MALFORMED.problem())?;
        let same = in_body
            .client_id
            .as_ref()
            .is_none_or(|in_body| *in_body == client_id);
        if !same || in_body.secret.is_some() || in_body.assertion.is_some() {
            return Err(request::MALFORMED.problem());
        }
        Ok(Self {
            client_id: Some(client_id),
            secret: Some(secret),
            assertion: None,
        })
    }

    /// What it offers; after [`check`](Self::check), what it proved.
    pub(super) fn proof(&self) -> ClientProof {
        match (&self.secret, &self.assertion) {
            (Some(_), _) => ClientProof::Secret,
            (None, Some(_)) => ClientProof::Assertion,
            (None, None) => ClientProof::None,
        }
    }

    /// Checks the proof against what is registered. `tenant` is the address's first segment.
    pub(super) fn check(
        &self,
        authority: &Authority,
        application: &Application,
        tenant: &str,
    ) -> Result<(), Problem> {
        let client_id = || application.client_id.as_str();
        match (&self.secret, &self.assertion) {
            (None, None) if application.is_public() => Ok(()),
            _ if application.is_public() => Err(client::PUBLIC_CLIENT_SECRET.problem()),
            (None, None) => Err(client::MISSING_SECRET.problem()),
            (None, Some(assertion)) => assertion.check(authority, application, tenant),
            (Some(sent), _) => {
                let known = application
                    .secrets
                    .iter()
                    .find(|known| known.value == *sent)
                    .ok_or_else(|| client::INVALID_SECRET.with([client_id()]))?;
                match known.expires {
                    Some(expires) if authority.now() >= expires => {
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
