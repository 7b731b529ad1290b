//! What JavaScript sees: [`Attempt`] runs a [`Session`] in the browser and has the [`Page`] show what comes of it.
//!
//! Whatever happens (an answer, a look at the sign-in window, a click) is told to the session, and the effects that it
//! gives are carried out in their order. The page may call back while one of them is being carried out (a site's event
//! handler that cancels): what comes of that waits until those before it are done.

use std::cell::Cell;
use std::rc::Rc;

use mailgrant_core::secret::Secret;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Window;

use crate::browser::{Answer, Listener, Request, Timer};
use crate::session::{self, Effect, Outcome, Session, Start, View};
use crate::text::Texts;
use crate::watch::Millis;

#[wasm_bindgen]
extern "C" {
    /// The element's side: it draws and dispatches the events, see `web/widget/mailgrant.js`.
    pub type Page;

    /// Show where things stand, with the texts of the two buttons.
    #[wasm_bindgen(method)]
    fn show(this: &Page, view: &str, text: &str, cancel: &str, reopen: &str);

    /// Show the link for the administrator.
    #[wasm_bindgen(method)]
    fn link(this: &Page, url: &str, text: &str);

    /// Something happened that ends nothing.
    #[wasm_bindgen(method)]
    fn tell(this: &Page, name: &str, value: Option<&str>);

    /// The mailbox is connected.
    #[wasm_bindgen(method)]
    fn success(this: &Page, text: &str, connect_session: Option<&str>, account_id: Option<&str>);

    /// The person gave up.
    #[wasm_bindgen(method)]
    fn exit(this: &Page, text: &str, reason: &str);

    /// It could not be done.
    #[wasm_bindgen(method)]
    fn error(this: &Page, text: &str, code: &str, title: &str, detail: &str, retry: bool);
}

/// One attempt to connect a mailbox, from the click to its end.
#[wasm_bindgen]
pub struct Attempt(Rc<Running>);

#[wasm_bindgen]
impl Attempt {
    /// Begins, in this window. `connect_url` is `{gateway}/connect/{client_token}`, `popup` the window that was opened on it: none
    /// after the sign-in by navigation.
    #[wasm_bindgen(constructor)]
    pub fn new(
        window: Window,
        page: Page,
        popup: Option<Window>,
        connect_url: String,
        language: &str,
    ) -> Self {
        let start = if popup.is_some() {
            Start::Window
        } else {
            Start::Returned
        };
        let (session, effects) = Session::begin(start, now(&window));
        let running = Rc::new(Running {
            window,
            page,
            texts: Texts::of(language),
            connect_url: Secret::new(connect_url),
            session: Cell::new(Some(session)),
            effects: Cell::default(),
            popup: Cell::default(),
            looks: Cell::default(),
            hints: Cell::default(),
            pending: Cell::default(),
        });
        running.listen();
        if let Some(popup) = popup {
            running.watch(popup);
        }
        running.perform(effects);
        Self(running)
    }

    /// The person pressed Cancel.
    pub fn cancel(&self) {
        self.0.step(Session::cancelled);
    }

    /// Brings the sign-in window to the front, or opens it again when it is closed or out of reach. To be called from
    /// a click; `features` as for `window.open`.
    pub fn reopen(&self, features: &str) {
        self.0.reopen(features);
    }

    /// Lets go of everything and reports nothing more.
    pub fn stop(&self) {
        self.0.stop();
    }
}

struct Running {
    window: Window,
    page: Page,
    texts: &'static Texts,
    connect_url: Secret,
    /// None once it has ended or was stopped.
    session: Cell<Option<Session>>,
    effects: Cell<Vec<Effect>>,
    popup: Cell<Option<Window>>,
    // Each ends as it is dropped.
    looks: Cell<Option<Timer>>,
    hints: Cell<Option<Listener>>,
    pending: Cell<Option<Pending>>,
}

