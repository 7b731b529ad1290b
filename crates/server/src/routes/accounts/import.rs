//! Importing a refresh token that another program obtained with the same registration.

use mailgrant_core::token::{RefreshToken, TokenResponse};
use mailgrant_storage::{Account, Flow};
use serde_json::Value;

use crate::{
    adding::Mailbox,
    connect::{Ending, Proven, SignIn, redeem_import},
    problem::{Code, Problem},
    registration::Registration,
    state::Gateway,
    tokens,
};

/// What is brought along.
pub(super) struct Import<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) site: &'a str,
    pub(super) application: &'a str,
    /// The tenant that gave the token, where the application serves many.
    pub(super) tenant: Option<&'a str>,
    pub(super) metadata: Value,
}

impl Import<'_> {
    /// Redeems the token, opens the mailbox with it, and stores both.
    pub(super) async fn one(
        self,
        mailbox: Mailbox,
        refresh_token: RefreshToken,
    ) -> Result<Account, Problem> {
        let gateway = self.gateway;
        let registration = gateway.registration(self.application)?;
        let response = self.redeem(registration, refresh_token).await?;
        let sign_in = SignIn {
            application: self.application,
            site: self.site,
            mailbox: Some(mailbox.imap_user()),
            login_hint: None,
            nonce: None,
            metadata: self.metadata.clone(),
        };
        let Proven { mut account, grant } = gateway
            .prove_import(sign_in, response)
            .await
            .map_err(ended)?;
        debug_assert_eq!(account.flow, Flow::Delegated);
        if account.tenant.is_none() {
            account.tenant = self.tenant.map(str::to_owned);
        }
        if let Some(smtp_user) = mailbox.smtp_user {
            account.smtp_user = smtp_user;
        }
        account.from_address = mailbox.from.unwrap_or(mailbox.address);
        Ok(gateway
            .storage
            .accounts()
            .add(account, Some(grant), gateway.now())
            .await?)
    }

    async fn redeem(
        &self,
        registration: &Registration,
        refresh_token: RefreshToken,
    ) -> Result<TokenResponse, Problem> {
        let asked = registration.asked(self.tenant);
        let refused = |error| match tokens::Error::of(&error, &asked) {
            // There is no account yet that could be signed in again.
            tokens::Error::ReauthRequired(Some(diagnosis)) => Problem::new(
                Code::InvalidField,
                format!("refresh_token: {}", diagnosis.detail),
            )
            .naming("refresh_token")
            .diagnosed(*diagnosis),
            other => other.into(),
        };
        let client = registration.client(self.tenant).map_err(refused)?;
        redeem_import(&client, &registration.application, refresh_token)
            .await
            .map_err(refused)
    }
}

fn ended(ending: Ending) -> Problem {
    let (Ending::Failed(diagnosis) | Ending::AdminConsent(diagnosis)) = ending;
    crate::adding::refused(*diagnosis)
}
