//! From the gateway's own token keeper, over its database: a gateway may be running beside.

use std::time::Duration;

use mailgrant_core::provider::MailHost;
use mailgrant_core::scope::Scope;
use mailgrant_server::{Application, Engine, Environment, LiveToken, TokenError};
use mailgrant_storage::{Account, Flow};

use super::{Found, Refusal};
use crate::arguments::{Protocol, Token};
use crate::failure::{Exit, Failure};
use crate::{environment, mailbox};

pub(super) async fn ask(arguments: &Token, surroundings: &Environment) -> Result<Found, Refusal> {
    let settings = environment::settings(&arguments.configuration)?;
    let engine = Engine::open(settings, surroundings.clone()).await?;
    let found = from(&engine, arguments).await;
    engine.close().await;
    found
}

async fn from(engine: &Engine, arguments: &Token) -> Result<Found, Refusal> {
    let whose = &arguments.whose;
    match (&whose.account, &whose.application) {
        (Some(name), _) => {
            let account = mailbox::find(&**engine.storage(), name).await?;
            let application = environment::application(engine.settings(), &account.application)?;
            check_protocol(arguments.protocol, &account, application)?;
            let live = of_account(engine, &account, arguments.min_lifetime)
                .await
                .map_err(|error| refused(error, Some(&account)))?;
            let own = match arguments.protocol {
                Protocol::Imap | Protocol::Pop3 => account.imap_user,
                Protocol::Smtp => account.smtp_user,
            };
            Ok(Found {
                token: live.token,
                expires_at: Some(live.expires_at),
                user: Some(arguments.mailbox.clone().unwrap_or(own)),
                host: host(application, arguments.protocol),
            })
        }
        (None, Some(id)) => {
            let application = environment::application(engine.settings(), id)?;
            let mailbox = arguments.mailbox.as_deref();
            of_application(engine, application, mailbox, arguments.protocol).await
        }
        // clap demands one of the two.
        (None, None) => {
            Err(Failure::new(Exit::Usage, "--account or --application is needed").into())
        }
    }
}

async fn of_account(
    engine: &Engine,
    account: &Account,
    min_lifetime: u64,
) -> Result<LiveToken, TokenError> {
    let live = engine.tokens().access_token(account).await?;
    if live.expires_at.since(engine.now()) >= Duration::from_secs(min_lifetime) {
        return Ok(live);
    }
    engine.tokens().renewed(account, &live).await
}

/// A person agreed to certain things; a token cannot do more.
fn check_protocol(
    protocol: Protocol,
    account: &Account,
    application: &Application,
) -> Result<(), Failure> {
    let provider = &application.provider;
    let (needed, name) = match protocol {
        Protocol::Imap => return Ok(()),
        Protocol::Smtp => (&provider.smtp_scopes, "smtp"),
        Protocol::Pop3 => (&provider.pop3_scopes, "pop3"),
    };
    let missing: Vec<&str> = needed
        .iter()
        .map(Scope::as_str)
        .filter(|scope| !application.scopes().contains(scope))
        .collect();
    if account.flow == Flow::AppOnly || missing.is_empty() {
        return Ok(());
    }
    Err(Failure::configuration(format!(
        "--protocol {name}: application `{}` does not ask people for {}; add it to its `scopes` in the settings, then \
         let the person sign in again",
        application.id,
        missing.join(" ")
    )))
}

/// What the keeper's refusal means for the one who asked, and what they can type next.
fn refused(error: TokenError, account: Option<&Account>) -> Refusal {
    let retry_after = error.retry_after();
    let again = |account: &Account| {
        format!(
            "`mailgrant login --application {}` mends it; `mailgrant accounts show {}` tells more",
            account.application, account.id
        )
    };
    let exit = match &error {
        TokenError::ReauthRequired(_) | TokenError::ConsentRequired(_) | TokenError::Disabled => {
            Exit::PersonNeeded
        }
        TokenError::Refused(_) | TokenError::NoApplication { .. } => Exit::Configuration,
        TokenError::Unavailable { .. } | TokenError::Storage { .. } | TokenError::Stopping => {
            Exit::Unavailable
        }
        _ => Exit::Failed,
    };
    let message = match (&error, account) {
        (TokenError::ReauthRequired(diagnosis), Some(account)) => {
            let seen = diagnosis.as_ref().map_or_else(
                || "its grant is dead".to_owned(),
                |known| known.detail.clone(),
            );
            format!(
                "{} ({}): the person must sign in again: {seen}; {}",
                account.imap_user,
                account.id,
                again(account)
            )
        }
        (TokenError::ConsentRequired(_), Some(account)) => format!(
            "{} ({}): {error}; `mailgrant accounts show {}` tells more",
            account.imap_user, account.id, account.id
        ),
        (_, Some(account)) => format!("{} ({}): {error}", account.imap_user, account.id),
        (_, None) => error.to_string(),
    };
    Refusal {
        failure: Failure::new(exit, message),
        retry_after,
    }
}

async fn of_application(
    engine: &Engine,
    application: &Application,
    mailbox: Option<&str>,
    protocol: Protocol,
) -> Result<Found, Refusal> {
    if application.app_only_scopes().is_empty() {
        return Err(Failure::configuration(format!(
            "the provider of application `{}` has no app_only_scopes; name them in the settings",
            application.id
        ))
        .into());
    }
    let asked = engine.now();
    let response = engine
        .client(application, "http://localhost".to_owned())?
        .app_only(application.app_only_scopes(), mailbox)
        .await
        .map_err(|error| Failure::new(exit_of(&error), error))?;
    Ok(Found {
        expires_at: response.expires_in.map(|lifetime| asked + lifetime),
        token: response.access_token,
        user: mailbox.map(str::to_owned),
        host: host(application, protocol),
    })
}

fn exit_of(error: &mailgrant_oauth::Error) -> Exit {
    match error.kind() {
        _ if error.is_transient() => Exit::Unavailable,
        _ => Exit::Configuration,
    }
}

fn host(application: &Application, protocol: Protocol) -> Option<MailHost> {
    let provider = &application.provider;
    match protocol {
        Protocol::Imap => Some(provider.imap.clone()),
        Protocol::Smtp => provider.smtp.clone(),
        Protocol::Pop3 => provider.pop3.clone(),
    }
}
