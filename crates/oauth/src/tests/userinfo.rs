//! Who a token's bearer is, where the ID token does not say.

use std::sync::Arc;

use mailgrant_core::token::AccessToken;
use serde_json::{Value, json};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, ResponseTemplate};

use super::support::{Authority, registration};
use crate::{Client, ErrorKind, Policy, Userinfo, http_client};

#[tokio::test]
async fn addresses_of_the_same_person() {
    let (_authority, client) =
        client(json!({"sub": "1", "email": "ada@corp.test", "preferred_username": "ada"})).await;
    let found = client.userinfo(&token(), Some("1")).await.unwrap().unwrap();
    assert_eq!(found.email.as_deref(), Some("ada@corp.test"));
    assert_eq!(found.preferred_username.as_deref(), Some("ada"));
    assert!(client.userinfo(&token(), None).await.unwrap().is_some());

    let error = client.userinfo(&token(), Some("2")).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Malformed), "{error}");
    assert!(error.to_string().contains("somebody else"), "{error}");
    assert!(!format!("{error:?}").contains(TOKEN));
}

#[tokio::test]
async fn an_unverified_address_is_none() {
    let (_authority, client) =
        client(json!({"sub": "1", "email": "ada@corp.test", "email_verified": false})).await;
    let found = client.userinfo(&token(), Some("1")).await.unwrap();
    let nothing_but_the_subject = Userinfo {
        subject: Some("1".to_owned()),
        ..Userinfo::default()
    };
    assert_eq!(found, Some(nothing_but_the_subject));
}

#[tokio::test]
async fn answers_that_are_none() {
    for (answer, word) in [
        (ResponseTemplate::new(401), "HTTP 401"),
        (
            ResponseTemplate::new(200).set_body_string("<html>"),
            "not JSON",
        ),
        (
            ResponseTemplate::new(200).set_body_string("eyJhbGciOiJSUzI1NiJ9.e30.c2ln"),
            "not JSON",
        ),
    ] {
        let (_authority, client) = client_answered(answer).await;
        let error = client.userinfo(&token(), None).await.unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn nobody_is_asked_where_the_token_is_of_no_use() {
    let authority = Authority::silent().await;
    let mut registration = registration(&authority.issuer());
    Arc::make_mut(&mut registration.provider).userinfo = false;
    let client = made(registration);
    assert_eq!(client.userinfo(&token(), None).await.unwrap(), None);
    assert!(
        authority
            .server
            .received_requests()
            .await
            .unwrap()
            .is_empty()
    );

    // A document without the endpoint.
    let authority = Authority::start().await;
    let client = made(super::support::registration(&authority.issuer()));
    assert_eq!(client.userinfo(&token(), None).await.unwrap(), None);
}

async fn client(answer: Value) -> (Authority, Client) {
    client_answered(ResponseTemplate::new(200).set_body_json(answer)).await
}

async fn client_answered(answer: ResponseTemplate) -> (Authority, Client) {
    let authority = Authority::silent().await;
    let mut document = authority.document();
    document["userinfo_endpoint"] = json!(format!("{}/me", authority.issuer()));
    authority
        .get(
            "/.well-known/openid-configuration",
            ResponseTemplate::new(200).set_body_json(document),
        )
        .await;
    Mock::given(method("GET"))
        .and(path("/me"))
        .and(header("authorization", format!("Bearer {TOKEN}")))
        .respond_with(answer)
        .mount(&authority.server)
        .await;
    let client = made(registration(&authority.issuer()));
    (authority, client)
}

fn made(registration: crate::Registration) -> Client {
    let policy = Policy::default();
    let http = http_client(None, &policy).unwrap();
    Client::new(http, registration, policy, super::support::surroundings()).unwrap()
}

fn token() -> AccessToken {
    AccessToken::new(TOKEN).unwrap()
}

const TOKEN: &str = "canary-access-token";
