//! The pages that people see.

mod question;

use actix_web::{
    HttpResponse,
    cookie::Cookie,
    http::{StatusCode, header},
};
use askama::Template;
use mailgrant_storage::{Account, ConnectSession, ConnectStatus};
use url::Url;

pub(super) use self::question::{Question, Waiting};
use crate::diagnosis::Diagnosis;

/// A page that ends a step.
#[derive(Debug)]
pub(crate) struct Page {
    status: StatusCode,
    message: Box<Message>,
}

/// Style, script and icon of the pages: name, media type, content.
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
    (
        "copy.js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/connect/copy.js"),
    ),
    (
        "icon.svg",
        "image/svg+xml",
        include_str!("../../assets/icon.svg"),
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

    /// The mailbox is connected: which one, and by whose sign-in. For the browser in which that person signed in.
    pub(super) fn connected(session: &ConnectSession, account: &Account) -> Self {
        let page = Self::result(session);
        let message = Message {
            facts: facts(Some(&account.imap_user), signed_in(account)),
            ..*page.message
        };
        Self::of(page.status, message)
    }

    /// How the session ended, or what it waits for.
    pub(super) fn result(session: &ConnectSession) -> Self {
        let diagnosis = session.diagnosis.as_ref().and_then(Diagnosis::from_json);
        let message = match (session.status, diagnosis) {
            (ConnectStatus::Connected, _) => {
                let heading = match (&session.mends, &session.mailbox) {
                    (Some(_), _) => "The mailbox works again",
                    (None, Some(_)) => "The mailbox is connected",
                    (None, None) => "Your mailbox is connected",
                };
                Message::new(heading, "good").saying("You can close this window.")
            }
            (ConnectStatus::Expired, _) => Message::new("This link has expired", "bad")
                .saying("Go back to the site and start again."),
            (ConnectStatus::AwaitingAdminConsent, Some(diagnosis)) => {
                let told = Message::new(&diagnosis.title, "wait").explaining(&diagnosis);
                Message {
                    // Few who come here know what consent is; what the authority said is for those who do.
                    said: told.paragraphs.into_iter().next(),
                    paragraphs: vec![
                        "Your organisation lets only an administrator allow this. It has to be done once, for everybody.".to_owned(),
                        "You can close this window; the site will show when it goes on.".to_owned(),
                    ],
                    ..told
                }
            }
            (_, Some(diagnosis)) => Message::new(&diagnosis.title, "bad").explaining(&diagnosis),
            (_, None) => {
                Message::new("Not connected", "bad").saying("Go back to the site and start again.")
            }
        };
        Self::of(
            StatusCode::OK,
            Message {
                facts: facts(session.mailbox.as_deref(), None),
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
            }) => format!("The person who asked ({label}) can now connect the mailbox."),
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
    facts: Vec<(&'static str, String)>,
    steps: Vec<Step>,
    /// Where an administrator agrees: to be sent to one.
    link: Option<String>,
    form: Option<String>,
    /// The authority's own words, for those who want them.
    said: Option<String>,
    code: Option<String>,
    refresh: Option<u32>,
    result: Option<Ended>,
}

/// Something to do, with what is to be typed for it.
#[derive(Debug)]
struct Step {
    words: String,
    command: Option<String>,
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
            steps: diagnosis.remedy.iter().map(|line| Step::of(line)).collect(),
            link: diagnosis.admin_consent_url.clone(),
            code: Some([vec![diagnosis.code.clone()], codes].concat().join(" ")),
            ..self.saying(&sentence(&diagnosis.detail))
        }
    }
}

impl Step {
    /// A remedy that ends in a command has it after `runs: `.
    fn of(line: &str) -> Self {
        let (words, command) = match line.split_once(RUNS) {
            Some((who, command)) => (format!("{who}{RUNS}"), Some(command.to_owned())),
            None => (line.to_owned(), None),
        };
        Self { words, command }
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

/// What the pages say of mailbox and person.
fn facts(mailbox: Option<&str>, person: Option<&str>) -> Vec<(&'static str, String)> {
    let named = |name, value: Option<&str>| value.map(|value| (name, value.to_owned()));
    named("Mailbox", mailbox)
        .into_iter()
        .chain(named("Signed in as", person))
        .collect()
}

/// The name of the person who signed in, if the authority told.
fn signed_in(account: &Account) -> Option<&str> {
    let identity = account.identity.as_ref()?;
    [
        &identity.preferred_username,
        &identity.email,
        &identity.name,
    ]
    .into_iter()
    .find_map(Option::as_deref)
}

/// A finding as a sentence of its own.
fn sentence(text: &str) -> String {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut sentence = match first.chars().next() {
        // Not the beginning of an address or a name in code.
        Some(letter) if first.chars().all(char::is_lowercase) => {
            format!(
                "{}{}",
                letter.to_uppercase(),
                first.get(letter.len_utf8()..).unwrap_or_default()
            )
        }
        _ => first.to_owned(),
    };
    if !rest.is_empty() {
        sentence.push(' ');
        sentence.push_str(rest);
    }
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
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

const RUNS: &str = " runs: ";

/// Forms lead on to the authority, whatever hosts it sends the browser through: browsers apply `form-action` to redirects.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self' https: http://127.0.0.1:* http://localhost:*; frame-ancestors 'none'; base-uri 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_becomes_a_sentence() {
        for (finding, expected) in [
            ("the person gave up", "The person gave up."),
            (
                "ada@contoso.example was connected",
                "ada@contoso.example was connected.",
            ),
            ("AADSTS90094: It is so.", "AADSTS90094: It is so."),
            (
                "`offline_access` is missing",
                "`offline_access` is missing.",
            ),
        ] {
            assert_eq!(sentence(finding), expected);
        }
    }
}
