//! Whole HTTP requests to the authority and the control API, one after another from one browser.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::to_bytes_limited;
use actix_web::dev::{Extensions, Service as _};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, Uri, header};
use actix_web::rt::{System, SystemRunner};
use actix_web::test::{TestRequest, init_service, try_call_service};
use actix_web::{App, web};
use futures_util::future::LocalBoxFuture;
use tempfile::TempDir;

use super::{Counted, NOW, TENANT, folder};
use crate::Clock;
use crate::authority::{self, Addresses, Authority};
use crate::control;
use crate::directory::{Directory, TenantFile};
use crate::mailstore::MailStore;
use crate::outbox::Outbox;

/// Requests, each as text, with a line `===` between them:
///
/// ```text
/// POST /tarnbrook.test/oauth2/v2.0/token
/// Content-Type: application/x-www-form-urlencoded
///
/// grant_type=client_credentials&client_id=…
/// ```
///
/// Cookies are kept from one to the next. What an answer gave out can be named in later requests: `{flow}`, `{csrf}`,
/// `{code}`, `{refresh_token}`, `{device_code}`, `{user_code}`.
pub fn form(input: &[u8]) {
    visited(input);
}

/// The same; gives what the sandbox's log has of it: `token ok`, `consent AADSTS65004`.
#[cfg(test)]
pub(super) fn log(input: &[u8]) -> Vec<String> {
    let entries = visited(input).log.entries();
    entries
        .iter()
        .map(|entry| match entry.code {
            Some(code) => format!("{} AADSTS{code}", entry.kind),
            None => format!("{} {}", entry.kind, entry.outcome),
        })
        .collect()
}

fn visited(input: &[u8]) -> web::Data<Authority> {
    HOUSE.with(|house| house.get_or_init(House::new).visit(input))
}

thread_local! {
    static HOUSE: OnceCell<House> = const { OnceCell::new() };
}

type Answer = LocalBoxFuture<'static, Option<(HeaderMap, Vec<u8>)>>;

/// What takes too long to be made for each input: signing keys, a runtime and a router.
struct House {
    // Never dropped: actix looks at thread-local values as it goes, and they may be gone by then.
    runner: ManuallyDrop<SystemRunner>,
    call: ManuallyDrop<Box<dyn Fn(TestRequest) -> Answer>>,
    /// What the handlers work with, for the present input.
    data: Rc<RefCell<Rc<Extensions>>>,
    keys: Vec<u8>,
    folder: TempDir,
}

impl House {
    fn new() -> Self {
        let runner = System::with_tokio_rt(|| {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build()
                .expect("a runtime")
        });
        let data: Rc<RefCell<Rc<Extensions>>> = Rc::default();
        let current = data.clone();
        let application = App::new()
            .wrap_fn(move |mut request, service| {
                request.add_data_container(current.borrow().clone());
                service.call(request)
            })
            .configure(control::configure)
            .configure(authority::configure);
        let service = Rc::new(runner.block_on(init_service(application)));
        let call = move |request: TestRequest| -> Answer {
            let service = service.clone();
            Box::pin(async move {
                let answer = try_call_service(&*service, request.to_request()).await;
                // A handler's error is an answer too; only a body that breaks off is none.
                let answer = answer.ok()?;
                let headers = answer.headers().clone();
                let body = to_bytes_limited(answer.into_body(), LONGEST).await;
                Some((headers, body.ok()?.ok()?.to_vec()))
            })
        };
        let folder = folder();
        open(&folder);
        Self {
            runner: ManuallyDrop::new(runner),
            call: ManuallyDrop::new(Box::new(call)),
            data,
            keys: fs::read(folder.path().join(KEYS)).expect("the signing keys"),
            folder,
        }
    }

