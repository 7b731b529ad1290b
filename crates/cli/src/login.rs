//! `mailgrant login`: a mailbox connected from a terminal, where there is no page with a button.

mod device;
mod ended;
mod import;
mod paste;
mod screen;

use mailgrant_oauth::Client;
use mailgrant_server::{Application, Engine, Environment, Proven, SignIn};
use mailgrant_storage::Connected;
use serde_json::{Value, json};

use self::ended::Ended;
use self::screen::Screen;
use crate::arguments::Login;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::shutdown::Signals;

/// Signs in, proves the mailbox, stores the account, prints its id.
///
/// # Errors
/// When there is no account afterwards; the exit code tells whose turn it is.
pub(crate) async fn run(
    arguments: Login,
    surroundings: Environment,
    json: bool,
) -> Result<(), Failure> {
    let settings = environment::existing_settings(&arguments.configuration)?;
    let application = environment::application(&settings, &arguments.application)?.clone();
    if application.scopes().is_empty() {
        return Err(Failure::configuration(format!(
            "the provider of application `{}` has no scopes for people to agree to; name them in the settings",
            application.id
        )));
    }
    let mut signals = Signals::listen()?;
    let engine = Engine::open(settings, surroundings).await?;
    let screen = Screen::new(json);
    let connected = match &arguments.import {
        Some(file) => tokio::select! {
            connected = import::take_over(&engine, &application, &arguments, file, &screen) => connected,
            () = signals.received() => Err(import::interrupted()),
        },
        None => {
            // Until the mailbox is proven nothing is stored, so it may end anywhere. Storing then takes an instant.
            let proven = tokio::select! {
                proven = prove(&engine, &application, &arguments, &screen) => proven,
                () = signals.received() => Err(Ended::interrupted()),
            };
            match proven {
                Ok(proven) => store(&engine, proven).await,
                Err(ended) => Err(ended),
            }
        }
    };
    let connected = connected.map_err(|ended| with_link(&engine, &application, ended));
    let url = engine.settings().server.public_url.clone();
    engine.close().await;
    match connected {
        Ok(connected) => screen.connected(&connected, url.as_ref()),
        Err(ended) => {
            screen.event("failed", &json!(ended.diagnosis));
            Err(ended.into())
        }
    }
}

async fn prove(
    engine: &Engine,
    application: &Application,
    arguments: &Login,
    screen: &Screen,
) -> Result<Proven, Ended> {
    let (response, nonce) = if arguments.paste {
        let (response, nonce) =
            paste::sign_in(engine, application, &arguments.redirect_uri, screen).await?;
        (response, Some(nonce))
    } else {
        (device::sign_in(engine, application, screen).await?, None)
    };
    screen.event("signed_in", &json!({}));
    screen.say("Signed in; opening the mailbox …");
    let sign_in = SignIn {
        application: &application.id,
        site: &arguments.site,
        mailbox: arguments.mailbox.as_deref(),
        login_hint: None,
        nonce: nonce.as_ref(),
        metadata: metadata(arguments),
    };
    Ok(engine.prove(sign_in, response).await?)
}

fn metadata(arguments: &Login) -> Value {
    let label = arguments.label.as_ref();
    label.map_or_else(|| json!({}), |label| json!({"label": label}))
}

/// Puts the link for an administrator to it, where one has to agree. It comes back to the gateway, which needs not run.
fn with_link(engine: &Engine, application: &Application, mut ended: Ended) -> Ended {
    if ended.needs_admin {
        let public = engine.settings().server.public_url.as_ref();
        let back = public.map_or_else(
            || LOOPBACK.to_owned(),
            |url| format!("{}/oauth/callback", url.as_str().trim_end_matches('/')),
        );
        ended.diagnosis.admin_consent_url = client(engine, application, &back)
            .ok()
            .and_then(|client| client.admin_consent_url(None, None, None).ok());
    }
    ended
}

/// A client of the same registration that is sent back elsewhere than to the gateway.
fn client(engine: &Engine, application: &Application, redirect_uri: &str) -> Result<Client, Ended> {
    engine
        .client(application, redirect_uri.to_owned())
        .map_err(|error| {
            let failure = Failure::from(error);
            Ended::new(
                failure.exit,
                "authority_configuration",
                "The application's settings do not fit",
                failure.message,
                &[],
            )
        })
}

async fn store(engine: &Engine, proven: Proven) -> Result<Connected, Ended> {
    let Proven { account, grant } = proven;
    let connected = engine
        .storage()
        .accounts()
        .connect(account, grant, engine.now())
        .await
        .map_err(not_stored)?;
    engine.tokens().forget(&connected.account.id);
    Ok(connected)
}

fn not_stored(error: mailgrant_storage::Error) -> Ended {
    let failure = Failure::from(error);
    Ended::new(
        failure.exit,
        "storage_failed",
        "The account could not be stored",
        failure.message,
        &["Mend the database, then do the same again."],
    )
}

impl Ended {
    fn interrupted() -> Self {
        Self::new(
            Exit::Failed,
            "interrupted",
            "Interrupted",
            "nothing was stored",
            &[],
        )
    }
}

/// Where nothing is sent back to; registrations of terminals name it.
const LOOPBACK: &str = "http://localhost";
