//! Client authentication by a certificate (RFC 7523), and what Entra says when it fails.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::*;

const SCOPE: &str = "https://outlook.office365.com/.default";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The application of these tests.
const CERTIFIED: &str = "6b3f0c1e-8a52-4d7f-9c11-0f2e5a7d9001";

/// A key and its certificate.
struct Signer {
    key: EncodingKey,
    pem: String,
    der: Vec<u8>,
}

impl Signer {
    fn new(from: i64, until: i64) -> Self {
        let pair =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
                .unwrap();
        let mut parameters = rcgen::CertificateParams::default();
        parameters.not_before = time::OffsetDateTime::from_unix_timestamp(from).unwrap();
        parameters.not_after = time::OffsetDateTime::from_unix_timestamp(until).unwrap();
        let certificate = parameters.self_signed(&pair).unwrap();
        Self {
            key: EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap(),
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
        }
    }

    fn sha1(&self) -> String {
        let algorithm = &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY;
        URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(algorithm, &self.der))
    }

    fn sha256(&self) -> String {
        URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA256,
            &self.der,
        ))
    }

    /// As MSAL makes it today.
    fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::PS256);
        header.x5t_s256 = Some(self.sha256());
        header
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).unwrap()
    }
}

const DAY: i64 = 86_400;
static REGISTERED: LazyLock<Signer> = LazyLock::new(|| Signer::new(NOW.0 - DAY, NOW.0 + DAY));
static ENDED: LazyLock<Signer> = LazyLock::new(|| Signer::new(NOW.0 - 2 * DAY, NOW.0 - DAY));
static STRANGER: LazyLock<Signer> = LazyLock::new(|| Signer::new(NOW.0 - DAY, NOW.0 + DAY));

async fn world() -> World {
    World::start_with(&format!(
        r#"
[[application]]
client_id = "{CERTIFIED}"
display_name = "Certified"
flow = "app_only"
permissions = ["https://outlook.office365.com/IMAP.AccessAsApp"]
admin_consent = ["https://outlook.office365.com/IMAP.AccessAsApp"]
certificates = [
  {{ pem = """{}""" }},
  {{ pem = """{}""" }},
]
"#,
        REGISTERED.pem, ENDED.pem
    ))
    .await
}

fn claims_of(world: &World) -> Value {
    json!({
        "iss": CERTIFIED, "sub": CERTIFIED, "aud": world.url("/oauth2/v2.0/token"),
        "jti": "2f1b0c1e-8a52-4d7f-9c11-0f2e5a7d9001",
        "nbf": NOW.0, "iat": NOW.0, "exp": NOW.0 + 600,
    })
}

async fn send(world: &World, assertion: &str) -> Reply {
    world
        .token(&[
            ("grant_type", "client_credentials"),
            ("client_id", CERTIFIED),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", assertion),
            ("scope", SCOPE),
        ])
        .await
}

#[actix_web::test]
async fn both_forms_of_signature_are_accepted_and_the_token_says_how() {
    let world = world().await;
    let claims_sent = claims_of(&world);
    let mut old = Header::new(Algorithm::RS256);
    old.x5t = Some(REGISTERED.sha1());
    let mut by_key_id = Header::new(Algorithm::RS256);
    by_key_id.kid = Some(
        URL_SAFE_NO_PAD
            .decode(REGISTERED.sha1())
            .unwrap()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect(),
    );
    for header in [REGISTERED.header(), old, by_key_id] {
        let answer = send(&world, &REGISTERED.sign(&header, &claims_sent))
            .await
            .ok();
        let access = claims(&answer["access_token"]);
        assert_eq!(access["appidacr"], "2", "{header:?}");
        assert_eq!(access["roles"], json!(["IMAP.AccessAsApp"]));
    }
    // A made-up secret is not the way in beside the certificate.
    let description = world.running.description();
    let application = description
        .applications
        .iter()
        .find(|known| known.client_id == CERTIFIED)
        .unwrap();
    assert_eq!(application.client_secret, None);
}

