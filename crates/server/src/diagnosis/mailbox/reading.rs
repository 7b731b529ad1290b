//! What a refusal, and the token that met it, tell of themselves.

use mailgrant_core::{
    claims::{Claims, TokenKind},
    provider::CLOUDS,
    scope::Scope,
};
use mailgrant_doctor::powershell::Value;
use mailgrant_mail::imap;

use super::Login;
use crate::settings::Application;

/// Everything there is to go by.
pub(super) struct Seen<'a> {
    pub(super) said: String,
    pub(super) claims: Claims,
    /// The resources whose tokens Exchange takes, among those that the settings ask for; empty elsewhere.
    pub(super) resources: Vec<&'a str>,
    pub(super) login: &'a Login<'a>,
}

impl<'a> Seen<'a> {
    pub(super) fn of(error: &imap::Error, login: &'a Login<'_>) -> Self {
        let claims = match Claims::unverified(login.token.expose()) {
            TokenKind::Jwt(claims) => *claims,
            _ => Claims::default(),
        };
        Self {
            said: said(error),
            resources: delegated(login.application)
                .chain(app_only(login.application))
                .collect(),
            claims,
            login,
        }
    }

    /// The permission that the token should carry and does not.
    pub(super) fn missing_permission(&self) -> Option<&'static str> {
        match &self.claims.scp {
            Some(scopes) => (!scopes.contains(DELEGATED)).then_some(DELEGATED),
            None => (!self.claims.roles.iter().any(|role| role == APP_ONLY)).then_some(APP_ONLY),
        }
    }

    /// The audience, when it cannot be the mail server.
    pub(super) fn foreign_audience(&self) -> Option<&str> {
        let audiences = &self.claims.aud;
        let first = audiences.first()?;
        let is_wanted = |audience: &str| {
            let audience = audience.trim_end_matches('/');
            self.resources
                .iter()
                .any(|resource| resource.eq_ignore_ascii_case(audience))
        };
        let is_exchange = audiences
            .iter()
            .any(|audience| is_exchange(audience) || is_wanted(audience));
        let is_graph = audiences.iter().any(|audience| is_graph(audience));
        (!is_exchange && (is_graph || !self.resources.is_empty())).then_some(first)
    }

    /// The sign-in name, when a person did sign in.
    pub(super) fn person(&self) -> Option<&str> {
        self.claims.scp.as_ref()?;
        [
            &self.claims.upn,
            &self.claims.unique_name,
            &self.claims.preferred_username,
            &self.claims.email,
        ]
        .into_iter()
        .find_map(|name| name.as_deref().filter(|name| name.contains('@')))
    }

    /// The object id of the enterprise application, which an app-only token names.
    pub(super) fn principal(&self) -> Value {
        match &self.claims.oid {
            Some(oid) => name(oid),
            None => Value::Blank("<object id of the enterprise application>"),
        }
    }
}

/// What the mail server said, without the token.
fn said(error: &imap::Error) -> String {
    match error {
        imap::Error::Authentication {
            challenge: Some(challenge),
            ..
        } => match &challenge.scope {
            Some(scope) => format!("status {}, wanted scope {scope}", challenge.status),
            None => format!("status {}", challenge.status),
        },
        other => other.to_string(),
    }
}

/// The resources whose mail permission the delegated flow asks for.
pub(super) fn delegated(application: &Application) -> impl Iterator<Item = &str> {
    let scopes = application.scopes().iter().map(Scope::as_str);
    scopes.filter_map(|scope| scope.strip_suffix("/IMAP.AccessAsUser.All"))
}

/// Exchange's resources, as the app-only flow asks for them.
pub(super) fn app_only(application: &Application) -> impl Iterator<Item = &str> {
    let scopes = application.app_only_scopes().iter().map(Scope::as_str);
    scopes
        .filter_map(|scope| scope.strip_suffix("/.default"))
        .filter(|resource| is_exchange(resource))
}

/// Whether a token of this audience is for Exchange Online, in whichever cloud.
fn is_exchange(audience: &str) -> bool {
    CLOUDS.iter().any(|cloud| cloud.is_mail_audience(audience))
}

/// The same of Microsoft Graph, whose tokens no mail server takes.
fn is_graph(audience: &str) -> bool {
    CLOUDS.iter().any(|cloud| cloud.is_graph_audience(audience))
}

/// A name in a command to type. Any text would stay in its quotation marks, yet what comes out of a token may be
/// anything: only what can be an address or an id is shown to somebody who will paste it.
pub(super) fn name(text: &str) -> Value {
    // RFC 5322 section 3.2.3, atext.
    let plain =
        |letter: char| letter.is_ascii_alphanumeric() || "@.!#$%&'*+-/=?^_`{|}~".contains(letter);
    match !text.is_empty() && text.len() <= 254 && text.chars().all(plain) {
        true => Value::text(text),
        false => Value::Blank("<as shown above>"),
    }
}

/// Text of a token, short and in one line.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(200)
        .collect()
}

pub(super) const DELEGATED: &str = "IMAP.AccessAsUser.All";
pub(super) const APP_ONLY: &str = "IMAP.AccessAsApp";
