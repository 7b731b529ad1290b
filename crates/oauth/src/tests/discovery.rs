//! Documents, issuers and configurations.

use std::sync::Arc;
use std::time::Duration;

use mailgrant_core::endpoint::Endpoint;
use mailgrant_core::provider::Endpoints;
use mailgrant_core::token::ErrorCode;
use serde_json::json;
use wiremock::ResponseTemplate;

use super::support::{
    Authority, DISCOVERY, TENANT, client, html, policy, registration, scopes, surroundings,
    token_answer,
};
use crate::{Client, ErrorKind, Policy, Step, http_client};

fn json(value: &serde_json::Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(value)
}

#[tokio::test]
async fn one_fetch_serves_all_callers() {
    let authority = Authority::start().await;
    let client = authority.client();
    let callers = (0..16).map(|_| client.metadata());
    let found = futures_util::future::join_all(callers).await;
    assert!(found.into_iter().all(|metadata| metadata.is_ok()));
    assert_eq!(authority.received(DISCOVERY).await.len(), 1);
}

#[tokio::test]
async fn the_document_is_fetched_again_after_its_time() {
    let authority = Authority::start().await;
    let client = authority.client_with(Policy {
        metadata_ttl: Duration::ZERO,
        ..policy()
    });
    client.metadata().await.unwrap();
    client.metadata().await.unwrap();
    assert_eq!(authority.received(DISCOVERY).await.len(), 2);
}

#[tokio::test]
async fn an_old_document_serves_while_the_authority_is_down() {
    let authority = Authority::silent().await;
    authority
        .get_once(DISCOVERY, json(&authority.document()))
        .await;
    authority.get(DISCOVERY, ResponseTemplate::new(503)).await;
    let client = authority.client_with(Policy {
        metadata_ttl: Duration::ZERO,
        ..policy()
    });
    let first = client.metadata().await.unwrap();
    assert_eq!(client.metadata().await.unwrap(), first);
    assert_eq!(
        authority.received(DISCOVERY).await.len(),
        4,
        "one good, three bad"
    );
}

#[tokio::test]
async fn another_issuers_document_is_refused() {
    let authority = Authority::silent().await;
    let mut document = authority.document();
    document["issuer"] = json!("https://login.microsoftonline.com");
    authority.get(DISCOVERY, json(&document)).await;
    let error = authority.client().metadata().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Issuer), "{error:?}");
    assert_eq!(error.step(), Step::Discovery);
}

#[tokio::test]
async fn documents_cannot_send_us_elsewhere() {
    for (name, value) in [
        ("token_endpoint", "http://169.254.169.254/latest/meta-data"),
        ("token_endpoint", "file:///etc/passwd"),
        ("jwks_uri", "http://internal.test/keys"),
        ("authorization_endpoint", "javascript:alert(1)"),
    ] {
        let authority = Authority::silent().await;
        let mut document = authority.document();
        document[name] = json!(value);
        authority.get(DISCOVERY, json(&document)).await;
        let error = authority.client().metadata().await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Malformed), "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[tokio::test]
async fn the_other_well_known_place_is_asked_too() {
    let authority = Authority::silent().await;
    authority
        .get(
            "/.well-known/oauth-authorization-server",
            json(&authority.document()),
        )
        .await;
    authority.client().metadata().await.unwrap();

    let nothing = Authority::silent().await;
    let error = nothing.client().metadata().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Configuration),
        "{error:?}"
    );
    assert!(error.to_string().contains("check the issuer"), "{error}");
}

#[tokio::test]
async fn an_unknown_tenant_is_told_in_the_authoritys_words() {
    let authority = Authority::silent().await;
    let answer = json!({
        "error": "invalid_tenant", "error_codes": [90002],
        "error_description": "AADSTS90002: Tenant 'contoso' not found.",
    });
    authority
        .get(DISCOVERY, ResponseTemplate::new(400).set_body_json(answer))
        .await;
    let error = authority.client().metadata().await.unwrap_err();
    let ErrorKind::Refused(refused) = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!(refused.error, ErrorCode::new("invalid_tenant").unwrap());
    assert_eq!(refused.aadsts(), Some(90002));
}

