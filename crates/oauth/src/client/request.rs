//! Requests in which the client authenticates.

use mailgrant_core::device::{DeviceAuthorizationRequest, DeviceAuthorizationResponse};
use mailgrant_core::discovery::Metadata;
use mailgrant_core::endpoint::{Endpoint, is_loopback};
use mailgrant_core::provider::Endpoints;
use mailgrant_core::scope::Scopes;
use mailgrant_core::token::{
    ClientAuthentication, GrantRequest, TokenError, TokenRequest, TokenResponse,
};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{RequestBuilder, Url};

use super::Client;
use crate::credential::{Occasion, Sent, ServiceAccount};
use crate::error::{Error, Step};
use crate::transport::Repeat;

/// What differs from one kind of request to the next.
struct Asked<'a> {
    step: Step,
    repeat: Repeat,
    metadata: &'a Metadata,
    endpoint: &'a Endpoint,
    /// That are in the form, besides the client's own.
    secrets: &'a [&'a str],
}

impl Client {
    /// Sends a token request. `secrets` are those in `grant`.
    pub(super) async fn token(
        &self,
        step: Step,
        repeat: Repeat,
        grant: GrantRequest<'_>,
        secrets: &[&str],
    ) -> Result<TokenResponse, Error> {
        let metadata = self.metadata().await?;
        let asked = Asked {
            step,
            repeat,
            metadata: &metadata,
            endpoint: &metadata.token_endpoint,
            secrets,
        };
        let form = |authentication: ClientAuthentication<'_>| self.form(authentication, grant);
        self.authenticated(asked, form, TokenResponse::parse).await
    }

    /// Begins a device sign-in, where the client authenticates too (RFC 8628 §3.1).
    pub(super) async fn authorize_device_at(
        &self,
        metadata: &Metadata,
        endpoint: &Endpoint,
        scopes: &Scopes,
    ) -> Result<DeviceAuthorizationResponse, Error> {
        let asked = Asked {
            step: Step::DeviceAuthorization,
            repeat: Repeat::Unserved,
            metadata,
            endpoint,
            secrets: &[],
        };
        let client_id = &self.shared.registration.client_id;
        let form = |authentication: ClientAuthentication<'_>| {
            let request = DeviceAuthorizationRequest {
                client_id,
                authentication,
                scopes,
            };
            request.body()
        };
        self.authenticated(asked, form, DeviceAuthorizationResponse::parse)
            .await
    }

    /// Redeems a service account's assertion, at the place that its key file names, if that is the provider's.
    pub(super) async fn delegation(
        &self,
        account: &ServiceAccount,
        scopes: &Scopes,
        mailbox: &str,
    ) -> Result<TokenResponse, Error> {
        let step = Step::ClientCredentials;
        let now = self.shared.surroundings.now();
        let key = account.current(now).await;
        self.check_place(key.token_uri())?;
        let assertion = key.sign(mailbox, scopes, now)?;
        let grant = GrantRequest::JwtBearer {
            assertion: &assertion,
            // In the assertion.
            scope: None,
        };
        let body = self.form(ClientAuthentication::None, grant);
        let build = |http: &reqwest::Client| Ok((post(http, key.token_uri(), &body), ()));
        let read = |(), status: u16, answer: &[u8]| {
            let secrets = [assertion.expose()];
            TokenResponse::parse(status, answer)
                .map_err(|error| refused(step, status, error, secrets.into_iter()))
        };
        let transport = &self.shared.transport;
        transport.send(step, Repeat::Always, build, read).await
    }

    /// A key file comes from somebody else's hands: it sends the gateway nowhere but to the provider's own hosts.
    fn check_place(&self, token_uri: &Endpoint) -> Result<(), Error> {
        let endpoints = &self.shared.registration.provider.endpoints;
        let explicit = match endpoints {
            Endpoints::Explicit { token_endpoint, .. } => Some(token_endpoint.as_str()),
            _ => None,
        };
        let host = |url: &str| Some(Url::parse(url).ok()?.host_str()?.to_owned());
        let named = host(token_uri.as_str()).unwrap_or_default();
        let is_same = |known: String| {
            known == named
                || is_loopback(&known) && is_loopback(&named)
                || known == GOOGLE && named.ends_with(GOOGLES)
        };
        let known = explicit.into_iter().chain(endpoints.issuer());
        if known.filter_map(host).any(is_same) {
            return Ok(());
        }
        Err(Error::configuration(format!(
            "`token_uri` of the service account's key file is at {named}, which is not the provider's: take the key file \
             that the provider gave, or give a [[provider]] whose issuer or token_endpoint is there"
        )))
    }

    fn form(&self, authentication: ClientAuthentication<'_>, grant: GrantRequest<'_>) -> Form {
        let request = TokenRequest {
            client_id: &self.shared.registration.client_id,
            authentication,
            grant,
        };
        request.body()
    }

    /// Every attempt authenticates anew: an assertion is good for one request (RFC 7523 §3, `jti`).
    async fn authenticated<T>(
        &self,
        asked: Asked<'_>,
        form: impl Fn(ClientAuthentication<'_>) -> Form,
        read: impl Fn(u16, &[u8]) -> Result<T, TokenError>,
    ) -> Result<T, Error> {
        let Asked {
            step,
            repeat,
            metadata,
            endpoint,
            secrets,
        } = asked;
        let registration = &self.shared.registration;
        registration.check_delegated(step)?;
        let surroundings = &self.shared.surroundings;
        let proof = registration.credential.proof(surroundings.now()).await;
        let proof = proof.map_err(|error| Error::credential(step, error))?;
        let registered = registration.provider.secret_method;
        let registered = registered.map(|method| [method.as_str().to_owned()]);
        let documented = metadata.token_endpoint_auth_methods_supported.as_deref();
        let occasion = Occasion {
            client_id: &registration.client_id,
            token_endpoint: metadata.token_endpoint.as_str(),
            issuer: metadata.issuer.as_deref(),
            supported: registered.as_ref().map_or(documented, |one| Some(&one[..])),
            surroundings,
        };
        let build = |http: &reqwest::Client| {
            let sent = proof.attempt(&occasion)?;
            let authentication = sent.authentication();
            let request = post(http, endpoint, &form(authentication));
            let request = match authentication.header(&registration.client_id) {
                Some(header) => request.header(AUTHORIZATION, sensitive(&header)?),
                None => request,
            };
            Ok((request, sent))
        };
        let read = |sent: Sent, status: u16, answer: &[u8]| {
            read(status, answer).map_err(|error| {
                let secrets = secrets.iter().copied().chain(sent.secret());
                refused(step, status, error, secrets)
            })
        };
        let transport = &self.shared.transport;
        transport.send(step, repeat, build, read).await
    }
}

fn post(http: &reqwest::Client, endpoint: &Endpoint, form: &str) -> RequestBuilder {
    http.post(endpoint.as_str())
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.to_owned())
}

/// An authority that echoes what it refuses must not get it into our logs.
fn refused<'a>(
    step: Step,
    status: u16,
    mut error: TokenError,
    mut secrets: impl Iterator<Item = &'a str>,
) -> Error {
    if let TokenError::Refused(refused) = &mut error {
        secrets.by_ref().for_each(|secret| refused.redact(secret));
    }
    Error::token(step, status, error)
}

type Form = zeroize::Zeroizing<String>;

fn sensitive(header: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(header)
        .map_err(|_| Error::configuration("the client secret cannot be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}

const GOOGLE: &str = "accounts.google.com";
/// Google's token endpoint is there, and has moved within it: old key files name the old place.
const GOOGLES: &str = ".googleapis.com";
