//! Metadata and keys, in plain HTTP and over TLS.

use crate::support::*;

#[actix_web::test]
async fn the_document_names_the_address_it_was_read_from() {
    let world = World::start().await;
    let description = world.running.description();
    let ca = std::fs::read(&description.ca_file).unwrap();
    for (base, http) in [
        (&description.authority, world.http.clone()),
        (&description.authority_tls, http(Some(&ca))),
    ] {
        for (segment, issued_by) in [
            (world.tenant.as_str(), world.tenant.as_str()),
            ("quillmere.test", &world.tenant),
            ("common", "{tenantid}"),
            ("organizations", "{tenantid}"),
            ("consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"),
        ] {
            let url = format!("{base}/{segment}/v2.0/.well-known/openid-configuration");
            let document = Reply::of(http.get(url).send().await.unwrap()).await.ok();
            assert_eq!(document["issuer"], format!("{base}/{issued_by}/v2.0"));
            assert_eq!(
                document["token_endpoint"],
                format!("{base}/{segment}/oauth2/v2.0/token")
            );
            for endpoint in [
                "authorization_endpoint",
                "jwks_uri",
                "end_session_endpoint",
                "userinfo_endpoint",
            ] {
                let url = document[endpoint].as_str().unwrap();
                assert!(url.starts_with(base.as_str()), "{endpoint}: {url}");
                let found = http.get(url).send().await.unwrap();
                assert_ne!(found.status().as_u16(), 404, "{endpoint}");
            }
        }
    }
    let unknown = world.http.get(format!(
        "{}/contoso.test/v2.0/.well-known/openid-configuration",
        world.base
    ));
    assert_eq!(
        Reply::of(unknown.send().await.unwrap()).await.refusal(),
        (90002, "invalid_request", 400)
    );
}

#[actix_web::test]
async fn the_published_keys_verify_an_id_token() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let keys = world
        .http
        .get(world.url("/discovery/v2.0/keys"))
        .send()
        .await
        .unwrap();
    let keys = Reply::of(keys).await.ok();
    let token = tokens["id_token"].as_str().unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == header.kid.as_deref().unwrap())
        .unwrap();
    assert_eq!(
        key["issuer"],
        format!("{}/{}/v2.0", world.base, world.tenant)
    );
    let part = |name: &str| key[name].as_str().unwrap();
    let key = jsonwebtoken::DecodingKey::from_rsa_components(part("n"), part("e")).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.set_audience(&[DELEGATED]);
    validation.validate_exp = false;
    jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_on_tokio_alone_and_stops() {
    let world = World::start().await;
    world.connected().await;
    let base = world.base.clone();
    world.running.stop().await;
    assert!(world.http.get(&base).send().await.is_err());
}
