//! Refresh tokens that another program obtained with the same registration.
//!
//! Where an authority lets a refresh token be used once, using it is the moment at which it can be lost. So the token is
//! on disk before it is used, and what the authority gives in its place is before the mailbox is opened with it. Whatever
//! ends the process or keeps the mail server from answering, the token is still there: it is tried again by the gateway,
//! or when it is given again. Only a refusal is final. Whoever works on an import holds it, so that nobody else uses its
//! token at the same time.

mod redeeming;

use std::{sync::Arc, time::Duration};

use mailgrant_core::{
    scope::Scopes,
    time::UnixTime,
    token::{RefreshToken, TokenResponse},
};
use mailgrant_storage::{Begun, Connected, Hold, Import, ImportId, ImportRequest, NewImport, Rest};
use thiserror::Error as ThisError;
use tokio::time::{Instant, sleep};

use self::redeeming::Using;
use super::{
    adoption::{Proven, SignIn},
    ending::Ending,
};
use crate::{diagnosis, engine::Engine, scopes, tokens};

/// Why an import made no account.
#[derive(Debug)]
pub struct ImportFailure {
    /// What went wrong.
    pub fault: ImportFault,
    /// What is left of it; `None`: nothing, and the token that was given is as it was, or dead.
    pub kept: Option<Kept>,
}

/// A token that is kept, sealed, although there is no account yet. Who gives the same again goes on with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Then it is forgotten.
    pub until: UnixTime,
    /// When a gateway tries again by itself; `None`: it waits to be given again.
    pub next_attempt_at: Option<UnixTime>,
}

/// What went wrong with an import.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum ImportFault {
    /// The authority gave no access token for it.
    #[error(transparent)]
    Authority(Box<mailgrant_oauth::Error>),
    /// What it opens makes no account.
    #[error("the mailbox was not opened")]
    Ending(Ending),
    /// The storage did not take it.
    #[error(transparent)]
    Storage(#[from] mailgrant_storage::Error),
    /// The same token is being imported by somebody else.
    #[error("the same refresh token is being imported at the moment")]
    UnderWay,
}

/// Who waits for the outcome.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Caller,
    Nobody,
}

impl ImportFault {
    fn refused(error: mailgrant_oauth::Error) -> Self {
        Self::Authority(Box::new(error))
    }
}

