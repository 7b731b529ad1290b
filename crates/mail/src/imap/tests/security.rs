//! TLS, from the start and by STARTTLS, on loopback with a CA of the test's own.

use std::net::SocketAddr;
use std::sync::Arc;

use mailgrant_core::provider::{MailHost, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::script::{LOGIN, play, steps, token};
use crate::imap::{Connector, Error, Limits};

/// A CA, and a server certificate of it for `localhost`.
struct Pki {
    ca_pem: String,
    acceptor: TlsAcceptor,
}

impl Pki {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &ca).unwrap();
        let private_key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], private_key)
                .unwrap();
        Self {
            ca_pem: ca.pem(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }

    fn connector(&self) -> Connector {
        Connector::new(Some(self.ca_pem.as_bytes()), Limits::default()).unwrap()
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn at(host: &str, address: SocketAddr, tls: Tls) -> MailHost {
    MailHost::new(host, address.port(), tls).unwrap()
}

/// Serves one connection: `before` in the clear, then TLS and `after`.
async fn serve(
    pki: &Pki,
    before: &'static str,
    after: &'static str,
) -> (SocketAddr, JoinHandle<()>) {
    let (listener, address) = listen().await;
    let acceptor = pki.acceptor.clone();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        play(&mut stream, steps(before)).await;
        if let Ok(stream) = acceptor.accept(stream).await {
            play(stream, steps(after)).await;
        }
    });
    (address, task)
}

const STARTTLS: &str = "
    S: * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] ready
    C: STARTTLS
    S: TAG OK Begin TLS negotiation now.
";

#[tokio::test]
async fn implicit_tls_with_an_extra_ca() {
    let pki = Pki::new();
    let (address, played) = serve(&pki, "", LOGIN).await;
    let host = at("localhost", address, Tls::Implicit);
    let connection = pki.connector().connect(&host).await.unwrap();
    connection
        .authenticate("u@x.example", &token())
        .await
        .unwrap();
    played.await.unwrap();
}

/// No greeting follows the handshake, and what was offered before it counts for nothing.
#[tokio::test]
async fn starttls_asks_again_what_the_server_offers() {
    let pki = Pki::new();
    let after = LOGIN
        .split_once('\n')
        .unwrap()
        .1
        .split_once('\n')
        .unwrap()
        .1;
    let (address, played) = serve(&pki, STARTTLS, after).await;
    let host = at("localhost", address, Tls::StartTls);
    let connection = pki.connector().connect(&host).await.unwrap();
    connection
        .authenticate("u@x.example", &token())
        .await
        .unwrap();
    played.await.unwrap();
}

#[tokio::test]
async fn a_ca_that_is_not_given_is_not_trusted() {
    let (pki, other) = (Pki::new(), Pki::new());
    for (before, tls) in [("", Tls::Implicit), (STARTTLS, Tls::StartTls)] {
        let (address, _) = serve(&pki, before, LOGIN).await;
        let host = at("localhost", address, tls);
        let error = other.connector().connect(&host).await.unwrap_err();
        assert!(matches!(&error, Error::Tls { .. }), "{error:?}");
        assert!(
            error.to_string().contains("tls_ca_file") && !error.is_transient(),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let pki = Pki::new();
    let (address, _) = serve(&pki, "", LOGIN).await;
    let host = at("127.0.0.1", address, Tls::Implicit);
    let error = pki.connector().connect(&host).await.unwrap_err();
    assert!(matches!(&error, Error::Tls { .. }), "{error:?}");
    assert!(error.to_string().contains("Check the host"), "{error}");
}

/// Data after the OK, in the same segment or half of a line: injected before the encryption.
#[tokio::test]
async fn what_follows_the_starttls_answer_in_the_clear_is_an_attack() {
    let pki = Pki::new();
    for injected in ["* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n", "* OK hal", "x"] {
        let (listener, address) = listen().await;
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"* OK ready\r\n").await.unwrap();
            let mut command = [0; "M0002 STARTTLS\r\n".len()];
            stream.read_exact(&mut command).await.unwrap();
            stream
                .write_all(format!("M0002 OK begin\r\n{injected}").as_bytes())
                .await
                .unwrap();
            let _ = stream.read(&mut command).await;
        });
        let host = at("localhost", address, Tls::StartTls);
        let error = pki.connector().connect(&host).await.unwrap_err();
        assert!(error.to_string().contains("injecting"), "{error}");
    }
}