#[actix_web::test]
async fn the_audience_is_the_tenant_in_any_of_its_addresses() {
    let world = world().await;
    let description = world.running.description();
    let (plain, tls) = (&description.authority, &description.authority_tls);
    let tenant = &world.tenant;
    for (audience, expected) in [
        (json!(format!("{plain}/{tenant}/oauth2/v2.0/token")), None),
        (json!(format!("{tls}/{tenant}/oauth2/v2.0/token")), None),
        (
            json!(format!("{tls}/quillmere.test/oauth2/v2.0/token")),
            None,
        ),
        (json!(format!("{plain}/{tenant}/v2.0")), None),
        (json!(format!("{plain}/{tenant}/")), None),
        (json!([format!("{plain}/{tenant}/v2.0"), "other"]), None),
        (
            json!(plain.replace("localhost", "127.0.0.1") + "/" + tenant + "/v2.0"),
            None,
        ),
        (
            json!("https://login.microsoftonline.com/common/oauth2/v2.0/token"),
            Some(700_023),
        ),
        (
            json!(format!("{plain}/contoso.test/oauth2/v2.0/token")),
            Some(700_023),
        ),
        (
            json!(format!("{plain}.evil.test/{tenant}/v2.0")),
            Some(700_023),
        ),
        (json!(CERTIFIED), Some(700_023)),
        (json!(""), Some(700_023)),
        (json!([]), Some(700_023)),
    ] {
        let mut sent = claims_of(&world);
        sent["aud"] = audience.clone();
        let reply = send(&world, &REGISTERED.sign(&REGISTERED.header(), &sent)).await;
        match expected {
            None => drop(reply.ok()),
            Some(code) => assert_eq!(reply.refusal(), (code, "invalid_client", 401), "{audience}"),
        }
    }
}

#[actix_web::test]
async fn claims_that_do_not_fit_are_refused() {
    let world = world().await;
    for (name, value, expected) in [
        ("sub", json!(APP_ONLY), (50048, "invalid_client", 401)),
        ("exp", json!(NOW.0 - 301), (700_024, "invalid_client", 401)),
        ("nbf", json!(NOW.0 + 301), (700_024, "invalid_client", 401)),
        ("exp", Value::Null, (50027, "invalid_request", 400)),
        ("exp", json!("soon"), (50027, "invalid_request", 400)),
        ("iss", json!(7), (50027, "invalid_request", 400)),
        ("jti", json!({}), (50027, "invalid_request", 400)),
    ] {
        let mut sent = claims_of(&world);
        sent[name] = value.clone();
        let reply = send(&world, &REGISTERED.sign(&REGISTERED.header(), &sent)).await;
        assert_eq!(reply.refusal(), expected, "{name} = {value}");
    }
    let mut of_another = claims_of(&world);
    of_another["iss"] = json!(APP_ONLY);
    of_another["sub"] = json!(APP_ONLY);
    let reply = send(&world, &REGISTERED.sign(&REGISTERED.header(), &of_another)).await;
    assert_eq!(reply.refusal(), (700_021, "invalid_client", 401));
    // An hour later the same assertion has ended, and the text gives both times.
    let assertion = REGISTERED.sign(&REGISTERED.header(), &claims_of(&world));
    send(&world, &assertion).await.ok();
    world.clock.advance(std::time::Duration::from_secs(3600));
    let late = send(&world, &assertion).await;
    assert_eq!(late.refusal(), (700_024, "invalid_client", 401));
    let text = late.body["error_description"].as_str().unwrap();
    assert!(
        text.starts_with("AADSTS700024: Client assertion is not within its valid time range. Current time: 2027-01-15T09:00:00.0000000Z, assertion valid from 2027-01-15T08:00:00.0000000Z, expiry time of assertion 2027-01-15T08:10:00.0000000Z."),
        "{text}"
    );
}

#[actix_web::test]
async fn keys_and_signatures_that_do_not_fit_are_refused() {
    let world = world().await;
    let sent = claims_of(&world);
    let header = |alter: fn(&mut Header)| {
        let mut header = REGISTERED.header();
        alter(&mut header);
        header
    };
    let good = REGISTERED.sign(&REGISTERED.header(), &sent);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let turned: String = signature.chars().rev().collect();
    let not_signed = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
        good.split('.').nth(1).unwrap()
    );
    let shared_secret = {
        let mut header = Header::new(Algorithm::HS256);
        header.x5t_s256 = Some(REGISTERED.sha256());
        let key = EncodingKey::from_secret(REGISTERED.pem.as_bytes());
        jsonwebtoken::encode(&header, &sent, &key).unwrap()
    };
    for (assertion, code, reason) in [
        (
            STRANGER.sign(&STRANGER.header(), &sent),
            700_027,
            "[Reason - The key was not found., Thumbprint of key used by client: '",
        ),
        (
            ENDED.sign(&ENDED.header(), &sent),
            700_027,
            "[Reason - The key used is expired.",
        ),
        (
            STRANGER.sign(&REGISTERED.header(), &sent),
            700_027,
            "[Reason - The provided signature value did not match the expected signature value.",
        ),
        (format!("{message}.{turned}"), 700_027, "did not match"),
        (format!("{message}."), 700_027, "did not match"),
        (
            REGISTERED.sign(&header(|header| header.x5t_s256 = None), &sent),
            5_002_723,
            "No certificate SHA-1 thumbprint",
        ),
        (
            REGISTERED.sign(
                &header(|header| header.x5t_s256 = Some("not base64!".to_owned())),
                &sent,
            ),
            5_002_723,
            "No certificate",
        ),
        (shared_secret, 5_002_730, "Unsupported key"),
        (not_signed, 50027, "malformed"),
        ("nonsense".to_owned(), 50027, "malformed"),
        (STANDARD.encode(&good), 50027, "malformed"),
    ] {
        let reply = send(&world, &assertion).await;
        assert_eq!(reply.refusal().0, code, "{reply:?}");
        let text = reply.body["error_description"].as_str().unwrap();
        assert!(text.contains(reason), "{text}");
    }
}

