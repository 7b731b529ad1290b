//! The client of one registration.

use std::fmt;
use std::sync::Arc;

use mailgrant_core::authorization::{
    AdminConsentRequest, AuthorizationRequest, Nonce, State, admin_consent_url,
};
use mailgrant_core::device::{
    DeviceAuthorizationRequest, DeviceAuthorizationResponse, DeviceCode, DevicePoll,
};
use mailgrant_core::discovery::{Metadata, issuer_matches};
use mailgrant_core::endpoint::Endpoint;
use mailgrant_core::pkce::{CodeChallenge, CodeVerifier};
use mailgrant_core::scope::Scopes;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::{
    AuthorizationCode, GrantRequest, IdToken, RefreshToken, TokenError, TokenRequest, TokenResponse,
};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};

use crate::error::{Error, ErrorKind, Step};
use crate::id_token::{Expected, Identity, Parts};
use crate::keys::Keys;
use crate::metadata::Source;
use crate::policy::Policy;
use crate::registration::{Credential, Registration};
use crate::transport::{Repeat, Transport};

/// Talks to the authority for one registration. Cheap to clone; clones share what was fetched.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    registration: Registration,
    tenant: String,
    transport: Transport,
    metadata: Source,
    keys: Keys,
}

/// What differs from one authorization request to the next.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationParameters<'a> {
    /// To be compared in the callback.
    pub state: &'a State,
    /// To be compared in the ID token.
    pub nonce: &'a Nonce,
    /// Of the verifier that will redeem the code.
    pub code_challenge: &'a CodeChallenge,
    /// What is asked for.
    pub scopes: &'a Scopes,
    /// The address the person is expected to sign in with.
    pub login_hint: Option<&'a str>,
    /// `login`, `consent`, `select_account`, `none`.
    pub prompt: Option<&'a str>,
}

impl Client {
    /// A client over `http` (see [`http_client`](crate::http_client)). Nothing is fetched yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when tenant, issuer or redirect URI cannot be used; plain
    /// `http` is for loopback hosts only.
    pub fn new(
        http: reqwest::Client,
        registration: Registration,
        policy: Policy,
    ) -> Result<Self, Error> {
        let tenant = registration.check()?;
        let metadata = Source::new(&registration.provider, &tenant);
        let transport = Transport { http, policy };
        Ok(Self(Arc::new(Inner {
            registration,
            tenant,
            transport,
            metadata,
            keys: Keys::new(),
        })))
    }

    /// The registration it was made for.
    #[must_use]
    pub fn registration(&self) -> &Registration {
        &self.0.registration
    }