#[tokio::test]
async fn a_page_instead_of_a_document_is_told_apart() {
    let authority = Authority::silent().await;
    authority.get(DISCOVERY, html(200)).await;
    let error = authority.client().metadata().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NotJson { status: 200 }),
        "{error:?}"
    );
    assert!(error.is_transient());
    assert_eq!(
        authority.received(DISCOVERY).await.len(),
        3,
        "a page may pass"
    );
}

#[tokio::test]
async fn entras_tenants() {
    // Given a domain, the document names the tenant's id.
    for (issuer_segment, accepted) in [
        (TENANT, true),
        ("{tenantid}", true),
        ("contoso.com", true),
        ("evil", false),
    ] {
        let authority = Authority::silent().await;
        let base = authority.issuer();
        let mut document = authority.document();
        document["issuer"] = json!(format!("{base}/{issuer_segment}/v2.0"));
        authority
            .get(
                "/contoso.com/v2.0/.well-known/openid-configuration",
                json(&document),
            )
            .await;
        let mut registration = registration(&format!("{base}/{{tenant}}/v2.0"));
        registration.tenant = Some("contoso.com".to_owned());
        let http = http_client(None, &policy()).unwrap();
        let client = Client::new(http, registration, policy(), surroundings()).unwrap();
        assert_eq!(
            client.metadata().await.is_ok(),
            accepted,
            "{issuer_segment}"
        );
    }
}

#[tokio::test]
async fn configurations_that_cannot_work_are_refused() {
    let http = http_client(None, &policy()).unwrap();
    let refuse = |change: &dyn Fn(&mut crate::Registration)| {
        let mut registration = registration("https://login.test/{tenant}");
        registration.tenant = Some(TENANT.to_owned());
        change(&mut registration);
        match Client::new(http.clone(), registration, policy(), surroundings()) {
            Err(error) => error.to_string(),
            Ok(client) => panic!("accepted: {client:?}"),
        }
    };
    let issuer = |text: &'static str| {
        refuse(&|registration| {
            let provider = Arc::make_mut(&mut registration.provider);
            provider.endpoints = Endpoints::Discovery {
                issuer: text.to_owned(),
            };
        })
    };
    assert!(issuer("http://login.test").contains("loopback"));
    assert!(issuer("http://127.0.0.1.evil.test").contains("loopback"));
    assert!(issuer("login.test").contains("https://"));
    assert!(refuse(&|registration| registration.tenant = None).contains("tenant"));
    assert!(
        refuse(&|registration| registration.tenant = Some("a/../b".to_owned())).contains("tenant")
    );
    assert!(
        refuse(&|registration| registration.redirect_uri = "http://app.test/cb".to_owned())
            .contains("redirect URI")
    );
}

#[tokio::test]
async fn configured_endpoints_need_no_document() {
    let authority = Authority::silent().await;
    authority.post("/token", token_answer(None)).await;
    let endpoint = |path: &str| Endpoint::new(format!("{}{path}", authority.issuer())).unwrap();
    let mut registration = registration("https://unused.test");
    Arc::make_mut(&mut registration.provider).endpoints = Endpoints::Explicit {
        issuer: None,
        authorization_endpoint: endpoint("/authorize"),
        token_endpoint: endpoint("/token"),
        jwks_uri: None,
        device_authorization_endpoint: None,
        userinfo_endpoint: None,
    };
    let client = Client::new(
        http_client(None, &policy()).unwrap(),
        registration,
        policy(),
        surroundings(),
    )
    .unwrap();
    client.app_only(&scopes("mail"), None).await.unwrap();
    client
        .check_callback_issuer(Some("https://anything.test"))
        .await
        .unwrap();
    assert_eq!(authority.server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn callbacks_of_another_authority_are_refused() {
    let authority = Authority::start().await;
    let client = authority.client();
    client.check_callback_issuer(None).await.unwrap();
    client
        .check_callback_issuer(Some(&authority.issuer()))
        .await
        .unwrap();
    let error = client
        .check_callback_issuer(Some("https://evil.test"))
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Issuer), "{error:?}");

    let strict = Authority::silent().await;
    let mut document = strict.document();
    document["authorization_response_iss_parameter_supported"] = json!(true);
    strict.get(DISCOVERY, json(&document)).await;
    let strict = client_of(&strict);
    assert!(
        strict.check_callback_issuer(None).await.is_err(),
        "promised, and missing"
    );
}

fn client_of(authority: &Authority) -> Client {
    client(&authority.issuer(), policy())
}