#[actix_web::test]
async fn one_proof_of_one_sort_is_taken() {
    let world = world().await;
    let assertion = REGISTERED.sign(&REGISTERED.header(), &claims_of(&world));
    let base = [
        ("grant_type", "client_credentials"),
        ("scope", SCOPE),
        ("client_assertion", &assertion),
    ];
    for (fields, expected) in [
        (
            vec![("client_id", CERTIFIED)],
            (900_144, "invalid_request", 400),
        ),
        (
            vec![("client_id", CERTIFIED), ("client_assertion_type", "jwt")],
            (9_002_313, "invalid_request", 400),
        ),
        (
            vec![
                ("client_id", CERTIFIED),
                ("client_assertion_type", JWT_BEARER),
                ("client_secret", "x"),
            ],
            (9_002_313, "invalid_request", 400),
        ),
        (
            vec![("client_assertion_type", JWT_BEARER)],
            (900_144, "invalid_request", 400),
        ),
        // The application that the assertion is from is not the one that is named.
        (
            vec![
                ("client_id", APP_ONLY),
                ("client_assertion_type", JWT_BEARER),
            ],
            (700_027, "invalid_client", 401),
        ),
    ] {
        let form: Vec<_> = base.iter().copied().chain(fields.iter().copied()).collect();
        assert_eq!(world.token(&form).await.refusal(), expected, "{fields:?}");
    }
    // In the header and in the body at once.
    let request = world
        .http
        .post(world.url("/oauth2/v2.0/token"))
        .basic_auth(CERTIFIED, Some("x"))
        .form(&[
            base[0],
            base[1],
            base[2],
            ("client_assertion_type", JWT_BEARER),
        ]);
    let reply = Reply::of(request.send().await.unwrap()).await;
    assert_eq!(reply.refusal(), (9_002_313, "invalid_request", 400));
    // Neither.
    let form = [base[0], base[1], ("client_id", CERTIFIED)];
    assert_eq!(
        world.token(&form).await.refusal(),
        (7_000_218, "invalid_client", 401)
    );
}

#[actix_web::test]
async fn a_secret_in_the_basic_header_is_taken_too() {
    let world = world().await;
    let form = [("grant_type", "client_credentials"), ("scope", SCOPE)];
    let send = |secret: String| {
        let request = world
            .http
            .post(world.url("/oauth2/v2.0/token"))
            .basic_auth(APP_ONLY, Some(secret));
        request.form(&form).send()
    };
    let secret = world.secret(APP_ONLY);
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let answer = Reply::of(send(encoded).await.unwrap()).await.ok();
    assert_eq!(claims(&answer["access_token"])["appidacr"], "1");
    let refused = send("wrong".to_owned()).await.unwrap();
    assert!(refused.headers().contains_key("www-authenticate"));
    assert_eq!(
        Reply::of(refused).await.refusal(),
        (7_000_215, "invalid_client", 401)
    );
}

#[actix_web::test]
async fn a_code_and_a_refresh_token_are_redeemed_with_a_certificate() {
    let entries = format!(
        r#"
[[application]]
client_id = "{CERTIFIED}"
display_name = "Certified"
flow = "delegated"
permissions = ["openid", "offline_access", "https://outlook.office.com/IMAP.AccessAsUser.All"]
certificates = [{{ pem = """{}""" }}]
"#,
        REGISTERED.pem
    );
    let world = World::start_with(&entries).await;
    let code = world.code(&[("client_id", CERTIFIED)]).await;
    let assertion = REGISTERED.sign(&REGISTERED.header(), &claims_of(&world));
    let proof = [
        ("client_id", CERTIFIED),
        ("client_secret", ""),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &assertion),
    ];
    let tokens = world.redeem(&code, &proof).await.ok();
    assert_eq!(claims(&tokens["access_token"])["appidacr"], "2");
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    world.refresh(refresh_token, &proof).await.ok();
    let without = [("client_id", CERTIFIED), ("client_secret", "")];
    assert_eq!(
        world.refresh(refresh_token, &without).await.refusal(),
        (7_000_218, "invalid_client", 401)
    );
}
