//! Instance discovery, the metadata of version 1.0, and the keys as they change.

use serde_json::json;

use crate::support::*;

#[actix_web::test]
async fn the_sandboxs_own_addresses_are_known() {
    let world = World::start().await;
    let description = world.running.description();
    for base in [&description.authority, &description.authority_tls] {
        let host = base.split_once("://").unwrap().1;
        let endpoint = format!("{base}/{}/oauth2/v2.0/authorize", world.tenant);
        let answer = get(
            &world,
            &[
                ("api-version", "1.1"),
                ("authorization_endpoint", &endpoint),
            ],
        )
        .await
        .ok();
        assert_eq!(
            answer["tenant_discovery_endpoint"],
            format!(
                "{base}/{}/v2.0/.well-known/openid-configuration",
                world.tenant
            )
        );
        assert_eq!(answer["api-version"], "1.1");
        let metadata = &answer["metadata"][0];
        assert_eq!(metadata["preferred_network"], host);
        assert_eq!(metadata["preferred_cache"], host);
        let by_number = host.replace("localhost", "127.0.0.1");
        assert_eq!(metadata["aliases"], json!([host, by_number]));
    }
    let first = format!("{}/common/oauth2/authorize", world.base);
    let answer = get(
        &world,
        &[("api-version", "1.0"), ("authorization_endpoint", &first)],
    )
    .await
    .ok();
    assert_eq!(
        answer["tenant_discovery_endpoint"],
        format!("{}/common/.well-known/openid-configuration", world.base)
    );
    assert!(answer.get("metadata").is_none());
}

#[actix_web::test]
async fn other_hosts_are_not() {
    let world = World::start().await;
    let base = &world.base;
    for (endpoint, expected) in [
        (
            "https://login.microsoftonline.com/common/oauth2/v2.0/authorize".to_owned(),
            50049,
        ),
        (
            "https://localhost/common/oauth2/v2.0/authorize".to_owned(),
            50049,
        ),
        (
            format!("{base}.evil.test/common/oauth2/v2.0/authorize"),
            50049,
        ),
        (
            base.replace("http://", "https://") + "/common/oauth2/v2.0/authorize",
            50049,
        ),
        (format!("{base}/"), 50049),
        ("nonsense".to_owned(), 50049),
        (format!("{base}/contoso.test/oauth2/v2.0/authorize"), 90002),
        (String::new(), 900_144),
    ] {
        let reply = get(
            &world,
            &[
                ("api-version", "1.1"),
                ("authorization_endpoint", &endpoint),
            ],
        )
        .await;
        let (code, error, status) = reply.refusal();
        assert_eq!((code, status), (expected, 400), "{endpoint}");
        if code == 50049 {
            assert_eq!(error, "invalid_instance");
        }
    }
}

#[actix_web::test]
async fn the_document_of_version_1_names_the_issuer_of_access_tokens() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let access = claims(&tokens["access_token"]);
    let url = world.url("/.well-known/openid-configuration");
    let document = Reply::of(world.http.get(url).send().await.unwrap())
        .await
        .ok();
    assert_eq!(document["issuer"], access["iss"]);
    let keys = document["jwks_uri"].as_str().unwrap();
    let keys = Reply::of(world.http.get(keys).send().await.unwrap())
        .await
        .ok();
    let token = tokens["access_token"].as_str().unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let signer = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["x5t"] == header.x5t.as_deref().unwrap())
        .unwrap();
    assert_eq!(signer["x5c"].as_array().unwrap().len(), 1);
    for (segment, issuer) in [
        ("common", "https://sts.windows.net/{tenantid}/"),
        (
            "consumers",
            "https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/",
        ),
    ] {
        let url = format!("{}/{segment}/.well-known/openid-configuration", world.base);
        let document = Reply::of(world.http.get(url).send().await.unwrap())
            .await
            .ok();
        assert_eq!(document["issuer"], issuer);
    }
}

#[actix_web::test]
async fn metadata_says_what_entras_says() {
    let world = World::start().await;
    let url = world.url("/v2.0/.well-known/openid-configuration");
    let document = Reply::of(world.http.get(url).send().await.unwrap())
        .await
        .ok();
    assert_eq!(
        document["token_endpoint_auth_methods_supported"],
        json!([
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic"
        ])
    );
    assert_eq!(
        document["device_authorization_endpoint"],
        world.url("/oauth2/v2.0/devicecode")
    );
    assert_eq!(document["request_uri_parameter_supported"], false);
}

#[actix_web::test]
async fn the_next_key_is_published_before_it_signs() {
    let world = World::start().await;
    let published = async || {
        let response = world.http.get(world.url("/discovery/v2.0/keys")).send();
        let keys = Reply::of(response.await.unwrap()).await.ok();
        let keys = keys["keys"].as_array().unwrap().clone();
        let kids = keys
            .iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned());
        kids.collect::<Vec<_>>()
    };
    let signer = async || {
        let tokens = world.connected().await;
        let token = tokens["id_token"].as_str().unwrap().to_owned();
        jsonwebtoken::decode_header(&token).unwrap().kid.unwrap()
    };
    let before = published().await;
    let first = signer().await;
    assert_eq!(before.len(), 2);
    assert!(before.contains(&first));
    assert_eq!(world.control("/keys/rotate", json!({})).await.status, 204);
    let second = signer().await;
    assert_ne!(first, second);
    assert!(before.contains(&second));
    let after = published().await;
    assert!(after.contains(&first) && after.contains(&second) && after.len() == 3);
}

async fn get(world: &World, query: &[(&str, &str)]) -> Reply {
    let url = format!("{}/common/discovery/instance", world.base);
    let url = url::Url::parse_with_params(&url, query).unwrap();
    Reply::of(world.http.get(url).send().await.unwrap()).await
}
