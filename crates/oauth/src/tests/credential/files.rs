//! Secrets and other authorities' tokens in files.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mailgrant_core::token::ClientSecret;
use serde_json::json;
use wiremock::ResponseTemplate;

use super::super::support::{Authority, CLIENT_ID, scopes, token_answer};
use super::{Folder, NOW, client, forms, text};
use crate::credential::{Certificate, CertificateSource, Federated, Part, Secret};
use crate::{Credential, ErrorKind, Step};

/// A token as Kubernetes makes them, that ends then.
pub(super) fn jwt(exp: i64) -> String {
    let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = encode(json!({ "alg": "RS256", "kid": "k" }));
    let claims = encode(json!({
        "iss": "https://kubernetes.test", "sub": "system:serviceaccount:mail:mailgrant",
        "aud": "api://AzureADTokenExchange", "exp": exp,
    }));
    format!("{header}.{claims}.canary-signature")
}

#[tokio::test]
async fn a_replaced_secret_is_used_for_the_next_request() {
    let authority = Authority::start().await;
    authority.post("/token", token_answer(None)).await;
    let folder = Folder::new(&[]);
    folder.write("secret", "canary-first\r\n");
    let secret = Secret::file(folder.path("secret")).unwrap();
    let client = client(&authority, Credential::Secret(secret.clone()));
    let ask = async || client.app_only(&scopes("mail"), None).await.unwrap();

    ask().await;
    folder.write("secret", "canary-second\n");
    ask().await;
    // Emptied before it is written anew, as editors do: what was there stays in use.
    folder.write("secret", "");
    ask().await;
    std::fs::remove_file(folder.path("secret")).unwrap();
    ask().await;
    folder.write("secret", "canary-third");
    ask().await;

    let sent: Vec<String> = forms(&authority, "/token")
        .await
        .into_iter()
        .map(|mut form| form.remove("client_secret").unwrap())
        .collect();
    let (first, second, third) = ("canary-first", "canary-second", "canary-third");
    assert_eq!(sent, [first, second, second, second, third]);
    assert_eq!(secret.last().expose(), third);
}

#[test]
fn a_file_without_a_secret_is_refused() {
    let folder = Folder::new(&[]);
    for (content, words) in [
        (&b""[..], "holds no secret"),
        (b"\r\n", "holds no secret"),
        (b"two\nlines", "client secret"),
        (b"\xff\xfe", "not text"),
    ] {
        folder.write("secret", content);
        let error = Secret::file(folder.path("secret")).unwrap_err();
        assert_eq!(error.part(), Part::Secret);
        assert!(error.to_string().contains(words), "{error}");
    }
    let error = Secret::file(folder.path("gone")).unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
}

#[tokio::test]
async fn another_authoritys_token_is_read_for_each_request() {
    let authority = Authority::start().await;
    authority.post("/token", token_answer(None)).await;
    let folder = Folder::new(&[]);
    let (first, second) = (jwt(NOW.0 + 1), jwt(NOW.0 + 2));
    folder.write("token", format!("{first}\n"));
    let federated = Federated::file(folder.path("token")).unwrap();
    let client = client(&authority, Credential::Federated(federated));
    client.app_only(&scopes("mail"), None).await.unwrap();
    folder.write("token", &second);
    client.app_only(&scopes("mail"), None).await.unwrap();

    let forms = forms(&authority, "/token").await;
    assert_eq!(forms[0]["client_assertion"], first);
    assert_eq!(forms[1]["client_assertion"], second);
    for form in &forms {
        assert_eq!(form["client_id"], CLIENT_ID);
        assert_eq!(
            form["client_assertion_type"],
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
    }
}

#[tokio::test]
async fn a_token_that_does_not_do_is_not_sent_and_not_shown() {
    let authority = Authority::start().await;
    authority.post("/token", token_answer(None)).await;
    let folder = Folder::new(&[]);
    folder.write("token", jwt(NOW.0));
    // It may be renewed any moment: no reason not to start.
    let federated = Federated::file(folder.path("token")).unwrap();
    let client = client(&authority, Credential::Federated(federated));
    for (content, words) in [
        (Some(jwt(NOW.0)), "has expired"),
        (Some("canary".to_owned()), "signed JWT"),
        (Some("canary.canary.canary".to_owned()), "signed JWT"),
        (Some(" \n".to_owned()), "is empty"),
        (
            Some(format!("{}.canary", "a".repeat(17_000))),
            "more than a token",
        ),
        (Some("x".repeat(70_000)), "larger than"),
        (None, "cannot be read"),
    ] {
        match content {
            Some(content) => folder.write("token", content),
            None => std::fs::remove_file(folder.path("token")).unwrap(),
        }
        let error = client.app_only(&scopes("mail"), None).await.unwrap_err();
        let ErrorKind::Credential(problem) = error.kind() else {
            panic!("{error:?}")
        };
        assert_eq!(problem.part(), Part::Token);
        assert_eq!(error.step(), Step::ClientCredentials);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(words), "{shown}");
        assert!(
            shown.contains(folder.path("token").to_str().unwrap()),
            "{shown}"
        );
        assert!(!shown.contains("canary"), "{shown}");
    }
    assert_eq!(authority.received("/token").await.len(), 0);
    folder.write("token", jwt(NOW.0 + 60));
    client.app_only(&scopes("mail"), None).await.unwrap();
}

