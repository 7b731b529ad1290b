//! What an attempt has from the browser: timers, messages and requests, each of which ends when it is dropped.

use std::rc::Rc;

use serde_json::Value;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    AbortController, MessageEvent, ReferrerPolicy, RequestCache, RequestCredentials, RequestInit,
    Response, Window,
};

use crate::watch::Millis;

/// A task that the browser runs once or again and again.
pub(crate) struct Timer {
    window: Window,
    handle: i32,
    _task: Closure<dyn Fn()>,
}

impl Timer {
    pub(crate) fn once(
        window: &Window,
        after: Millis,
        task: impl Fn() + 'static,
    ) -> Result<Self, JsValue> {
        Self::start(window, after, false, Closure::new(task))
    }

    pub(crate) fn every(
        window: &Window,
        interval: Millis,
        task: impl Fn() + 'static,
    ) -> Result<Self, JsValue> {
        Self::start(window, interval, true, Closure::new(task))
    }

    fn start(
        window: &Window,
        after: Millis,
        again: bool,
        task: Closure<dyn Fn()>,
    ) -> Result<Self, JsValue> {
        let function = task.as_ref().unchecked_ref();
        let after = i32::try_from(after).unwrap_or(i32::MAX);
        let handle = if again {
            window.set_interval_with_callback_and_timeout_and_arguments_0(function, after)
        } else {
            window.set_timeout_with_callback_and_timeout_and_arguments_0(function, after)
        }?;
        Ok(Self {
            window: window.clone(),
            handle,
            _task: task,
        })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // Ends intervals too: both are in one map of active timers (HTML, 8.7).
        self.window.clear_timeout_with_handle(self.handle);
    }
}

/// An ear for messages that are sent to the window.
pub(crate) struct Listener {
    window: Window,
    heard: Closure<dyn Fn(JsValue)>,
}

impl Listener {
    pub(crate) fn messages(
        window: &Window,
        heard: impl Fn(MessageEvent) + 'static,
    ) -> Result<Self, JsValue> {
        let heard = Closure::<dyn Fn(JsValue)>::new(move |event: JsValue| {
            heard(event.unchecked_into());
        });
        window.add_event_listener_with_callback(MESSAGE, heard.as_ref().unchecked_ref())?;
        Ok(Self {
            window: window.clone(),
            heard,
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let heard = self.heard.as_ref().unchecked_ref();
        // Fails for nothing that was added.
        let _ = self
            .window
            .remove_event_listener_with_callback(MESSAGE, heard);
    }
}

/// A request under way: dropped, it is aborted.
pub(crate) struct Request {
    abort: AbortController,
    _limit: Timer,
}

impl Request {
    /// Asks the gateway, without cookies or referrer. `answered` is called once: with nothing when no answer came in
    /// `patience`, or none at all, or the request was dropped.
    pub(crate) fn send(
        window: &Window,
        method: &str,
        url: &str,
        patience: Millis,
        answered: impl Fn(Option<Answer>) + 'static,
    ) -> Result<Self, JsValue> {
        let abort = AbortController::new()?;
        let request = RequestInit::new();
        request.set_method(method);
        request.set_credentials(RequestCredentials::Omit);
        request.set_cache(RequestCache::NoStore);
        request.set_referrer_policy(ReferrerPolicy::NoReferrer);
        request.set_signal(Some(&abort.signal()));
        let late = abort.clone();
        let limit = Timer::once(window, patience, move || late.abort())?;

        let answered: Rc<dyn Fn(Option<Answer>)> = Rc::new(answered);
        settled(
            &window.fetch_with_str_and_init(url, &request),
            move |came| match came.dyn_into() {
                Ok(response) => read(response, Rc::clone(&answered)),
                Err(_) => answered(None),
            },
        );
        Ok(Self {
            abort,
            _limit: limit,
        })
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

/// What came back from the gateway.
pub(crate) struct Answer {
    pub(crate) http: u16,
    pub(crate) retry_after: Option<Millis>,
    pub(crate) body: String,
}

fn read(response: Response, answered: Rc<dyn Fn(Option<Answer>)>) {
    let Ok(text) = response.text() else {
        return answered(None);
    };
    settled(&text, move |came| {
        answered(came.as_string().map(|body| Answer {
            http: response.status(),
            retry_after: retry_after(&response),
            body,
        }));
    });
}

#[wasm_bindgen]
extern "C" {
    type Promise;

    #[wasm_bindgen(method)]
    fn then(this: &Promise, kept: &JsValue, broken: &JsValue);
}

/// Takes up what the promise comes to: a value, or the error that it was broken with. The task is the browser's from
/// here on: it frees it with the promise. (Futures would be two kilobytes more to load.)
fn settled(promise: &JsValue, task: impl Fn(JsValue) + 'static) {
    let task = Closure::<dyn Fn(JsValue)>::new(task).into_js_value();
    promise.unchecked_ref::<Promise>().then(&task, &task);
}

/// `Retry-After` in its form of seconds (RFC 9110 §10.2.3); a date is left to the usual pause.
fn retry_after(response: &Response) -> Option<Millis> {
    let seconds = response.headers().get("retry-after").ok()??;
    // The JSON reader is here already; another one for numbers would be more to load.
    let seconds: Value = serde_json::from_str(&seconds).ok()?;
    Some(Millis::from(u32::try_from(seconds.as_u64()?).ok()?) * 1_000)
}

const MESSAGE: &str = "message";