    fn visit(&self, input: &[u8]) -> web::Data<Authority> {
        // Nothing of the input before.
        let _ = fs::remove_file(self.folder.path().join("directory.jsonl"));
        let _ = fs::remove_dir_all(self.folder.path().join("mail"));
        let _ = fs::remove_dir_all(self.folder.path().join("outbox"));
        fs::write(self.folder.path().join(KEYS), &self.keys).expect("the signing keys");
        let authority = open(&self.folder);
        let store = MailStore::open(self.folder.path().join("mail"), NOW).expect("a store");
        let outbox = Outbox::open(self.folder.path().join("outbox")).expect("an outbox");
        let mut data = Extensions::new();
        data.insert(web::Data::new(outbox));
        data.insert(authority.clone());
        data.insert(web::Data::new(store));
        *self.data.borrow_mut() = Rc::new(data);
        let input = String::from_utf8_lossy(input);
        let mut visitor = Visitor::default();
        for text in input.split("\n===\n").take(MOST) {
            let Some(request) = visitor.request(text) else {
                continue;
            };
            if let Some((headers, body)) = self.runner.block_on((self.call)(request)) {
                visitor.remember(&headers, &body);
            }
        }
        *self.data.borrow_mut() = Rc::default();
        authority
    }
}

fn open(folder: &TempDir) -> web::Data<Authority> {
    let random = Arc::new(Counted::default());
    let tenant = TenantFile::parse(TENANT).expect("a tenant");
    let uris = ["http://localhost/cb".to_owned()];
    let directory =
        Directory::open(folder.path(), tenant, &uris, NOW, random.clone()).expect("a directory");
    let addresses = Addresses {
        plain: "http://localhost:80".to_owned(),
        tls: "https://localhost:443".to_owned(),
    };
    let lifetime = Duration::from_secs(3599);
    let clock = Clock::fixed(NOW);
    web::Data::new(Authority::new(
        directory, clock, random, addresses, lifetime,
    ))
}

/// What a browser and a client keep between requests.
#[derive(Default)]
struct Visitor {
    cookies: BTreeMap<String, String>,
    given: BTreeMap<&'static str, String>,
}

impl Visitor {
    fn request(&self, text: &str) -> Option<TestRequest> {
        let mut text = text.to_owned();
        for (name, value) in &self.given {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let (method, target) = lines.next()?.split_once(' ')?;
        let target: Uri = target.parse().ok()?;
        target.path_and_query()?;
        let mut request = TestRequest::default()
            .method(Method::from_bytes(method.as_bytes()).ok()?)
            .uri(&target.to_string());
        for line in lines {
            let (name, value) = line.split_once(": ")?;
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            request = request.append_header((name, HeaderValue::from_str(value).ok()?));
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.append_header((header::COOKIE, cookies.join("; ")));
        }
        Some(request.set_payload(body.to_owned()))
    }

    fn remember(&mut self, headers: &HeaderMap, body: &[u8]) {
        for (name, value) in headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            if name == header::SET_COOKIE
                && let Some((name, value)) = value.split(';').next().unwrap_or("").split_once('=')
            {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            if name == header::LOCATION {
                self.find("code", &value, "code=", &['&', '#']);
            }
        }
        let body = String::from_utf8_lossy(body);
        self.find("flow", &body, "name=\"flow\" value=\"", &['"']);
        self.find("csrf", &body, "name=\"csrf\" value=\"", &['"']);
        for name in ["refresh_token", "device_code", "user_code"] {
            self.find(name, &body, &format!("\"{name}\":\""), &['"']);
        }
    }

    fn find(&mut self, name: &'static str, text: &str, before: &str, end: &[char]) {
        if let Some((_, rest)) = text.split_once(before) {
            let value = rest.split(end).next().unwrap_or_default();
            self.given.insert(name, value.to_owned());
        }
    }
}

const KEYS: &str = "signing-keys.json";
/// Requests of one input.
const MOST: usize = 8;
/// Octets of an answer that are read.
const LONGEST: usize = 4 << 20;