#[test]
fn a_file_without_a_token_is_refused_at_the_start() {
    let folder = Folder::new(&[]);
    for content in ["", "not a token", "a.b.c"] {
        folder.write("token", content);
        let error = Federated::file(folder.path("token")).unwrap_err();
        assert_eq!(error.part(), Part::Token, "{error}");
    }
    assert!(Federated::file(folder.path("gone")).is_err());
}

#[tokio::test]
async fn no_secret_that_is_echoed_is_shown() {
    let authority = Authority::start().await;
    wiremock::Mock::given(wiremock::matchers::path("/token"))
        .respond_with(|request: &wiremock::Request| {
            let pairs = String::from_utf8_lossy(&request.body).into_owned();
            ResponseTemplate::new(401).set_body_json(json!({
                "error": "invalid_client", "error_description": pairs,
            }))
        })
        .mount(&authority.server)
        .await;
    let folder = Folder::new(&[]);
    folder.write("secret", "canary-secret");
    folder.write("token", jwt(NOW.0 + 60));
    let secret = Credential::Secret(Secret::file(folder.path("secret")).unwrap());
    let federated = Credential::Federated(Federated::file(folder.path("token")).unwrap());
    for credential in [secret, federated] {
        let client = client(&authority, credential);
        let error = client.app_only(&scopes("mail"), None).await.unwrap_err();
        let shown = format!("{error} {error:?} {client:?} {:?}", client.registration());
        assert!(shown.contains("invalid_client"), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[tokio::test]
async fn a_fingerprint_changes_with_what_would_be_used_and_shows_nothing() {
    let folder = Folder::new(&[("app.pem", "both.pem")]);
    folder.write("secret", "canary-first");
    folder.write("token.jwt", jwt(NOW.0 + 60));
    let secret = Credential::Secret(Secret::file(folder.path("secret")).unwrap());
    let token = Credential::Federated(Federated::file(folder.path("token.jwt")).unwrap());
    let certificate = CertificateSource::file(folder.path("app.pem"));
    let certificate = Credential::Certificate(Certificate::open(certificate).unwrap());
    let now = NOW;
    let all = async || {
        [
            secret.fingerprint(now).await,
            token.fingerprint(now).await,
            certificate.fingerprint(now).await,
        ]
    };

    let before = all().await;
    assert_eq!(all().await, before);
    assert!(!format!("{before:?}").contains("canary"));
    // A file that cannot be used leaves what is in use; another authority's token is read each time.
    for name in ["secret", "token.jwt", "app.pem"] {
        folder.write(name, "");
    }
    let [held, gone, kept] = all().await;
    assert_eq!([&held, &kept], [&before[0], &before[2]]);
    assert_ne!(gone, before[1]);
    folder.write("secret", "canary-second");
    folder.write("token.jwt", jwt(NOW.0 + 120));
    folder.write("app.pem", text("other.pem") + &text("other.key.pem"));
    for (before, after) in before.iter().zip(all().await) {
        assert_ne!(*before, after);
    }
    let value = Credential::from(ClientSecret::new("canary").unwrap());
    assert_eq!(
        value.fingerprint(now).await,
        Credential::None.fingerprint(now).await
    );
}
