//! Whether a token opens a mailbox: log in **and** list, because Exchange refuses some only then.

use mailgrant_core::token::AccessToken;
use mailgrant_mail::imap;

use super::callback::Ending;
use crate::{
    diagnosis::{self, Diagnosis, Login},
    state::Gateway,
};

/// Opens the mailbox of that user and lists its folders.
pub(crate) async fn verify(
    gateway: &Gateway,
    application: &str,
    user: &str,
    token: &AccessToken,
) -> Result<(), Diagnosis> {
    look(gateway, application, user, token)
        .await
        .map_err(|error| {
            tracing::info!(%error, "mailbox not usable");
            explained(gateway, application, user, token, &error)
        })
}

/// The first of the names that opens its mailbox.
pub(super) async fn verify_any(
    gateway: &Gateway,
    application: &str,
    users: &[String],
    token: &AccessToken,
) -> Result<String, Ending> {
    let mut first: Option<Diagnosis> = None;
    for user in users {
        match look(gateway, application, user, token).await {
            Ok(()) => return Ok(user.clone()),
            Err(error) => {
                tracing::info!(%error, "mailbox not usable");
                let goes_on = error.is_authentication();
                let found = explained(gateway, application, user, token, &error);
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
    gateway: &Gateway,
    application: &str,
    user: &str,
    token: &AccessToken,
    error: &imap::Error,
) -> Diagnosis {
    let Some(registration) = gateway.registrations.get(application) else {
        return diagnosis::unusable(error);
    };
    let login = Login {
        application: &registration.application,
        user,
        token,
        now: gateway.now(),
    };
    diagnosis::mail_server(error, &login)
}

async fn look(
    gateway: &Gateway,
    application: &str,
    user: &str,
    token: &AccessToken,
) -> Result<(), imap::Error> {
    let mut session = gateway.pool.log_in_once(application, user, token).await?;
    session.mailboxes().await?;
    // The answer is in: a goodbye that fails changes nothing.
    let _ = session.logout().await;
    Ok(())
}
