//! Requests in which the client authenticates.

use mailgrant_core::device::{DeviceAuthorizationRequest, DeviceAuthorizationResponse};
use mailgrant_core::endpoint::Endpoint;
use mailgrant_core::scope::Scopes;
use mailgrant_core::token::{
    ClientAuthentication, GrantRequest, TokenError, TokenRequest, TokenResponse,
};
use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};

use super::Client;
use crate::credential::Sent;
use crate::error::{Error, Step};
use crate::transport::Repeat;

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
        let client_id = &self.shared.registration.client_id;
        let form = |authentication: ClientAuthentication<'_>| {
            let request = TokenRequest {
                client_id,
                authentication,
                grant,
            };
            request.body()
        };
        let read = |status: u16, answer: &[u8]| TokenResponse::parse(status, answer);
        let endpoint = &metadata.token_endpoint;
        self.authenticated(step, repeat, endpoint, form, read, secrets)
            .await
    }

    pub(super) async fn authorize_device_at(
        &self,
        endpoint: &Endpoint,
        scopes: &Scopes,
    ) -> Result<DeviceAuthorizationResponse, Error> {
        let client_id = &self.shared.registration.client_id;
        let form = |authentication: ClientAuthentication<'_>| {
            let request = DeviceAuthorizationRequest {
                client_id,
                authentication,
                scopes,
            };
            request.body()
        };
        let read = |status: u16, answer: &[u8]| DeviceAuthorizationResponse::parse(status, answer);
        let step = Step::DeviceAuthorization;
        self.authenticated(step, Repeat::Unserved, endpoint, form, read, &[])
            .await
    }

    /// Every attempt authenticates anew: an assertion is good for one request (RFC 7523 §3, `jti`).
    async fn authenticated<T>(
        &self,
        step: Step,
        repeat: Repeat,
        endpoint: &Endpoint,
        form: impl Fn(ClientAuthentication<'_>) -> Form,
        read: impl Fn(u16, &[u8]) -> Result<T, TokenError>,
        secrets: &[&str],
    ) -> Result<T, Error> {
        let metadata = self.metadata().await?;
        let registration = &self.shared.registration;
        let proof = registration
            .credential
            .proof(self.shared.surroundings.now())
            .await
            .map_err(|error| Error::credential(step, error))?;
        let supported = metadata.token_endpoint_auth_methods_supported.as_deref();
        let build = |http: &reqwest::Client| {
            let sent = proof.attempt(supported);
            let authentication = sent.authentication();
            let request = http
                .post(endpoint.as_str())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form(authentication).to_string());
            let request = match authentication.header(&registration.client_id) {
                Some(header) => request.header(AUTHORIZATION, sensitive(&header)?),
                None => request,
            };
            Ok::<(RequestBuilder, Sent), Error>((request, sent))
        };
        let read = |sent: Sent, status: u16, answer: &[u8]| {
            read(status, answer).map_err(|mut error| {
                if let TokenError::Refused(refused) = &mut error {
                    // An authority that echoes what it refuses must not get it into our logs.
                    let secrets = secrets.iter().copied().chain(sent.secret());
                    secrets.for_each(|secret| refused.redact(secret));
                }
                Error::token(step, status, error)
            })
        };
        let transport = &self.shared.transport;
        transport.send(step, repeat, build, read).await
    }
}

type Form = zeroize::Zeroizing<String>;

fn sensitive(header: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(header)
        .map_err(|_| Error::configuration("the client secret cannot be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}
