//! From the code to a connected account: redeem, prove, and only then store.

use mailgrant_core::token::AuthorizationCode;
use mailgrant_storage::{Account, Attempt, Completion, ConnectSession};

use super::{
    adoption::{Proven, SignIn},
    ending::Ending,
    mending,
    page::Page,
};
use crate::{state::Gateway, tokens::Registration};

/// `mended`: the account that the session may change, where it is not to make one.
pub(super) async fn connect(
    gateway: &Gateway,
    registration: &Registration,
    attempt: Attempt,
    mended: Option<&Account>,
    code: AuthorizationCode,
) -> Result<Page, Ending> {
    let session = &attempt.session;
    let response = registration
        .client(mended.and_then(|account| account.tenant.as_deref()))
        .map_err(|error| Ending::of(&error, &registration.application))?
        .exchange_code(&code, &attempt.code_verifier)
        .await
        .map_err(|error| Ending::of(&error, &registration.application))?;
    let sign_in = SignIn {
        application: &session.application,
        site: &session.site,
        mailbox: match mended {
            Some(account) => Some(&account.imap_user),
            None => session.mailbox.as_deref(),
        },
        login_hint: session.login_hint.as_deref(),
        nonce: Some(&attempt.nonce),
        metadata: session.metadata.clone(),
    };
    let proven = gateway.prove_for(mended, sign_in, response).await?;
    store(gateway, session, mended, proven).await
}

async fn store(
    gateway: &Gateway,
    session: &ConnectSession,
    mended: Option<&Account>,
    proven: Proven,
) -> Result<Page, Ending> {
    let Proven { account, grant } = proven;
    let completed = gateway
        .storage
        .connect_sessions()
        .complete(&session.id, account, grant, gateway.now())
        .await;
    gateway.tell(&session.id);
    match completed {
        Ok(Completion::Connected(completed)) => {
            // What was kept of the account's former grant is void.
            gateway.tokens.forget(&completed.account.id);
            gateway.pool.close(&completed.account.id);
            tracing::info!(session = %session.id, account = %completed.account.id, reconnected = completed.reconnected, "connected");
            Ok(Page::connected(&completed.session, &completed.account))
        }
        Ok(Completion::WrongPerson(_)) => Err(mended
            .map_or_else(mending::gone, mending::wrong_person)
            .into()),
        Ok(Completion::AccountGone(_)) => Err(mending::gone().into()),
        Ok(Completion::Refused(session)) => Ok(Page::over(&session)),
        Ok(Completion::Unknown) => Ok(Page::unknown_link()),
        Err(mailgrant_storage::Error::Conflict { .. }) => Err(mending::taken().into()),
        Err(error) => Ok(Page::storage(&error)),
    }
}
