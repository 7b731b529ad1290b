//! What an attempt has from the browser: timers, messages and requests, each of which ends when it is dropped.

use std::rc::Rc;

use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    AbortController, Headers, MessageEvent, ReferrerPolicy, RequestCache, RequestCredentials,
    RequestInit, Response, Window,
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
    heard: Closure<dyn Fn(MessageEvent)>,
}

impl Listener {
    pub(crate) fn messages(
        window: &Window,
        heard: impl Fn(MessageEvent) + 'static,
    ) -> Result<Self, JsValue> {
        let heard = Closure::<dyn Fn(MessageEvent)>::new(heard);
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
    ///
    /// The promises are taken up by closures: futures would cost two kilobytes more.
    pub(crate) fn send(
        window: &Window,
        method: &str,
        url: &str,
        patience: Millis,
        answered: impl Fn(Option<Answer>) + 'static,
    ) -> Result<Self, JsValue> {
        let headers = Headers::new()?;
        headers.set("accept", "application/json")?;
        let abort = AbortController::new()?;
        let request = RequestInit::new();
        request.set_method(method);
        request.set_credentials(RequestCredentials::Omit);
        request.set_cache(RequestCache::NoStore);
        request.set_referrer_policy(ReferrerPolicy::NoReferrer);
        request.set_headers(&headers);
        request.set_signal(Some(&abort.signal()));
        let late = abort.clone();
        let limit = Timer::once(window, patience, move || late.abort())?;

        let answered: Rc<dyn Fn(Option<Answer>)> = Rc::new(answered);
        let lost = Rc::clone(&answered);
        let fetched = window.fetch_with_str_and_init(url, &request);
        then(
            &fetched,
            move |response| read(response.unchecked_into(), Rc::clone(&answered)),
            move |_| lost(None),
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
    let broken = Rc::clone(&answered);
    then(
        &text,
        move |body| {
            answered(Some(Answer {
                http: response.status(),
                retry_after: retry_after(&response),
                body: body.as_string().unwrap_or_default(),
            }));
        },
        move |_| broken(None),
    );
}

#[wasm_bindgen]
extern "C" {
    type Promise;

    #[wasm_bindgen(method)]
    fn then(this: &Promise, kept: &JsValue, broken: &JsValue);
}

/// The closures are the browser's from here on: it frees them with the promise.
fn then(promise: &JsValue, kept: impl Fn(JsValue) + 'static, broken: impl Fn(JsValue) + 'static) {
    let kept = Closure::<dyn Fn(JsValue)>::new(kept).into_js_value();
    let broken = Closure::<dyn Fn(JsValue)>::new(broken).into_js_value();
    promise.unchecked_ref::<Promise>().then(&kept, &broken);
}

/// `Retry-After` in its form of seconds (RFC 9110 §10.2.3); a date is left to the usual pause.
fn retry_after(response: &Response) -> Option<Millis> {
    let seconds = response.headers().get("retry-after").ok()??;
    seconds
        .parse::<u32>()
        .ok()
        .map(|seconds| Millis::from(seconds) * 1_000)
}

const MESSAGE: &str = "message";
