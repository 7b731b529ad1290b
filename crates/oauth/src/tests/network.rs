//! Authorities that are down, slow, endless or somebody else.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mailgrant_core::pkce::CodeVerifier;
use mailgrant_core::provider::Endpoints;
use mailgrant_core::token::{AuthorizationCode, RefreshToken};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wiremock::ResponseTemplate;

use super::support::{
    Authority, client, html, policy, registration, scopes, surroundings, token_answer,
};
use crate::{Client, Error, ErrorKind, Policy, http_client};

const APP_ONLY: &str = "https://outlook.office365.com/.default";

async fn refresh(client: &Client) -> Result<(), Error> {
    client
        .refresh(&RefreshToken::new("rt").unwrap(), None)
        .await
        .map(|_| ())
}

async fn exchange(client: &Client) -> Result<(), Error> {
    let code = AuthorizationCode::new("code").unwrap();
    client
        .exchange_code(&code, &CodeVerifier::from_random([1; 32]))
        .await
        .map(|_| ())
}

#[tokio::test]
async fn a_passing_fault_is_outlived() {
    let authority = Authority::start().await;
    authority
        .post_once("/token", ResponseTemplate::new(503))
        .await;
    authority
        .post_once("/token", ResponseTemplate::new(429))
        .await;
    authority.post("/token", token_answer(None)).await;
    refresh(&authority.client()).await.unwrap();
    assert_eq!(authority.received("/token").await.len(), 3);
}

#[tokio::test]
async fn repetition_is_bounded() {
    let authority = Authority::start().await;
    authority.post("/token", ResponseTemplate::new(502)).await;
    let error = refresh(&authority.client()).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Unavailable { status: 502 }),
        "{error:?}"
    );
    assert!(error.is_transient());
    assert_eq!(authority.received("/token").await.len(), 3);
}

#[tokio::test]
async fn a_code_is_sent_once() {
    for answer in [
        ResponseTemplate::new(503),
        ResponseTemplate::new(429),
        html(200),
    ] {
        let authority = Authority::start().await;
        authority.post("/token", answer).await;
        assert!(
            exchange(&authority.client())
                .await
                .unwrap_err()
                .is_transient()
        );
        assert_eq!(authority.received("/token").await.len(), 1);
    }
}

#[tokio::test]
async fn a_long_wait_is_the_callers() {
    let authority = Authority::start().await;
    let answer = ResponseTemplate::new(429).insert_header("Retry-After", "10");
    authority.post("/token", answer).await;
    let error = refresh(&authority.client()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Throttled), "{error:?}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(10)));
    assert_eq!(authority.received("/token").await.len(), 1);
}

#[tokio::test]
async fn a_short_wait_is_kept() {
    let authority = Authority::start().await;
    let answer = ResponseTemplate::new(503).insert_header("Retry-After", "1");
    authority.post_once("/token", answer).await;
    authority.post("/token", token_answer(None)).await;
    let begun = tokio::time::Instant::now();
    refresh(&authority.client()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_page_is_no_refusal() {
    let authority = Authority::start().await;
    authority.post("/token", html(200)).await;
    let client = authority.client();
    let error = refresh(&client).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NotJson { status: 200 }),
        "{error:?}"
    );
    assert!(error.is_transient(), "a proxy's page does not end a grant");
    assert_eq!(
        authority.received("/token").await.len(),
        1,
        "a rotated token may be in use"
    );
    client.app_only(&scopes(APP_ONLY), None).await.unwrap_err();
    assert_eq!(
        authority.received("/token").await.len(),
        4,
        "these change nothing"
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let authority = Authority::start().await;
    let elsewhere = format!("{}/elsewhere", authority.issuer());
    for status in [301, 302, 307, 308] {
        let answer = ResponseTemplate::new(status).insert_header("Location", elsewhere.as_str());
        authority.post_once("/token", answer).await;
        let error = refresh(&authority.client()).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Malformed), "{error:?}");
        assert!(error.to_string().contains("redirects"), "{error}");
    }
    assert!(authority.received("/elsewhere").await.is_empty());
}

#[tokio::test]
async fn large_answers_are_cut() {
    let authority = Authority::start().await;
    let large = vec![b' '; 10 * 1024 * 1024];
    authority
        .post("/token", ResponseTemplate::new(200).set_body_bytes(large))
        .await;
    let error = refresh(&authority.client()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Malformed), "{error:?}");
    assert!(
        error.to_string().contains("larger than 1048576 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let server = serve(|mut stream| async move {
        read_head(&mut stream).await?;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await?;
        let chunk = [b"4000\r\n".as_slice(), &[b' '; 0x4000], b"\r\n"].concat();
        loop {
            stream.write_all(&chunk).await?;
        }
    })
    .await;
    let error = refresh(&explicit(&server.url, policy())).await.unwrap_err();
    assert!(error.to_string().contains("larger than"), "{error}");
}