#[tokio::test]
async fn nothing_goes_on_in_the_clear_when_starttls_fails() {
    let pki = Pki::new();
    for before in [
        "S: * OK ready\nC: STARTTLS\nS: TAG NO not here",
        "S: * OK ready\nC: STARTTLS\nS: TAG BAD not here",
        "S: * PREAUTH ready",
        "S: * BYE not now",
        "S: * OK ready\nC: STARTTLS\nX",
    ] {
        let (listener, address) = listen().await;
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            play(&mut stream, steps(before)).await;
            let mut more = Vec::new();
            let _ = stream.shutdown().await;
            stream.read_to_end(&mut more).await.unwrap();
            more
        });
        let host = at("localhost", address, Tls::StartTls);
        assert!(pki.connector().connect(&host).await.is_err(), "{before}");
        assert_eq!(task.await.unwrap(), b"", "{before}");
    }
}

#[tokio::test]
async fn the_wrong_kind_of_port_is_explained() {
    let pki = Pki::new();
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"* OK plain IMAP here\r\n").await.unwrap();
        let _ = stream.read(&mut [0; 64]).await;
    });
    let error = pki
        .connector()
        .connect(&at("localhost", address, Tls::Implicit))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("starttls"), "{error}");
}

#[tokio::test]
async fn a_port_nobody_listens_on() {
    let (listener, address) = listen().await;
    drop(listener);
    let error = Pki::new()
        .connector()
        .connect(&at("localhost", address, Tls::Implicit))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Connect { .. }) && error.is_transient(),
        "{error:?}"
    );
}

#[tokio::test]
async fn ca_files_that_hold_no_certificate() {
    for pem in [
        &b""[..],
        b"not PEM",
        b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
    ] {
        let error = Connector::new(Some(pem), Limits::default()).unwrap_err();
        assert!(
            matches!(
                error,
                Error::InvalidInput {
                    what: "the CA file",
                    ..
                }
            ),
            "{error:?}"
        );
    }
}

/// A command is one TLS record, whatever it is made of.
#[tokio::test]
async fn a_command_goes_out_in_one_write() {
    let pki = Pki::new();
    let (address, played) = serve(&pki, "", LOGIN).await;
    let (relay, relayed) = relay(address).await;
    let host = at("localhost", relay, Tls::Implicit);
    let connection = pki.connector().connect(&host).await.unwrap();
    let session = connection
        .authenticate("u@x.example", &token())
        .await
        .unwrap();
    drop(session);
    played.await.unwrap();
    let records = relayed.await.unwrap();
    // Three commands and the closing alert, after the handshake's last record.
    let application = records.iter().filter(|kind| **kind == 23).count();
    assert!((4..=5).contains(&application), "{records:?}");
}

/// Passes one connection through; answers the types of the client's TLS records.
async fn relay(to: SocketAddr) -> (SocketAddr, JoinHandle<Vec<u8>>) {
    let (listener, address) = listen().await;
    let task = tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let server = TcpStream::connect(to).await.unwrap();
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
        let mut records = Vec::new();
        let mut header = [0; 5];
        while from_client.read_exact(&mut header).await.is_ok() {
            let mut body = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
            if from_client.read_exact(&mut body).await.is_err() {
                break;
            }
            records.push(header[0]);
            let _ = to_server.write_all(&[&header[..], &body].concat()).await;
        }
        records
    });
    (address, task)
}
