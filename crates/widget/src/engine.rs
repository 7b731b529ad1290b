//! What JavaScript sees: [`Engine`] runs a [`Session`] for a [`Host`], the page's hands.
//!
//! The host does the fetching, the timers and the drawing (the browser's own code, no bindings to carry); what is
//! fetched, when, and what it means is decided here. The host must not call the engine from inside its own methods.

use wasm_bindgen::prelude::wasm_bindgen;

use mailgrant_core::secret::Secret;

use crate::session::{Effect, Outcome, Request, Session, Start, View};
use crate::status::Body;
use crate::text::Texts;
use crate::watch::Millis;

#[wasm_bindgen]
extern "C" {
    /// An answer's JSON, flattened to its strings: see [`Body`].
    pub type Json;

    #[wasm_bindgen(method, getter)]
    fn status(this: &Json) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn phase(this: &Json) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn connect_session(this: &Json) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn account_id(this: &Json) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn admin_consent_url(this: &Json) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn code(this: &Json) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn title(this: &Json) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn detail(this: &Json) -> Option<String>;

    /// The page's side, written in `web/widget/mailgrant-session.js`.
    pub type Host;

    /// Send a request after `after` milliseconds, giving up when no answer came `patience` milliseconds later.
    #[wasm_bindgen(method)]
    fn ask(this: &Host, ticket: u32, method: &str, url: &str, after: u32, patience: u32);

    /// Show where things stand, with the texts of the two buttons.
    #[wasm_bindgen(method)]
    fn show(this: &Host, view: &str, text: &str, cancel: &str, reopen: &str);

    /// Show the link for the administrator.
    #[wasm_bindgen(method)]
    fn link(this: &Host, url: &str, text: &str);

    /// Something happened that ends nothing.
    #[wasm_bindgen(method)]
    fn tell(this: &Host, name: &str, value: Option<&str>);

    /// Close the sign-in window.
    #[wasm_bindgen(method)]
    fn close(this: &Host);

    /// The mailbox is connected.
    #[wasm_bindgen(method)]
    fn success(this: &Host, text: &str, connect_session: Option<&str>, account_id: Option<&str>);

    /// The person gave up.
    #[wasm_bindgen(method)]
    fn exit(this: &Host, text: &str, reason: &str);

    /// It could not be done.
    #[wasm_bindgen(method)]
    fn error(this: &Host, text: &str, code: &str, title: &str, detail: &str, retry: bool);
}

/// One attempt to connect a mailbox. Times are `performance.now()`.
#[wasm_bindgen]
pub struct Engine {
    session: Session,
    host: Host,
    texts: &'static Texts,
    connect_url: Secret,
}

#[wasm_bindgen]
impl Engine {
    /// Begins. `connect_url` is `{gateway}/connect/{client_token}`; `returned` after the sign-in by navigation.
    #[wasm_bindgen(constructor)]
    pub fn new(host: Host, connect_url: String, language: &str, returned: bool, now: f64) -> Self {
        let start = if returned {
            Start::Returned
        } else {
            Start::Window
        };
        let (session, effects) = Session::begin(start, millis(now));
        let connect_url = Secret::new(connect_url);
        let engine = Self {
            session,
            host,
            texts: Texts::of(language),
            connect_url,
        };
        engine.perform(effects);
        engine
    }

    /// The gateway answered. `retry_after` in seconds.
    pub fn answered(
        &mut self,
        ticket: u32,
        http: u16,
        body: &Json,
        retry_after: Option<u32>,
        now: f64,
    ) {
        let retry_after = retry_after.map(|seconds| Millis::from(seconds) * 1_000);
        let effects = self
            .session
            .answered(ticket, http, read(body), retry_after, millis(now));
        self.perform(effects);
    }

    /// No answer came.
    pub fn unreachable(&mut self, ticket: u32, now: f64) {
        let effects = self.session.unreachable(ticket, millis(now));
        self.perform(effects);
    }

    /// What `popup.closed` and `document.hasFocus()` say.
    pub fn watched(&mut self, closed: bool, focused: bool, now: f64) {
        let effects = self.session.watched(closed, focused, millis(now));
        self.perform(effects);
    }

    /// A message came from the gateway's origin.
    pub fn hinted(&mut self, now: f64) {
        let effects = self.session.hinted(millis(now));
        self.perform(effects);
    }

    /// Cancel was pressed.
    pub fn cancelled(&mut self, now: f64) {
        let effects = self.session.cancelled(millis(now));
        self.perform(effects);
    }

    /// The window was opened again.
    pub fn reopened(&mut self, now: f64) {
        let effects = self.session.reopened(millis(now));
        self.perform(effects);
    }

    fn perform(&self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ask {
                    ticket,
                    request,
                    after,
                } => self.send(ticket, request, after),
                Effect::Show(view) => {
                    self.host.show(
                        name(view),
                        self.texts.view(view),
                        self.texts.cancel,
                        self.texts.reopen,
                    );
                }
                Effect::Tell { name, value } => {
                    if let Some(url) = value
                        .as_deref()
                        .filter(|_| name == "awaiting_admin_consent")
                    {
                        self.host.link(url, self.texts.admin_link);
                    }
                    self.host.tell(name, value.as_deref());
                }
                Effect::CloseWindow => self.host.close(),
                Effect::End(outcome) => self.end(&outcome),
            }
        }
    }

    fn send(&self, ticket: u32, request: Request, after: Millis) {
        let after = u32::try_from(after).unwrap_or(u32::MAX);
        let mut url = String::from(self.connect_url.expose());
        match request {
            Request::Status { wait } => {
                // `format!` and `concat` alone cost kilobytes.
                url.push_str(if wait == 0 {
                    "/status?wait=0"
                } else {
                    "/status?wait=20"
                });
                self.host
                    .ask(ticket, "GET", &url, after, wait * 1_000 + PATIENCE);
            }
            Request::GiveUp => self.host.ask(ticket, "DELETE", &url, after, PATIENCE),
        }
    }

    fn end(&self, outcome: &Outcome) {
        let text = self.texts.outcome(outcome);
        match outcome {
            Outcome::Success {
                connect_session,
                account_id,
            } => {
                self.host
                    .success(text, connect_session.as_deref(), account_id.as_deref());
            }
            Outcome::Exit(reason) => self.host.exit(text, reason.as_str()),
            Outcome::Error { diagnosis, retry } => {
                self.host.error(
                    text,
                    &diagnosis.code,
                    &diagnosis.title,
                    &diagnosis.detail,
                    *retry,
                );
            }
        }
    }
}

fn read(json: &Json) -> Body {
    Body {
        status: json.status(),
        phase: json.phase(),
        connect_session: json.connect_session(),
        account_id: json.account_id(),
        admin_consent_url: json.admin_consent_url(),
        code: json.code(),
        title: json.title(),
        detail: json.detail(),
    }
}

fn name(view: View) -> &'static str {
    match view {
        View::Waiting => "waiting",
        View::Apart => "apart",
        View::Finishing => "finishing",
        View::AwaitingAdmin => "awaiting-admin",
        View::Reconnecting => "reconnecting",
        View::Stopping => "stopping",
    }
}

/// `performance.now()` is never negative and stays far below 2^53; a float that is neither saturates.
fn millis(now: f64) -> Millis {
    now as Millis
}

/// Milliseconds beyond the long poll's own time in which an answer must have come.
const PATIENCE: u32 = 10_000;
