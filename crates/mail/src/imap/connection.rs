//! From a host and a port to a greeted, encrypted connection.

use std::fmt;

use mailgrant_core::provider::{MailHost, Tls};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::driver::{Command, Driver};
use super::error::Error;
use super::response::{ConditionKind, Reply, Untagged};
use super::{Limits, Transport, tls};

/// Opens connections; cheap to clone, meant to be kept.
#[derive(Clone)]
pub struct Connector {
    tls: TlsConnector,
    limits: Limits,
}

impl Connector {
    /// Trusts the platform's roots and the certificates in `extra_ca_pem`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] when `extra_ca_pem` holds no certificate, [`Error::Tls`] when there
    /// is no root to trust at all.
    pub fn new(extra_ca_pem: Option<&[u8]>, limits: Limits) -> Result<Self, Error> {
        Ok(Self {
            tls: tls::connector(extra_ca_pem)?,
            limits,
        })
    }

    /// The limits that its connections keep.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Connects, secures and reads the greeting. Nothing that was said before TLS is trusted.
    ///
    /// # Errors
    ///
    /// [`Error::Connect`], [`Error::Tls`], [`Error::Timeout`], [`Error::Bye`] when the server sends
    /// the caller away, [`Error::Protocol`] when it does not greet as a server that wants a login.
    pub async fn connect(&self, host: &MailHost) -> Result<Connection, Error> {
        let tcp = self.open(host).await?;
        match host.tls {
            Tls::Implicit => {
                let stream = self.secure(host, Box::new(tcp)).await?;
                Connection::greet(stream, host, self.limits.clone()).await
            }
            Tls::StartTls => {
                let plain = Connection::greet(Box::new(tcp), host, self.limits.clone()).await?;
                let stream = self.secure(host, plain.start_tls().await?).await?;
                let driver = Driver::new(stream, self.limits.clone());
                Ok(Connection::new(driver, host))
            }
        }
    }

    async fn open(&self, host: &MailHost) -> Result<TcpStream, Error> {
        let connect = TcpStream::connect((host.host.as_str(), host.port));
        let connected = timeout(self.limits.connect_timeout, connect)
            .await
            .map_err(|_| Error::Timeout {
                during: format!("connecting to {}:{}", host.host, host.port).into(),
            })?;
        let failed = |source| Error::Connect {
            host: host.host.clone(),
            port: host.port,
            source,
        };
        let tcp = connected.map_err(failed)?;
        tcp.set_nodelay(true).map_err(failed)?;
        Ok(tcp)
    }

    async fn secure(
        &self,
        host: &MailHost,
        transport: Box<dyn Transport>,
    ) -> Result<Box<dyn Transport>, Error> {
        let handshake = tls::handshake(&self.tls, &host.host, transport);
        timeout(self.limits.greeting_timeout, handshake)
            .await
            .map_err(|_| Error::Timeout {
                during: "the TLS handshake".into(),
            })?
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A connection that is not authenticated yet.
pub struct Connection {
    pub(super) driver: Driver,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) capabilities: Vec<String>,
}

impl Connection {
    /// Takes over a stream that is already secure, or need not be: a pipe in a test.
    ///
    /// # Errors
    ///
    /// As [`Connector::connect`] for the greeting.
    pub async fn greet(
        transport: Box<dyn Transport>,
        host: &MailHost,
        limits: Limits,
    ) -> Result<Self, Error> {
        let mut connection = Self::new(Driver::new(transport, limits), host);
        connection.read_greeting().await?;
        Ok(connection)
    }

    /// What the server offers, upper case; asked for when the greeting did not say.
    ///
    /// # Errors
    ///
    /// When CAPABILITY fails.
    pub async fn capabilities(&mut self) -> Result<&[String], Error> {
        if self.capabilities.is_empty() {
            self.capabilities = ask_capabilities(&mut self.driver).await?;
        }
        Ok(&self.capabilities)
    }

    fn new(driver: Driver, host: &MailHost) -> Self {
        Self {
            driver,
            host: host.host.clone(),
            port: host.port,
            capabilities: Vec::new(),
        }
    }

    async fn read_greeting(&mut self) -> Result<(), Error> {
        let patience = self.driver.limits().greeting_timeout;
        let mut exchange = self
            .driver
            .begin("the greeting", Instant::now() + patience)?;
        let greeting = exchange.next().await?;
        match greeting {
            Reply::Untagged(Untagged::Condition(greeting)) => match greeting.kind {
                ConditionKind::Ok => {}
                ConditionKind::PreAuth => {
                    return Err(exchange.protocol(
                        "it greets with PREAUTH, as somebody else's session. Check host and port",
                    ));
                }
                _ => {
                    return Err(exchange.protocol(format!("it greets with: {}", greeting.text)));
                }
            },
            Reply::Untagged(Untagged::Capabilities(list)) => self.capabilities = list,
            _ => return Err(exchange.protocol("no IMAP greeting. Check host and port")),
        }
        self.driver.finish();
        Ok(())
    }

    /// STARTTLS (RFC 3501 §6.2.1) up to the handshake.
    async fn start_tls(mut self) -> Result<Box<dyn Transport>, Error> {
        let refused = |reason: String| Error::Tls {
            host: self.host.clone(),
            reason,
        };
        match self.driver.run(Command::new("STARTTLS"), |_| Ok(())).await {
            Ok(_) => {}
            Err(Error::No { text, .. } | Error::Bad { text, .. }) => {
                return Err(refused(format!(
                    "the server refused STARTTLS ({text}). Use the implicit TLS port (993)"
                )));
            }
            Err(other) => return Err(other),
        }
        let (transport, injected) = self.driver.into_transport();
        if injected {
            return Err(refused(
                "unencrypted data follows the answer to STARTTLS: somebody on the way is injecting it"
                    .into(),
            ));
        }
        Ok(transport)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}

/// CAPABILITY (RFC 3501 §6.1.1); sets what the driver may do with literals.
pub(super) async fn ask_capabilities(driver: &mut Driver) -> Result<Vec<String>, Error> {
    let mut capabilities = Vec::new();
    driver
        .run(Command::new("CAPABILITY"), |data| {
            if let Untagged::Capabilities(list) = data {
                capabilities = list;
            }
            Ok(())
        })
        .await?;
    if capabilities.is_empty() {
        return Err(Error::Protocol {
            during: "CAPABILITY".into(),
            reason: "it names no capability".into(),
        });
    }
    driver.literal_plus = capabilities.iter().any(|c| c == "LITERAL+");
    Ok(capabilities)
}
