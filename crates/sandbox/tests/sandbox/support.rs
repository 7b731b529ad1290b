//! A sandbox for a test, an OAuth client, and a browser that knows links, forms and cookies.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mailgrant_core::time::UnixTime;
use mailgrant_sandbox::directory::TenantFile;
use mailgrant_sandbox::{Clock, Running, Sandbox, SandboxSettings};
use reqwest::{Client, Response};
use serde_json::Value;
use tempfile::TempDir;
use url::Url;

pub const NOW: UnixTime = UnixTime(1_800_000_000);
pub const REDIRECT: &str = "http://localhost:8080/oauth/callback";
pub const SCOPE: &str =
    "openid profile email offline_access https://outlook.office.com/IMAP.AccessAsUser.All";
/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub const TENANT: &str = include_str!("tenant.toml");
pub const DELEGATED: &str = "3f0b9f4e-6d58-4c1b-9a57-8e21c4d7b605";
pub const APP_ONLY: &str = "a84d2c17-15e3-47f9-b0d6-5c9f3e7a1288";
pub const SINGLE_TENANT: &str = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa01";
pub const SPA: &str = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa02";
pub const DISABLED: &str = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa03";
pub const EXPIRED: &str = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa04";
pub const PUBLIC: &str = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa05";
pub const NO_ROLES: &str = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa06";
pub const NO_PRINCIPAL: &str = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa07";
pub const WRONG_PRINCIPAL: &str = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa08";

pub const ADA: &str = "ada@quillmere.test";
pub const BRUNO: &str = "bruno@quillmere.test";
pub const ADMIN: &str = "admin@quillmere.test";
pub const BLOCKED: &str = "blocked@quillmere.test";
pub const SHARED: &str = "support@quillmere.test";
pub const NO_IMAP: &str = "noimap@quillmere.test";
pub const UNLICENSED: &str = "unlicensed@quillmere.test";
/// Everybody's.
pub const PASSWORD: &str = "correct horse <battery> & staple";

/// A running sandbox whose clock stands still.
pub struct World {
    pub running: Running,
    pub clock: Clock,
    pub base: String,
    pub tenant: String,
    pub http: Client,
    pub dir: Arc<TempDir>,
}

