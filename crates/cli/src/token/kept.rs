//! From the gateway's own token keeper, over its database: a gateway may be running beside.

use std::time::Duration;

use mailgrant_server::{Application, Engine, Environment, LiveToken, Protocol, TokenError};
use mailgrant_storage::Account;

use super::{Found, Refusal, interrupted, with_steps};
use crate::arguments::Token;
use crate::failure::{Exit, Failure};
use crate::shutdown::Signals;
use crate::{environment, mailbox};

pub(super) async fn ask(
    arguments: &Token,
    surroundings: &Environment,
    signals: &mut Signals,
) -> Result<Found, Refusal> {
    let settings = environment::existing_settings(&arguments.configuration)?;
    let engine = Engine::open(settings, surroundings.clone()).await?;
    let found = tokio::select! {
        found = from(&engine, arguments) => found,
        () = signals.received() => Err(interrupted().into()),
    };
    // Whoever interrupts it loses no refresh token that is on its way: closing waits for it.
    engine.close().await;
    found
}

async fn from(engine: &Engine, arguments: &Token) -> Result<Found, Refusal> {
    let whose = &arguments.whose;
    let protocol = Protocol::from(arguments.protocol);
    match (&whose.account, &whose.application) {
        (Some(name), _) => {
            let account = mailbox::find(&**engine.storage(), name).await?;
            let application = environment::application(engine.settings(), &account.application)?;
            let refused = |error| refused(error, Some(&account));
            engine
                .check_protocol(&account, protocol)
                .await
                .map_err(refused)?;
            let live = engine
                .token_for(&account, Duration::from_secs(arguments.min_lifetime))
                .await
                .map_err(refused)?;
            let own = || protocol.user(&account).to_owned();
            let user = arguments.mailbox.clone().unwrap_or_else(own);
            Ok(found(live, application, protocol, Some(user)))
        }
        (None, Some(id)) => {
            let application = environment::application(engine.settings(), id)?;
            let live = of_application(engine, application, arguments).await?;
            let user = arguments.mailbox.clone();
            Ok(found(live, application, protocol, user))
        }
        // clap demands one of the two.
        (None, None) => {
            Err(Failure::new(Exit::Usage, "--account or --application is needed").into())
        }
    }
}

fn found(
    live: LiveToken,
    application: &Application,
    protocol: Protocol,
    user: Option<String>,
) -> Found {
    Found {
        token: live.token,
        expires_at: Some(live.expires_at),
        user,
        host: protocol.host(application).cloned(),
    }
}

async fn of_application(
    engine: &Engine,
    application: &Application,
    arguments: &Token,
) -> Result<LiveToken, Refusal> {
    if application.app_only_scopes().is_empty() {
        return Err(Failure::configuration(format!(
            "the provider of application `{}` has no app_only_scopes; name them in the settings",
            application.id
        ))
        .into());
    }
    if let Some(tenant) = arguments.tenant.as_deref() {
        let checked = application.provider.tenant(Some(tenant));
        checked.map_err(|problem| Failure::new(Exit::Usage, format!("--tenant: {problem}")))?;
    }
    let mailbox = arguments.mailbox.as_deref().unwrap_or_default();
    let at_least = Duration::from_secs(arguments.min_lifetime);
    engine
        .app_only_token_for(
            &application.id,
            arguments.tenant.as_deref(),
            mailbox,
            at_least,
        )
        .await
        .map_err(|error| refused(error, None))
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
        error if error.is_operators() => Exit::Configuration,
        TokenError::NotGranted(_) => Exit::PersonNeeded,
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
    let message = match &error {
        TokenError::Refused(diagnosis)
        | TokenError::Excluded(diagnosis)
        | TokenError::NotGranted(diagnosis) => with_steps(message, &diagnosis.remedy),
        _ => message,
    };
    Refusal {
        failure: Failure::new(exit, message),
        retry_after,
    }
}
