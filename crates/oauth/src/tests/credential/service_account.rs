//! Google's service accounts.

use std::sync::Arc;

use jsonwebtoken::Algorithm as Signed;
use mailgrant_core::provider::Provider;
use mailgrant_core::token::RefreshToken;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::super::support::{Authority, policy, registration, scopes, token_answer};
use super::{Folder, NOW, client, forms, surroundings, text, verified};
use crate::credential::{Part, ServiceAccount};
use crate::{Client, Credential, ErrorKind, Step, http_client};

const MAIL: &str = "https://mail.google.com/";

/// As Google's console gives it.
pub(super) fn key_file(token_uri: &str) -> String {
    members(token_uri).to_string()
}

fn members(token_uri: &str) -> Value {
    json!({
        "type": "service_account",
        "project_id": "mail-1",
        "private_key_id": "key-7",
        "private_key": text("key.pem"),
        "client_email": "reader@mail-1.iam.gserviceaccount.com",
        "client_id": "103998877665544332211",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_uri,
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "universe_domain": "googleapis.com",
    })
}

fn account(authority: &Authority, folder: &Folder) -> Client {
    folder.write(
        "key.json",
        key_file(&format!("{}/google", authority.issuer())),
    );
    let account = ServiceAccount::file(folder.path("key.json")).unwrap();
    client(authority, Credential::ServiceAccount(account))
}

#[tokio::test]
async fn the_grant_is_the_one_that_google_documents() {
    // No discovery document: the key file tells where to ask.
    let authority = Authority::silent().await;
    authority.post("/google", token_answer(None)).await;
    let folder = Folder::new(&[]);
    let client = account(&authority, &folder);
    let token = client
        .app_only(&scopes(MAIL), Some("ada@workspace.test"))
        .await
        .unwrap();
    assert_eq!(token.access_token.expose(), "canary-access-token");

    let form = forms(&authority, "/google").await.remove(0);
    let members: Vec<&str> = form.keys().map(String::as_str).collect();
    assert_eq!(members, ["assertion", "grant_type"]);
    assert_eq!(
        form["grant_type"],
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    let (header, claims) = verified(&form["assertion"], "certificate.pem", Signed::RS256);
    assert_eq!(
        header,
        json!({ "typ": "JWT", "alg": "RS256", "kid": "key-7" })
    );
    assert_eq!(
        claims,
        json!({
            "iss": "reader@mail-1.iam.gserviceaccount.com",
            "sub": "ada@workspace.test",
            "aud": format!("{}/google", authority.issuer()),
            "scope": MAIL,
            "iat": NOW.0,
            "exp": NOW.0 + 300,
        })
    );
}

#[tokio::test]
async fn a_rotated_key_signs_the_next_request() {
    let authority = Authority::silent().await;
    authority.post("/google", token_answer(None)).await;
    let folder = Folder::new(&[]);
    let client = account(&authority, &folder);
    let ask = async || {
        client
            .app_only(&scopes(MAIL), Some("ada@workspace.test"))
            .await
            .unwrap()
    };
    ask().await;
    let mut rotated = members(&format!("{}/google", authority.issuer()));
    rotated["private_key"] = json!(text("other.key.pem"));
    rotated["private_key_id"] = json!("key-8");
    folder.write("key.json", rotated.to_string());
    ask().await;
    folder.write("key.json", "{");
    ask().await;

    let forms = forms(&authority, "/google").await;
    let (header, _) = verified(&forms[0]["assertion"], "certificate.pem", Signed::RS256);
    assert_eq!(header["kid"], "key-7");
    for form in &forms[1..] {
        let (header, _) = verified(&form["assertion"], "other.pem", Signed::RS256);
        assert_eq!(header["kid"], "key-8");
    }
}

#[tokio::test]
async fn a_key_file_sends_the_gateway_nowhere_else() {
    let folder = Folder::new(&[]);
    let google = |token_uri: &str| {
        folder.write("key.json", key_file(token_uri));
        let account = ServiceAccount::file(folder.path("key.json")).unwrap();
        let mut registration = registration("https://unused.test");
        registration.provider = Arc::new(Provider::preset("google").unwrap());
        registration.credential = Credential::ServiceAccount(account);
        let http = http_client(None, &policy()).unwrap();
        Client::new(http, registration, policy(), surroundings()).unwrap()
    };
    // Somebody who waits for assertions, and whatever answers inside the network.
    for elsewhere in [
        "https://oauth2.googleapis.com.evil.test/token",
        "https://evilgoogleapis.com/token",
        "https://10.0.0.7/admin",
        "https://169.254.169.254/latest",
        "http://localhost:9/token",
    ] {
        let asked = google(elsewhere);
        let error = asked
            .app_only(&scopes(MAIL), Some("ada@workspace.test"))
            .await;
        let error = error.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Configuration),
            "{elsewhere}: {error:?}"
        );
        assert!(error.to_string().contains("token_uri"), "{error}");
    }
}

