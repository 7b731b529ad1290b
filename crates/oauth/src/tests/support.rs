//! An authority that answers what it is told.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use mailgrant_core::authorization::Nonce;
use mailgrant_core::provider::{Endpoints, MailHost, Provider, Tls};
use mailgrant_core::scope::Scopes;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::{ClientId, ClientSecret, IdToken};
use rcgen::KeyPair;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::{Client, Policy, Registration, Surroundings, http_client};

pub(super) const CLIENT_ID: &str = "6731de76-14a6-49ae-97bc-6eba6914391e";
pub(super) const SECRET: &str = "canary~client/secret+1";
pub(super) const TENANT: &str = "8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd";
pub(super) const NOW: UnixTime = UnixTime(1_764_000_000);
pub(super) const NONCE: &str = "n-0S6_WzA2Mj";

/// Fast, but otherwise as in production.
pub(super) fn policy() -> Policy {
    Policy {
        backoff: Duration::from_millis(1),
        ..Policy::default()
    }
}

pub(super) struct Authority {
    pub(super) server: MockServer,
}

impl Authority {
    /// Nothing is answered but 404.
    pub(super) async fn silent() -> Self {
        Self {
            server: MockServer::start().await,
        }
    }

    /// With a discovery document.
    pub(super) async fn start() -> Self {
        let authority = Self::silent().await;
        let document = authority.document();
        authority
            .get(
                DISCOVERY,
                ResponseTemplate::new(200).set_body_json(document),
            )
            .await;
        authority
    }

    pub(super) fn issuer(&self) -> String {
        self.server.uri()
    }

    pub(super) fn document(&self) -> Value {
        let base = self.server.uri();
        json!({
            "issuer": base,
            "authorization_endpoint": format!("{base}/authorize"),
            "token_endpoint": format!("{base}/token"),
            "jwks_uri": format!("{base}/keys"),
            "device_authorization_endpoint": format!("{base}/devicecode"),
        })
    }

    pub(super) async fn get(&self, at: &str, answer: ResponseTemplate) {
        Mock::given(method("GET"))
            .and(path(at))
            .respond_with(answer)
            .mount(&self.server)
            .await;
    }

    /// Answers once, before what is mounted later.
    pub(super) async fn get_once(&self, at: &str, answer: ResponseTemplate) {
        let mock = Mock::given(method("GET"))
            .and(path(at))
            .respond_with(answer);
        mock.up_to_n_times(1).mount(&self.server).await;
    }

    pub(super) async fn post(&self, at: &str, answer: ResponseTemplate) {
        Mock::given(method("POST"))
            .and(path(at))
            .respond_with(answer)
            .mount(&self.server)
            .await;
    }

    pub(super) async fn post_once(&self, at: &str, answer: ResponseTemplate) {
        let mock = Mock::given(method("POST"))
            .and(path(at))
            .respond_with(answer);
        mock.up_to_n_times(1).mount(&self.server).await;
    }

    pub(super) async fn keys(&self, keys: &[&Signer]) {
        let keys: Vec<_> = keys.iter().map(|signer| signer.public.clone()).collect();
        self.get(
            "/keys",
            ResponseTemplate::new(200).set_body_json(json!({ "keys": keys })),
        )
        .await;
    }

    /// The bodies that were sent to a path.
    pub(super) async fn received(&self, at: &str) -> Vec<wiremock::Request> {
        let requests = self.server.received_requests().await.unwrap();
        requests
            .into_iter()
            .filter(|request| request.url.path() == at)
            .collect()
    }

    pub(super) fn client(&self) -> Client {
        self.client_with(policy())
    }

    pub(super) fn client_at(&self, now: UnixTime) -> Client {
        let http = http_client(None, &policy()).unwrap();
        let registration = registration(&self.issuer());
        Client::new(http, registration, policy(), surroundings_at(now)).unwrap()
    }

    pub(super) fn client_with(&self, policy: Policy) -> Client {
        client(&self.issuer(), policy)
    }
}

pub(super) const DISCOVERY: &str = "/.well-known/openid-configuration";

/// A client of a provider with this issuer.
pub(super) fn client(issuer: &str, policy: Policy) -> Client {
    let http = http_client(None, &policy).unwrap();
    Client::new(http, registration(issuer), policy, surroundings()).unwrap()
}

