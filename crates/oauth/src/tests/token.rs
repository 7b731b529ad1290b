//! Codes, refresh tokens, client credentials, devices.

use std::sync::Arc;

use mailgrant_core::authorization::State;
use mailgrant_core::device::{DeviceCode, DevicePoll};
use mailgrant_core::pkce::CodeVerifier;
use mailgrant_core::provider::Provider;
use mailgrant_core::token::{AuthorizationCode, ErrorCode, RefreshToken};
use serde_json::json;
use wiremock::ResponseTemplate;

use super::support::{
    Authority, CLIENT_ID, SECRET, nonce, policy, provider, registration, scopes, surroundings,
    token_answer,
};
use crate::{AuthorizationParameters, Client, Credential, ErrorKind, http_client};

const APP_ONLY: &str = "https://outlook.office365.com/.default";

fn refresh_token() -> RefreshToken {
    RefreshToken::new("canary-refresh-token").unwrap()
}

fn refused(error: &str, description: &str) -> ResponseTemplate {
    ResponseTemplate::new(400)
        .set_body_json(json!({ "error": error, "error_description": description }))
}

#[tokio::test]
async fn the_code_is_redeemed_with_its_verifier() {
    let authority = Authority::start().await;
    authority.post("/token", token_answer(Some("rt-1"))).await;

    let verifier = CodeVerifier::from_random([1; 32]);
    let code = AuthorizationCode::new("the-code").unwrap();
    let response = authority
        .client()
        .exchange_code(&code, &verifier)
        .await
        .unwrap();

    assert_eq!(response.access_token.expose(), "canary-access-token");
    assert_eq!(response.refresh_token.unwrap().expose(), "rt-1");
    let requests = authority.received("/token").await;
    let body = String::from_utf8(requests[0].body.clone()).unwrap();
    assert_eq!(
        body,
        format!(
            "grant_type=authorization_code&code=the-code\
             &redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
             &code_verifier={}&client_id={CLIENT_ID}\
             &client_secret=canary%7Eclient%2Fsecret%2B1",
            verifier.expose()
        )
    );
    assert!(!requests[0].headers.contains_key("authorization"));
    assert!(
        !requests[0].headers.contains_key("origin"),
        "Entra refuses it"
    );
    let agent = requests[0].headers["user-agent"].to_str().unwrap();
    assert!(agent.starts_with("mailgrant/"), "{agent}");
}

#[tokio::test]
async fn refresh_tokens_rotate_where_the_authority_says_so() {
    let authority = Authority::start().await;
    authority
        .post_once("/token", token_answer(Some("rt-2")))
        .await;
    authority.post_once("/token", token_answer(None)).await;

    let client = authority.client();
    let imap = scopes("https://outlook.office.com/IMAP.AccessAsUser.All");
    let first = client.refresh(&refresh_token(), Some(&imap)).await.unwrap();
    let rotated = first.refresh_token.unwrap();
    assert_eq!(rotated.expose(), "rt-2");
    let second = client.refresh(&rotated, None).await.unwrap();
    assert!(second.refresh_token.is_none(), "the caller keeps rt-2");

    let requests = authority.received("/token").await;
    let body = |index: usize| String::from_utf8(requests[index].body.clone()).unwrap();
    assert!(body(0).contains("&scope=https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All&"));
    assert!(body(1).starts_with("grant_type=refresh_token&refresh_token=rt-2&client_id="));
    assert_eq!(
        authority
            .received("/.well-known/openid-configuration")
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn the_secret_goes_into_the_header_only_where_nothing_else_is_supported() {
    for (methods, in_header) in [
        (json!(["client_secret_basic"]), true),
        (json!(["client_secret_basic", "client_secret_post"]), false),
        (json!(["private_key_jwt"]), false),
    ] {
        let authority = Authority::silent().await;
        let mut document = authority.document();
        document["token_endpoint_auth_methods_supported"] = methods;
        let answer = ResponseTemplate::new(200).set_body_json(document);
        authority
            .get("/.well-known/openid-configuration", answer)
            .await;
        authority.post("/token", token_answer(None)).await;

        authority
            .client()
            .app_only(&scopes(APP_ONLY), None)
            .await
            .unwrap();
        let requests = authority.received("/token").await;
        let body = String::from_utf8(requests[0].body.clone()).unwrap();
        assert_eq!(requests[0].headers.contains_key("authorization"), in_header);
        assert_eq!(body.contains("client_secret="), !in_header, "{body}");
    }
}

#[tokio::test]
async fn client_credentials_need_what_they_need() {
    let http = http_client(None, &policy()).unwrap();
    let configured = |change: &dyn Fn(&mut crate::Registration)| {
        let mut registration = registration("https://login.test");
        change(&mut registration);
        Client::new(http.clone(), registration, policy(), surroundings()).unwrap()
    };
    let entra = Arc::new(Provider::preset("microsoft365").unwrap());
    for (client, hint) in [
        (
            configured(&|registration| registration.credential = Credential::None),
            "secret",
        ),
        (
            configured(&|registration| registration.provider = Arc::clone(&entra)),
            "`tenant`",
        ),
    ] {
        let error = client.app_only(&scopes(APP_ONLY), None).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Configuration), "{error}");
        assert!(error.to_string().contains(hint), "{error}");
    }
    let bare = configured(&|_| {})
        .app_only(&scopes(".default"), None)
        .await
        .unwrap_err();
    assert!(bare.to_string().contains(APP_ONLY), "{bare}");
}

