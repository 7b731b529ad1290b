//! Mailboxes that an application opens by itself: nobody signs in.

use std::{collections::HashSet, time::Duration};

use futures_util::{StreamExt, stream};
use mailgrant_storage::{Account, AccountFilter, AccountState, Flow, NewAccount};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::{
    connect,
    diagnosis::{self, Diagnosis},
    engine::Engine,
    problem::{Code, Problem},
    tokens::LiveToken,
};

impl Engine {
    /// Adds mailboxes that an application opens by itself, each when it has opened; in the order given, each with its own
    /// outcome.
    ///
    /// # Errors
    /// When the application cannot be asked for at all; then nothing was looked at.
    pub async fn add_app_only(
        &self,
        site: &str,
        application: &str,
        tenant: Option<&str>,
        addresses: Vec<String>,
        metadata: Value,
    ) -> Result<Vec<(String, Result<Account, Problem>)>, Problem> {
        let registration = self.registration(application)?;
        if registration.application.app_only_scopes().is_empty() {
            return Err(no_app_only());
        }
        let adding = Adding {
            engine: self,
            site,
            application,
            tenant: registration.tenant(tenant).await?,
            metadata,
        };
        adding.all(addresses).await
    }
}

/// What the mailboxes of one request have in common.
pub(crate) struct Adding<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) site: &'a str,
    pub(crate) application: &'a str,
    /// As it is kept; `None`: the application's own.
    pub(crate) tenant: Option<String>,
    pub(crate) metadata: Value,
}

/// The names of one mailbox.
pub(crate) struct Mailbox {
    pub(crate) address: String,
    pub(crate) imap_user: Option<String>,
    pub(crate) smtp_user: Option<String>,
    pub(crate) from: Option<String>,
}

impl Mailbox {
    pub(crate) fn of(address: String) -> Self {
        Self {
            address,
            imap_user: None,
            smtp_user: None,
            from: None,
        }
    }

    pub(crate) fn imap_user(&self) -> &str {
        self.imap_user.as_deref().unwrap_or(&self.address)
    }
}

