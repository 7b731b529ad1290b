//! A sandbox that runs.

mod description;
mod imap_login;
mod pop3_login;
mod post_office;

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};
use tokio::task::JoinHandle;

pub use description::{
    ApplicationDescription, Description, MailServer, OrganizationDescription,
    SharedMailboxDescription, SubmissionServer, UserDescription,
};

use crate::authority::{self, Addresses, Authority};
use crate::console::{self, Console};
use crate::control::{self, Faults, RequestLog};
use crate::directory::TenantFile;
use crate::mailstore::{MailStore, StoreError};
use crate::outbox::Outbox;
use crate::pki::Pki;
use crate::{Clock, Directory, Error, SandboxSettings, imap, pop3, seed, smtp};
use imap_login::ImapLogin;
pub(crate) use post_office::Exchange;

/// Entra ID and Exchange Online in a box.
#[derive(Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Starts everything on 127.0.0.1 and returns when every port answers. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the tenant is not valid, the directory is not usable or a port is taken.
    pub async fn start(settings: SandboxSettings) -> Result<Running, Error> {
        let now = settings.clock.now();
        let tenant = match settings.tenant.clone() {
            Some(tenant) => tenant,
            None => TenantFile::built_in()?,
        };
        // Peers judge certificates by the machine's clock, whatever this sandbox's says.
        let pki = Pki::open(&settings.dir, Clock::system().now())?;
        let directory = Directory::open(
            &settings.dir,
            tenant,
            &settings.redirect_uris,
            now,
            Arc::clone(&settings.random),
        )?;
        let plain = listen("the authority", settings.authority_port)?;
        let tls = listen("the authority (HTTPS)", settings.authority_tls_port)?;
        let authority = web::Data::new(Authority::new(
            directory.clone(),
            settings.clock.clone(),
            Arc::clone(&settings.random),
            Addresses {
                plain: format!("http://localhost:{}", port(&plain)?),
                tls: format!("https://localhost:{}", port(&tls)?),
            },
            settings.access_token_lifetime,
        ));
        let store = open_mail(&settings, &directory).await?;
        let login = ImapLogin {
            directory: directory.clone(),
            log: authority.log.clone(),
            faults: authority.faults.clone(),
        };
        let imap_settings = imap::Settings {
            port: settings.imap_port,
            starttls_port: settings.imap_starttls_port,
            faults: authority.faults.clone(),
            sessions: authority.imap_sessions.clone(),
            ..Default::default()
        };
        let clock = settings.clock.clone();
        let imap = imap::serve(
            imap_settings,
            pki.server(),
            Arc::clone(&store),
            Arc::new(login),
            clock,
        )
        .await
        .map_err(|source| Error::Listen {
            service: "IMAP",
            port: settings.imap_port,
            source,
        })?;
        let outbox = Arc::new(Outbox::open(settings.dir.join("outbox"))?);
        let smtp = serve_smtp(&settings, &authority, &store, &outbox, &pki).await?;
        let pop3 = pop3_login::serve(&settings, &authority, &store, &pki).await?;
        let description = Description::of(&authority, &pki, &imap, &smtp, &pop3);
        let console = Console::new(description, &*settings.random)?;
        let data = Shared {
            authority: authority.clone(),
            console: web::Data::new(console),
            store: web::Data::from(Arc::clone(&store)),
            outbox: web::Data::from(Arc::clone(&outbox)),
        };
        let (handle, server) = serve(data, plain, tls, &pki)?;
        Ok(Running {
            authority,
            pki,
            store,
            outbox,
            imap,
            smtp,
            pop3,
            handle,
            server,
        })
    }
}

/// A running sandbox. Dropping it does not stop it; [`stop`](Self::stop) does.
pub struct Running {
    authority: web::Data<Authority>,
    pki: Pki,
    store: Arc<MailStore>,
    outbox: Arc<Outbox>,
    imap: imap::Server,
    smtp: smtp::Server,
    pop3: pop3::Server,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// What a client must know to use the sandbox: the ready file's part.
    #[must_use]
    pub fn description(&self) -> Description {
        Description::of(
            &self.authority,
            &self.pki,
            &self.imap,
            &self.smtp,
            &self.pop3,
        )
    }

