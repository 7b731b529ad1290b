//! Taking connections in.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::fault::{LineFaults, TLS_REFUSAL};
use super::{Security, Stream};

/// A service that talks in lines.
pub(crate) trait Service: Send + Sync + 'static {
    /// For the log, such as `IMAP`.
    const NAME: &'static str;

    /// Where its connections come in.
    fn door(&self) -> &Door;

    /// What one who is too many is told, in the clear.
    fn crowded(&self) -> &'static [u8];

    /// Talks until one side has enough.
    fn serve(
        self: Arc<Self>,
        stream: Box<dyn Stream>,
        security: Security,
    ) -> impl Future<Output = ()> + Send;
}

/// How a port begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    Implicit,
    StartTls,
}

/// The door of a service: how many may be inside, how they are encrypted, and when it closes. Clones are the same
/// door.
#[derive(Clone)]
pub(crate) struct Door {
    acceptor: TlsAcceptor,
    connections: Arc<Semaphore>,
    handshake: Duration,
    faults: Option<LineFaults>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Door {
    /// A door for so many connections at once, each of which may take so long for its TLS handshake.
    pub(crate) fn new(tls: Arc<ServerConfig>, connections: usize, handshake: Duration) -> Self {
        Door {
            acceptor: tls.into(),
            connections: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))),
            handshake,
            faults: None,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// The same door, where these things go wrong: ports that are closed, handshakes that are refused.
    pub(crate) fn under(mut self, faults: &LineFaults) -> Self {
        self.faults = Some(faults.clone());
        self
    }

    /// Takes connections in from now on; returns the address.
    pub(crate) fn open<S: Service>(
        &self,
        service: &Arc<S>,
        listener: TcpListener,
        tls: Tls,
    ) -> std::io::Result<SocketAddr> {
        let address = listener.local_addr()?;
        self.tasks.spawn(run(Arc::clone(service), listener, tls));
        Ok(address)
    }

    /// Does something beside the conversations, which ends when the service is told to stop.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Ends when the service is told to stop.
    pub(crate) async fn stopping(&self) {
        self.stop.clone().cancelled_owned().await;
    }

    /// Does the server's side of a TLS handshake; `None` when it fails or takes too long.
    pub(crate) async fn encrypt<S: Stream + 'static>(&self, stream: S) -> Option<Box<dyn Stream>> {
        if self.faults.as_ref().is_some_and(LineFaults::refuses_tls) {
            refuse_tls(stream).await;
            return None;
        }
        let handshake = timeout(self.handshake, self.acceptor.accept(stream));
        tokio::select! {
            () = self.stopping() => None,
            encrypted = handshake => match encrypted {
                Ok(Ok(encrypted)) => Some(Box::new(encrypted)),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "TLS handshake failed");
                    None
                }
                Err(_) => None,
            },
        }
    }

    /// Tells every conversation to end.
    pub(crate) fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
    }

    /// The same, and waits until all have ended.
    pub(crate) async fn closed(&self) {
        self.close();
        self.tasks.wait().await;
    }
}

/// Takes connections until the service is told to stop.
async fn run<S: Service>(service: Arc<S>, listener: TcpListener, tls: Tls) {
    let mut listener = listener;
    loop {
        let accepted = tokio::select! {
            () = service.door().stopping() => return,
            () = service.door().goes_down() => {
                match closed(service.door(), listener).await {
                    Some(opened) => listener = opened,
                    None => return,
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => take(&service, stream, tls),
            Err(error) => {
                // Out of file descriptors, mostly: those that are open must get the time to end.
                tracing::warn!(%error, "{}: a connection could not be accepted", S::NAME);
                tokio::select! {
                    () = service.door().stopping() => return,
                    () = tokio::time::sleep(RETRY) => {}
                }
            }
        }
    }
}

impl Door {
    /// Ends when the ports are to be closed.
    async fn goes_down(&self) {
        self.comes(true).await;
    }

    /// Waits until the ports are to be closed, or are to be no more.
    async fn comes(&self, down: bool) {
        let Some(faults) = &self.faults else {
            return std::future::pending().await;
        };
        loop {
            let changed = faults.changed();
            if faults.is_down() == down {
                return;
            }
            changed.await;
        }
    }
}

/// Keeps a port closed as long as it is to be; `None` when the service ends meanwhile.
async fn closed(door: &Door, listener: TcpListener) -> Option<TcpListener> {
    let address = listener.local_addr().ok()?;
    drop(listener);
    tokio::select! {
        () = door.stopping() => return None,
        () = door.comes(false) => {}
    }
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return Some(listener),
            Err(error) => tracing::warn!(%error, %address, "the port cannot be opened again yet"),
        }
        tokio::select! {
            () = door.stopping() => return None,
            () = tokio::time::sleep(RETRY) => {}
        }
    }
}

/// Reads the client's hello, so that the refusal reaches it, and refuses.
async fn refuse_tls<S: Stream>(mut stream: S) {
    let refuse = async {
        let mut hello = Vec::with_capacity(4096);
        if stream.read_buf(&mut hello).await? > 0 {
            stream.write_all(&TLS_REFUSAL).await?;
        }
        stream.shutdown().await
    };
    let _ = timeout(Duration::from_secs(5), refuse).await;
}

fn take<S: Service>(service: &Arc<S>, stream: TcpStream, tls: Tls) {
    let _ = stream.set_nodelay(true);
    let door = service.door().clone();
    let Ok(permit) = Arc::clone(&door.connections).try_acquire_owned() else {
        door.tasks.spawn(turn_away(stream, tls, service.crowded()));
        return;
    };
    let service = Arc::clone(service);
    door.clone().tasks.spawn(async move {
        let _permit = permit;
        match tls {
            Tls::StartTls => service.serve(Box::new(stream), Security::Plain).await,
            Tls::Implicit => {
                if let Some(stream) = door.encrypt(stream).await {
                    service.serve(stream, Security::Encrypted).await;
                }
            }
        }
    });
}

/// In the clear the client is told; before a handshake there is nothing to tell it with.
async fn turn_away(mut stream: TcpStream, tls: Tls, words: &'static [u8]) {
    if tls == Tls::StartTls {
        let _ = timeout(Duration::from_secs(1), stream.write_all(words)).await;
    }
}

/// How soon what failed for want of something is tried again.
const RETRY: Duration = Duration::from_millis(100);
