//! One registration, asked at several tenants.

use std::sync::Arc;

use mailgrant_core::provider::{Endpoints, MailHost, Provider, Tls};
use serde_json::json;
use wiremock::ResponseTemplate;

use super::super::support::{Authority, policy, registration, scopes, token_answer};
use super::surroundings;
use crate::{Client, ErrorKind, http_client};

/// An authority of several tenants, as Entra is one.
async fn tenants(authority: &Authority, names: &[&str]) -> Client {
    let base = authority.issuer();
    for name in names {
        let document = json!({
            "issuer": format!("{base}/{name}/v2.0"),
            "authorization_endpoint": format!("{base}/{name}/authorize"),
            "token_endpoint": format!("{base}/{name}/token"),
        });
        let at = format!("/{name}/v2.0/.well-known/openid-configuration");
        authority
            .get(&at, ResponseTemplate::new(200).set_body_json(document))
            .await;
        authority
            .post(&format!("/{name}/token"), token_answer(None))
            .await;
    }
    let mut registration = registration(&base);
    let endpoints = Endpoints::Discovery {
        issuer: format!("{base}/{{tenant}}/v2.0"),
    };
    let imap = MailHost::new("imap.test", 993, Tls::Implicit).unwrap();
    let mut provider = Provider::custom("entra", endpoints, scopes("mail"), imap);
    provider.default_tenant = Some("organizations".to_owned());
    provider.tenant_aliases = &["organizations"];
    registration.provider = Arc::new(provider);
    let http = http_client(None, &policy()).unwrap();
    Client::new(http, registration, policy(), surroundings()).unwrap()
}

#[tokio::test]
async fn each_tenant_is_asked_at_its_own_place_and_discovered_once() {
    let authority = Authority::silent().await;
    let client = tenants(&authority, &["a", "b"]).await;
    for _ in 0..3 {
        for name in ["a", "b"] {
            let there = client.in_tenant(name).unwrap();
            assert_eq!(there.tenant(), name);
            there.app_only(&scopes("mail"), None).await.unwrap();
        }
    }
    for name in ["a", "b"] {
        let documents = format!("/{name}/v2.0/.well-known/openid-configuration");
        assert_eq!(authority.received(&documents).await.len(), 1, "{name}");
        assert_eq!(
            authority.received(&format!("/{name}/token")).await.len(),
            3,
            "{name}"
        );
    }
    // The registration's own is as it was: it belongs to no tenant of its own.
    assert_eq!(client.tenant(), "organizations");
    let error = client.app_only(&scopes("mail"), None).await.unwrap_err();
    assert!(error.to_string().contains("set `tenant`"), "{error}");
    // From tenant to tenant, and back.
    let there = client.in_tenant("a").unwrap().in_tenant("b").unwrap();
    assert_eq!(there.tenant(), "b");
    assert_eq!(
        there.in_tenant("organizations").unwrap().tenant(),
        "organizations"
    );
}

#[tokio::test]
async fn the_tenants_used_last_are_remembered() {
    let authority = Authority::silent().await;
    let client = tenants(&authority, &["kept", "forgotten"]).await;
    for name in ["kept", "forgotten"] {
        client.in_tenant(name).unwrap().metadata().await.unwrap();
    }
    for number in 0..crate::client::MOST_TENANTS - 1 {
        client.in_tenant(&format!("t{number}")).unwrap();
        client.in_tenant("kept").unwrap();
    }
    for (name, fetched) in [("kept", 1), ("forgotten", 2)] {
        client.in_tenant(name).unwrap().metadata().await.unwrap();
        let documents = format!("/{name}/v2.0/.well-known/openid-configuration");
        assert_eq!(
            authority.received(&documents).await.len(),
            fetched,
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_is_no_tenant_is_refused() {
    let authority = Authority::silent().await;
    let client = tenants(&authority, &[]).await;
    for name in ["", "a/b", "..", "a b", "https://evil.test"] {
        let error = client.in_tenant(name).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Configuration),
            "{name}: {error:?}"
        );
    }
    // Where there are no tenants, there is but one place to ask.
    let plain = authority.client();
    assert_eq!(
        plain.in_tenant("anything").unwrap().tenant(),
        plain.tenant()
    );
}