/// A request that waits for its time, or for its answer; kept only to be dropped.
enum Pending {
    Later(#[expect(dead_code, reason = "dropped")] Timer),
    Sent(#[expect(dead_code, reason = "dropped")] Request),
}

impl Running {
    fn step(self: &Rc<Self>, happening: impl FnOnce(&mut Session, Millis) -> Vec<Effect>) {
        let Some(mut session) = self.session.take() else {
            return;
        };
        let effects = happening(&mut session, now(&self.window));
        self.session.set(Some(session));
        self.perform(effects);
    }

    fn perform(self: &Rc<Self>, mut effects: Vec<Effect>) {
        let mut waiting = self.effects.take();
        waiting.append(&mut effects);
        self.effects.set(waiting);
        while let Some(effect) = self.next() {
            match effect {
                Effect::Ask {
                    ticket,
                    request,
                    after,
                } => self.ask(ticket, request, after),
                Effect::Show(view) => self.page.show(
                    name(view),
                    self.texts.view(view),
                    self.texts.cancel,
                    self.texts.reopen,
                ),
                Effect::Tell { name, value } => self.tell(name, value.as_deref()),
                Effect::CloseWindow => {
                    if let Some(popup) = self.popup() {
                        // Out of reach, it is closed by the gateway's result page.
                        let _ = popup.close();
                    }
                }
                Effect::End(outcome) => {
                    self.stop();
                    self.end(&outcome);
                }
            }
        }
    }

    fn next(&self) -> Option<Effect> {
        let mut effects = self.effects.take();
        let next = (!effects.is_empty()).then(|| effects.remove(0));
        self.effects.set(effects);
        next
    }

    fn popup(&self) -> Option<Window> {
        let popup = self.popup.take();
        self.popup.set(popup.clone());
        popup
    }

    fn stop(&self) {
        self.session.take();
        self.effects.take();
        self.popup.take();
        self.looks.take();
        self.hints.take();
        self.pending.take();
    }

    /// Any message from the gateway's origin is a hint to ask at once.
    fn listen(self: &Rc<Self>) {
        let running = Rc::clone(self);
        let hints = Listener::messages(&self.window, move |event| {
            let path = running.connect_url.expose().strip_prefix(&event.origin());
            if path.is_some_and(|path| path.starts_with('/')) {
                running.step(Session::hinted);
            }
        });
        self.hints.set(hints.ok());
    }

    fn watch(self: &Rc<Self>, popup: Window) {
        let running = Rc::clone(self);
        let looks = Timer::every(&self.window, BETWEEN_LOOKS, move || running.look());
        self.popup.set(Some(popup));
        self.looks.set(looks.ok());
    }

    fn look(self: &Rc<Self>) {
        let closed = self.popup().is_none_or(|popup| is_closed(&popup));
        let focused = self
            .window
            .document()
            .is_some_and(|document| document.has_focus().unwrap_or_default());
        self.step(|session, now| session.watched(closed, focused, now));
    }

    fn reopen(self: &Rc<Self>, features: &str) {
        let mut anew = false;
        self.step(|session, _| {
            anew = session.needs_the_window_anew();
            Vec::new()
        });
        if let Some(popup) = self.popup().filter(|popup| !anew && !is_closed(popup)) {
            let _ = popup.focus();
            return;
        }
        let opened = self.window.open_with_url_and_target_and_features(
            self.connect_url.expose(),
            "mailgrant",
            features,
        );
        // Blocked: the buttons are still there.
        if let Ok(Some(popup)) = opened {
            self.watch(popup);
            self.step(Session::reopened);
        }
    }

    /// Whatever was under way, or to be sent later, ends with this.
    fn ask(self: &Rc<Self>, ticket: u32, request: session::Request, after: Millis) {
        let pending = if after == 0 {
            self.send(ticket, request)
        } else {
            let running = Rc::clone(self);
            let send = move || {
                let sent = running.send(ticket, request);
                running.pending.set(sent.ok());
            };
            Timer::once(&self.window, after, send).map(Pending::Later)
        };
        self.pending.set(pending.ok());
    }

    fn send(self: &Rc<Self>, ticket: u32, request: session::Request) -> Result<Pending, JsValue> {
        let mut url = String::from(self.connect_url.expose());
        let (method, patience) = match request {
            session::Request::Status { wait } => {
                // `format!` and `concat` alone cost kilobytes.
                url.push_str(if wait == 0 {
                    "/status?wait=0"
                } else {
                    "/status?wait=20"
                });
                let session = self.session.take();
                if let Some(version) = session.as_ref().and_then(Session::version) {
                    url.push_str("&since=");
                    url.push_str(version);
                }
                self.session.set(session);
                ("GET", Millis::from(wait) * 1_000 + PATIENCE)
            }
            session::Request::GiveUp => ("DELETE", PATIENCE),
        };
        let running = Rc::clone(self);
        let answered = move |answer: Option<Answer>| {
            running.step(|session, now| match answer {
                Some(answer) => {
                    session.answered(ticket, answer.http, &answer.body, answer.retry_after, now)
                }
                None => session.unreachable(ticket, now),
            });
        };
        Request::send(&self.window, method, &url, patience, answered).map(Pending::Sent)
    }

    fn tell(&self, name: &str, value: Option<&str>) {
        if let Some(url) = value.filter(|_| name == "awaiting_admin_consent") {
            self.page.link(url, self.texts.admin_link);
        }
        self.page.tell(name, value);
    }

    fn end(&self, outcome: &Outcome) {
        let text = self.texts.outcome(outcome);
        match outcome {
            Outcome::Success {
                connect_session,
                account_id,
            } => {
                self.page
                    .success(text, connect_session.as_deref(), account_id.as_deref());
            }
            Outcome::Exit(reason) => self.page.exit(text, reason.as_str()),
            Outcome::Error { diagnosis, retry } => {
                self.page.error(
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

/// A window that is cut off altogether counts as closed: the session does not take that at its word.
fn is_closed(popup: &Window) -> bool {
    popup.closed().unwrap_or(true)
}

/// `performance.now()` is never negative and stays far below 2^53; a float that is neither saturates.
fn now(window: &Window) -> Millis {
    window
        .performance()
        .map_or(0.0, |performance| performance.now()) as Millis
}

fn name(view: View) -> &'static str {
    match view {
        View::Waiting => "waiting",
        View::Apart => "apart",
        View::Finishing => "finishing",
        View::AwaitingAdmin => "awaiting-admin",
        View::Agreed => "agreed",
        View::Reconnecting => "reconnecting",
        View::Stopping => "stopping",
    }
}

const BETWEEN_LOOKS: Millis = 250;
/// Time beyond the long poll's own in which an answer must have come.
const PATIENCE: Millis = 10_000;
