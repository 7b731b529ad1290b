//! What the gateway does without its HTTP side: storage, tokens, mail sessions.

use std::{collections::HashMap, sync::Arc, time::Duration};

use mailgrant_core::{time::UnixTime, token::AccessToken};
use mailgrant_mail::imap::{Connector, Limits};
use mailgrant_oauth::{Client, ErrorKind, Registration as ClientRegistration, http_client};
use mailgrant_storage::{MasterKey, Storage};
use tokio::runtime::Handle;
use url::Url;

use crate::{
    connect,
    diagnosis::Diagnosis,
    environment::Environment,
    gateway::StartError,
    pool::{Host, Pool},
    problem::Problem,
    settings::{Application, MasterKeySource, Settings, credential_key},
    tokens::{Registration, TokenKeeper},
};

/// Storage, tokens and mail sessions under one configuration: what a gateway serves by HTTP, for programs that need no
/// server, such as the command line.
///
/// It may run beside a gateway on the same database: both keep the same rules about grants.
pub struct Engine {
    pub(crate) settings: Settings,
    pub(crate) public_url: Url,
    pub(crate) environment: Environment,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) registrations: HashMap<String, Registration>,
    pub(crate) tokens: TokenKeeper,
    pub(crate) pool: Pool,
    pub(crate) runtime: Handle,
}

impl Engine {
    /// Opens the storage and makes the clients; nothing listens. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the storage or an application's clients cannot be set up.
    pub async fn open(settings: Settings, environment: Environment) -> Result<Self, StartError> {
        let url = match &settings.server.public_url {
            Some(url) => url.clone(),
            None => loopback(&settings)?,
        };
        let storage = storage(&settings, &environment).await?;
        match Self::over(settings, environment, Arc::clone(&storage), url) {
            Ok(engine) => Ok(engine),
            Err(error) => {
                storage.close().await;
                Err(error)
            }
        }
    }

    pub(crate) fn over(
        settings: Settings,
        environment: Environment,
        storage: Arc<dyn Storage>,
        public_url: Url,
    ) -> Result<Self, StartError> {
        let runtime = Handle::current();
        let mut registrations = HashMap::new();
        let mut hosts = HashMap::new();
        for application in &settings.applications {
            let client = client(application, redirect_uri(&public_url), &environment)?;
            let connector = Connector::new(application.extra_ca_pem.as_deref(), limits()).map_err(
                |source| StartError::Mail {
                    application: application.id.clone(),
                    source: Box::new(source),
                },
            )?;
            let (id, application) = (application.id.clone(), application.clone());
            hosts.insert(
                id.clone(),
                Host {
                    application: application.clone(),
                    connector,
                },
            );
            registrations.insert(id, Registration::new(application, client));
        }
        let clock = Arc::clone(&environment.clock);
        let tokens = TokenKeeper::new(
            Arc::clone(&storage),
            Arc::clone(&clock),
            Arc::clone(&environment.random),
            registrations.clone(),
            runtime.clone(),
        );
        let pool = Pool::new(
            Arc::clone(&storage),
            clock,
            Arc::clone(&environment.random),
            tokens.clone(),
            hosts,
            runtime.clone(),
        );
        Ok(Self {
            settings,
            public_url,
            environment,
            storage,
            registrations,
            tokens,
            pool,
            runtime,
        })
    }

    /// What it was configured with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its clock, randomness and patience.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Its storage.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// Who gives access tokens.
    #[must_use]
    pub fn tokens(&self) -> &TokenKeeper {
        &self.tokens
    }