#[tokio::test]
async fn refusals_are_told_by_their_code() {
    let authority = Authority::start().await;
    authority
        .post_once("/token", refused("invalid_grant", "AADSTS700082: idle"))
        .await;
    // The description says one thing, the code another: the code counts.
    authority
        .post(
            "/token",
            refused("temporarily_unavailable", "invalid_grant"),
        )
        .await;

    let client = authority.client();
    let error = client.refresh(&refresh_token(), None).await.unwrap_err();
    let ErrorKind::Refused(response) = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!(response.error, ErrorCode::INVALID_GRANT);
    assert!(!error.is_transient());
    assert!(
        error.to_string().ends_with("invalid_grant (AADSTS700082)"),
        "{error}"
    );

    let error = client.refresh(&refresh_token(), None).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Unavailable { status: 400 }),
        "{error:?}"
    );
    assert!(error.is_transient());
}

#[tokio::test]
async fn no_secret_is_in_an_error() {
    let authority = Authority::start().await;
    // An authority that echoes everything it got.
    let echo = format!("bad canary-refresh-token, {SECRET}, canary-code-0");
    authority
        .post("/token", refused("invalid_grant", &echo))
        .await;

    let client = authority.client();
    let code = AuthorizationCode::new("canary-code-0").unwrap();
    let verifier = CodeVerifier::from_random([1; 32]);
    let errors = [
        client.refresh(&refresh_token(), None).await.unwrap_err(),
        client.exchange_code(&code, &verifier).await.unwrap_err(),
    ];
    for (error, sent) in errors.iter().zip(["canary-refresh-token", "canary-code-0"]) {
        let shown = format!("{error} {error:?} {error:#?}");
        assert!(!shown.contains(sent), "{shown}");
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(shown.contains("invalid_grant"));
    }
    let shown = format!("{client:?} {:?}", client.registration());
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test]
async fn the_authorization_url_carries_the_request() {
    let authority = Authority::start().await;
    let client = authority.client();
    let verifier = CodeVerifier::from_random([1; 32]);
    let (state, nonce) = (State::parse("the-state").unwrap(), nonce());
    let parameters = AuthorizationParameters {
        state: &state,
        nonce: &nonce,
        code_challenge: &verifier.challenge(),
        scopes: &scopes("openid mail"),
        login_hint: Some("ada@contoso.com"),
        prompt: None,
    };
    let url = client.authorization_url(&parameters).await.unwrap();
    assert!(url.starts_with(&format!(
        "{}/authorize?response_type=code&",
        authority.issuer()
    )));
    assert!(
        url.contains("&state=the-state&nonce=n-0S6_WzA2Mj&code_challenge="),
        "{url}"
    );
    assert!(
        !url.contains("canary") && !url.contains(verifier.expose()),
        "{url}"
    );

    let bare = scopes("IMAP.AccessAsUser.All");
    let error = client
        .authorization_url(&AuthorizationParameters {
            scopes: &bare,
            ..parameters
        })
        .await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("write \"https://outlook.office.com/IMAP.AccessAsUser.All\""),
        "{error}"
    );
}

#[tokio::test]
async fn the_admin_consent_link_is_entras() {
    let http = http_client(None, &policy()).unwrap();
    let mut registration = registration("https://login.test");
    registration.provider = Arc::new(Provider::preset("microsoft365").unwrap());
    let client = Client::new(http.clone(), registration.clone(), policy(), surroundings()).unwrap();
    assert_eq!(client.tenant(), "organizations");
    let url = client
        .admin_consent_url(Some("contoso.com"), None, None)
        .unwrap();
    assert!(
        url.starts_with("https://login.microsoftonline.com/contoso.com/adminconsent?"),
        "{url}"
    );

    registration.provider = Arc::new(provider("https://login.test"));
    let client = Client::new(http, registration, policy(), surroundings()).unwrap();
    let error = client.admin_consent_url(None, None, None).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Configuration));
}

#[tokio::test]
async fn a_device_signs_in() {
    let authority = Authority::start().await;
    let begun = json!({
        "device_code": "canary-device-code", "user_code": "WDJB-MJHT", "expires_in": 900,
        "verification_uri": "https://microsoft.com/devicelogin", "interval": 5,
    });
    authority
        .post(
            "/devicecode",
            ResponseTemplate::new(200).set_body_json(begun),
        )
        .await;
    authority
        .post_once(
            "/token",
            refused("authorization_pending", "canary-device-code"),
        )
        .await;
    authority
        .post_once("/token", refused("invalid_grant", "canary-device-code"))
        .await;
    authority.post("/token", token_answer(Some("rt"))).await;

    let client = authority.client();
    let response = client.authorize_device(&scopes("openid")).await.unwrap();
    assert_eq!(response.user_code, "WDJB-MJHT");
    let poll = async || client.poll_device(&response.device_code).await.unwrap();
    assert!(matches!(poll().await, DevicePoll::Pending));
    let failed = poll().await;
    assert!(matches!(failed, DevicePoll::Failed(_)), "{failed:?}");
    assert!(!format!("{failed:?}").contains("canary"), "{failed:?}");
    assert!(matches!(poll().await, DevicePoll::Granted(_)));
    let other = DeviceCode::new("another").unwrap();
    assert_ne!(other, response.device_code);
}
