//! ID tokens, true and forged.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey};
use mailgrant_core::authorization::Nonce;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::IdToken;
use proptest::prelude::*;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::support::{
    Authority, CLIENT_ID, DISCOVERY, EC, NOW, OTHER_EC, RSA, TENANT, claims, nonce, policy, sign,
    surroundings,
};
use crate::{Client, Error, ErrorKind, IdTokenProblem, Identity, Policy};

async fn verify(client: &Client, token: &IdToken) -> Result<Identity, Error> {
    client.verify_id_token(token, Some(&nonce())).await
}

#[track_caller]
fn problem(outcome: Result<Identity, Error>) -> IdTokenProblem {
    let error = outcome.unwrap_err();
    assert!(!error.is_transient());
    match error.kind() {
        ErrorKind::IdToken(problem) => *problem,
        other => panic!("{other:?}"),
    }
}

/// What is wrong with the right claims after a change.
async fn problem_with(change: impl Fn(&mut Value)) -> IdTokenProblem {
    let authority = Authority::start().await;
    authority.keys(&[&EC]).await;
    let mut claims = claims(&authority.issuer());
    change(&mut claims);
    problem(verify(&authority.client(), &EC.sign(&claims)).await)
}

#[tokio::test]
async fn a_true_token_tells_who_it_is() {
    let authority = Authority::start().await;
    authority.keys(&[&EC, &RSA]).await;
    let client = authority.client();
    let mut claims = claims(&authority.issuer());
    claims["tid"] = json!(TENANT);
    claims["oid"] = json!("object-1");
    claims["preferred_username"] = json!("ada@contoso.onmicrosoft.com");
    for signer in [&*EC, &*RSA] {
        let identity = verify(&client, &signer.sign(&claims)).await.unwrap();
        assert_eq!(identity.issuer, authority.issuer());
        assert_eq!(identity.subject, "subject-1");
        assert_eq!(identity.tenant_id.as_deref(), Some(TENANT));
        assert_eq!(identity.object_id.as_deref(), Some("object-1"));
        assert_eq!(identity.email.as_deref(), Some("ada@contoso.com"));
        assert_eq!(identity.name.as_deref(), Some("Ada Lovelace"));
        let stored = serde_json::to_string(&identity).unwrap();
        assert_eq!(serde_json::from_str::<Identity>(&stored).unwrap(), identity);
    }
    assert_eq!(authority.received("/keys").await.len(), 1);
}

#[tokio::test]
async fn all_rsa_algorithms_that_the_key_allows() {
    let authority = Authority::start().await;
    authority.keys(&[&RSA]).await;
    let client = authority.client();
    for algorithm in [
        Algorithm::RS256,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS384,
    ] {
        let header = json!({ "alg": format!("{algorithm:?}"), "kid": RSA.id });
        let token = RSA.sign_with(&header, algorithm, &claims(&authority.issuer()));
        verify(&client, &token).await.unwrap();
    }
}

#[tokio::test]
async fn claims_of_somebody_else() {
    use IdTokenProblem::{Audience, AuthorizedParty, Issuer, Missing, Nonce};
    assert_eq!(
        problem_with(|claims| claims["iss"] = json!("https://evil.test")).await,
        Issuer
    );
    assert_eq!(
        problem_with(|claims| claims["aud"] = json!("other")).await,
        Audience
    );
    assert_eq!(
        problem_with(|claims| claims["aud"] = json!([])).await,
        Missing("aud")
    );
    assert_eq!(
        problem_with(|claims| claims["azp"] = json!("other")).await,
        AuthorizedParty
    );
    assert_eq!(
        problem_with(|claims| claims["aud"] = json!([CLIENT_ID, "other"])).await,
        AuthorizedParty
    );
    assert_eq!(
        problem_with(|claims| claims["nonce"] = json!("another")).await,
        Nonce
    );
    for name in ["iss", "aud", "nonce", "exp", "iat", "sub"] {
        let removed = problem_with(|claims| {
            claims.as_object_mut().unwrap().remove(name);
        });
        assert_eq!(removed.await, Missing(name));
    }
}

