//! The pages that people see.

use actix_web::{
    HttpResponse,
    cookie::Cookie,
    http::{StatusCode, header},
};
use askama::Template;
use mailgrant_storage::{ConnectSession, ConnectStatus};
use url::Url;

use crate::{diagnosis::Diagnosis, state::Gateway};

/// A page that ends a step.
#[derive(Debug)]
pub(crate) struct Page {
    status: StatusCode,
    message: Box<Message>,
}

/// Style and script of the pages: name, media type, content.
pub(crate) const ASSETS: &[(&str, &str, &str)] = &[
    (
        "connect.css",
        "text/css; charset=utf-8",
        include_str!("../../assets/connect/connect.css"),
    ),
    (
        "result.js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/connect/result.js"),
    ),
];

impl Page {
    pub(crate) fn respond(self) -> HttpResponse {
        respond(self.status, &*self.message, None)
    }

    /// Something went wrong that is no session's result.
    pub(super) fn error(status: StatusCode, heading: &str, detail: &str) -> Self {
        Self::of(status, Message::new(heading, "bad").saying(detail))
    }

    pub(super) fn diagnosed(status: StatusCode, diagnosis: &Diagnosis) -> Self {
        Self::of(
            status,
            Message::new(&diagnosis.title, "bad").explaining(diagnosis),
        )
    }

    /// How the session ended, or what it waits for.
    pub(super) fn result(session: &ConnectSession) -> Self {
        let diagnosis = session.diagnosis.as_ref().and_then(Diagnosis::from_json);
        let message = match (session.status, diagnosis) {
            (ConnectStatus::Connected, _) => Message::new("Your mailbox is connected", "good")
                .saying("You can close this window."),
            (ConnectStatus::Expired, _) => Message::new("This link has expired", "bad")
                .saying("Go back to the site and start again."),
            (ConnectStatus::AwaitingAdminConsent, Some(diagnosis)) => {
                Message::new(&diagnosis.title, "wait")
                    .explaining(&diagnosis)
                    .saying("You can close this window; the site will show when it goes on.")
            }
            (_, Some(diagnosis)) => Message::new(&diagnosis.title, "bad").explaining(&diagnosis),
            (_, None) => {
                Message::new("Not connected", "bad").saying("Go back to the site and start again.")
            }
        };
        Self::of(
            StatusCode::OK,
            Message {
                result: Some(Ended::of(session)),
                ..message
            },
        )
    }

    /// The session was over before the browser came back.
    pub(super) fn over(session: &ConnectSession) -> Self {
        Self::result(session)
    }

    pub(super) fn checking() -> Self {
        let message =
            Message::new("Checking your mailbox", "wait").saying("This takes a few seconds.");
        Self::of(
            StatusCode::OK,
            Message {
                refresh: Some(2),
                ..message
            },
        )
    }

    pub(super) fn unknown_link() -> Self {
        Self::error(
            StatusCode::NOT_FOUND,
            "This link is not known",
            "It may have been cut off. Go back to the site and start again.",
        )
    }

    pub(super) fn storage(error: &mailgrant_storage::Error) -> Self {
        tracing::error!(%error, "storage");
        Self::error(
            StatusCode::SERVICE_UNAVAILABLE,
            "Not possible at the moment",
            "The gateway cannot reach its database, and nothing was connected. Try again in a few minutes.",
        )
    }

    pub(crate) fn stopping() -> Self {
        Self::error(
            StatusCode::SERVICE_UNAVAILABLE,
            "The gateway is stopping",
            "Go back to the site and start again in a moment.",
        )
    }

    pub(super) fn consent_given(session: Option<&ConnectSession>) -> Self {
        let whom = match session {
            Some(ConnectSession {
                user_label: Some(label),
                ..
            }) => format!("{label} can now connect the mailbox."),
            _ => "The person who asked can now connect the mailbox.".to_owned(),
        };
        Self::of(
            StatusCode::OK,
            Message::new("Thank you, the permission is given", "good")
                .saying(&whom)
                .saying("You can close this window."),
        )
    }

    pub(super) fn consent_refused() -> Self {
        Self::of(
            StatusCode::OK,
            Message::new("The permission was not given", "bad")
                .saying("Nothing was changed. The link can be opened again by an administrator who may agree for the organisation."),
        )
    }

