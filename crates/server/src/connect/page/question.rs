//! The pages that ask before anything goes on.

use actix_web::{HttpResponse, cookie::Cookie, http::StatusCode};
use askama::Template;
use mailgrant_storage::{Account, ConnectSession};

use super::{Message, Page, respond, site};
use crate::{connect::person, state::Gateway};

/// Asks whether the person knows what they are about to connect to whom.
#[derive(Debug, Template)]
#[template(path = "question.html")]
pub(in crate::connect) struct Question {
    site: String,
    origin: String,
    provider: String,
    user_label: Option<String>,
    mailbox: Option<String>,
    person: Option<String>,
    /// The mailbox was connected before, and only this person can give it a new sign-in.
    again: bool,
    form_token: String,
}

impl Question {
    pub(in crate::connect) fn of(
        gateway: &Gateway,
        session: &ConnectSession,
        form_token: String,
    ) -> Self {
        Self {
            site: site(&session.origin),
            origin: session.origin.clone(),
            provider: provider(gateway, &session.application),
            user_label: session.user_label.clone(),
            mailbox: session.mailbox.clone(),
            person: session.login_hint.clone(),
            again: session.mends.is_some(),
            form_token,
        }
    }

    /// Of a link that was mailed, before there is a session.
    pub(in crate::connect) fn again(
        gateway: &Gateway,
        account: &Account,
        origin: &str,
        form_token: String,
    ) -> Self {
        Self {
            site: site(origin),
            origin: origin.to_owned(),
            provider: provider(gateway, &account.application),
            user_label: None,
            mailbox: Some(account.imap_user.clone()),
            person: person(account).map(str::to_owned),
            again: true,
            form_token,
        }
    }

    pub(in crate::connect) fn respond(&self, cookie: Cookie<'static>) -> HttpResponse {
        respond(StatusCode::OK, self, Some(cookie))
    }
}

fn provider(gateway: &Gateway, application: &str) -> String {
    gateway.registrations.get(application).map_or_else(
        || "the provider".to_owned(),
        |registration| registration.application.provider.display_name.clone(),
    )
}

/// The session waits for an administrator; the person may try again.
#[derive(Debug)]
pub(in crate::connect) struct Waiting(Message);

impl Waiting {
    pub(in crate::connect) fn of(
        _: &Gateway,
        session: &ConnectSession,
        form_token: String,
    ) -> Self {
        let page = Page::result(session);
        Self(Message {
            form: Some(form_token),
            result: None,
            ..*page.message
        })
    }

    pub(in crate::connect) fn respond(&self, cookie: Cookie<'static>) -> HttpResponse {
        respond(StatusCode::OK, &self.0, Some(cookie))
    }
}