    /// The tenant that is asked: the registration's or the provider's usual one; empty where
    /// there are none.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.0.tenant
    }

    /// The authority's metadata; fetched once in [`Policy::metadata_ttl`], by one caller at a
    /// time.
    ///
    /// # Errors
    ///
    /// When the document cannot be fetched, is not usable or is another issuer's.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, Error> {
        self.0.metadata.get(&self.0.transport).await
    }

    /// The URL to send the browser to.
    ///
    /// # Errors
    ///
    /// As [`metadata`](Self::metadata); [`ErrorKind::Configuration`] without a redirect URI, or
    /// when a scope would yield a token that the mail servers refuse.
    pub async fn authorization_url(
        &self,
        parameters: &AuthorizationParameters<'_>,
    ) -> Result<String, Error> {
        let registration = &self.0.registration;
        if registration.redirect_uri.is_empty() {
            return Err(Error::configuration(
                "a sign-in needs a redirect URI: configure one",
            ));
        }
        self.check_scopes(parameters.scopes)?;
        let metadata = self.metadata().await?;
        let request = AuthorizationRequest {
            client_id: &registration.client_id,
            redirect_uri: &registration.redirect_uri,
            scopes: parameters.scopes,
            state: parameters.state,
            nonce: parameters
                .scopes
                .contains("openid")
                .then_some(parameters.nonce),
            code_challenge: parameters.code_challenge,
            login_hint: parameters.login_hint,
            prompt: parameters.prompt,
            extra: &registration.provider.authorization_parameters,
        };
        Ok(request.url(&metadata.authorization_endpoint))
    }

    /// The link for a tenant's administrator. `tenant`: where the person's own is known; `scopes`
    /// None: all that the registration lists.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] where the provider has no such link.
    pub fn admin_consent_url(
        &self,
        tenant: Option<&str>,
        scopes: Option<&Scopes>,
        state: Option<&State>,
    ) -> Result<String, Error> {
        let registration = &self.0.registration;
        let refused = |error: mailgrant_core::InvalidValue| Error::configuration(error.to_string());
        let authority = match registration.provider.issuer(&self.0.tenant) {
            Some(issuer) if registration.provider.admin_consent => {
                Endpoint::new(issuer).map_err(refused)?
            }
            _ => {
                return Err(Error::configuration(
                    "this provider has no admin consent link",
                ));
            }
        };
        let request = AdminConsentRequest {
            tenant: tenant.unwrap_or(&self.0.tenant),
            client_id: &registration.client_id,
            redirect_uri: &registration.redirect_uri,
            scopes,
            state,
        };
        admin_consent_url(&authority, &request).map_err(refused)
    }

    /// Checks the callback's `iss` against the authority that was asked (RFC 9207 §2.4).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Issuer`] when it is another's, or missing although the authority promises it.
    pub async fn check_callback_issuer(&self, iss: Option<&str>) -> Result<(), Error> {
        let metadata = self.metadata().await?;
        let problem = match (iss, metadata.issuer.as_deref()) {
            (Some(iss), Some(issuer)) if !issuer_matches(issuer, iss, None) => {
                "it comes from another authority; nothing was sent there"
            }
            (None, _) if metadata.authorization_response_iss_parameter_supported => {
                "it does not name its authority, although this one always does"
            }
            _ => return Ok(()),
        };
        Err(Error::new(Step::Callback, ErrorKind::Issuer, problem))
    }

    /// Redeems a code. Sent once: after a broken connection the code may be spent, and the person
    /// signs in again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] with the authority's reason, and every network fault.
    pub async fn exchange_code(
        &self,
        code: &AuthorizationCode,
        code_verifier: &CodeVerifier,
    ) -> Result<TokenResponse, Error> {
        let redirect_uri = &self.0.registration.redirect_uri;
        let grant = GrantRequest::AuthorizationCode {
            code,
            redirect_uri,
            code_verifier,
        };
        let secrets = [code.expose(), code_verifier.expose()];
        self.token(Step::CodeExchange, Repeat::Unsent, grant, &secrets)
            .await
    }

    /// Redeems a refresh token.
    ///
    /// A new one in the answer replaces the old one: store it before anything else is done. None
    /// in the answer: the old one stays good.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] with the authority's reason, and every network fault.
    pub async fn refresh(
        &self,
        refresh_token: &RefreshToken,
        scopes: Option<&Scopes>,
    ) -> Result<TokenResponse, Error> {
        if let Some(scopes) = scopes {
            self.check_scopes(scopes)?;
        }
        let grant = GrantRequest::RefreshToken {
            refresh_token,
            scope: scopes,
        };
        self.token(
            Step::Refresh,
            Repeat::Unserved,
            grant,
            &[refresh_token.expose()],
        )
        .await
    }

    /// Asks for an app-only token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] without a credential, or at Entra without a tenant of one's
    /// own; [`ErrorKind::Refused`], and every network fault.
    pub async fn client_credentials(&self, scopes: &Scopes) -> Result<TokenResponse, Error> {
        self.0
            .registration
            .check_client_credentials(&self.0.tenant)?;
        self.check_scopes(scopes)?;
        let grant = GrantRequest::ClientCredentials { scope: scopes };
        self.token(Step::ClientCredentials, Repeat::Always, grant, &[])
            .await
    }

    /// Begins a device sign-in.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] where the authority has no such flow;
    /// [`ErrorKind::Refused`], and every network fault.
    pub async fn authorize_device(
        &self,
        scopes: &Scopes,
    ) -> Result<DeviceAuthorizationResponse, Error> {
        self.check_scopes(scopes)?;
        let metadata = self.metadata().await?;
        let Some(endpoint) = &metadata.device_authorization_endpoint else {
            return Err(Error::configuration("this authority has no device sign-in"));
        };
        let client_id = &self.0.registration.client_id;
        let body = DeviceAuthorizationRequest { client_id, scopes }.body();
        let step = Step::DeviceAuthorization;
        let build = |http: &reqwest::Client| form(http, endpoint, &body);
        self.0
            .transport
            .send(step, Repeat::Unserved, build, |status, answer| {
                DeviceAuthorizationResponse::parse(status, answer)
                    .map_err(|error| Error::token(step, status, error))
            })
            .await
    }

    /// Asks once whether the person has answered; the caller keeps the interval.
    ///
    /// # Errors
    ///
    /// Every network fault: then ask again. What the authority says is in the [`DevicePoll`].
    pub async fn poll_device(&self, device_code: &DeviceCode) -> Result<DevicePoll, Error> {
        let grant = GrantRequest::DeviceCode { device_code };
        let secrets = [device_code.expose()];
        match self
            .token(Step::DeviceToken, Repeat::Unsent, grant, &secrets)
            .await
        {
            Ok(response) => Ok(DevicePoll::Granted(Box::new(response))),
            Err(error) => match error.kind() {
                ErrorKind::Refused(refused) => Ok(Err(TokenError::Refused(refused.clone())).into()),
                _ => Err(error),
            },
        }
    }

    /// Believes an ID token, or says why not: signature by the authority's keys, issuer, audience,
    /// nonce and times.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::IdToken`] with what is wrong; [`ErrorKind::KeysUnavailable`];
    /// [`ErrorKind::Configuration`] where the provider publishes neither keys nor issuer.
    pub async fn verify_id_token(
        &self,
        token: &IdToken,
        nonce: &Nonce,
        now: UnixTime,
    ) -> Result<Identity, Error> {
        let metadata = self.metadata().await?;
        let (Some(issuer), Some(jwks_uri)) = (&metadata.issuer, &metadata.jwks_uri) else {
            return Err(Error::configuration(
                "this provider's ID tokens cannot be checked: configure issuer and jwks_uri, or \
                 leave \"openid\" out of the scopes",
            ));
        };
        let parts = Parts::read(token).map_err(Error::id_token)?;
        let transport = &self.0.transport;
        let keys = self
            .0
            .keys
            .candidates(transport, jwks_uri, parts.key_id.as_deref())
            .await?;
        let expected = Expected {
            issuer,
            client_id: &self.0.registration.client_id,
            nonce,
            now,
            policy: &transport.policy,
            algorithms: metadata.id_token_signing_alg_values_supported.as_deref(),
        };
        parts.verify(&keys, &expected).map_err(Error::id_token)
    }

    async fn token(
        &self,
        step: Step,
        repeat: Repeat,
        grant: GrantRequest<'_>,
        secrets: &[&str],
    ) -> Result<TokenResponse, Error> {
        let metadata = self.metadata().await?;
        let registration = &self.0.registration;
        let supported = metadata.token_endpoint_auth_methods_supported.as_deref();
        let request = TokenRequest {
            client_id: &registration.client_id,
            authentication: registration.authentication(supported),
            grant,
        };
        let body = request.body();
        let authorization = match request.authorization_header() {
            Some(header) => {
                let mut value = HeaderValue::from_str(&header)
                    .map_err(|_| Error::configuration("the client secret cannot be sent"))?;
                value.set_sensitive(true);
                Some(value)
            }
            None => None,
        };
        let build = |http: &reqwest::Client| {
            let request = form(http, &metadata.token_endpoint, &body);
            match &authorization {
                Some(value) => request.header(AUTHORIZATION, value),
                None => request,
            }
        };
        let read = |status: u16, answer: &[u8]| {
            TokenResponse::parse(status, answer).map_err(|mut error| {
                if let TokenError::Refused(refused) = &mut error {
                    // An authority that echoes what it refuses must not get it into our logs.
                    secrets.iter().for_each(|secret| refused.redact(secret));
                    if let Credential::Secret(secret) = &registration.credential {
                        refused.redact(secret.expose());
                    }
                }
                Error::token(step, status, error)
            })
        };
        self.0.transport.send(step, repeat, build, read).await
    }

    fn check_scopes(&self, scopes: &Scopes) -> Result<(), Error> {
        let checked = self.0.registration.provider.check_scopes(scopes);
        checked.map_err(|problem| Error::configuration(problem.to_string()))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("provider", &self.0.registration.provider.id)
            .field("tenant", &self.0.tenant)
            .field("client_id", &self.0.registration.client_id)
            .finish_non_exhaustive()
    }
}

fn form(http: &reqwest::Client, endpoint: &Endpoint, body: &str) -> reqwest::RequestBuilder {
    http.post(endpoint.as_str())
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body.to_owned())
}
