//! What a certificate signs.

use jsonwebtoken::Algorithm as Signed;
use mailgrant_core::device::DeviceCode;
use mailgrant_core::pkce::CodeVerifier;
use mailgrant_core::token::{AuthorizationCode, RefreshToken};
use serde_json::json;
use wiremock::ResponseTemplate;

use super::super::support::{Authority, CLIENT_ID, scopes, token_answer};
use super::{APP_ONLY, NOW, certificate, client, fixture, forms, verified};
use crate::credential::{Algorithm, Audience, CertificateSource};

#[tokio::test]
async fn the_assertion_is_the_one_that_entra_documents() {
    let authority = Authority::start().await;
    authority.post("/token", token_answer(None)).await;
    let client = client(
        &authority,
        certificate(CertificateSource::file(fixture("both.pem"))),
    );
    client.app_only(&scopes(APP_ONLY), None).await.unwrap();

    let form = forms(&authority, "/token").await.remove(0);
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(form["client_id"], CLIENT_ID);
    assert_eq!(form["scope"], APP_ONLY);
    assert_eq!(
        form["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    assert!(!form.contains_key("client_secret"));
    let (header, claims) = verified(&form["client_assertion"], "certificate.pem", Signed::PS256);
    assert_eq!(
        header,
        json!({ "typ": "JWT", "alg": "PS256", "x5t#S256": X5T_S256 })
    );
    assert_eq!(
        claims,
        json!({
            "aud": format!("{}/token", authority.issuer()),
            "iss": CLIENT_ID,
            "sub": CLIENT_ID,
            "jti": claims["jti"],
            "nbf": NOW.0,
            "iat": NOW.0,
            "exp": NOW.0 + 300,
        })
    );
    let id = claims["jti"].as_str().unwrap();
    assert_eq!(
        id.parse::<uuid::Uuid>().unwrap().get_version_num(),
        4,
        "{id}"
    );
}

#[tokio::test]
async fn other_authorities_get_what_they_know() {
    let authority = Authority::start().await;
    authority.post("/token", token_answer(None)).await;
    let source = CertificateSource {
        algorithm: Algorithm::Rs256,
        audience: Audience::Issuer,
        key_id: Some("key-1".to_owned()),
        ..CertificateSource::file(fixture("both.pem"))
    };
    let client = client(&authority, certificate(source));
    client.app_only(&scopes("mail"), None).await.unwrap();

    let form = forms(&authority, "/token").await.remove(0);
    let (header, claims) = verified(&form["client_assertion"], "certificate.pem", Signed::RS256);
    assert_eq!(
        header,
        json!({ "typ": "JWT", "alg": "RS256", "x5t": X5T, "kid": "key-1" })
    );
    assert_eq!(claims["aud"], authority.issuer());
}

#[tokio::test]
async fn every_request_is_signed_and_none_twice_alike() {
    let authority = Authority::start().await;
    authority.post("/token", token_answer(Some("rt"))).await;
    let begun = json!({
        "device_code": "d", "user_code": "u", "expires_in": 900,
        "verification_uri": "https://microsoft.com/devicelogin",
    });
    let begun = ResponseTemplate::new(200).set_body_json(begun);
    authority.post("/devicecode", begun).await;
    let client = client(
        &authority,
        certificate(CertificateSource::file(fixture("both.pem"))),
    );

    let code = AuthorizationCode::new("code").unwrap();
    let verifier = CodeVerifier::from_random([1; 32]);
    client.exchange_code(&code, &verifier).await.unwrap();
    let refresh_token = RefreshToken::new("refresh-token").unwrap();
    client.refresh(&refresh_token, None).await.unwrap();
    client.authorize_device(&scopes("openid")).await.unwrap();
    client
        .poll_device(&DeviceCode::new("d").unwrap())
        .await
        .unwrap();
    client.app_only(&scopes("mail"), None).await.unwrap();

    let mut forms = forms(&authority, "/token").await;
    forms.extend(super::forms(&authority, "/devicecode").await);
    let mut ids: Vec<String> = forms
        .iter()
        .map(|form| {
            let (_, claims) = verified(&form["client_assertion"], "certificate.pem", Signed::PS256);
            // Also where a device begins: RFC 7523 §3 names the token endpoint.
            assert_eq!(claims["aud"], format!("{}/token", authority.issuer()));
            claims["jti"].to_string()
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
}

#[tokio::test]
async fn a_repeated_request_has_an_assertion_of_its_own() {
    let authority = Authority::start().await;
    authority
        .post_once("/token", ResponseTemplate::new(503))
        .await;
    authority.post("/token", token_answer(None)).await;
    let client = client(
        &authority,
        certificate(CertificateSource::file(fixture("both.pem"))),
    );
    client.app_only(&scopes("mail"), None).await.unwrap();

    let forms = forms(&authority, "/token").await;
    assert_eq!(forms.len(), 2);
    assert_ne!(forms[0]["client_assertion"], forms[1]["client_assertion"]);
}

#[tokio::test]
async fn an_echoed_assertion_is_in_no_error() {
    let authority = Authority::start().await;
    // Answers with what it was sent.
    wiremock::Mock::given(wiremock::matchers::path("/token"))
        .respond_with(|request: &wiremock::Request| {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            ResponseTemplate::new(401).set_body_json(json!({
                "error": "invalid_client", "error_description": format!("no: {body}"),
            }))
        })
        .mount(&authority.server)
        .await;
    let client = client(
        &authority,
        certificate(CertificateSource::file(fixture("both.pem"))),
    );
    let error = client.app_only(&scopes("mail"), None).await.unwrap_err();

    let form = super::forms(&authority, "/token").await.remove(0);
    let shown = format!("{error} {error:?} {client:?} {:?}", client.registration());
    assert!(shown.contains("invalid_client"), "{shown}");
    let signature = form["client_assertion"].rsplit('.').next().unwrap();
    assert!(!shown.contains(signature), "{shown}");
}

/// `openssl x509 -in certificate.pem -outform DER | openssl dgst -sha1 -binary | basenc --base64url`
pub(super) const X5T: &str = "Quir5z2PVC1NmU1t0LhNfGtlzj0";
/// The same with `-sha256`.
pub(super) const X5T_S256: &str = "sqciURixU2dZ90CZQ8z3I7l8ynGJ-uWPeop0N40cs-k";
