//! Starting and stopping.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{HttpServer, dev::ServerHandle, web::Data};
use mailgrant_storage::Storage;
use thiserror::Error;
use tokio::{
    sync::{Semaphore, broadcast},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use crate::{
    app,
    connect::Limiter,
    engine::{self, Engine},
    environment::Environment,
    http, keeping,
    routes::Places,
    settings::{Application, Settings},
    state,
};

/// The gateway as a whole.
#[derive(Debug)]
pub struct Gateway;

/// A gateway that answers.
pub struct RunningGateway {
    url: Url,
    address: SocketAddr,
    state: Data<state::Gateway>,
    server: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
    keeping: JoinHandle<()>,
}

/// Why the gateway did not start. Nothing is left running.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The storage cannot be opened.
    #[error(transparent)]
    Storage(#[from] mailgrant_storage::Error),
    /// An application's authority client cannot be made.
    #[error("application `{application}`: {source}")]
    Authority {
        /// Its id.
        application: String,
        /// Why not.
        source: Box<mailgrant_oauth::Error>,
    },
    /// An application's credential has ended.
    #[error("application `{application}`: {key}: {source}")]
    Credential {
        /// Its id.
        application: String,
        /// The setting that names the file.
        key: &'static str,
        /// What is wrong with the file, and what to do.
        source: Box<mailgrant_oauth::CredentialError>,
    },
    /// An application's mail client cannot be made.
    #[error("application `{application}`: {source}")]
    Mail {
        /// Its id.
        application: String,
        /// Why not.
        source: Box<mailgrant_mail::imap::Error>,
    },
    /// The address cannot be listened on.
    #[error("server.listen: cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address listened on makes no URL.
    #[error("server.public_url: cannot be made from the address {0}; set it")]
    PublicUrl(SocketAddr),
}

impl Gateway {
    /// Opens the storage, listens, and answers when this returns. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the storage or an application's clients cannot be set up, or the address is taken.
    pub async fn start(
        settings: Settings,
        environment: Environment,
    ) -> Result<RunningGateway, StartError> {
        let storage = engine::storage(&settings, &environment).await?;
        match listen(settings, environment, Arc::clone(&storage)).await {
            Ok(running) => Ok(running),
            Err(error) => {
                storage.close().await;
                Err(error)
            }
        }
    }
}

impl RunningGateway {
    /// How the world calls it: `server.public_url`, or the loopback address it listens on.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its storage, for programs that make keys or look at accounts beside it.
    #[must_use]
    pub fn storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.state.storage)
    }

    /// Does what is due now of the work that the gateway does by itself every few seconds (refreshing, alarms, tidying),
    /// and returns when it is done: for programs that move the clock.
    pub async fn round(&self) {
        keeping::round(&self.state).await;
    }

    /// Ends when the gateway ends by itself.
    ///
    /// # Errors
    /// When the listening socket fails.
    pub async fn wait(&mut self) -> std::io::Result<()> {
        match (&mut self.serving).await {
            Ok(outcome) => outcome,
            Err(_) => Ok(()),
        }
    }

    /// Takes no more requests, lets those under way end, stores what must not be lost, and closes. At most five seconds.
    pub async fn stop(self) {
        self.state.stopping.cancel();
        let (server, state, keeping) = (self.server, self.state, self.keeping);
        let unfinished = keeping.abort_handle();
        let ending = async {
            tokio::join!(server.stop(true), async {
                state.tasks.close();
                state.tasks.wait().await;
                state.tokens.stop().await;
                // It ends by itself, having seen that the gateway stops.
                let _ = keeping.await;
            });
        };
        if timeout(GRACE, ending).await.is_err() {
            unfinished.abort();
            tracing::warn!("stopped in the middle of requests");
            let _ = timeout(Duration::from_millis(200), server.stop(false)).await;
        }
        state.close_storage().await;
    }
}

impl std::fmt::Debug for RunningGateway {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RunningGateway")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

async fn listen(
    settings: Settings,
    environment: Environment,
    storage: Arc<dyn Storage>,
) -> Result<RunningGateway, StartError> {
    let wanted = settings.server.listen;
    let taken = |source| StartError::Listen {
        address: wanted,
        source,
    };
    let listener = std::net::TcpListener::bind(wanted).map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    let url = match &settings.server.public_url {
        Some(url) => url.clone(),
        None => {
            Url::parse(&format!("http://{address}/")).map_err(|_| StartError::PublicUrl(address))?
        }
    };
    let engine = Engine::over(settings, environment, storage, url.clone())?;
    let state = Data::new(state(engine));
    let api = Data::new(app::description());
    let shared = state.clone();
    let server = HttpServer::new(move || app::app(shared.clone(), api.clone()))
        .workers(WORKERS)
        .on_connect(http::remember)
        // The end of a streamed body is a small write of its own; held back, it costs a reader 40 ms.
        .tcp_nodelay(true)
        .disable_signals()
        .client_request_timeout(Duration::from_secs(15))
        .client_disconnect_timeout(Duration::from_secs(2))
        .keep_alive(Duration::from_secs(30))
        .shutdown_timeout(GRACE.as_secs())
        .listen(listener)
        .map_err(taken)?
        .run();
    let handle = server.handle();
    let serving = tokio::spawn(server);
    let keeping = tokio::spawn(keeping::run(state.clone()));
    tokio::spawn(listen_to_others(state.clone()));
    tracing::info!(%url, %address, "the gateway answers");
    tell_what_is_not_ready(&state.settings);
    Ok(RunningGateway {
        url,
        address,
        state,
        server: handle,
        serving,
        keeping,
    })
}

/// What a beginner may have left for later.
fn tell_what_is_not_ready(settings: &Settings) {
    if settings.applications.is_empty() {
        tracing::warn!("the settings have no [[application]]: no mailbox can be connected");
    }
    let unregistered = |application: &&Application| !application.is_registered();
    for application in settings.applications.iter().filter(unregistered) {
        tracing::warn!(
            application = application.id,
            "its client_id stands for an application that is not registered yet; `mailgrant setup` prints how to"
        );
    }
}

fn state(engine: Engine) -> state::Gateway {
    let listeners = Arc::new(Places::new(engine.settings.server.event_readers));
    state::Gateway {
        engine,
        readers: Semaphore::new(READERS),
        listeners,
        news: broadcast::channel(256).0,
        mending: Limiter::default(),
        tasks: TaskTracker::new(),
        stopping: CancellationToken::new(),
        keeping: keeping::Keeping::default(),
    }
}

/// Hears of the events that other processes add, for who waits for them here.
async fn listen_to_others(gateway: Data<state::Gateway>) {
    while timeout(BETWEEN_LOOKS, gateway.stopping.cancelled())
        .await
        .is_err()
    {
        if !gateway.listeners.are_free()
            && let Err(error) = gateway.storage.events().look().await
        {
            tracing::debug!(%error, "could not look for events");
        }
    }
}

const WORKERS: usize = 4;
const READERS: usize = 16;
const GRACE: Duration = Duration::from_millis(3500);
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);
