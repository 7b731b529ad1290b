//! The client of one registration.

use std::fmt;
use std::sync::Arc;

use mailgrant_core::authorization::{
    AdminConsentRequest, AuthorizationRequest, Nonce, State, admin_consent_url,
};
use mailgrant_core::device::{DeviceAuthorizationResponse, DeviceCode, DevicePoll};
use mailgrant_core::discovery::{Metadata, issuer_matches};
use mailgrant_core::endpoint::Endpoint;
use mailgrant_core::pkce::{CodeChallenge, CodeVerifier};
use mailgrant_core::scope::Scopes;
use mailgrant_core::token::{
    AuthorizationCode, GrantRequest, IdToken, RefreshToken, TokenError, TokenResponse,
};

use crate::credential::Credential;
use crate::error::{Error, ErrorKind, Step};
use crate::id_token::{Expected, Identity, Parts};
use crate::keys::Keys;
use crate::metadata::Source;
use crate::policy::Policy;
use crate::registration::Registration;
use crate::surroundings::Surroundings;
use crate::transport::{Repeat, Transport};

mod request;
mod tenants;
mod userinfo;

#[cfg(test)]
pub(crate) use tenants::MOST_TENANTS;
use tenants::Tenants;

pub use userinfo::Userinfo;

/// Talks to the authority for one registration. Cheap to clone; clones share what was fetched.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    authority: Arc<Authority>,
}

/// What is the same in every tenant.
struct Shared {
    registration: Registration,
    transport: Transport,
    surroundings: Surroundings,
    tenants: Tenants,
}

/// The authority as one tenant sees it.
struct Authority {
    tenant: String,
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
    /// `http` is for loopback hosts only. [`ErrorKind::Credential`] when the credential has ended.
    pub fn new(
        http: reqwest::Client,
        registration: Registration,
        policy: Policy,
        surroundings: Surroundings,
    ) -> Result<Self, Error> {
        let authority = Authority::new(&registration, None)?;
        let checked = registration.credential.check(surroundings.now());
        checked.map_err(|error| Error::credential(Step::Configuration, error))?;
        Ok(Self {
            shared: Arc::new(Shared {
                registration,
                transport: Transport { http, policy },
                surroundings,
                tenants: Tenants::default(),
            }),
            authority: Arc::new(authority),
        })
    }

    /// The same registration, asked at another tenant. Cheap: what was fetched of a tenant is kept
    /// for those used lately. Where there are no tenants it is this client.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when `tenant` is neither an id nor a domain.
    pub fn in_tenant(&self, tenant: &str) -> Result<Self, Error> {
        let registration = &self.shared.registration;
        if tenant == self.authority.tenant || !registration.provider.has_tenants() {
            return Ok(self.clone());
        }
        let make = || Authority::new(registration, Some(tenant));
        Ok(Self {
            shared: Arc::clone(&self.shared),
            authority: self.shared.tenants.get(tenant, make)?,
        })
    }

    /// The registration it was made for.
    #[must_use]
    pub fn registration(&self) -> &Registration {
        &self.shared.registration
    }

    /// The tenant that is asked: that of [`in_tenant`](Self::in_tenant), the registration's or the
    /// provider's usual one; empty where there are none.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.authority.tenant
    }

    /// The authority's metadata; fetched once in [`Policy::metadata_ttl`], by one caller at a
    /// time.
    ///
    /// # Errors
    ///
    /// When the document cannot be fetched, is not usable or is another issuer's.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, Error> {
        self.authority.metadata.get(&self.shared.transport).await
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
        let registration = &self.shared.registration;
        if registration.redirect_uri.is_empty() {
            return Err(Error::configuration(
                "a sign-in needs a redirect URI: configure one",
            ));
        }
        registration.check_delegated(Step::Configuration)?;
        self.check_scopes(parameters.scopes)?;
        let metadata = self.metadata().await?;
        let provider = &registration.provider;
        let prompt = provider.prompt(parameters.login_hint, parameters.prompt);
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
            prompt: prompt.as_deref(),
            extra: &provider.authorization_parameters,
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
        let registration = &self.shared.registration;
        let refused = |error: mailgrant_core::InvalidValue| Error::configuration(error.to_string());
        let authority = match registration.provider.issuer(&self.authority.tenant) {
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
            tenant: tenant.unwrap_or(&self.authority.tenant),
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
        let redirect_uri = &self.shared.registration.redirect_uri;
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

    /// Asks for an app-only token: client credentials, or for a service account an assertion that
    /// names `mailbox` (RFC 7523 §2.1). Who else asks may leave `mailbox` out: the token is good for
    /// every mailbox that the application was given.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] without a credential, at Entra without a tenant of one's own,
    /// for a service account without `mailbox`; [`ErrorKind::Credential`], [`ErrorKind::Refused`],
    /// and every network fault.
    pub async fn app_only(
        &self,
        scopes: &Scopes,
        mailbox: Option<&str>,
    ) -> Result<TokenResponse, Error> {
        let registration = &self.shared.registration;
        registration.check_app_only(&self.authority.tenant)?;
        self.check_scopes(scopes)?;
        if let Credential::ServiceAccount(account) = &registration.credential {
            let mailbox = mailbox
                .filter(|mailbox| !mailbox.is_empty())
                .ok_or_else(|| {
                    Error::configuration(
                        "a service account speaks for one mailbox at a time: name it",
                    )
                })?;
            return self.delegation(account, scopes, mailbox).await;
        }
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
        self.authorize_device_at(&metadata, endpoint, scopes).await
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
    /// nonce and times. `nonce` is that of the authorization request; `None` after a refresh or a
    /// device sign-in, where there was none (OpenID Connect Core §12.2).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::IdToken`] with what is wrong; [`ErrorKind::KeysUnavailable`];
    /// [`ErrorKind::Configuration`] where the provider publishes neither keys nor issuer.
    pub async fn verify_id_token(
        &self,
        token: &IdToken,
        nonce: Option<&Nonce>,
    ) -> Result<Identity, Error> {
        let metadata = self.metadata().await?;
        let (Some(issuer), Some(jwks_uri)) = (&metadata.issuer, &metadata.jwks_uri) else {
            return Err(Error::configuration(
                "this provider's ID tokens cannot be checked: configure issuer and jwks_uri, or \
                 leave \"openid\" out of the scopes",
            ));
        };
        let parts = Parts::read(token).map_err(Error::id_token)?;
        let transport = &self.shared.transport;
        let keys = self
            .authority
            .keys
            .candidates(transport, jwks_uri, parts.key_id.as_deref())
            .await?;
        let expected = Expected {
            issuer,
            client_id: &self.shared.registration.client_id,
            nonce,
            now: self.shared.surroundings.now(),
            policy: &transport.policy,
            algorithms: metadata.id_token_signing_alg_values_supported.as_deref(),
        };
        parts.verify(&keys, &expected).map_err(Error::id_token)
    }

    fn check_scopes(&self, scopes: &Scopes) -> Result<(), Error> {
        let checked = self.shared.registration.provider.check_scopes(scopes);
        checked.map_err(|problem| Error::configuration(problem.to_string()))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("provider", &self.shared.registration.provider.id)
            .field("tenant", &self.authority.tenant)
            .field("client_id", &self.shared.registration.client_id)
            .finish_non_exhaustive()
    }
}

impl Authority {
    fn new(registration: &Registration, tenant: Option<&str>) -> Result<Self, Error> {
        let tenant = registration.check(tenant)?;
        Ok(Self {
            metadata: Source::new(&registration.provider, &tenant),
            keys: Keys::new(),
            tenant,
        })
    }
}
