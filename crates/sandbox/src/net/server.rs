//! A mail service with two ports, running.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;

use super::{Door, Service, Tls};

/// The running service. Dropping it ends the service without waiting.
pub struct Server {
    implicit: SocketAddr,
    starttls: SocketAddr,
    door: Door,
}

impl Server {
    /// Lets clients of 127.0.0.1 in by these ports; 0 is any free one.
    pub(crate) async fn open<S: Service>(
        service: &Arc<S>,
        port: u16,
        starttls_port: u16,
    ) -> io::Result<Self> {
        let implicit = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let starttls = TcpListener::bind((Ipv4Addr::LOCALHOST, starttls_port)).await?;
        let door = service.door().clone();
        Ok(Server {
            implicit: door.open(service, implicit, Tls::Implicit)?,
            starttls: door.open(service, starttls, Tls::StartTls)?,
            door,
        })
    }

    /// The port that speaks TLS at once.
    pub fn port(&self) -> u16 {
        self.implicit.port()
    }

    /// The port that begins in the clear and offers TLS.
    pub fn starttls_port(&self) -> u16 {
        self.starttls.port()
    }

    /// Takes leave of every client and waits until all is closed.
    pub async fn stop(self) {
        self.door.closed().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.door.close();
    }
}