    fn of(status: StatusCode, message: Message) -> Self {
        Self {
            status,
            message: Box::new(message),
        }
    }
}

#[derive(Debug, Default, Template)]
#[template(path = "message.html")]
struct Message {
    heading: String,
    tone: &'static str,
    paragraphs: Vec<String>,
    steps: Vec<String>,
    link: Option<String>,
    link_text: &'static str,
    form: Option<String>,
    code: Option<String>,
    refresh: Option<u32>,
    result: Option<Ended>,
}

/// What the script tells the page that opened the window.
#[derive(Debug)]
struct Ended {
    session: String,
    status: &'static str,
    origin: String,
    site: String,
    return_url: Option<String>,
}

impl Message {
    fn new(heading: &str, tone: &'static str) -> Self {
        Self {
            heading: heading.to_owned(),
            tone,
            ..Self::default()
        }
    }

    fn saying(mut self, paragraph: &str) -> Self {
        self.paragraphs.push(paragraph.to_owned());
        self
    }

    fn explaining(self, diagnosis: &Diagnosis) -> Self {
        let codes: Vec<String> = diagnosis
            .error_codes
            .iter()
            .map(|code| format!("AADSTS{code}"))
            .collect();
        Self {
            steps: diagnosis.remedy.clone(),
            link: diagnosis.admin_consent_url.clone(),
            link_text: "Agree as an administrator",
            code: Some([vec![diagnosis.code.clone()], codes].concat().join(" ")),
            ..self.saying(&diagnosis.detail)
        }
    }
}

impl Ended {
    fn of(session: &ConnectSession) -> Self {
        Self {
            session: session.id.to_string(),
            status: session.status.as_str(),
            origin: session.origin.clone(),
            site: site(&session.origin),
            return_url: session
                .return_url
                .as_deref()
                .and_then(|url| with_result(url, session)),
        }
    }
}

/// The site's page, told which session and how it ended.
fn with_result(url: &str, session: &ConnectSession) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    url.query_pairs_mut()
        .append_pair("connect_session", session.id.as_str())
        .append_pair("status", session.status.as_str());
    Some(url.into())
}

/// Asks whether the person knows what they are about to connect to whom.
#[derive(Debug, Template)]
#[template(path = "question.html")]
pub(super) struct Question {
    site: String,
    origin: String,
    provider: String,
    user_label: Option<String>,
    mailbox: Option<String>,
    form_token: String,
}

impl Question {
    pub(super) fn of(gateway: &Gateway, session: &ConnectSession, form_token: String) -> Self {
        Self {
            site: site(&session.origin),
            origin: session.origin.clone(),
            provider: gateway.registrations.get(&session.application).map_or_else(
                || "the provider".to_owned(),
                |registration| registration.application.provider.display_name.clone(),
            ),
            user_label: session.user_label.clone(),
            mailbox: session.mailbox.clone(),
            form_token,
        }
    }

    pub(super) fn respond(&self, cookie: Cookie<'static>) -> HttpResponse {
        respond(StatusCode::OK, self, Some(cookie))
    }
}

/// The session waits for an administrator; the person may try again.
#[derive(Debug)]
pub(super) struct Waiting(Message);

impl Waiting {
    pub(super) fn of(_: &Gateway, session: &ConnectSession, form_token: String) -> Self {
        let page = Page::result(session);
        Self(Message {
            form: Some(form_token),
            result: None,
            ..*page.message
        })
    }

    pub(super) fn respond(&self, cookie: Cookie<'static>) -> HttpResponse {
        respond(StatusCode::OK, &self.0, Some(cookie))
    }
}

fn site(origin: &str) -> String {
    origin
        .split_once("://")
        .map_or(origin, |(_, host)| host)
        .to_owned()
}

fn respond(
    status: StatusCode,
    template: &impl Template,
    cookie: Option<Cookie<'static>>,
) -> HttpResponse {
    let Ok(html) = template.render() else {
        return HttpResponse::InternalServerError().finish();
    };
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(cookie) = cookie {
        response.cookie(cookie);
    }
    response.body(html)
}

/// Forms lead on to the authority, whatever hosts it sends the browser through: browsers apply `form-action` to redirects.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self' https: http://127.0.0.1:* http://localhost:*; frame-ancestors 'none'; base-uri 'none'";