pub(super) fn registration(issuer: &str) -> Registration {
    Registration {
        provider: Arc::new(provider(issuer)),
        tenant: None,
        client_id: ClientId::new(CLIENT_ID).unwrap(),
        credential: ClientSecret::new(SECRET).unwrap().into(),
        redirect_uri: "https://mail.example.com/oauth/callback".to_owned(),
    }
}

pub(super) fn provider(issuer: &str) -> Provider {
    Provider::custom(
        "test",
        Endpoints::Discovery {
            issuer: issuer.to_owned(),
        },
        scopes("openid offline_access https://outlook.office.com/IMAP.AccessAsUser.All"),
        MailHost::new("imap.test", 993, Tls::Implicit).unwrap(),
    )
}

/// Time stands still at [`NOW`]; chance gives sevens.
pub(super) fn surroundings() -> Surroundings {
    surroundings_at(NOW)
}

pub(super) fn surroundings_at(now: UnixTime) -> Surroundings {
    Surroundings::new(move || now, |bytes| bytes.fill(7))
}

pub(super) fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).unwrap()
}

pub(super) fn nonce() -> Nonce {
    Nonce::parse(NONCE).unwrap()
}

pub(super) fn token_answer(refresh_token: Option<&str>) -> ResponseTemplate {
    let mut answer = json!({
        "token_type": "Bearer", "expires_in": 3599, "access_token": "canary-access-token",
    });
    if let Some(token) = refresh_token {
        answer["refresh_token"] = json!(token);
    }
    ResponseTemplate::new(200).set_body_json(answer)
}

pub(super) fn html(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .set_body_raw("<!DOCTYPE html><p>Sign in to the network", "text/html")
}

/// A key pair of the authority.
pub(super) struct Signer {
    pub(super) id: &'static str,
    algorithm: Algorithm,
    private: EncodingKey,
    pub(super) public: Value,
}

/// Made once: RSA keys take their time.
pub(super) static RSA: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("rsa-1", Algorithm::RS256));
pub(super) static EC: LazyLock<Signer> = LazyLock::new(|| Signer::ec("ec-1"));
pub(super) static OTHER_EC: LazyLock<Signer> = LazyLock::new(|| Signer::ec("ec-2"));

impl Signer {
    fn rsa(id: &'static str, algorithm: Algorithm) -> Self {
        let pair = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let private = EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap();
        Self::new(id, algorithm, private)
    }

    fn ec(id: &'static str) -> Self {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let private = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
        Self::new(id, Algorithm::ES256, private)
    }

    fn new(id: &'static str, algorithm: Algorithm, private: EncodingKey) -> Self {
        let mut public =
            serde_json::to_value(Jwk::from_encoding_key(&private, algorithm).unwrap()).unwrap();
        public["kid"] = json!(id);
        public["use"] = json!("sig");
        public.as_object_mut().unwrap().remove("alg");
        Self {
            id,
            algorithm,
            private,
            public,
        }
    }

    pub(super) fn sign(&self, claims: &Value) -> IdToken {
        let header = json!({ "alg": format!("{:?}", self.algorithm), "kid": self.id });
        self.sign_with(&header, self.algorithm, claims)
    }

    /// The header need not tell the truth about the algorithm.
    pub(super) fn sign_with(
        &self,
        header: &Value,
        algorithm: Algorithm,
        claims: &Value,
    ) -> IdToken {
        sign(header, claims, |message| {
            jsonwebtoken::crypto::sign(message, &self.private, algorithm).unwrap()
        })
    }
}

pub(super) fn sign(header: &Value, claims: &Value, by: impl Fn(&[u8]) -> String) -> IdToken {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = by(message.as_bytes());
    IdToken::new(format!("{message}.{signature}")).unwrap()
}

/// Claims that are right for [`registration`] at this issuer.
pub(super) fn claims(issuer: &str) -> Value {
    json!({
        "iss": issuer, "aud": CLIENT_ID, "sub": "subject-1", "nonce": NONCE,
        "iat": NOW.0, "nbf": NOW.0, "exp": NOW.0 + 3600,
        "name": "Ada Lovelace", "email": "ada@contoso.com",
    })
}
