//! What an attempt has from the browser: timers, messages and requests, each of which ends when it is dropped.

use wasm_bindgen::closure::Closure;
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
        let task = Closure::<dyn Fn()>::new(task);
        let function = task.as_ref().unchecked_ref();
        let handle =
            window.set_timeout_with_callback_and_timeout_and_arguments_0(function, delay(after))?;
        Ok(Self {
            window: window.clone(),
            handle,
            _task: task,
        })
    }

    pub(crate) fn every(
        window: &Window,
        interval: Millis,
        task: impl Fn() + 'static,
    ) -> Result<Self, JsValue> {
        let task = Closure::<dyn Fn()>::new(task);
        let function = task.as_ref().unchecked_ref();
        let handle = window
            .set_interval_with_callback_and_timeout_and_arguments_0(function, delay(interval))?;
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

/// What came back from the gateway.
pub(crate) struct Answer {
    pub(crate) http: u16,
    pub(crate) retry_after: Option<Millis>,
    /// Empty where it broke off.
    pub(crate) body: String,
}

/// Asks the gateway, without cookies or referrer, and gives up when no answer came in `patience`.
///
/// # Errors
/// When no answer came, or `abort` was used.
pub(crate) async fn ask(
    window: &Window,
    method: &str,
    url: &str,
    patience: Millis,
    abort: &AbortController,
) -> Result<Answer, JsValue> {
    let headers = Headers::new()?;
    headers.set("accept", "application/json")?;
    let request = RequestInit::new();
    request.set_method(method);
    request.set_credentials(RequestCredentials::Omit);
    request.set_cache(RequestCache::NoStore);
    request.set_referrer_policy(ReferrerPolicy::NoReferrer);
    request.set_headers(&headers);
    request.set_signal(Some(&abort.signal()));
    let limit = abort.clone();
    let _limit = Timer::once(window, patience, move || limit.abort())?;

    let response: Response = window
        .fetch_with_str_and_init(url, &request)
        .await?
        .unchecked_into();
    let body = response.text()?.await;
    Ok(Answer {
        http: response.status(),
        retry_after: retry_after(&response),
        body: body
            .ok()
            .and_then(|text| text.as_string())
            .unwrap_or_default(),
    })
}

/// `Retry-After` in its form of seconds (RFC 9110 §10.2.3); a date is left to the usual pause.
fn retry_after(response: &Response) -> Option<Millis> {
    let seconds = response.headers().get("retry-after").ok()??;
    seconds
        .trim()
        .parse::<u32>()
        .ok()
        .map(|seconds| Millis::from(seconds) * 1_000)
}

fn delay(millis: Millis) -> i32 {
    i32::try_from(millis).unwrap_or(i32::MAX)
}

const MESSAGE: &str = "message";
