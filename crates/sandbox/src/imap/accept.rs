//! Taking connections in.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::Service;
use super::connection::{Connection, Security};
use super::wire::Wire;

/// How a port begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    Implicit,
    StartTls,
}

/// ```text
/// * OK The Microsoft Exchange IMAP4 service is ready. [<base64 of the UTF-16LE host name>]
/// ```
pub(super) fn greeting(host_name: &str) -> String {
    let utf16: Vec<u8> = host_name
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    format!(
        "* OK The Microsoft Exchange IMAP4 service is ready. [{}]\r\n",
        STANDARD.encode(utf16)
    )
}

/// Takes connections until the service is told to stop.
pub(super) async fn run(service: Arc<Service>, listener: TcpListener, tls: Tls) {
    loop {
        let accepted = tokio::select! {
            () = service.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => take(&service, stream, tls),
            Err(error) => {
                // Out of file descriptors, mostly: those that are open must get the time to end.
                tracing::warn!(%error, "IMAP: a connection could not be accepted");
                tokio::select! {
                    () = service.stop.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_millis(100)) => {}
                }
            }
        }
    }
}

fn take(service: &Arc<Service>, stream: TcpStream, tls: Tls) {
    let _ = stream.set_nodelay(true);
    let Ok(permit) = service.connections.clone().try_acquire_owned() else {
        service.tasks.spawn(turn_away(stream, tls));
        return;
    };
    let service = service.clone();
    let tasks = service.tasks.clone();
    tasks.spawn(async move {
        let _permit = permit;
        let limits = &service.limits;
        let wire = match tls {
            Tls::StartTls => Wire::new(Box::new(stream), limits),
            Tls::Implicit => {
                let handshake = service.acceptor.accept(stream);
                match timeout(limits.login_timeout, handshake).await {
                    Ok(Ok(stream)) => Wire::new(Box::new(stream), limits),
                    Ok(Err(error)) => {
                        tracing::debug!(%error, "IMAP: TLS handshake failed");
                        return;
                    }
                    Err(_) => return,
                }
            }
        };
        let security = match tls {
            Tls::Implicit => Security::Encrypted,
            Tls::StartTls => Security::Plain,
        };
        Connection::new(service, wire, security).run().await;
    });
}

/// In the clear the client is told; before a handshake there is nothing to tell it with.
async fn turn_away(mut stream: TcpStream, tls: Tls) {
    if tls == Tls::StartTls {
        let bye = b"* BYE Connection refused: too many connections.\r\n";
        let _ = timeout(Duration::from_secs(1), stream.write_all(bye)).await;
    }
}
