//! Federated credentials: another issuer's token stands for the application.

use std::net::SocketAddr;

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

use crate::support::*;

const SCOPE: &str = "https://outlook.office365.com/.default";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const FEDERATED: &str = "6b3f0c1e-8a52-4d7f-9c11-0f2e5a7d9002";
const SUBJECT: &str = "system:serviceaccount:mail:Reader";

async fn world(issuer: &str, more: &str) -> World {
    World::start_with(&format!(
        r#"
[[application]]
client_id = "{FEDERATED}"
display_name = "Federated"
flow = "app_only"
admin_consent = ["https://outlook.office365.com/IMAP.AccessAsApp"]
federated_credentials = [{{ issuer = "{issuer}", subject = "{SUBJECT}"{more} }}]
"#
    ))
    .await
}

async fn workload_token(world: &World, body: Value) -> String {
    let answer = world.control("/workload-token", body).await.ok();
    answer["token"].as_str().unwrap().to_owned()
}

async fn send(world: &World, client_id: &str, assertion: &str) -> Reply {
    world
        .token(&[
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", assertion),
            ("scope", SCOPE),
        ])
        .await
}

#[actix_web::test]
async fn a_token_of_the_built_in_issuer_is_enough() {
    let world = world("{authority}/workload", "").await;
    let token = workload_token(&world, json!({"subject": SUBJECT})).await;
    let answer = send(&world, FEDERATED, &token).await.ok();
    let access = claims(&answer["access_token"]);
    assert_eq!(access["appidacr"], "2");
    assert_eq!(access["roles"], json!(["IMAP.AccessAsApp"]));
    // Its discovery is what its name promises.
    let issuer = format!("{}/workload", world.base);
    let read = async |url: String| {
        Reply::of(world.http.get(url).send().await.unwrap())
            .await
            .ok()
    };
    let document = read(format!("{issuer}/.well-known/openid-configuration")).await;
    assert_eq!(document["issuer"], issuer);
    let keys = read(document["jwks_uri"].as_str().unwrap().to_owned()).await;
    let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
    assert!(
        keys["keys"]
            .as_array()
            .unwrap()
            .iter()
            .any(|key| key["kid"] == kid)
    );
}

#[actix_web::test]
async fn issuer_subject_and_audience_match_exactly() {
    let world = world("{authority}/workload", "").await;
    for (body, expected) in [
        (json!({"subject": "somebody"}), 700_213),
        (json!({"subject": SUBJECT.to_lowercase()}), 700_213),
        (
            json!({"subject": SUBJECT, "audience": "api://other"}),
            700_212,
        ),
    ] {
        let token = workload_token(&world, body.clone()).await;
        let reply = send(&world, FEDERATED, &token).await;
        assert_eq!(reply.refusal(), (expected, "invalid_client", 401), "{body}");
    }
    let token = workload_token(&world, json!({"subject": SUBJECT, "seconds": 60})).await;
    // An application that trusts nobody.
    let reply = send(&world, APP_ONLY, &token).await;
    assert_eq!(reply.refusal(), (70025, "invalid_client", 401));
    // Too late.
    world.clock.advance(std::time::Duration::from_secs(600));
    let reply = send(&world, FEDERATED, &token).await;
    assert_eq!(reply.refusal(), (700_024, "invalid_client", 401));
    // Signed by a key that is published no longer.
    let token = workload_token(&world, json!({"subject": SUBJECT})).await;
    let rotated = world.control("/keys/rotate", json!({"retire": true})).await;
    assert_eq!(rotated.status, 204);
    let reply = send(&world, FEDERATED, &token).await;
    assert_eq!(reply.refusal(), (7_000_272, "invalid_client", 401));
    // Another issuer, with a slash more.
    let slash = self::world("{authority}/workload/", "").await;
    let token = workload_token(&slash, json!({"subject": SUBJECT})).await;
    let reply = send(&slash, FEDERATED, &token).await;
    assert_eq!(reply.refusal(), (700_211, "invalid_client", 401));
}

#[actix_web::test]
async fn of_the_authoritys_own_tokens_only_an_applications_will_do() {
    let entries = format!(
        r#"
[[application]]
client_id = "{FEDERATED}"
display_name = "Federated"
flow = "app_only"
federated_credentials = [
  {{ issuer = "https://sts.windows.net/9d2f3c44-6a1b-4f7e-9a0d-77c1a5e2b318/", subject = "e2c57d90-3b1a-4f68-8c2e-71a9d4065bf3", audience = "https://outlook.office365.com" }},
  {{ issuer = "https://sts.windows.net/9d2f3c44-6a1b-4f7e-9a0d-77c1a5e2b318/", subject = "SUBJECT", audience = "https://outlook.office.com" }},
]
"#
    );
    let world = World::start_with(&entries).await;
    let own = world.client_credentials(APP_ONLY, SCOPE).await.ok();
    let token = own["access_token"].as_str().unwrap();
    send(&world, FEDERATED, token).await.ok();

    let delegated = world.connected().await;
    let token = delegated["access_token"].as_str().unwrap().to_owned();
    let subject = claims(&delegated["access_token"])["sub"]
        .as_str()
        .unwrap()
        .to_owned();
    world.running.directory().change(|tenant| {
        let application = tenant
            .applications
            .iter_mut()
            .find(|application| application.client_id == FEDERATED)
            .unwrap();
        application.federated_credentials[1].subject = subject;
    });
    let reply = send(&world, FEDERATED, &token).await;
    assert_eq!(reply.refusal(), (700_229, "invalid_client", 401));
}