#[tokio::test]
async fn several_audiences_need_the_authorized_party() {
    let authority = Authority::start().await;
    authority.keys(&[&EC]).await;
    let mut claims = claims(&authority.issuer());
    claims["aud"] = json!(["other", CLIENT_ID]);
    claims["azp"] = json!(CLIENT_ID);
    verify(&authority.client(), &EC.sign(&claims))
        .await
        .unwrap();
}

#[tokio::test]
async fn times_are_measured_with_the_skew_of_the_policy() {
    let authority = Authority::start().await;
    authority.keys(&[&EC]).await;
    let token = EC.sign(&claims(&authority.issuer()));
    let at = async |seconds: i64| {
        authority
            .client_at(UnixTime(NOW.0 + seconds))
            .verify_id_token(&token, Some(&nonce()))
            .await
    };
    at(-60).await.unwrap();
    assert_eq!(problem(at(-61).await), IdTokenProblem::NotYetValid);
    at(3600 + 59).await.unwrap();
    assert_eq!(problem(at(3600 + 60).await), IdTokenProblem::Expired);
}

#[tokio::test]
async fn algorithms_that_prove_nothing() {
    let authority = Authority::start().await;
    authority.keys(&[&RSA]).await;
    let client = authority.client();
    let claims = claims(&authority.issuer());

    for name in ["none", "None", "NONE", "HS256", "", "RS1"] {
        let header = json!({ "alg": name, "kid": RSA.id });
        let token = sign(&header, &claims, |_| String::new());
        assert_eq!(
            problem(verify(&client, &token).await),
            IdTokenProblem::Algorithm,
            "{name}"
        );
    }

    // The public key, which everybody has, as the secret of an HMAC.
    let modulus = RSA.public["n"].as_str().unwrap();
    for secret in [modulus.to_owned(), RSA.public.to_string()] {
        let secret = EncodingKey::from_secret(secret.as_bytes());
        let header = json!({ "alg": "HS256", "kid": RSA.id });
        let token = sign(&header, &claims, |message| {
            jsonwebtoken::crypto::sign(message, &secret, Algorithm::HS256).unwrap()
        });
        assert_eq!(
            problem(verify(&client, &token).await),
            IdTokenProblem::Algorithm
        );
    }

    // An algorithm that is fine by itself, but not this key's.
    let header = json!({ "alg": "ES256", "kid": RSA.id });
    let token = EC.sign_with(&header, Algorithm::ES256, &claims);
    assert_eq!(
        problem(verify(&client, &token).await),
        IdTokenProblem::Algorithm
    );
}

#[tokio::test]
async fn a_symmetric_key_in_the_set_is_no_key() {
    let authority = Authority::start().await;
    let secret = json!({ "kty": "oct", "kid": "secret", "k": "c2VjcmV0", "alg": "HS256" });
    let keys = json!({ "keys": [secret, EC.public, { "kty": "new" }, 7] });
    authority
        .get("/keys", ResponseTemplate::new(200).set_body_json(keys))
        .await;
    let client = authority.client();
    let claims = claims(&authority.issuer());
    verify(&client, &EC.sign(&claims)).await.unwrap();
    let header = json!({ "alg": "ES256", "kid": "secret" });
    let token = EC.sign_with(&header, Algorithm::ES256, &claims);
    assert_eq!(
        problem(verify(&client, &token).await),
        IdTokenProblem::UnknownKey
    );
}

