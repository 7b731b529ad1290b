//! Client assertions: certificates and federated tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::harness::*;
use crate::support::*;

const CERTIFIED: &str = "6b3f0c1e-8a52-4d7f-9c11-0f2e5a7d9001";
const FEDERATED: &str = "6b3f0c1e-8a52-4d7f-9c11-0f2e5a7d9002";

#[actix_web::test]
async fn assertion_bad_signature() {
    let registered = Signer::new();
    let world = world(&registered).await;
    let claims = claims_of(&world, CERTIFIED);
    send(&world, CERTIFIED, &registered.sign(&claims))
        .await
        .ok();
    // A certificate that nobody uploaded.
    let reply = send(&world, CERTIFIED, &Signer::new().sign(&claims)).await;
    assert_refusal("assertion-bad-signature", 700_027, &reply);
    assert_eq!(reply.status, 401);
}

#[actix_web::test]
async fn assertion_subject() {
    let registered = Signer::new();
    let world = world(&registered).await;
    let claims = claims_of(&world, DELEGATED);
    let reply = send(&world, CERTIFIED, &registered.sign(&claims)).await;
    assert_refusal("assertion-subject", 50048, &reply);
}

#[actix_web::test]
async fn assertion_time() {
    let world = World::start().await;
    // A server exchanges the token that a person's client sent to it, an hour later.
    let tokens = world.connected().await;
    let secret = world.secret(DELEGATED);
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("client_id", DELEGATED),
        ("client_secret", &secret),
        ("assertion", tokens["id_token"].as_str().unwrap()),
        ("requested_token_use", "on_behalf_of"),
        ("scope", SCOPE),
    ];
    world.token(&form).await.ok();
    world.clock.advance(std::time::Duration::from_secs(3600));
    let reply = world.token(&form).await;
    assert_refusal("assertion-time", 500_133, &reply);
}

#[actix_web::test]
async fn fic_wrong_token_kind() {
    let world = World::start().await;
    // Ada's own token stands for the application, by the subject that it knows her under.
    let tokens = world.connected().await;
    let token = tokens["access_token"].as_str().unwrap();
    let claims = claims(&tokens["access_token"]);
    let entry = json!({
        "client_id": FEDERATED, "display_name": "Federated", "flow": "app_only",
        "federated_credentials": [
            {"issuer": claims["iss"], "subject": claims["sub"], "audience": claims["aud"]},
        ],
    });
    put(&world, "applications", entry).await;
    let reply = send(&world, FEDERATED, token).await;
    assert_refusal("fic-wrong-token-kind", 700_229, &reply);
}

struct Signer {
    key: EncodingKey,
    pem: String,
    thumbprint: String,
}

impl Signer {
    fn new() -> Self {
        let pair =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
                .unwrap();
        let certificate = rcgen::CertificateParams::default()
            .self_signed(&pair)
            .unwrap();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate.der());
        Self {
            key: EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap(),
            pem: certificate.pem(),
            thumbprint: URL_SAFE_NO_PAD.encode(digest),
        }
    }

    fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::PS256);
        header.x5t_s256 = Some(self.thumbprint.clone());
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

async fn world(registered: &Signer) -> World {
    World::start_with(&format!(
        "[[application]]\nclient_id = \"{CERTIFIED}\"\ndisplay_name = \"Certified\"\nflow = \"app_only\"\n\
         certificates = [{{ pem = \"\"\"{}\"\"\" }}]\n",
        registered.pem
    ))
    .await
}

fn claims_of(world: &World, subject: &str) -> Value {
    json!({
        "iss": CERTIFIED, "sub": subject, "aud": world.url("/oauth2/v2.0/token"),
        "jti": "2f1b0c1e-8a52-4d7f-9c11-0f2e5a7d9001",
        "nbf": NOW.0, "iat": NOW.0, "exp": NOW.0 + 600,
    })
}

async fn send(world: &World, client_id: &str, assertion: &str) -> Reply {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", assertion),
        ("scope", "https://outlook.office365.com/.default"),
    ];
    world.token(&form).await
}