impl World {
    pub async fn start() -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().unwrap()), Clock::fixed(NOW)).await
    }

    pub async fn start_in(dir: Arc<TempDir>, clock: Clock) -> Self {
        Self::start_of(TENANT, dir, clock).await
    }

    /// With entries added to the tenant file.
    pub async fn start_with(entries: &str) -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        Self::start_of(&format!("{TENANT}\n{entries}"), dir, Clock::fixed(NOW)).await
    }

    pub async fn start_of(tenant: &str, dir: Arc<TempDir>, clock: Clock) -> Self {
        let mut settings = SandboxSettings::new(dir.path());
        settings.tenant = Some(TenantFile::parse(tenant).unwrap());
        settings.redirect_uris = vec![REDIRECT.to_owned()];
        settings.clock = clock.clone();
        settings.sample_mail = false;
        let running = Sandbox::start(settings).await.unwrap();
        let description = running.description();
        Self {
            base: description.authority.clone(),
            tenant: description.tenant.clone(),
            running,
            clock,
            http: http(None),
            dir,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}/{}{path}", self.base, self.tenant)
    }

    pub fn secret(&self, client_id: &str) -> String {
        let description = self.running.description();
        let application = description
            .applications
            .iter()
            .find(|known| known.client_id == client_id);
        application.unwrap().client_secret.clone().unwrap()
    }

    /// The usual authorization request, with parameters changed, added or (when empty) left out.
    pub fn authorize_url(&self, changes: &[(&str, &str)]) -> String {
        let mut parameters = BTreeMap::from([
            ("client_id", DELEGATED),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", SCOPE),
            ("state", "the state"),
            ("nonce", "the nonce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        parameters.extend(changes.iter().copied());
        let parameters = parameters
            .into_iter()
            .filter(|(_, value)| !value.is_empty());
        Url::parse_with_params(&self.url("/oauth2/v2.0/authorize"), parameters)
            .unwrap()
            .into()
    }

    /// Signs Ada in and agrees; the code.
    pub async fn code(&self, changes: &[(&str, &str)]) -> String {
        let mut browser = Browser::new(self);
        let answer = browser.connect(&self.authorize_url(changes), ADA).await;
        answer
            .parameter("code")
            .unwrap_or_else(|| panic!("no code: {}", answer.url))
    }

    /// Posts to the token endpoint.
    pub async fn token(&self, form: &[(&str, &str)]) -> Reply {
        self.token_at(&self.url("/oauth2/v2.0/token"), form).await
    }

    pub async fn token_at(&self, url: &str, form: &[(&str, &str)]) -> Reply {
        Reply::of(self.http.post(url).form(form).send().await.unwrap()).await
    }

    /// Redeems a code as the delegated application does, with fields changed, added or (when empty) left out.
    pub async fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> Reply {
        let secret = self.secret(DELEGATED);
        let mut form = BTreeMap::from([
            ("grant_type", "authorization_code"),
            ("client_id", DELEGATED),
            ("client_secret", &secret),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ]);
        form.extend(changes.iter().copied());
        let form: Vec<_> = form
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        self.token(&form).await
    }

    /// The whole way to a token answer.
    pub async fn connected(&self) -> Value {
        let code = self.code(&[]).await;
        self.redeem(&code, &[]).await.ok()
    }

    pub async fn refresh(&self, refresh_token: &str, changes: &[(&str, &str)]) -> Reply {
        let secret = self.secret(DELEGATED);
        let mut form = BTreeMap::from([
            ("grant_type", "refresh_token"),
            ("client_id", DELEGATED),
            ("client_secret", &secret),
            ("refresh_token", refresh_token),
        ]);
        form.extend(changes.iter().copied());
        let form: Vec<_> = form
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        self.token(&form).await
    }

    pub async fn client_credentials(&self, client_id: &str, scope: &str) -> Reply {
        let secret = self.secret(client_id);
        self.token(&[
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_secret", &secret),
            ("scope", scope),
        ])
        .await
    }

    pub async fn control_as(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<Value>,
    ) -> Reply {
        let mut request = self
            .http
            .request(method, format!("{}/control{path}", self.base))
            .header("X-Sandbox-Control", "1");
        if let Some(body) = &body {
            request = request.json(body);
        }
        Reply::of(request.send().await.unwrap()).await
    }

    pub async fn control(&self, path: &str, body: Value) -> Reply {
        let request = self
            .http
            .post(format!("{}/control{path}", self.base))
            .header("X-Sandbox-Control", "1");
        Reply::of(request.json(&body).send().await.unwrap()).await
    }
}

/// A JSON answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
}

impl Reply {
    pub async fn of(response: Response) -> Self {
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        Self {
            status,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }

    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{:?}", self.body);
        self.body
    }

    /// The AADSTS number, the OAuth error and the status of a refusal, whose form is checked.
    pub fn refusal(&self) -> (u64, &str, u16) {
        let code = self.body["error_codes"][0]
            .as_u64()
            .unwrap_or_else(|| panic!("no refusal: {self:?}"));
        let description = self.body["error_description"].as_str().unwrap();
        assert!(
            description.starts_with(&format!("AADSTS{code}: ")),
            "{description}"
        );
        for part in ["trace_id", "correlation_id", "timestamp"] {
            let value = self.body[part].as_str().unwrap();
            assert!(description.contains(value), "{part} in {description}");
        }
        assert!(
            self.body["error_uri"]
                .as_str()
                .unwrap()
                .ends_with(&format!("/error?code={code}"))
        );
        (code, self.body["error"].as_str().unwrap(), self.status)
    }
}

/// The claims of a JWT, unchecked.
pub fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests' own client, for servers of this machine"
)]
pub fn http(ca: Option<&[u8]>) -> Client {
    let mut builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    if let Some(ca) = ca {
        builder = builder.add_root_certificate(reqwest::Certificate::from_pem(ca).unwrap());
    }
    builder.build().unwrap()
}

