//! What programs need that open an account's mailbox themselves: a token that lasts, a user name, a host.

use std::time::Duration;

use mailgrant_core::{
    provider::{MailHost, Provider},
    scope::Scopes,
};
use mailgrant_storage::{Account, Flow};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    diagnosis,
    engine::Engine,
    scopes,
    settings::Application,
    tokens::{Error, LiveToken},
};

/// The protocol that a program speaks to the mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Reading, by IMAP.
    #[default]
    Imap,
    /// Sending, by SMTP.
    Smtp,
    /// Reading, by POP3.
    Pop3,
}

impl Protocol {
    /// The user name: for a shared mailbox SMTP wants the person's own, IMAP and POP3 the mailbox's.
    #[must_use]
    pub fn user(self, account: &Account) -> &str {
        match self {
            Self::Imap | Self::Pop3 => &account.imap_user,
            Self::Smtp => &account.smtp_user,
        }
    }

    /// The server, where the provider has one.
    #[must_use]
    pub fn host(self, application: &Application) -> Option<&MailHost> {
        let provider = &application.provider;
        match self {
            Self::Imap => Some(&provider.imap),
            Self::Smtp => provider.smtp.as_ref(),
            Self::Pop3 => provider.pop3.as_ref(),
        }
    }

    /// What a person must have agreed to besides reading by IMAP, which every account can.
    fn needs(self, provider: &Provider) -> Option<&Scopes> {
        match self {
            Self::Imap => None,
            Self::Smtp => Some(&provider.smtp_scopes),
            Self::Pop3 => Some(&provider.pop3_scopes),
        }
    }

    /// For a diagnosis.
    const fn name(self) -> &'static str {
        match self {
            Self::Imap => "IMAP",
            Self::Smtp => "SMTP",
            Self::Pop3 => "POP3",
        }
    }
}

impl Engine {
    /// Whether a token of the account may be used by that protocol: a person agreed to certain things, and a token cannot
    /// do more.
    ///
    /// # Errors
    /// [`Error::NotGranted`] with what is missing, and whose turn it is; [`Error::Storage`].
    pub async fn check_protocol(&self, account: &Account, protocol: Protocol) -> Result<(), Error> {
        self.tokens.admit(account).await?;
        let Some(application) = self.settings.application(&account.application) else {
            return Ok(());
        };
        let Some(needs) = protocol
            .needs(&application.provider)
            .filter(|needs| !needs.is_empty() && account.flow == Flow::Delegated)
        else {
            return Ok(());
        };
        let stored = |error: mailgrant_storage::Error| Error::Storage {
            detail: error.to_string(),
        };
        let grant = self.storage.grants().lookup(&account.id).await;
        let granted = grant.map_err(stored)?.ok_or(Error::Gone)?.scopes;
        let missing = scopes::missing(application, &granted, needs);
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::NotGranted(Box::new(diagnosis::not_granted(
            application,
            account,
            protocol.name(),
            &missing,
        ))))
    }

    /// A token of the account that is good for at least so long, or the newest where the authority's do not last so long.
    ///
    /// # Errors
    /// As [`TokenKeeper::access_token`](crate::TokenKeeper::access_token).
    pub async fn token_for(
        &self,
        account: &Account,
        at_least: Duration,
    ) -> Result<LiveToken, Error> {
        let live = self.tokens.access_token(account).await?;
        if live.expires_at.since(self.now()) >= at_least {
            return Ok(live);
        }
        self.tokens.renewed(account, &live).await
    }

    /// The same for an application that needs no account, at another tenant than its own where one is named; `mailbox`
    /// matters only to service accounts.
    ///
    /// # Errors
    /// As [`TokenKeeper::access_token`](crate::TokenKeeper::access_token).
    pub async fn app_only_token_for(
        &self,
        application: &str,
        tenant: Option<&str>,
        mailbox: &str,
        at_least: Duration,
    ) -> Result<LiveToken, Error> {
        let tokens = &self.tokens;
        let live = tokens.app_only_token(application, tenant, mailbox).await?;
        if live.expires_at.since(self.now()) >= at_least {
            return Ok(live);
        }
        tokens
            .renewed_app_only(application, tenant, mailbox, &live)
            .await
    }
}