#[tokio::test]
async fn forged_signatures() {
    let authority = Authority::start().await;
    authority.keys(&[&EC]).await;
    let client = authority.client();
    let claims = claims(&authority.issuer());

    let header = json!({ "alg": "ES256", "kid": EC.id });
    let token = OTHER_EC.sign_with(&header, Algorithm::ES256, &claims);
    assert_eq!(
        problem(verify(&client, &token).await),
        IdTokenProblem::Signature
    );

    let genuine = EC.sign(&claims);
    let (message, signature) = genuine.expose().rsplit_once('.').unwrap();
    let (header, _) = message.split_once('.').unwrap();
    let mut other = claims.clone();
    other["sub"] = json!("somebody else");
    let other = EC.sign(&other);
    let payload = other.expose().split('.').nth(1).unwrap();
    let spliced = IdToken::new(format!("{header}.{payload}.{signature}")).unwrap();
    assert_eq!(
        problem(verify(&client, &spliced).await),
        IdTokenProblem::Signature
    );

    let unsigned = IdToken::new(format!("{message}.")).unwrap();
    assert_eq!(
        problem(verify(&client, &unsigned).await),
        IdTokenProblem::Signature
    );
}

#[tokio::test]
async fn headers_that_are_not_understood() {
    let authority = Authority::start().await;
    authority.keys(&[&EC]).await;
    let client = authority.client();
    let header = json!({ "alg": "ES256", "kid": EC.id, "crit": ["b64"], "b64": false });
    let token = EC.sign_with(&header, Algorithm::ES256, &claims(&authority.issuer()));
    assert_eq!(
        problem(verify(&client, &token).await),
        IdTokenProblem::NotAJwt
    );
    for text in ["opaque", "a.b", "a.b.c", "a.b.c.d.e", ".."] {
        let token = IdToken::new(text).unwrap();
        assert_eq!(
            problem(verify(&client, &token).await),
            IdTokenProblem::NotAJwt,
            "{text}"
        );
    }
}

#[tokio::test]
async fn keys_roll_over() {
    let authority = Authority::start().await;
    let set = |signer: &super::support::Signer| {
        ResponseTemplate::new(200).set_body_json(json!({ "keys": [signer.public] }))
    };
    authority.get_once("/keys", set(&EC)).await;
    authority.get("/keys", set(&OTHER_EC)).await;
    let client = authority.client_with(Policy {
        keys_pause: Duration::ZERO,
        ..policy()
    });
    let claims = claims(&authority.issuer());
    verify(&client, &EC.sign(&claims)).await.unwrap();
    verify(&client, &OTHER_EC.sign(&claims)).await.unwrap();
    assert_eq!(authority.received("/keys").await.len(), 2);
    // What was withdrawn is not believed any longer.
    assert_eq!(
        problem(verify(&client, &EC.sign(&claims)).await),
        IdTokenProblem::UnknownKey
    );
}

#[tokio::test]
async fn made_up_key_ids_do_not_hammer_the_authority() {
    let authority = Authority::start().await;
    authority.keys(&[&EC]).await;
    let client = authority.client();
    let claims = claims(&authority.issuer());
    for number in 0..10 {
        let header = json!({ "alg": "ES256", "kid": format!("made-up-{number}") });
        let token = OTHER_EC.sign_with(&header, Algorithm::ES256, &claims);
        assert_eq!(
            problem(verify(&client, &token).await),
            IdTokenProblem::UnknownKey
        );
    }
    assert_eq!(authority.received("/keys").await.len(), 1);
}

#[tokio::test]
async fn without_a_key_id_every_key_is_tried() {
    let authority = Authority::start().await;
    authority.keys(&[&RSA, &OTHER_EC, &EC]).await;
    let header = json!({ "alg": "ES256" });
    let token = EC.sign_with(&header, Algorithm::ES256, &claims(&authority.issuer()));
    verify(&authority.client(), &token).await.unwrap();
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_are_a_passing_fault() {
    for answer in [
        ResponseTemplate::new(503),
        ResponseTemplate::new(200).set_body_json(json!({})),
    ] {
        let authority = Authority::start().await;
        authority.get("/keys", answer).await;
        let token = EC.sign(&claims(&authority.issuer()));
        let error = verify(&authority.client(), &token).await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::KeysUnavailable),
            "{error:?}"
        );
        assert!(error.is_transient());
    }
}