#[tokio::test]
async fn a_hanging_authority_ends_in_time() {
    let authority = Authority::silent().await;
    let hang = token_answer(None).set_delay(Duration::from_secs(600));
    authority.post("/token", hang).await;
    // Long enough for the request to arrive on a busy machine.
    let short = Policy {
        request_timeout: Duration::from_secs(1),
        ..policy()
    };
    let client = explicit(&format!("{}/token", authority.issuer()), short);
    let error = exchange(&client).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout), "{error:?}");
    assert!(error.is_transient());
    assert_eq!(authority.received("/token").await.len(), 1);
}

#[tokio::test]
async fn the_deadline_covers_all_attempts() {
    let authority = Authority::silent().await;
    let hang = token_answer(None).set_delay(Duration::from_secs(600));
    authority.post("/token", hang).await;
    let short = Policy {
        deadline: Duration::from_millis(300),
        attempts: 1000,
        ..policy()
    };
    let client = explicit(&format!("{}/token", authority.issuer()), short);
    let error = client.app_only(&scopes(APP_ONLY), None).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout), "{error:?}");
}

#[tokio::test]
async fn a_dripping_answer_ends_in_time() {
    let server = serve(|mut stream| async move {
        read_head(&mut stream).await?;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            .await?;
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        loop {
            tick.tick().await;
            stream.write_all(b" ").await?;
        }
    })
    .await;
    let short = Policy {
        request_timeout: Duration::from_millis(200),
        ..policy()
    };
    let error = exchange(&explicit(&server.url, short)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout), "{error:?}");
}

#[tokio::test]
async fn a_cut_connection_may_have_spent_the_code() {
    let server = serve(|mut stream| async move { read_head(&mut stream).await }).await;
    let client = explicit(&server.url, policy());

    let error = exchange(&client).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Network), "{error:?}");
    assert_eq!(server.connections(), 1);
    refresh(&client).await.unwrap_err();
    assert_eq!(
        server.connections(),
        2,
        "a refresh token may have been rotated"
    );
    client.app_only(&scopes("mail"), None).await.unwrap_err();
    assert_eq!(server.connections(), 5, "these change nothing");
}

#[tokio::test]
async fn nobody_there_is_a_network_fault() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let client = client(&format!("http://127.0.0.1:{port}"), policy());
    let error = client.metadata().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Network), "{error:?}");
    assert!(
        !format!("{error:?}").contains("/.well-known"),
        "no URL: {error:?}"
    );
}

#[tokio::test]
async fn a_ca_of_ones_own_is_trusted_where_it_is_given() {
    let (authority_pem, acceptor) = tls();
    let server = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = acceptor.accept(stream).await?;
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await?;
            let body = r#"{"access_token":"at","token_type":"Bearer"}"#;
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        }
    })
    .await;
    let url = server.url.replace("http://127.0.0.1", "https://localhost");

    let trusting = explicit_with(
        &url,
        http_client(Some(authority_pem.as_bytes()), &policy()).unwrap(),
    );
    refresh(&trusting).await.unwrap();
    let other = http_client(Some(tls().0.as_bytes()), &policy()).unwrap();
    let error = refresh(&explicit_with(&url, other)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Network), "{error:?}");
    assert!(error.to_string().contains("TLS trust"), "{error}");
}

/// A client whose only endpoint is this server.
fn explicit(url: &str, policy: Policy) -> Client {
    let http = http_client(None, &policy).unwrap();
    Client::new(http, explicit_registration(url), policy, surroundings()).unwrap()
}

fn explicit_with(url: &str, http: reqwest::Client) -> Client {
    Client::new(http, explicit_registration(url), policy(), surroundings()).unwrap()
}

fn explicit_registration(url: &str) -> crate::Registration {
    let endpoint = mailgrant_core::endpoint::Endpoint::new(url).unwrap();
    let mut registration = registration("https://unused.test");
    Arc::make_mut(&mut registration.provider).endpoints = Endpoints::Explicit {
        issuer: None,
        authorization_endpoint: endpoint.clone(),
        token_endpoint: endpoint,
        jwks_uri: None,
        device_authorization_endpoint: None,
        userinfo_endpoint: None,
    };
    registration
}

struct RawServer {
    url: String,
    connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl RawServer {
    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves each connection with bytes of the test's own.
async fn serve<F>(answer: impl Fn(TcpStream) -> F + Send + 'static) -> RawServer
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(answer(stream));
        }
    });
    RawServer {
        url,
        connections,
        task,
    }
}

async fn read_head(stream: &mut TcpStream) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    Ok(())
}

/// A CA, and a server that it vouches for.
fn tls() -> (String, tokio_rustls::TlsAcceptor) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_certificate = ca.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    (
        ca_certificate.pem(),
        tokio_rustls::TlsAcceptor::from(Arc::new(config)),
    )
}