/// An issuer on this machine whose keys are another sandbox's.
struct Issuer {
    address: String,
    handle: actix_web::dev::ServerHandle,
}

impl Issuer {
    fn start(answer: fn(&str) -> (Value, Value)) -> Self {
        let server = HttpServer::new(move || {
            let get = |which: fn((Value, Value)) -> Value| {
                move |request: actix_web::HttpRequest| {
                    let address: SocketAddr = request.app_config().local_addr();
                    let document = which(answer(&format!("http://{address}")));
                    async move {
                        match document {
                            Value::String(place) => HttpResponse::Found()
                                .insert_header(("Location", place))
                                .finish(),
                            document => HttpResponse::Ok().json(document),
                        }
                    }
                }
            };
            App::new()
                .route(
                    "/.well-known/openid-configuration",
                    web::get().to(get(|both| both.0)),
                )
                .route("/keys", web::get().to(get(|both| both.1)))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let address = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, handle }
    }
}

fn token_of(issuer: &str, kid: &str) -> String {
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
    header.kid = Some(kid.to_owned());
    let claims = json!({
        "iss": issuer, "sub": SUBJECT, "aud": "api://AzureADTokenExchange", "exp": NOW.0 + 60,
    });
    let key = jsonwebtoken::EncodingKey::from_rsa_pem(KEY.0.as_bytes()).unwrap();
    jsonwebtoken::encode(&header, &claims, &key).unwrap()
}

/// A private key in PEM, and its JWKS.
static KEY: std::sync::LazyLock<(String, Value)> = std::sync::LazyLock::new(|| {
    use aws_lc_rs::signature::KeyPair as _;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let pair = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
        .unwrap();
    let public = aws_lc_rs::rsa::KeyPair::from_pkcs8(pair.serialized_der()).unwrap();
    let encode = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
    let jwks = json!({"keys": [{
        "kty": "RSA", "kid": "one",
        "n": encode(public.public_key().modulus().big_endian_without_leading_zero()),
        "e": encode(public.public_key().exponent().big_endian_without_leading_zero()),
    }]});
    (pair.serialize_pem(), jwks)
});

#[actix_web::test]
async fn the_keys_of_an_issuer_on_this_machine_are_found_by_discovery() {
    let issuer = Issuer::start(|me| {
        let document = json!({"issuer": me, "jwks_uri": format!("{me}/keys")});
        (document, KEY.1.clone())
    });
    let world = world(&issuer.address, "").await;
    send(&world, FEDERATED, &token_of(&issuer.address, "one"))
        .await
        .ok();
    let reply = send(&world, FEDERATED, &token_of(&issuer.address, "two")).await;
    assert_eq!(reply.refusal(), (7_000_272, "invalid_client", 401));
    let mut forged = token_of(&issuer.address, "one");
    forged.truncate(forged.len() - 8);
    forged.push_str("AAAAAAAA");
    let reply = send(&world, FEDERATED, &forged).await;
    assert_eq!(reply.refusal(), (700_027, "invalid_client", 401));
    issuer.handle.stop(false).await;
    let reply = send(&world, FEDERATED, &token_of(&issuer.address, "one")).await;
    assert_eq!(reply.refusal(), (501_661, "invalid_request", 400));
}

#[actix_web::test]
async fn bad_discovery_is_refused_and_the_log_says_why() {
    for (answer, why) in [
        (
            (|_| (json!({"issuer": "http://other"}), json!({}))) as fn(&str) -> (Value, Value),
            "another issuer",
        ),
        (|me| (json!({"issuer": me}), json!({})), "no jwks_uri"),
        (
            |me| {
                (
                    json!({"issuer": me, "jwks_uri": "http://192.0.2.1/keys"}),
                    json!({}),
                )
            },
            "not on this machine",
        ),
        (
            |me| {
                (
                    json!({"issuer": me, "jwks_uri": format!("{me}/keys")}),
                    json!("http://192.0.2.1/"),
                )
            },
            "EOF",
        ),
        (
            |me| {
                let keys = json!({"keys": "k".repeat(300_000)});
                (
                    json!({"issuer": me, "jwks_uri": format!("{me}/keys")}),
                    keys,
                )
            },
            "longer than",
        ),
    ] {
        let issuer = Issuer::start(answer);
        let world = world(&issuer.address, "").await;
        let reply = send(&world, FEDERATED, &token_of(&issuer.address, "one")).await;
        assert_eq!(reply.refusal(), (501_661, "invalid_request", 400), "{why}");
        let entries = world.running.requests().entries();
        let entry = entries
            .iter()
            .find(|entry| entry.kind == "federated_issuer");
        let detail = entry.unwrap().detail.clone().unwrap();
        assert!(detail.contains(why), "{detail}");
    }
    // Not asked at all.
    let world = world("https://token.actions.githubusercontent.com", "").await;
    let token = token_of("https://token.actions.githubusercontent.com", "one");
    assert_eq!(send(&world, FEDERATED, &token).await.refusal().0, 501_661);
}

#[actix_web::test]
async fn keys_can_be_given_in_the_tenant_file() {
    let issuer = "https://token.actions.githubusercontent.com";
    let key = &KEY.1["keys"][0];
    let jwks = format!(
        ", jwks = {{ keys = [{{ kty = \"RSA\", kid = \"one\", n = {}, e = {} }}] }}",
        key["n"], key["e"]
    );
    let world = world(issuer, &jwks).await;
    send(&world, FEDERATED, &token_of(issuer, "one")).await.ok();
    let reply = send(&world, FEDERATED, &token_of(issuer, "two")).await;
    assert_eq!(reply.refusal(), (7_000_272, "invalid_client", 401));
}
