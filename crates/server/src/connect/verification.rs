//! Whether a token opens a mailbox: log in **and** list, because Exchange refuses some only then.

use mailgrant_core::token::AccessToken;

use super::ending::Ending;
use crate::{
    diagnosis::{self, Diagnosis, Login},
    engine::Engine,
    pool,
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
                let goes_on =
                    matches!(&error, pool::Error::Imap(error) if error.is_authentication());
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
    error: &pool::Error,
) -> Diagnosis {
    let pool::Error::Imap(error) = error else {
        return Diagnosis::new(
            diagnosis::BUSY,
            "The gateway has too much to do",
            error.to_string(),
            &["Try again in a moment."],
        );
    };
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
) -> Result<(), pool::Error> {
    let mut visit = engine.pool.log_in_once(application, user, token).await?;
    visit.session.mailboxes().await.map_err(pool::Error::Imap)?;
    // The answer is in: a goodbye that fails changes nothing.
    let _ = visit.session.logout().await;
    Ok(())
}
