//! A client that says what the input says, whatever is answered.

use std::cell::OnceCell;
use std::sync::{Arc, OnceLock};

use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::{Builder, Runtime};

use crate::net::{Security, Service};

/// How the octets arrive: all at once, or in pieces of one size.
pub(super) fn pieces(choice: u8) -> usize {
    match choice % 4 {
        0 => usize::MAX,
        1 => 1,
        2 => 7,
        _ => 64,
    }
}

/// Runs a session to its end; gives what the service said.
///
/// The client sends everything and then closes its half; it reads everything.
pub(super) fn session(
    service: Arc<impl Service>,
    security: Security,
    said: &[u8],
    piece: usize,
) -> Vec<u8> {
    let (client, server) = tokio::io::duplex(PIPE);
    let (mut incoming, mut outgoing) = tokio::io::split(client);
    let served = service.serve(Box::new(server), security);
    let talk = async {
        let speak = async {
            for piece in said.chunks(piece) {
                // The service may have had enough.
                if outgoing.write_all(piece).await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
            let _ = outgoing.shutdown().await;
        };
        let listen = async {
            let mut heard = Vec::new();
            let _ = incoming.read_to_end(&mut heard).await;
            heard
        };
        tokio::join!(served, speak, listen).2
    };
    RUNTIME.with(|runtime| runtime.get_or_init(paused).block_on(talk))
}

/// A certificate for the other end of STARTTLS.
pub(super) fn tls() -> Arc<ServerConfig> {
    static TLS: OnceLock<Arc<ServerConfig>> = OnceLock::new();
    TLS.get_or_init(|| {
        let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])
            .expect("a certificate");
        let private = PrivatePkcs8KeyDer::from(key.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(vec![key.cert.der().clone()], private.into())
            })
            .expect("a TLS configuration");
        Arc::new(config)
    })
    .clone()
}

thread_local! {
    static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
}

fn paused() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime")
}

/// Octets in flight: small, so that both sides have to wait for one another.
const PIPE: usize = 16 * 1024;