    /// The tenant.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.authority.directory
    }

    /// The mailboxes' content.
    #[must_use]
    pub fn mail(&self) -> &Arc<MailStore> {
        &self.store
    }

    /// What SMTP accepted.
    #[must_use]
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// The clock of every part.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.authority.clock
    }

    /// What was asked so far.
    #[must_use]
    pub fn requests(&self) -> &RequestLog {
        &self.authority.log
    }

    /// The faults in force.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.authority.faults
    }

    /// Ends every connection and writes everything out.
    pub async fn stop(self) {
        self.authority.log.end();
        let web = self.handle.stop(true);
        tokio::join!(web, self.imap.stop(), self.smtp.stop(), self.pop3.stop());
        if let Err(error) = self.server.await {
            tracing::warn!(%error, "the authority did not end by itself");
        }
        if let Err(error) = self.store.sync() {
            tracing::error!(%error, "mail could not be written out");
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Running")
            .field("addresses", &self.authority.addresses)
            .finish_non_exhaustive()
    }
}

/// Threads of the web server; the sandbox serves one machine.
const WORKERS: usize = 2;
/// How long answers under way may take when it stops, in seconds.
const LAST_ANSWERS: u64 = 1;

fn listen(service: &'static str, port: u16) -> Result<TcpListener, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|source| Error::Listen {
        service,
        port,
        source,
    })
}

fn port(listener: &TcpListener) -> Result<u16, Error> {
    match listener.local_addr() {
        Ok(address) => Ok(address.port()),
        Err(source) => Err(Error::Listen {
            service: "the authority",
            port: 0,
            source,
        }),
    }
}

async fn serve_smtp(
    settings: &SandboxSettings,
    authority: &Authority,
    store: &Arc<MailStore>,
    outbox: &Arc<Outbox>,
    pki: &Pki,
) -> Result<smtp::Server, Error> {
    let exchange = Exchange {
        directory: authority.directory.clone(),
        store: Arc::clone(store),
        outbox: Arc::clone(outbox),
        log: authority.log.clone(),
        faults: authority.faults.clone(),
        random: Arc::clone(&settings.random),
    };
    let smtp_settings = smtp::Settings {
        port: settings.smtp_port,
        tls_port: settings.smtp_tls_port,
        faults: authority.faults.clone(),
        ..Default::default()
    };
    smtp::serve(
        smtp_settings,
        pki.server(),
        Arc::new(exchange),
        settings.clock.clone(),
        Arc::clone(&settings.random),
    )
    .await
    .map_err(|source| Error::Listen {
        service: "SMTP",
        port: settings.smtp_port,
        source,
    })
}

/// Opens every mailbox of all tenants, and fills new ones with sample mail.
async fn open_mail(
    settings: &SandboxSettings,
    directory: &Directory,
) -> Result<Arc<MailStore>, Error> {
    let users: Vec<seed::User> = directory
        .tenants()
        .mailboxes()
        .map(|mailbox| seed::User {
            address: mailbox.address.clone(),
            display_name: mailbox.display_name.clone(),
        })
        .collect();
    let (path, now, fill) = (
        settings.dir.join("mail"),
        settings.clock.now(),
        settings.sample_mail,
    );
    let opened = tokio::task::spawn_blocking(move || {
        let store = MailStore::open(path, now)?;
        for user in &users {
            store.mailbox(&user.address)?;
        }
        if fill {
            seed::deliver(&store, &users, now)?;
        }
        Ok::<_, StoreError>(store)
    });
    match opened.await {
        Ok(Ok(store)) => Ok(Arc::new(store)),
        Ok(Err(error)) => Err(Error::Mail {
            problem: error.to_string(),
        }),
        Err(error) => Err(Error::Mail {
            problem: error.to_string(),
        }),
    }
}

/// What the web server's handlers work with.
struct Shared {
    authority: web::Data<Authority>,
    console: web::Data<Console>,
    store: web::Data<MailStore>,
    outbox: web::Data<Outbox>,
}

fn serve(
    shared: Shared,
    plain: TcpListener,
    tls: TcpListener,
    pki: &Pki,
) -> Result<(ServerHandle, JoinHandle<std::io::Result<()>>), Error> {
    let failed = |source| Error::Listen {
        service: "the authority",
        port: 0,
        source,
    };
    let application = move || {
        App::new()
            .app_data(shared.authority.clone())
            .app_data(shared.console.clone())
            .app_data(shared.store.clone())
            .app_data(shared.outbox.clone())
            .configure(console::configure)
            .configure(control::configure)
            .configure(authority::configure)
    };
    let server = HttpServer::new(application)
        .workers(WORKERS)
        .disable_signals()
        .shutdown_timeout(LAST_ANSWERS)
        .client_request_timeout(Duration::from_secs(20))
        .listen(plain)
        .map_err(failed)?
        .listen_rustls_0_23(tls, rustls::ServerConfig::clone(&pki.server()))
        .map_err(failed)?
        .run();
    let handle = server.handle();
    Ok((handle, tokio::spawn(server)))
}
