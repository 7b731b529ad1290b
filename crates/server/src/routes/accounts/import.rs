//! Importing a refresh token that another program obtained with the same registration.

use std::time::Duration;

use mailgrant_core::token::RefreshToken;
use mailgrant_storage::{Connected, ImportRequest};
use serde_json::Value;

use crate::{
    adding::Mailbox,
    connect::{Ending, ImportFailure, ImportFault, Kept},
    problem::{Code, Problem},
    registration::Registration,
    representation::Moment,
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
    /// Stores the token, redeems it, opens the mailbox with it, and makes the account.
    pub(super) async fn one(
        self,
        mailbox: Mailbox,
        refresh_token: RefreshToken,
    ) -> Result<Connected, Problem> {
        let gateway = self.gateway;
        let registration = gateway.registration(self.application)?;
        let tenant = match self.tenant {
            Some(_) => registration.tenant(self.tenant).await?,
            None => None,
        };
        let request = ImportRequest {
            tenant: tenant.clone(),
            mailbox: Some(mailbox.imap_user().to_owned()),
            smtp_user: mailbox.smtp_user,
            from_address: Some(mailbox.from.unwrap_or(mailbox.address)),
            metadata: self.metadata,
        };
        gateway
            .import(self.application, self.site, request, refresh_token)
            .await
            .map_err(|failure| failed(failure, registration, tenant.as_deref()))
    }
}

fn failed(failure: ImportFailure, registration: &Registration, tenant: Option<&str>) -> Problem {
    let problem = match failure.fault {
        ImportFault::Authority(error) => {
            match tokens::Error::of(&error, &registration.asked(tenant)) {
                // There is no account yet that could be signed in again.
                tokens::Error::ReauthRequired(Some(diagnosis)) => Problem::new(
                    Code::InvalidField,
                    format!("refresh_token: {}", diagnosis.detail),
                )
                .naming("refresh_token")
                .diagnosed(*diagnosis),
                other => other.into(),
            }
        }
        ImportFault::Ending(Ending::Failed(diagnosis) | Ending::AdminConsent(diagnosis)) => {
            crate::adding::refused(*diagnosis)
        }
        ImportFault::Storage(error) => error.into(),
        ImportFault::UnderWay => Problem::new(
            Code::Busy,
            "the same refresh token is being imported at the moment; send the same request again to see what became of it",
        )
        .retry_after(Some(WAIT)),
    };
    let Some(Kept {
        until,
        next_attempt_at,
    }) = failure.kept
    else {
        return problem;
    };
    let until = Moment(until);
    match next_attempt_at {
        Some(_) => problem
            .adding(&format!(
                "The refresh token is not lost: it is kept, sealed, until {until}, and the gateway goes on by itself; \
                 send the same request again to go on at once and to see the account"
            ))
            .retry_after(Some(WAIT)),
        None => problem.adding(&format!(
            "The authority has replaced the refresh token; the new one is kept, sealed, until {until}: send the request \
             again with the same token, and with what was wrong put right"
        )),
    }
}

const WAIT: Duration = Duration::from_secs(5);