impl Adding<'_> {
    /// Adds one mailbox, when it opens.
    pub(crate) async fn one(&self, mailbox: Mailbox) -> Result<Account, Problem> {
        self.refuse_taken(&mailbox).await?;
        let token = self.token(mailbox.imap_user()).await?;
        match self.verify(&mailbox, &token).await {
            Ok(()) => {}
            Err(refusal) => self.verify_anew(&mailbox, token, refusal).await?,
        }
        self.store(mailbox).await
    }

    /// Adds those that open, several at a time; what is wrong with one is no matter of the others. In the order given.
    ///
    /// # Errors
    /// When the application has no token at all: then nothing was looked at.
    pub(crate) async fn all(
        &self,
        addresses: Vec<String>,
    ) -> Result<Vec<(String, Result<Account, Problem>)>, Problem> {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = HashSet::new();
        let (once, again): (Vec<_>, Vec<_>) = addresses
            .into_iter()
            .enumerate()
            .partition(|(_, address)| seen.insert(address.to_lowercase()));
        let shared = self.shared_token(&once).await?;
        let shared = shared.as_ref();
        let mut added: Vec<_> = stream::iter(once)
            .map(|(index, address)| async move {
                let mailbox = Mailbox::of(address.clone());
                let outcome = timeout_at(deadline, self.with(mailbox, shared));
                (
                    index,
                    address,
                    outcome.await.unwrap_or_else(|_| Err(too_late())),
                )
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        added.extend(again.into_iter().map(|(index, address)| {
            let field = format!("addresses[{index}]");
            (index, address, Err(Problem::field(field, "is named twice")))
        }));
        added.sort_by_key(|(index, ..)| *index);
        let opened = added
            .iter()
            .find_map(|(.., outcome)| Some(outcome.as_ref().ok()?.imap_user.clone()));
        Ok(added
            .into_iter()
            .map(|(_, address, outcome)| match &opened {
                Some(opened) => {
                    let known = |refusal| diagnosis::of_this_mailbox(refusal, &address, opened);
                    let outcome = outcome.map_err(|problem| problem.rediagnosed(known));
                    (address, outcome)
                }
                None => (address, outcome),
            })
            .collect())
    }

    /// The token that all mailboxes of the application live on; none where each has its own.
    async fn shared_token(
        &self,
        addresses: &[(usize, String)],
    ) -> Result<Option<LiveToken>, Problem> {
        let registration = self.engine.registration(self.application)?;
        let Some((_, first)) = addresses.first() else {
            return Ok(None);
        };
        if registration.application.credential.is_per_mailbox() {
            return Ok(None);
        }
        let token = self.token(first).await?;
        if !self.is_old(&token) {
            return Ok(Some(token));
        }
        // One of before may have been withdrawn since, or made before somebody agreed: the first mailbox tells.
        let mailbox = Mailbox::of(first.clone());
        match self.verify(&mailbox, &token).await {
            Err(refusal) if self.may_be_stale(&token, &refusal) => {
                Ok(Some(self.other_token(first, &token).await?))
            }
            _ => Ok(Some(token)),
        }
    }

    async fn with(&self, mailbox: Mailbox, shared: Option<&LiveToken>) -> Result<Account, Problem> {
        let Some(token) = shared else {
            return self.one(mailbox).await;
        };
        self.refuse_taken(&mailbox).await?;
        if let Err(refusal) = self.verify(&mailbox, token).await {
            return Err(self.refusal(&mailbox, token, refusal).await);
        }
        self.store(mailbox).await
    }

    /// An account already: told before anything is asked of anybody.
    async fn refuse_taken(&self, mailbox: &Mailbox) -> Result<(), Problem> {
        let filter = AccountFilter {
            site: Some(self.site.to_owned()),
            application: Some(self.application.to_owned()),
            imap_user: Some(mailbox.imap_user().to_owned()),
            ..AccountFilter::default()
        };
        let found = self
            .engine
            .storage
            .accounts()
            .list(&filter, None, 20)
            .await?;
        match found
            .items
            .into_iter()
            .find(|account| account.flow == Flow::AppOnly)
        {
            Some(Account { id: account, .. }) => {
                Err(mailgrant_storage::Error::Conflict { account }.into())
            }
            None => Ok(()),
        }
    }

    async fn token(&self, mailbox: &str) -> Result<LiveToken, Problem> {
        let tokens = &self.engine.tokens;
        Ok(tokens
            .app_only_token(self.application, self.tenant.as_deref(), mailbox)
            .await?)
    }

    async fn other_token(&self, mailbox: &str, refused: &LiveToken) -> Result<LiveToken, Problem> {
        let tokens = &self.engine.tokens;
        Ok(tokens
            .renewed_app_only(self.application, self.tenant.as_deref(), mailbox, refused)
            .await?)
    }

    async fn verify(&self, mailbox: &Mailbox, token: &LiveToken) -> Result<(), Diagnosis> {
        connect::verify(
            self.engine,
            self.application,
            mailbox.imap_user(),
            &token.token,
        )
        .await
    }

    /// Tries once more with another token, where the refused one may be to blame.
    async fn verify_anew(
        &self,
        mailbox: &Mailbox,
        mut token: LiveToken,
        mut refusal: Diagnosis,
    ) -> Result<(), Problem> {
        if self.may_be_stale(&token, &refusal) {
            let other = self.other_token(mailbox.imap_user(), &token).await?;
            if other.token != token.token {
                token = other;
                match self.verify(mailbox, &token).await {
                    Ok(()) => return Ok(()),
                    Err(again) => refusal = again,
                }
            }
        }
        Err(self.refusal(mailbox, &token, refusal).await)
    }

    /// The answer, once nothing more can be tried.
    async fn refusal(&self, mailbox: &Mailbox, token: &LiveToken, refusal: Diagnosis) -> Problem {
        let user = mailbox.imap_user();
        self.give_up(user, token, &refusal);
        let refusal = match self.opened_before().await {
            Some(other) => diagnosis::of_this_mailbox(refusal, user, &other),
            None => refusal,
        };
        refused(refusal)
    }

    /// A mailbox that the application opens already.
    async fn opened_before(&self) -> Option<String> {
        let filter = AccountFilter {
            site: Some(self.site.to_owned()),
            application: Some(self.application.to_owned()),
            state: Some(AccountState::Connected),
            ..AccountFilter::default()
        };
        // It only chooses the words: without the storage they are the more careful ones.
        let found = self.engine.storage.accounts().list(&filter, None, 20).await;
        found.ok()?.items.into_iter().find_map(|account| {
            let same = account.flow == Flow::AppOnly && account.tenant == self.tenant;
            same.then_some(account.imap_user)
        })
    }

    /// A token that no mailbox opens for is not kept: when the administrator has mended it, the next one is good.
    fn give_up(&self, mailbox: &str, token: &LiveToken, refusal: &Diagnosis) {
        if diagnosis::lacks_by_itself(&refusal.code) {
            let tokens = &self.engine.tokens;
            tokens.give_up_app_only(self.application, self.tenant.as_deref(), mailbox, token);
        }
    }

    fn may_be_stale(&self, token: &LiveToken, refusal: &Diagnosis) -> bool {
        self.is_old(token) && diagnosis::is_of_the_token(&refusal.code)
    }

    fn is_old(&self, token: &LiveToken) -> bool {
        self.engine.now().since(token.obtained_at) >= JUST_MADE
    }

    async fn store(&self, mailbox: Mailbox) -> Result<Account, Problem> {
        let Mailbox {
            address,
            imap_user,
            smtp_user,
            from,
        } = mailbox;
        let account = NewAccount {
            site: self.site.to_owned(),
            application: self.application.to_owned(),
            flow: Flow::AppOnly,
            tenant: self.tenant.clone(),
            state: AccountState::Connected,
            imap_user: imap_user.unwrap_or_else(|| address.clone()),
            smtp_user: smtp_user.unwrap_or_else(|| address.clone()),
            from_address: from.unwrap_or(address),
            identity: None,
            diagnosis: None,
            metadata: self.metadata.clone(),
        };
        let engine = self.engine;
        Ok(engine
            .storage
            .accounts()
            .add(account, None, engine.now())
            .await?)
    }
}

/// The answer to a mailbox that does not open.
pub(crate) fn refused(diagnosis: Diagnosis) -> Problem {
    let code = match diagnosis.code.as_str() {
        diagnosis::BUSY => Code::Busy,
        "mail_server_unavailable" => Code::MailServerUnavailable,
        _ => Code::MailboxAccessRefused,
    };
    let wait = (code == Code::Busy).then_some(Duration::from_secs(2));
    Problem::new(code, diagnosis.detail.clone())
        .diagnosed(diagnosis)
        .retry_after(wait)
}

/// The answer where a person is always needed.
pub(crate) fn no_app_only() -> Problem {
    Problem::field(
        "application",
        "its provider has no app_only_scopes; give a refresh_token, or let a person connect the mailbox",
    )
}

fn too_late() -> Problem {
    Problem::new(
        Code::MailServerUnavailable,
        "the mailbox did not open within the time of this request; give it again",
    )
}

/// Mailboxes looked at in one request at the same time.
const AT_ONCE: usize = 16;
/// How long a request for many may take.
const PATIENCE: Duration = Duration::from_secs(90);
/// A token as young as this is no better when it is made again.
const JUST_MADE: Duration = Duration::from_secs(1);