    /// Now, by its clock.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        self.environment.clock.now()
    }

    /// The application of that id, as a field of a request.
    pub(crate) fn registration(&self, application: &str) -> Result<&Registration, Problem> {
        self.registrations.get(application).ok_or_else(|| {
            Problem::field(
                "application",
                format!("there is no application `{application}` in the gateway's settings"),
            )
        })
    }

    /// A client of the application's registration that sends people back to another address than the gateway's.
    ///
    /// # Errors
    /// When the application's settings make no client.
    pub fn client(
        &self,
        application: &Application,
        redirect_uri: String,
    ) -> Result<Client, StartError> {
        client(application, redirect_uri, &self.environment)
    }

    /// Opens the mailbox of that user with the token, **and lists**: a login alone proves nothing at Exchange.
    ///
    /// # Errors
    /// Why it does not open, and what to do about it.
    pub async fn verify_mailbox(
        &self,
        application: &str,
        user: &str,
        token: &AccessToken,
    ) -> Result<(), Diagnosis> {
        connect::verify(self, application, user, token).await
    }

    /// Ends requests to authorities, which must not be lost half-way, and closes the storage. A few seconds at most.
    pub async fn close(self) {
        if tokio::time::timeout(ENDING, self.tokens.stop())
            .await
            .is_err()
        {
            tracing::warn!("stopped in the middle of a request to an authority");
        }
        self.close_storage().await;
    }

    pub(crate) async fn close_storage(&self) {
        if tokio::time::timeout(CLOSING, self.storage.close())
            .await
            .is_err()
        {
            tracing::warn!("the storage did not close in time");
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("url", &self.public_url.as_str())
            .finish_non_exhaustive()
    }
}

/// Where authorities send browsers back to; registered there to the letter.
pub(crate) fn redirect_uri(public_url: &Url) -> String {
    format!(
        "{}/oauth/callback",
        public_url.as_str().trim_end_matches('/')
    )
}

pub(crate) async fn storage(
    settings: &Settings,
    environment: &Environment,
) -> Result<Arc<dyn Storage>, mailgrant_storage::Error> {
    let master = master_key(&settings.master_key)?;
    mailgrant_storage::open(
        &settings.storage.url,
        master,
        Arc::clone(&environment.random),
        environment.clock.now(),
    )
    .await
}

fn master_key(
    source: &MasterKeySource,
) -> Result<mailgrant_storage::MasterKeySource, mailgrant_storage::Error> {
    Ok(match source {
        MasterKeySource::File(path) => mailgrant_storage::MasterKeySource::File(path.clone()),
        MasterKeySource::Value { variable, value } => mailgrant_storage::MasterKeySource::Given(
            vec![MasterKey::parse(value.expose(), variable.as_str())?],
        ),
    })
}

fn loopback(settings: &Settings) -> Result<Url, StartError> {
    let address = settings.server.listen;
    Url::parse(&format!("http://{address}/")).map_err(|_| StartError::PublicUrl(address))
}

fn client(
    application: &Application,
    redirect_uri: String,
    environment: &Environment,
) -> Result<Client, StartError> {
    let policy = environment.patience.clone();
    let wrong = |source: mailgrant_oauth::Error| match source.kind() {
        ErrorKind::Credential(problem) => StartError::Credential {
            application: application.id.clone(),
            key: credential_key(problem.part()),
            source: problem.clone(),
        },
        _ => StartError::Authority {
            application: application.id.clone(),
            source: Box::new(source),
        },
    };
    let http = http_client(application.extra_ca_pem.as_deref(), &policy).map_err(wrong)?;
    let registration = ClientRegistration {
        provider: Arc::clone(&application.provider),
        tenant: application.tenant.clone(),
        client_id: application.client_id.clone(),
        credential: application.credential.clone(),
        redirect_uri,
    };
    Client::new(http, registration, policy, environment.surroundings()).map_err(wrong)
}

/// A request waits for its mail server no longer than a person would.
fn limits() -> Limits {
    Limits {
        login_timeout: Duration::from_secs(30),
        idle_timeout: Duration::from_secs(30),
        command_timeout: Duration::from_secs(90),
        ..Limits::default()
    }
}

const ENDING: Duration = Duration::from_millis(3500);
const CLOSING: Duration = Duration::from_millis(1000);