/// Follows redirects within the sandbox, keeps cookies, and stops where it is sent elsewhere.
pub struct Browser {
    http: Client,
    base: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// What a browser shows, or where it was sent.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub url: String,
    pub html: String,
    pub headers: reqwest::header::HeaderMap,
}

impl Browser {
    pub fn new(world: &World) -> Self {
        Self {
            http: world.http.clone(),
            base: world.base.clone(),
            cookies: Mutex::default(),
        }
    }

    pub async fn get(&mut self, url: &str) -> Page {
        self.go(self.http.get(url), url).await
    }

    /// Fills a form in and sends it, by the button of that name and value.
    pub async fn submit(&mut self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        let mut form = page.form(action);
        form.extend(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let url = format!("{}{}", self.base, page.action(action));
        self.go(self.http.post(&url).form(&form), &url).await
    }

    pub async fn sign_in(&mut self, page: &Page, address: &str) -> Page {
        self.submit(
            page,
            "/login",
            &[("login", address), ("password", PASSWORD)],
        )
        .await
    }

    /// Opens, signs in and agrees, as far as it is asked to.
    pub async fn connect(&mut self, url: &str, address: &str) -> Page {
        let mut page = self.get(url).await;
        if page.html.contains("name=\"password\"") {
            page = self.sign_in(&page, address).await;
        }
        if page.html.contains("Permissions requested") {
            page = self
                .submit(&page, "/consent", &[("decision", "accept")])
                .await;
        }
        page
    }

    async fn go(&self, request: reqwest::RequestBuilder, url: &str) -> Page {
        let cookies: Vec<String> = self
            .cookies
            .lock()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let response = request
            .header("Cookie", cookies.join("; "))
            .send()
            .await
            .unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies
                .lock()
                .unwrap()
                .insert(name.to_owned(), value.to_owned());
        }
        let headers = response.headers().clone();
        let url = headers
            .get("location")
            .map_or(url, |location| location.to_str().unwrap())
            .to_owned();
        Page {
            status: response.status().as_u16(),
            url,
            headers,
            html: response.text().await.unwrap(),
        }
    }
}

impl Page {
    /// A parameter of the address it was sent to, in the query or the fragment.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let url = Url::parse(&self.url).unwrap();
        let found = url
            .query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned());
        found.or_else(|| {
            url::form_urlencoded::parse(url.fragment()?.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        })
    }

    /// The AADSTS number of a refusal that was sent to the client.
    pub fn sent_code(&self) -> Option<String> {
        let description = self.parameter("error_description")?;
        Some(
            description
                .strip_prefix("AADSTS")?
                .split(':')
                .next()?
                .to_owned(),
        )
    }

    /// The whole address of the form whose action ends so.
    fn action(&self, action: &str) -> String {
        let (_, form) = self.form_text(action);
        form
    }

    /// Its hidden fields.
    pub fn form(&self, action: &str) -> BTreeMap<String, String> {
        let (text, _) = self.form_text(action);
        let inputs = text.split("<input type=\"hidden\" name=\"").skip(1);
        inputs
            .map(|input| {
                let (name, rest) = input.split_once("\" value=\"").unwrap();
                (name.to_owned(), rest.split('"').next().unwrap().to_owned())
            })
            .collect()
    }

    fn form_text(&self, action: &str) -> (&str, String) {
        for form in self.html.split("<form method=\"post\" action=\"").skip(1) {
            let (target, rest) = form.split_once('"').unwrap();
            if target.ends_with(action) {
                return (rest.split("</form>").next().unwrap(), target.to_owned());
            }
        }
        panic!("no form {action} in {}", self.html);
    }
}