#[tokio::test]
async fn it_speaks_for_one_mailbox_and_signs_nobody_in() {
    let authority = Authority::start().await;
    let folder = Folder::new(&[]);
    let client = account(&authority, &folder);
    let refresh_token = RefreshToken::new("refresh-token").unwrap();
    for error in [
        client.app_only(&scopes(MAIL), None).await.unwrap_err(),
        client.app_only(&scopes(MAIL), Some("")).await.unwrap_err(),
        client.refresh(&refresh_token, None).await.unwrap_err(),
        client.authorize_device(&scopes(MAIL)).await.unwrap_err(),
    ] {
        assert!(
            matches!(error.kind(), ErrorKind::Configuration),
            "{error:?}"
        );
    }
    assert_eq!(authority.received("/google").await.len(), 0);
    assert_eq!(authority.received("/token").await.len(), 0);
}

#[tokio::test]
async fn a_refusal_shows_no_assertion() {
    let authority = Authority::silent().await;
    wiremock::Mock::given(wiremock::matchers::path("/google"))
        .respond_with(|request: &wiremock::Request| {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            ResponseTemplate::new(401).set_body_json(json!({
                "error": "unauthorized_client", "error_description": body,
            }))
        })
        .mount(&authority.server)
        .await;
    let folder = Folder::new(&[]);
    let client = account(&authority, &folder);
    let scopes = scopes(MAIL);
    let asked = client.app_only(&scopes, Some("ada@workspace.test"));
    let error = asked.await.unwrap_err();
    let form = forms(&authority, "/google").await.remove(0);
    let shown = format!("{error} {error:?} {client:?} {:?}", client.registration());
    assert!(shown.contains("unauthorized_client"), "{shown}");
    assert_eq!(error.step(), Step::ClientCredentials);
    let signature = form["assertion"].rsplit('.').next().unwrap();
    assert!(!shown.contains(signature), "{shown}");
}

#[test]
fn the_administrator_is_told_its_number() {
    let folder = Folder::new(&[]);
    folder.write("key.json", key_file("https://oauth2.googleapis.com/token"));
    let account = ServiceAccount::file(folder.path("key.json")).unwrap();
    assert_eq!(account.client_id(), "103998877665544332211");
    assert_eq!(account.email(), "reader@mail-1.iam.gserviceaccount.com");
    let mut without = members("https://oauth2.googleapis.com/token");
    without.as_object_mut().unwrap().remove("client_id");
    folder.write("key.json", without.to_string());
    let account = ServiceAccount::file(folder.path("key.json")).unwrap();
    assert_eq!(account.client_id(), account.email());
}

#[test]
fn a_file_that_is_none_is_refused_with_what_is_missing() {
    let folder = Folder::new(&[]);
    let refused = |content: &str| {
        folder.write("key.json", content);
        let error = ServiceAccount::file(folder.path("key.json")).unwrap_err();
        assert_eq!(error.part(), Part::ServiceAccount);
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("canary") && !shown.contains("MII"),
            "{shown}"
        );
        shown
    };
    for content in [
        "",
        "[]",
        "{\"type\":\"canary\",\"private_key\":[\"canary\"]}",
        "canary",
    ] {
        assert!(refused(content).contains("Google's console"), "{content}");
    }
    for (member, value, words) in [
        ("type", json!("authorized_user"), "another type"),
        ("client_email", Value::Null, "`client_email` is missing"),
        ("private_key", Value::Null, "`private_key` is missing"),
        (
            "private_key",
            json!("canary"),
            "`private_key` is not a private key",
        ),
        ("private_key", json!(text("encrypted.key.pem")), "encrypted"),
        ("private_key", json!(text("ec.pem")), "not an RSA key"),
        ("token_uri", Value::Null, "`token_uri` is missing"),
        (
            "token_uri",
            json!("http://oauth2.googleapis.com/token"),
            "https",
        ),
    ] {
        let mut changed = members("https://oauth2.googleapis.com/token");
        changed[member] = value;
        let shown = refused(&changed.to_string());
        assert!(shown.contains(words), "{member}: {shown}");
    }
}
