//! Who calls: the API key and what it may do.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap},
    middleware::Next,
    web::Data,
};
use mailgrant_storage::{ApiKey, ApiKeyId, ApiKeySecret, ApiScope, SecretHash};

use crate::{
    problem::{Code, Problem},
    state::Gateway,
};

/// Lets a request pass that shows an API key; the key goes along with it.
pub(crate) async fn authenticate<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    match key(&request).await {
        Ok(key) => {
            request.extensions_mut().insert(key);
            next.call(request)
                .await
                .map(ServiceResponse::map_into_left_body)
        }
        Err(problem) => Ok(request.error_response(problem).map_into_right_body()),
    }
}

async fn key(request: &ServiceRequest) -> Result<ApiKey, Problem> {
    let gateway = request
        .app_data::<Data<Gateway>>()
        .ok_or_else(|| Problem::new(Code::Internal, "the gateway is not set up"))?;
    let refused = || {
        Problem::new(
            Code::Unauthenticated,
            "send a valid API key: Authorization: Bearer mgk_…; `mailgrant keys create` makes one",
        )
    };
    let shown = shown_key(request.headers()).ok_or_else(refused)?;
    // Found by the hash of a secret of 256 random bits: how long the search takes tells nothing of use.
    let key = gateway
        .storage
        .api_keys()
        .find_by_secret(&shown)
        .await?
        .ok_or_else(refused)?;
    let (gateway, used) = (gateway.clone(), key.clone());
    gateway.clone().runtime.spawn(async move {
        if let Err(error) = gateway.storage.api_keys().touch(&used, gateway.now()).await {
            tracing::debug!(%error, "the use of an API key is not noted");
        }
    });
    Ok(key)
}

/// The hash of the API key in these headers, whether there is such a key or not.
pub(crate) fn shown_key(headers: &HeaderMap) -> Option<SecretHash> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(bearer)
        .filter(|secret| secret.starts_with(ApiKeySecret::PREFIX))
        .map(SecretHash::of)
}

/// `Bearer` in any case (RFC 9110 §11.1), then one token.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// A caller whose key has scope `S`. Taken before the body is read.
#[derive(Debug)]
pub(crate) struct Caller<S> {
    /// Whose accounts and sessions it may see.
    pub(crate) site: String,
    /// By which key.
    pub(crate) key: ApiKeyId,
    scope: PhantomData<S>,
}

/// One scope as a type.
pub(crate) trait Permission {
    const SCOPE: ApiScope;
}

macro_rules! permissions {
    ($($name:ident),+) => { $(
        #[derive(Debug)]
        pub(crate) struct $name;
        impl Permission for $name {
            const SCOPE: ApiScope = ApiScope::$name;
        }
    )+ };
}

permissions!(
    Connect,
    AccountsRead,
    AccountsWrite,
    MailRead,
    Tokens,
    Events
);

impl<S: Permission> FromRequest for Caller<S> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        ready(match extensions.get::<ApiKey>() {
            None => Err(Problem::new(
                Code::Unauthenticated,
                "send an API key: Authorization: Bearer mgk_…",
            )),
            Some(key) if key.scopes.contains(&S::SCOPE) => Ok(Self {
                site: key.site.clone(),
                key: key.id.clone(),
                scope: PhantomData,
            }),
            Some(_) => Err(Problem::new(
                Code::InsufficientScope,
                format!(
                    "this API key lacks the scope `{}`; make one with `mailgrant keys create --scope {}`",
                    S::SCOPE,
                    S::SCOPE
                ),
            )),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearer_tokens_are_read() {
        assert_eq!(bearer("Bearer mgk_x"), Some("mgk_x"));
        assert_eq!(bearer("bearer  mgk_x "), Some("mgk_x"));
        for other in ["", "Bearer", "Bearer ", "Basic mgk_x", "mgk_x"] {
            assert_eq!(bearer(other), None, "{other}");
        }
    }
}