#[tokio::test]
async fn tenants_of_entra_vouch_for_themselves_only() {
    let authority = Authority::silent().await;
    let base = authority.issuer();
    let mut document = authority.document();
    document["issuer"] = json!(format!("{base}/{{tenantid}}/v2.0"));
    let path = format!("/organizations/v2.0{DISCOVERY}");
    authority
        .get(&path, ResponseTemplate::new(200).set_body_json(document))
        .await;
    let mut work = EC.public.clone();
    work["issuer"] = json!(format!("{base}/{{tenantid}}/v2.0"));
    let mut personal = OTHER_EC.public.clone();
    personal["issuer"] = json!(format!("{base}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"));
    let keys = json!({ "keys": [work, personal] });
    authority
        .get("/keys", ResponseTemplate::new(200).set_body_json(keys))
        .await;

    let mut registration = super::support::registration(&format!("{base}/{{tenant}}/v2.0"));
    registration.tenant = Some("organizations".to_owned());
    let http = crate::http_client(None, &policy()).unwrap();
    let client = Client::new(http, registration, policy(), surroundings()).unwrap();

    let issuer = format!("{base}/{TENANT}/v2.0");
    let mut good = claims(&issuer);
    good["tid"] = json!(TENANT);
    let identity = verify(&client, &EC.sign(&good)).await.unwrap();
    assert_eq!(identity.tenant_id.as_deref(), Some(TENANT));

    let no_tenant = claims(&issuer);
    assert_eq!(
        problem(verify(&client, &EC.sign(&no_tenant)).await),
        IdTokenProblem::Missing("tid")
    );
    let mut other_tenant = good.clone();
    other_tenant["tid"] = json!("11111111-2222-3333-4444-555555555555");
    assert_eq!(
        problem(verify(&client, &EC.sign(&other_tenant)).await),
        IdTokenProblem::Issuer
    );
    // The key of personal accounts signs for no work tenant.
    assert_eq!(
        problem(verify(&client, &OTHER_EC.sign(&good)).await),
        IdTokenProblem::Issuer
    );
}

#[tokio::test]
async fn only_what_the_document_lists() {
    let authority = Authority::silent().await;
    let mut document = authority.document();
    document["id_token_signing_alg_values_supported"] = json!(["RS256"]);
    authority
        .get(
            DISCOVERY,
            ResponseTemplate::new(200).set_body_json(document),
        )
        .await;
    authority.keys(&[&EC, &RSA]).await;
    let client = authority.client();
    let claims = claims(&authority.issuer());
    verify(&client, &RSA.sign(&claims)).await.unwrap();
    assert_eq!(
        problem(verify(&client, &EC.sign(&claims)).await),
        IdTokenProblem::Algorithm
    );
}

#[tokio::test]
async fn an_address_that_is_not_verified_is_left_out() {
    let authority = Authority::start().await;
    authority.keys(&[&EC]).await;
    let client = authority.client();
    for (verified, kept) in [
        (json!(true), true),
        (json!("true"), true),
        (json!(false), false),
        (json!("false"), false),
    ] {
        let mut claims = claims(&authority.issuer());
        claims["email_verified"] = verified;
        let identity = verify(&client, &EC.sign(&claims)).await.unwrap();
        assert_eq!(identity.email.is_some(), kept);
    }
}

#[tokio::test]
async fn no_token_and_no_nonce_is_in_an_error() {
    let authority = Authority::start().await;
    authority.keys(&[&EC]).await;
    let token = EC.sign(&claims(&authority.issuer()));
    let expected = Nonce::parse("canary-nonce").unwrap();
    let error = authority
        .client()
        .verify_id_token(&token, Some(&expected))
        .await
        .unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(
        !shown.contains("canary")
            && !shown.contains("eyJ")
            && !shown.contains(super::support::NONCE)
    );
}

proptest! {
    #[test]
    fn taking_tokens_apart_never_panics(text in "[!-~]{1,200}", header in "\\PC{0,60}") {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
        for text in [text.clone(), format!("{encoded}.{text}"), format!("{encoded}.{encoded}.{text}")] {
            if let Ok(token) = IdToken::new(text) {
                let _ = crate::id_token::Parts::read(&token);
            }
        }
    }
}
