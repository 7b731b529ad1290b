//! Whether a token opens a mailbox: log in **and** list, because Exchange refuses some only then.

use mailgrant_core::token::AccessToken;
use mailgrant_mail::imap;

use super::ending::Ending;
use crate::{
    diagnosis::{self, Diagnosis, Login},
    engine::Engine,
};

/// Opens the mailbox of that user and lists its folders.
pub(crate) async fn verify(
    engine: &Engine,
    application: &str,
    user: &str,
    token: &AccessToken,
) -> Result<(), Diagnosis> {
    look(engine, application, user, token)
        .await
        .map_err(|error| {
            tracing::info!(%error, "mailbox not usable");
            explained(engine, application, user, token, &error)
        })
}

/// The first of the names that opens its mailbox.
pub(super) async fn verify_any(
    engine: &Engine,
    application: &str,
    users: &[String],
    token: &AccessToken,
) -> Result<String, Ending> {
    let mut first: Option<Diagnosis> = None;
    for user in users {
        match look(engine, application, user, token).await {
            Ok(()) => return Ok(user.clone()),
            Err(error) => {
                tracing::info!(%error, "mailbox not usable");
                let goes_on = error.is_authentication();
                let found = explained(engine, application, user, token, &error);
                let first = first.get_or_insert(found);
                if !goes_on {
                    return Err(first.clone().into());
                }
            }
        }
    }
    Err(first
        .unwrap_or_else(|| {
            Diagnosis::new(
                "address_unknown",
                "The mailbox's address is not known",
                "no name to try",
                &[],
            )
        })
        .into())
}

fn explained(
    engine: &Engine,
    application: &str,
    user: &str,
    token: &AccessToken,
    error: &imap::Error,
) -> Diagnosis {
    let Some(registration) = engine.registrations.get(application) else {
        return diagnosis::unusable(error);
    };
    let login = Login {
        application: &registration.application,
        user,
        token,
        now: engine.now(),
    };
    diagnosis::mail_server(error, &login)
}

async fn look(
    engine: &Engine,
    application: &str,
    user: &str,
    token: &AccessToken,
) -> Result<(), imap::Error> {
    let mut session = engine.pool.log_in_once(application, user, token).await?;
    session.mailboxes().await?;
    // The answer is in: a goodbye that fails changes nothing.
    let _ = session.logout().await;
    Ok(())
}