impl Engine {
    /// Imports a refresh token: puts it on disk, uses it, proves that it opens the mailbox, and only then makes the account.
    /// The same token for the same mailbox, given again, is the same account, however far it got the first time.
    ///
    /// # Errors
    /// Why there is no account, and whether anything was kept.
    pub async fn import(
        &self,
        application: &str,
        site: &str,
        request: ImportRequest,
        refresh_token: RefreshToken,
    ) -> Result<Connected, ImportFailure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = self.now();
            let new = NewImport {
                site: site.to_owned(),
                application: application.to_owned(),
                request: request.clone(),
                refresh_token: refresh_token.clone(),
                expires_at: now + TRIED,
            };
            let imports = self.storage.imports();
            match imports.begin(new, now).await {
                Ok(Begun::Begun(import, hold)) => {
                    return self.attempt(*import, &hold, Waiting::Caller).await;
                }
                Ok(Begun::Done(account)) => {
                    return Ok(Connected {
                        account: *account,
                        reconnected: true,
                    });
                }
                Ok(Begun::Held) if Instant::now() < deadline => sleep(AGAIN).await,
                Ok(Begun::Held) => return Err(nothing_kept(ImportFault::UnderWay)),
                Err(error) => return Err(nothing_kept(error.into())),
            }
        }
    }

    /// Goes on with an import that is due, unless somebody works on it: its process has died, or its fault may have passed.
    ///
    /// # Errors
    /// When the storage does not give it.
    pub(crate) async fn resume_import(
        &self,
        id: &ImportId,
    ) -> Result<(), mailgrant_storage::Error> {
        let taken = self.storage.imports().take_due(id, self.now()).await?;
        let Some((import, hold)) = taken else {
            return Ok(());
        };
        match self.attempt(import, &hold, Waiting::Nobody).await {
            Ok(connected) => {
                tracing::info!(import = %id, account = %connected.account.id, "an import was finished")
            }
            Err(failure) => {
                tracing::info!(import = %id, error = %failure.fault, kept = failure.kept.is_some(), "an import was not finished")
            }
        }
        Ok(())
    }

    async fn attempt(
        &self,
        mut import: Import,
        hold: &Hold,
        waiting: Waiting,
    ) -> Result<Connected, ImportFailure> {
        let fault = match self.try_once(&mut import, hold).await {
            Ok(connected) => {
                self.tokens.forget(&connected.account.id);
                self.pool.close(&connected.account.id);
                return Ok(connected);
            }
            Err(fault) => fault,
        };
        let kept = self.settle(&import, &fault, waiting).await;
        Err(ImportFailure { fault, kept })
    }

    async fn try_once(&self, import: &mut Import, hold: &Hold) -> Result<Connected, ImportFault> {
        let (response, asked) = self.redeem(import, hold).await?;
        let sign_in = SignIn {
            application: &import.application,
            site: &import.site,
            mailbox: import.request.mailbox.as_deref(),
            login_hint: None,
            nonce: None,
            metadata: import.request.metadata.clone(),
        };
        let proven = self.prove_import(sign_in, response, asked.as_ref()).await;
        let Proven { mut account, grant } = proven.map_err(ImportFault::Ending)?;
        let request = &import.request;
        account.tenant = account.tenant.or_else(|| request.tenant.clone());
        if let Some(smtp_user) = &request.smtp_user {
            account.smtp_user.clone_from(smtp_user);
        }
        if let Some(from) = &request.from_address {
            account.from_address.clone_from(from);
        }
        let imports = self.storage.imports();
        imports
            .finish(&import.id, import.generation, account, grant, self.now())
            .await?
            .ok_or(ImportFault::UnderWay)
    }

    /// Uses the token; its successor is on disk when this returns.
    async fn redeem(
        &self,
        import: &mut Import,
        hold: &Hold,
    ) -> Result<(TokenResponse, Option<Scopes>), ImportFault> {
        let Some(registration) = self.registrations.get(&import.application) else {
            return Err(ImportFault::Ending(super::adoption::unknown_application(
                &import.application,
            )));
        };
        let using = Using {
            client: registration
                .client(import.request.tenant.as_deref())
                .map_err(ImportFault::refused)?,
            asks: scopes::of_unknown_grant(&registration.application),
            storage: Arc::clone(&self.storage),
            tokens: self.tokens.clone(),
            id: import.id.clone(),
            generation: import.generation,
            refresh_token: import.refresh_token.clone(),
            hold: hold.clone(),
        };
        // In a task of its own: a caller that goes away takes no token along, and lets nobody else use it meanwhile.
        let used = match self.tokens.sheltered(using.run()).await {
            Ok(used) => used?,
            Err(_) => return Err(ImportFault::UnderWay),
        };
        import.generation = used.generation;
        Ok((used.response, used.asked))
    }

    /// Decides what is kept of an import that made no account.
    async fn settle(&self, import: &Import, fault: &ImportFault, waiting: Waiting) -> Option<Kept> {
        let now = self.now();
        let imports = self.storage.imports();
        let kept = match self.verdict(import, fault) {
            Verdict::Elsewhere => return None,
            Verdict::Passing => Some(Kept {
                until: import.expires_at,
                next_attempt_at: Some(now + pause(import.attempts)),
            }),
            // The authority has replaced the one that was given: without this it would be lost for a slip of the pen.
            Verdict::Refused if import.generation > FIRST => Some(Kept {
                until: now + CORRECTED,
                next_attempt_at: None,
            }),
            Verdict::Refused | Verdict::Dead => None,
        };
        let is_over = kept.is_none_or(|kept| kept.next_attempt_at.is_none());
        let told = (waiting == Waiting::Nobody && is_over).then(|| self.told(import, fault));
        let settled = match kept {
            Some(kept) => {
                let rest = Rest {
                    next_attempt_at: kept.next_attempt_at,
                    expires_at: kept.until,
                };
                imports
                    .rest(&import.id, import.generation, rest, told, now)
                    .await
            }
            None => {
                imports
                    .discard(&import.id, import.generation, told, now)
                    .await
            }
        };
        if let Err(error) = settled {
            tracing::warn!(import = %import.id, %error, "how an import ended was not stored");
        }
        kept
    }

    fn verdict(&self, import: &Import, fault: &ImportFault) -> Verdict {
        match fault {
            ImportFault::UnderWay => Verdict::Elsewhere,
            ImportFault::Storage(mailgrant_storage::Error::Conflict { .. }) => Verdict::Refused,
            ImportFault::Storage(_) => Verdict::Passing,
            ImportFault::Ending(Ending::Failed(diagnosis))
                if diagnosis::is_passing_fault(&diagnosis.code) =>
            {
                Verdict::Passing
            }
            ImportFault::Ending(_) => Verdict::Refused,
            ImportFault::Authority(error) => {
                let Some(registration) = self.registrations.get(&import.application) else {
                    return Verdict::Refused;
                };
                match tokens::Error::of(
                    error,
                    &registration.asked(import.request.tenant.as_deref()),
                ) {
                    tokens::Error::ReauthRequired(_) => Verdict::Dead,
                    tokens::Error::Refused(_) => Verdict::Refused,
                    _ => Verdict::Passing,
                }
            }
        }
    }

    /// What an event says of it.
    fn told(&self, import: &Import, fault: &ImportFault) -> serde_json::Value {
        match fault {
            ImportFault::Ending(Ending::Failed(known) | Ending::AdminConsent(known)) => {
                known.to_json()
            }
            ImportFault::Authority(error) => self
                .registrations
                .get(&import.application)
                .map(|registration| {
                    let asked = registration.asked(import.request.tenant.as_deref());
                    diagnosis::authority(error, &asked).to_json()
                })
                .unwrap_or_default(),
            ImportFault::Storage(mailgrant_storage::Error::Conflict { account }) => {
                super::mending::known(account).to_json()
            }
            ImportFault::Storage(_) | ImportFault::UnderWay => serde_json::Value::Null,
        }
    }
}

/// What a fault means for the token.
enum Verdict {
    /// It passes by itself, or the operator mends it.
    Passing,
    /// This mailbox, this application, this person: no. The token itself is good.
    Refused,
    /// The authority does not take it.
    Dead,
    /// Somebody else goes on with it.
    Elsewhere,
}

fn nothing_kept(fault: ImportFault) -> ImportFailure {
    ImportFailure { fault, kept: None }
}

/// Twice as long after each try.
fn pause(attempts: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(1 << attempts.saturating_sub(1).min(10))
        .min(LONGEST_PAUSE)
}

/// An import whose token has not been replaced.
const FIRST: i64 = 1;
/// How long who gives a token again waits for whoever works on it.
const PATIENCE: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(200);
/// How long it is tried when authority or mail server do not answer.
const TRIED: Duration = Duration::from_secs(7 * 86_400);
/// How long a replaced token is kept for who corrects what was wrong with the import.
const CORRECTED: Duration = Duration::from_secs(86_400);
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
