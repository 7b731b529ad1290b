//! From the code to a connected account: redeem, prove, and only then store.

use mailgrant_core::token::AuthorizationCode;
use mailgrant_storage::{Attempt, Completion};

use super::{
    adoption::{Proven, SignIn},
    ending::Ending,
    page::Page,
};
use crate::{diagnosis::Diagnosis, state::Gateway, tokens::Registration};

pub(super) async fn connect(
    gateway: &Gateway,
    registration: &Registration,
    attempt: Attempt,
    code: AuthorizationCode,
) -> Result<Page, Ending> {
    let session = &attempt.session;
    let response = registration
        .client(None)
        .map_err(|error| Ending::of(&error, &registration.application))?
        .exchange_code(&code, &attempt.code_verifier)
        .await
        .map_err(|error| Ending::of(&error, &registration.application))?;
    let sign_in = SignIn {
        application: &session.application,
        site: &session.site,
        mailbox: session.mailbox.as_deref(),
        login_hint: session.login_hint.as_deref(),
        nonce: Some(&attempt.nonce),
        metadata: session.metadata.clone(),
    };
    let Proven { account, grant } = gateway.prove(sign_in, response).await?;
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
        Ok(Completion::Refused(session)) => Ok(Page::over(&session)),
        Ok(Completion::WrongPerson(_)) => Err(Diagnosis::new(
            "wrong_person",
            "Somebody else connected this mailbox",
            "the person who signed in is not the one whose access is to be renewed",
            &["Sign in as the person who connected the mailbox, or connect it anew."],
        )
        .into()),
        Ok(Completion::AccountGone(_)) => Err(Diagnosis::new(
            "account_gone",
            "There is nothing to renew any more",
            "the account was deleted or switched off meanwhile",
            &["Ask the site for a new link."],
        )
        .into()),
        Ok(Completion::Unknown) => Ok(Page::unknown_link()),
        Err(error) => Ok(Page::storage(&error)),
    }
}
